/* SPDX-License-Identifier: Apache-2.0 */
/* Many callers at once, on any store: all get their own result, none is lost, one that fails takes nobody with it. */
#include <pthread.h>
#include <stdatomic.h>

#include "log_world.h"

enum { THREADS = 24, ROUNDS = 20 };

struct caller {
    struct log_world *l;
    int number, round;
    int64_t intents[ROUNDS], outcomes[ROUNDS];
    int failed; /* results that were not the expected */
};

static void callers_run(struct log_world *l, struct caller callers[THREADS], void *(*run)(void *arg))
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        callers[i] = (struct caller){.l = l, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, run, &callers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(callers[i].failed, 0);
}

static status count_use(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    (void)arg;
    return usage_add(db, record->key_id, record->principal_id, record->time_ms, USAGE_SUCCESS, err);
}

static void *sign_often(void *arg)
{
    struct caller *c = arg;
    struct error err = {0};
    for (int i = 0; i < ROUNDS; i++) {
        struct audit_record r = intent_record();
        struct audit_work work = {.record = &r};
        c->failed += !is_ok(audit_commit(c->l->audit, &work, soon(), &err));
        c->intents[i] = r.seq;
        r = outcome_record(r.seq, "success");
        work.after = count_use;
        c->failed += !is_ok(audit_commit(c->l->audit, &work, soon(), &err));
        c->outcomes[i] = r.seq;
    }
    return NULL;
}

static void i1_every_acknowledged_pair_is_in_the_log_once(void **state)
{
    struct log_world *l = *state;
    static struct caller callers[THREADS];
    static bool seen[2 * THREADS * ROUNDS + 1];
    memset(seen, 0, sizeof(seen));
    callers_run(l, callers, sign_often);

    assert_int_equal(log_count(l), 2 * THREADS * ROUNDS);
    usage_expect(l, THREADS * ROUNDS, 0, 0);
    for (int i = 0; i < THREADS; i++) {
        for (int round = 0; round < ROUNDS; round++) {
            char line[4096], link[64];
            assert_true(callers[i].outcomes[round] > callers[i].intents[round]);
            assert_false(seen[callers[i].intents[round]] || seen[callers[i].outcomes[round]]);
            seen[callers[i].intents[round]] = seen[callers[i].outcomes[round]] = true;
            log_line(l, callers[i].outcomes[round], line);
            (void)snprintf(link, sizeof(link), "\"intent\":%lld,", (long long)callers[i].intents[round]);
            assert_non_null(strstr(line, link));
        }
    }
}

/* Every third caller's change fails after it has written; half of those have no savepoint, so their batch runs again.
 */
static status write_and_perhaps_fail(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    struct caller *c = arg;
    struct project p = {.created_ms = 1};
    c->failed += record->reason != NULL; /* as it was given, however often this runs */
    record->reason = "set by the change";
    (void)snprintf(p.id, sizeof(p.id), "prj_%d_%d", c->number, c->round);
    (void)snprintf(p.name, sizeof(p.name), "p-%d-%d", c->number, c->round);
    TRY(project_insert(db, &p, err));
    return c->number % 3 == 0 ? error_set(err, CODE_FORBIDDEN, "p-%d-%d may not", c->number, c->round) : OK;
}

static void *change_often(void *arg)
{
    struct caller *c = arg;
    for (c->round = 0; c->round < ROUNDS; c->round++) {
        struct error err = {0};
        char expected[64];
        struct audit_record r = admin_record();
        struct audit_work work = {
            .change = write_and_perhaps_fail, .arg = c, .record = &r, .needs_savepoint = c->number % 2 == 0};
        status result = audit_commit(c->l->audit, &work, soon(), &err);
        (void)snprintf(expected, sizeof(expected), "p-%d-%d may not", c->number, c->round);
        if (c->number % 3 == 0)
            c->failed += result.code != CODE_FORBIDDEN || strcmp(err.text, expected) != 0;
        else
            c->failed += !is_ok(result);
    }
    return NULL;
}

static void failing_changes_take_nobody_of_their_batch_with_them(void **state)
{
    struct log_world *l = *state;
    static struct caller callers[THREADS];
    callers_run(l, callers, change_often);
    assert_int_equal(log_count(l), (THREADS - THREADS / 3) * ROUNDS);
    for (int i = 0; i < THREADS; i++) {
        for (int round = 0; round < ROUNDS; round++) {
            struct project p;
            char name[32];
            (void)snprintf(name, sizeof(name), "p-%d-%d", i, round);
            assert_code(project_find(l->w->db, name, &p, &l->err), i % 3 == 0 ? CODE_NOT_FOUND : CODE_OK);
        }
    }
}

static status write_then_fail(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    (void)arg;
    TRY(usage_add(db, record->key_id, record->principal_id, record->time_ms, USAGE_FAILED, err));
    return error_set(err, CODE_FORBIDDEN, "no");
}

static void *fail_and_sign(void *arg)
{
    struct caller *c = arg;
    for (int i = 0; i < ROUNDS; i++) {
        struct audit_record r = intent_record();
        struct audit_work failing = {.after = write_then_fail, .record = &r, .needs_savepoint = c->number % 2 == 0};
        struct audit_work good = {.record = &r};
        c->failed += audit_commit(c->l->audit, &failing, soon(), NULL).code != CODE_FORBIDDEN;
        r = intent_record();
        c->failed += !is_ok(audit_commit(c->l->audit, &good, soon(), NULL));
        c->intents[i] = r.seq;

        r = outcome_record(c->intents[i], "success");
        c->failed += audit_commit(c->l->audit, &failing, soon(), NULL).code != CODE_FORBIDDEN;
        r = outcome_record(c->intents[i], "success");
        c->failed += !is_ok(audit_commit(c->l->audit, &good, soon(), NULL));
    }
    return NULL;
}

static void i2_undone_intents_and_outcomes_leave_no_trace(void **state)
{
    struct log_world *l = *state;
    static struct caller callers[THREADS];
    callers_run(l, callers, fail_and_sign);
    assert_int_equal(log_count(l), 2 * THREADS * ROUNDS);
    usage_expect(l, 0, 0, 0);
    for (int i = 0; i < THREADS; i++) {
        for (int round = 0; round < ROUNDS; round++) {
            struct audit_record again = outcome_record(callers[i].intents[round], "success");
            struct audit_work work = {.record = &again};
            assert_code(audit_commit(l->audit, &work, soon(), &l->err), CODE_AUDIT_UNAVAILABLE);
        }
    }
}

/* The same name by all: exactly one wins each round. */
static status claim_name(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    const struct caller *c = arg;
    struct project p = {.created_ms = record->time_ms};
    (void)snprintf(p.id, sizeof(p.id), "prj_%d_%d", c->number, c->round);
    (void)snprintf(p.name, sizeof(p.name), "round-%d", c->round);
    return project_insert(db, &p, err);
}

static atomic_int won;

static void *claim_often(void *arg)
{
    struct caller *c = arg;
    for (c->round = 0; c->round < ROUNDS; c->round++) {
        struct error err = {0};
        struct audit_record r = admin_record();
        struct audit_work work = {.change = claim_name, .arg = c, .record = &r};
        status result = audit_commit(c->l->audit, &work, soon(), &err);
        c->failed += !is_ok(result) && result.code != CODE_CONFLICT;
        atomic_fetch_add(&won, is_ok(result));
    }
    return NULL;
}

static void name_wanted_by_all_is_given_to_one(void **state)
{
    struct log_world *l = *state;
    static struct caller callers[THREADS];
    atomic_store(&won, 0);
    callers_run(l, callers, claim_often);
    assert_int_equal(atomic_load(&won), ROUNDS);
    assert_int_equal(log_count(l), ROUNDS);
}

struct gate {
    pthread_mutex_t lock;
    pthread_cond_t moved;
    bool entered, open;
};

static status wait_at_gate(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    (void)db;
    (void)record;
    (void)err;
    struct gate *g = arg;
    struct timespec until = deadline_timespec(deadline_in(20000));
    (void)pthread_mutex_lock(&g->lock);
    g->entered = true;
    (void)pthread_cond_broadcast(&g->moved);
    while (!g->open && pthread_cond_clockwait(&g->moved, &g->lock, CLOCK_MONOTONIC, &until) == 0)
        ;
    (void)pthread_mutex_unlock(&g->lock);
    return OK;
}

struct gate_caller {
    struct log_world *l;
    struct gate *gate;
    status result;
};

static void *hold_the_batch(void *arg)
{
    struct gate_caller *c = arg;
    struct audit_record r = admin_record();
    struct audit_work work = {.change = wait_at_gate, .arg = c->gate, .record = &r};
    c->result = audit_commit(c->l->audit, &work, soon(), NULL);
    return NULL;
}

static void *append_one(void *arg)
{
    struct gate_caller *c = arg;
    struct audit_record r = admin_record();
    struct audit_work work = {.record = &r};
    c->result = audit_commit(c->l->audit, &work, soon(), NULL);
    return NULL;
}

/* While a batch is held up, the first who waits gives up: the one behind takes over the group and is served. */
static void i9_caller_whose_deadline_passes_leaves_the_others_waiting(void **state)
{
    struct log_world *l = *state;
    struct gate gate = {.lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER};
    struct gate_caller holder = {.l = l, .gate = &gate}, patient = {.l = l};
    pthread_t holding, waiting;
    assert_int_equal(pthread_create(&holding, NULL, hold_the_batch, &holder), 0);
    (void)pthread_mutex_lock(&gate.lock);
    while (!gate.entered)
        (void)pthread_cond_wait(&gate.moved, &gate.lock);
    (void)pthread_mutex_unlock(&gate.lock);

    struct audit_record r = admin_record();
    struct audit_work hasty = {.record = &r};
    assert_code(audit_commit(l->audit, &hasty, deadline_in(20), &l->err), CODE_AUDIT_UNAVAILABLE);
    assert_int_equal(r.seq, 0);
    assert_int_equal(pthread_create(&waiting, NULL, append_one, &patient), 0);
    assert_code(audit_commit(l->audit, &hasty, deadline_in(20), &l->err), CODE_AUDIT_UNAVAILABLE);

    (void)pthread_mutex_lock(&gate.lock);
    gate.open = true;
    (void)pthread_cond_broadcast(&gate.moved);
    (void)pthread_mutex_unlock(&gate.lock);
    assert_int_equal(pthread_join(holding, NULL), 0);
    assert_int_equal(pthread_join(waiting, NULL), 0);
    assert_code(holder.result, CODE_OK);
    assert_code(patient.result, CODE_OK);
    assert_int_equal(log_count(l), 2);
}

/* Callers that give up at every moment: nobody hangs, what was acknowledged and nothing else is in the log. */
static atomic_int acknowledged;

static void *append_in_a_hurry(void *arg)
{
    struct caller *c = arg;
    for (int i = 0; i < 4 * ROUNDS; i++) {
        struct audit_record r = admin_record();
        struct audit_work work = {.record = &r};
        status result = audit_commit(c->l->audit, &work, deadline_in((c->number + i) % 3), NULL);
        c->failed += !is_ok(result) && result.code != CODE_AUDIT_UNAVAILABLE;
        atomic_fetch_add(&acknowledged, is_ok(result));
    }
    return NULL;
}

static void i9_deadlines_that_pass_at_any_moment_lose_nothing(void **state)
{
    struct log_world *l = *state;
    static struct caller callers[THREADS];
    atomic_store(&acknowledged, 0);
    callers_run(l, callers, append_in_a_hurry);
    assert_int_equal(log_count(l), atomic_load(&acknowledged));
    (void)log_append(l, admin_record());
}

const struct CMUnitTest group_tests[] = {
    LOG_TEST(i1_every_acknowledged_pair_is_in_the_log_once),
    LOG_TEST(failing_changes_take_nobody_of_their_batch_with_them),
    LOG_TEST(i2_undone_intents_and_outcomes_leave_no_trace),
    LOG_TEST(name_wanted_by_all_is_given_to_one),
    LOG_TEST(i9_caller_whose_deadline_passes_leaves_the_others_waiting),
    LOG_TEST(i9_deadlines_that_pass_at_any_moment_lose_nothing),
};
const size_t group_test_count = COUNT_OF(group_tests);

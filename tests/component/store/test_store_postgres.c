/* SPDX-License-Identifier: Apache-2.0 */
/* The contract suites of store and audit log on a real PostgreSQL, and what is PostgreSQL's alone: several servers on
 * one log, connections that are cut, a database that goes and comes. */
#include <pthread.h>
#include <stdatomic.h>

#include "cluster.h"
#include "server/store/timestamp.h"
#include "log_world.h"
#include "proxy.h"

static void fresh_schema(struct world *w)
{
    static int number;
    char schema[32];
    (void)snprintf(schema, sizeof(schema), "t%d", ++number);
    cluster_url(schema, w->url, sizeof(w->url));
}

/* A second server on the same log. */
struct server {
    struct store *store;
    struct audit *audit;
    struct error err;
};

static void server_open(struct server *s, const struct log_world *l)
{
    assert_ok(store_open(l->w->url, &s->store, &s->err), &s->err);
    assert_ok(audit_open(s->store, log_now, &s->audit, &s->err), &s->err);
}

static void server_close(struct server *s)
{
    audit_close(s->audit);
    store_close(s->store);
}

static status server_append(struct server *s, struct audit_record *r)
{
    struct audit_work work = {.record = r};
    return audit_commit(s->audit, &work, soon(), &s->err);
}

enum { THREADS = 8, ROUNDS = 25 };

struct appender {
    struct audit *audit;
    atomic_bool *stop; /* NULL: ROUNDS times */
    int acknowledged, refused, wrong;
};

static void *append_records(void *arg)
{
    struct appender *a = arg;
    for (int i = 0; a->stop ? !atomic_load(a->stop) : i < ROUNDS; i++) {
        struct audit_record r = admin_record();
        struct audit_work work = {.record = &r};
        status result = audit_commit(a->audit, &work, soon(), NULL);
        a->acknowledged += is_ok(result);
        a->refused += result.code == CODE_AUDIT_UNAVAILABLE;
        a->wrong += !is_ok(result) && result.code != CODE_AUDIT_UNAVAILABLE;
    }
    return NULL;
}

static void i7_two_servers_write_one_chain(void **state)
{
    struct log_world *l = *state;
    struct server other = {0};
    struct appender appenders[THREADS];
    pthread_t threads[THREADS];
    server_open(&other, l);
    for (int i = 0; i < THREADS; i++) {
        appenders[i] = (struct appender){.audit = i % 2 ? other.audit : l->audit};
        assert_int_equal(pthread_create(&threads[i], NULL, append_records, &appenders[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(appenders[i].acknowledged, ROUNDS);
    }
    assert_int_equal(log_count(l), THREADS * ROUNDS);
    server_close(&other);
}

/* ---- serial numbers of timestamps */

enum { RANGE = 10 };

struct taker {
    struct audit *audit;
    int64_t firsts[ROUNDS];
    int failed;
};

static status range_rows(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    (void)record;
    return timestamp_serials_take(db, RANGE, 1000, 0, arg, err);
}

static void *ranges_take(void *arg)
{
    struct taker *t = arg;
    for (int i = 0; i < ROUNDS; i++) {
        struct audit_work work = {.change = range_rows, .arg = &t->firsts[i], .needs_savepoint = true};
        t->failed += !is_ok(audit_commit(t->audit, &work, soon(), NULL));
    }
    return NULL;
}

static int by_number(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

static void two_servers_take_no_serial_number_twice(void **state)
{
    struct log_world *l = *state;
    struct server other = {0};
    struct taker takers[THREADS] = {0};
    pthread_t threads[THREADS];
    int64_t all[THREADS * ROUNDS];
    server_open(&other, l);
    for (int i = 0; i < THREADS; i++) {
        takers[i].audit = i % 2 ? other.audit : l->audit;
        assert_int_equal(pthread_create(&threads[i], NULL, ranges_take, &takers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(takers[i].failed, 0);
        memcpy(&all[i * ROUNDS], takers[i].firsts, sizeof(takers[i].firsts));
    }
    qsort(all, COUNT_OF(all), sizeof(*all), by_number);
    for (size_t i = 1; i < COUNT_OF(all); i++)
        assert_true(all[i] - all[i - 1] >= RANGE);
    server_close(&other);
}

static void i2_start_of_one_server_leaves_the_intents_of_another_alone(void **state)
{
    struct log_world *l = *state;
    struct server other = {0};
    int64_t intent = log_append(l, intent_record());
    server_open(&other, l);
    (void)log_append(l, outcome_record(intent, "success"));
    assert_int_equal(log_count(l), 2);
    server_close(&other);
}

static void i2_intents_of_a_server_that_is_gone_are_closed_by_the_next_start(void **state)
{
    struct log_world *l = *state;
    struct server gone = {0}, next = {0};
    struct audit_record r = intent_record();
    char line[4096];
    server_open(&gone, l);
    assert_ok(server_append(&gone, &r), &gone.err);
    server_close(&gone);
    assert_int_equal(log_count(l), 1);

    server_open(&next, l);
    assert_int_equal(log_count(l), 2);
    log_line(l, 2, line);
    assert_non_null(strstr(line, "\"outcome\":\"unknown\""));
    server_close(&next);
}

/* Two are gone, one comes back: it takes one place and closes the other. */
static void i2_intents_of_all_servers_that_are_gone_are_closed(void **state)
{
    struct log_world *l = *state;
    struct server gone[3] = {0};
    for (int i = 0; i < 3; i++)
        server_open(&gone[i], l);
    for (int i = 0; i < 3; i++) {
        struct audit_record r = intent_record();
        assert_ok(server_append(&gone[i], &r), &gone[i].err);
        server_close(&gone[i]);
    }
    log_reopen(l);
    assert_int_equal(log_count(l), 6);
    usage_expect(l, 0, 0, 3);
    log_reopen(l);
    assert_int_equal(log_count(l), 6);
}

static void generation_is_seen_by_the_other_server(void **state)
{
    struct log_world *l = *state;
    struct server other = {0};
    int64_t before = 0, now = 0;
    server_open(&other, l);
    assert_ok(store_generation(store_writer(other.store), &before, &l->err), &l->err);
    struct audit_record r = admin_record();
    struct audit_work work = {.record = &r, .alters_rights = true};
    assert_ok(audit_commit(l->audit, &work, soon(), &l->err), &l->err);
    assert_ok(store_generation(store_writer(other.store), &now, &l->err), &l->err);
    assert_int_equal(now, before + 1);
    server_close(&other);
}

static void sessions_cut(void)
{
    cluster_sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                "WHERE application_name = 'chanceryd' AND pid <> pg_backend_pid()",
                NULL, 0);
}

static void cut_session_is_made_anew_and_keeps_its_place(void **state)
{
    struct log_world *l = *state;
    int64_t intent = log_append(l, intent_record());
    sessions_cut();
    struct audit_record r = outcome_record(intent, "success");
    struct audit_work work = {.record = &r};
    status result = audit_commit(l->audit, &work, soon(), &l->err);
    if (result.code == CODE_AUDIT_UNAVAILABLE)
        result = audit_commit(l->audit, &work, soon(), &l->err);
    assert_ok(result, &l->err);
    assert_int_equal(log_count(l), 2);
    log_reopen(l);
    assert_int_equal(log_count(l), 2);
}

/* Cut off, and while it is away another server starts and closes its intent: a late outcome is refused. */
static void i2_outcome_after_the_intent_was_closed_by_another_is_refused(void **state)
{
    struct log_world *l = *state;
    struct server other = {0};
    int64_t intent = log_append(l, intent_record());
    sessions_cut();
    server_open(&other, l);
    struct audit_record r = outcome_record(intent, "success");
    struct audit_work work = {.record = &r};
    for (int i = 0; i < 2; i++)
        assert_code(audit_commit(l->audit, &work, soon(), &l->err), CODE_AUDIT_UNAVAILABLE);
    (void)log_append(l, admin_record());
    assert_int_equal(log_count(l), 3);
    server_close(&other);
}

/* The same, and the other server is gone again before the first comes back: its place is free, but no longer its own.
 */
static void i2_place_that_another_has_had_is_not_taken_for_ones_own(void **state)
{
    struct log_world *l = *state;
    struct server other = {0};
    int64_t intent = log_append(l, intent_record());
    sessions_cut();
    server_open(&other, l);
    server_close(&other);
    struct audit_record r = outcome_record(intent, "success");
    struct audit_work work = {.record = &r};
    for (int i = 0; i < 2; i++)
        assert_code(audit_commit(l->audit, &work, soon(), &l->err), CODE_AUDIT_UNAVAILABLE);
    assert_int_equal(log_count(l), 2);
}

/* A server whose connections go through the proxy, in place of the one that log_setup opened. */
static int proxied_setup(void **state)
{
    if (log_setup(state) != 0)
        return -1;
    struct log_world *l = *state;
    char direct[sizeof(l->w->url)];
    proxy_start();
    memcpy(direct, l->w->url, sizeof(direct));
    proxy_url(direct, l->w->url, sizeof(l->w->url));
    log_reopen(l);
    return 0;
}

static int proxied_teardown(void **state)
{
    int result = log_teardown(state);
    proxy_stop();
    return result;
}

static void i1_commit_whose_answer_is_lost_is_recognised(void **state)
{
    struct log_world *l = *state;
    (void)log_append(l, admin_record());
    proxy_set(PROXY_LOSE_COMMIT);
    assert_int_equal(log_append(l, admin_record()), 2);
    assert_int_equal(proxy_cuts(), 1);
    assert_int_equal(log_append(l, admin_record()), 3);
    assert_int_equal(log_count(l), 3);
}

/* The old session still lives on the server, and with it the lock of the place. */
static void i2_server_that_was_cut_off_keeps_its_place_and_its_intents(void **state)
{
    struct log_world *l = *state;
    int64_t intent = log_append(l, intent_record());
    proxy_set(PROXY_DROP_CLIENT);
    assert_true(proxy_cuts() >= 1);
    struct audit_record r = outcome_record(intent, "success");
    struct audit_work work = {.record = &r};
    status result = audit_commit(l->audit, &work, soon(), &l->err);
    if (result.code == CODE_AUDIT_UNAVAILABLE)
        result = audit_commit(l->audit, &work, soon(), &l->err);
    assert_ok(result, &l->err);
    assert_int_equal(log_count(l), 2);
}

/* Cut at any moment, COMMIT included: the log has what was acknowledged, and not one record more. */
static void i1_sessions_cut_under_load_lose_nothing(void **state)
{
    struct log_world *l = *state;
    atomic_bool stop = false;
    struct appender appenders[THREADS];
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        appenders[i] = (struct appender){.audit = l->audit, .stop = &stop};
        assert_int_equal(pthread_create(&threads[i], NULL, append_records, &appenders[i]), 0);
    }
    for (int i = 0; i < 25; i++) {
        (void)usleep(20000);
        sessions_cut();
    }
    atomic_store(&stop, true);
    int acknowledged = 0, wrong = 0;
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        acknowledged += appenders[i].acknowledged;
        wrong += appenders[i].wrong;
    }
    assert_int_equal(wrong, 0);
    assert_true(acknowledged > 0);
    (void)log_append(l, admin_record());
    assert_int_equal(log_count(l), acknowledged + 1);
}

static void i9_dead_database_is_said_at_once_and_comes_back(void **state)
{
    struct log_world *l = *state;
    struct audit_record r = admin_record();
    struct audit_work work = {.record = &r};
    struct project p;
    (void)log_append(l, admin_record());
    struct db *reader = store_reader_acquire(l->w->store, &l->err);
    assert_non_null(reader);
    store_reader_release(l->w->store, reader);

    cluster_halt();
    struct deadline d = deadline_in(20000);
    assert_code(audit_commit(l->audit, &work, soon(), &l->err), CODE_AUDIT_UNAVAILABLE);
    assert_code(audit_commit(l->audit, &work, soon(), &l->err), CODE_AUDIT_UNAVAILABLE);
    assert_null(store_reader_acquire(l->w->store, &l->err));
    assert_code(store_check(l->w->store, &l->err), CODE_UNAVAILABLE);
    assert_false(deadline_passed(d));
    cluster_resume();

    (void)log_append(l, admin_record());
    reader = store_reader_acquire(l->w->store, &l->err);
    assert_non_null(reader);
    assert_ok(project_find(reader, "demo", &p, &l->err), &l->err);
    store_reader_release(l->w->store, reader);
    assert_int_equal(log_count(l), 2);
}

static void reader_cannot_write(void **state)
{
    struct log_world *l = *state;
    struct project p = {.id = "prj_x", .name = "x"};
    struct db *reader = store_reader_acquire(l->w->store, &l->err);
    assert_non_null(reader);
    assert_code(project_insert(reader, &p, &l->err), CODE_UNAVAILABLE);
    store_reader_release(l->w->store, reader);
}

static status cut_and_ask(void *arg, const struct project *p)
{
    struct log_world *l = arg;
    struct project again;
    sessions_cut();
    assert_code(project_find(l->w->db, p->id, &again, &l->err), CODE_UNAVAILABLE);
    return OK;
}

static void result_that_was_received_outlives_the_connection(void **state)
{
    struct log_world *l = *state;
    (void)world_project(l->w, "prj_b", "second");
    assert_ok(project_list(l->w->db, NULL, (struct page){0}, cut_and_ask, l, &l->err), &l->err);
    (void)log_append(l, admin_record());
}

static void *migrate_one(void *arg)
{
    struct world *w = arg;
    struct store *s = NULL;
    struct error err;
    bool good = is_ok(store_open(w->url, &s, &err)) && is_ok(store_migrate(s, &err)) && is_ok(store_check(s, &err));
    if (s)
        store_close(s);
    return good ? w : NULL;
}

static void servers_that_start_at_once_migrate_once(void **state)
{
    (void)state;
    struct world w = {0};
    pthread_t threads[4];
    fresh_schema(&w);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, migrate_one, &w), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        void *result = NULL;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_ptr_equal(result, &w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_TEST(i7_two_servers_write_one_chain),
        LOG_TEST(two_servers_take_no_serial_number_twice),
        LOG_TEST(i2_start_of_one_server_leaves_the_intents_of_another_alone),
        LOG_TEST(i2_intents_of_a_server_that_is_gone_are_closed_by_the_next_start),
        LOG_TEST(i2_intents_of_all_servers_that_are_gone_are_closed),
        LOG_TEST(generation_is_seen_by_the_other_server),
        LOG_TEST(cut_session_is_made_anew_and_keeps_its_place),
        LOG_TEST(i2_outcome_after_the_intent_was_closed_by_another_is_refused),
        LOG_TEST(i2_place_that_another_has_had_is_not_taken_for_ones_own),
        cmocka_unit_test_setup_teardown(i1_commit_whose_answer_is_lost_is_recognised, proxied_setup, proxied_teardown),
        cmocka_unit_test_setup_teardown(i2_server_that_was_cut_off_keeps_its_place_and_its_intents, proxied_setup,
                                        proxied_teardown),
        LOG_TEST(i1_sessions_cut_under_load_lose_nothing),
        LOG_TEST(i9_dead_database_is_said_at_once_and_comes_back),
        LOG_TEST(reader_cannot_write),
        LOG_TEST(result_that_was_received_outlives_the_connection),
        cmocka_unit_test(servers_that_start_at_once_migrate_once),
    };
    cluster_start();
    world_fresh = fresh_schema;
    int failed = _cmocka_run_group_tests("project", project_tests, project_test_count, NULL, NULL);
    failed += _cmocka_run_group_tests("principal", principal_tests, principal_test_count, NULL, NULL);
    failed += _cmocka_run_group_tests("team", team_tests, team_test_count, NULL, NULL);
    failed += _cmocka_run_group_tests("sign_in", sign_in_tests, sign_in_test_count, NULL, NULL);
    failed += _cmocka_run_group_tests("credential", credential_tests, credential_test_count, NULL, NULL);
    failed += _cmocka_run_group_tests("ca", ca_tests, ca_test_count, NULL, NULL);
    failed += _cmocka_run_group_tests("key", key_tests, key_test_count, NULL, NULL);
    failed += _cmocka_run_group_tests("count", count_tests, count_test_count, NULL, NULL);
    failed += _cmocka_run_group_tests("log", log_tests, log_test_count, NULL, NULL);
    failed += _cmocka_run_group_tests("policy", policy_tests, policy_test_count, NULL, NULL);
    failed += _cmocka_run_group_tests("approval", approval_tests, approval_test_count, NULL, NULL);
    failed += _cmocka_run_group_tests("idempotent", idempotent_tests, idempotent_test_count, NULL, NULL);
    failed += _cmocka_run_group_tests("timestamp", timestamp_tests, timestamp_test_count, NULL, NULL);
    failed += _cmocka_run_group_tests("append", append_tests, append_test_count, NULL, NULL);
    failed += _cmocka_run_group_tests("group", group_tests, group_test_count, NULL, NULL);
    failed += _cmocka_run_group_tests("recovery", recovery_tests, recovery_test_count, NULL, NULL);
    failed += _cmocka_run_group_tests("verify", verify_tests, verify_test_count, NULL, NULL);
    failed += _cmocka_run_group_tests("upgrade", upgrade_tests, upgrade_test_count, NULL, NULL);
    failed += cmocka_run_group_tests_name("postgresql", tests, NULL, NULL);
    cluster_stop();
    return failed;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* I1, I2, I9: nothing is acknowledged that is not on the disk. The disk fails in every way; the process is killed. */
#include <stdatomic.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "faulty_disk.h"
#include "log_world.h"

static const enum disk_fault faults[] = {DISK_SYNC_FAILS, DISK_WRITE_FAILS, DISK_FULL};

static void i1_record_is_not_acknowledged_when_commit_fails(void **state)
{
    struct log_world *l = *state;
    (void)log_append(l, admin_record());
    for (size_t i = 0; i < COUNT_OF(faults); i++) {
        struct audit_record r = intent_record();
        struct audit_work work = {.record = &r};
        faulty_disk_set(faults[i]);
        assert_code(audit_commit(l->audit, &work, soon(), &l->err), CODE_AUDIT_UNAVAILABLE);
        assert_true(faulty_disk_failures() > 0);
        faulty_disk_set(DISK_GOOD);
        assert_int_equal(log_count(l), 1);
    }
}

static void i9_log_goes_on_when_the_disk_does(void **state)
{
    struct log_world *l = *state;
    for (size_t i = 0; i < COUNT_OF(faults); i++) {
        struct audit_record r = intent_record();
        struct audit_work work = {.record = &r};
        faulty_disk_set(faults[i]);
        for (int attempt = 0; attempt < 3; attempt++)
            assert_code(audit_commit(l->audit, &work, soon(), &l->err), CODE_AUDIT_UNAVAILABLE);
        faulty_disk_set(DISK_GOOD);
        int64_t intent = log_append(l, intent_record());
        (void)log_append(l, outcome_record(intent, "success"));
    }
    assert_int_equal(log_count(l), 2 * (int)COUNT_OF(faults));
    log_reopen(l);
    assert_int_equal(log_count(l), 2 * (int)COUNT_OF(faults));
}

static void i1_outcome_that_could_not_be_recorded_can_be_recorded_later(void **state)
{
    struct log_world *l = *state;
    struct audit_record r = outcome_record(log_append(l, intent_record()), "success");
    struct audit_work work = {.record = &r};
    faulty_disk_set(DISK_SYNC_FAILS);
    assert_code(audit_commit(l->audit, &work, soon(), &l->err), CODE_AUDIT_UNAVAILABLE);
    faulty_disk_set(DISK_GOOD);
    assert_ok(audit_commit(l->audit, &work, soon(), &l->err), &l->err);
    assert_int_equal(log_count(l), 2);
}

static void i4_generation_stays_when_commit_fails(void **state)
{
    struct log_world *l = *state;
    int64_t before = 0, now = 0;
    struct audit_record r = admin_record();
    struct audit_work work = {.record = &r, .alters_rights = true};
    assert_ok(store_generation(l->w->db, &before, &l->err), &l->err);
    faulty_disk_set(DISK_SYNC_FAILS);
    assert_code(audit_commit(l->audit, &work, soon(), &l->err), CODE_AUDIT_UNAVAILABLE);
    faulty_disk_set(DISK_GOOD);
    assert_ok(store_generation(l->w->db, &now, &l->err), &l->err);
    assert_int_equal(now, before);
}

static status big_change(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    (void)arg;
    (void)record;
    for (int i = 0; i < 2000; i++) {
        struct project p = {0};
        (void)snprintf(p.id, sizeof(p.id), "prj_big%d", i);
        (void)snprintf(p.name, sizeof(p.name), "big%d", i);
        memset(p.description, 'x', sizeof(p.description) - 1);
        TRY(project_insert(db, &p, err));
    }
    return OK;
}

static void change_that_finds_no_room_is_undone_and_said(void **state)
{
    struct log_world *l = *state;
    struct audit_record r = admin_record();
    struct audit_work work = {.change = big_change, .record = &r};
    struct db_rows *rows = NULL;
    bool more = false;
    for (int savepoint = 0; savepoint <= 1; savepoint++) {
        work.needs_savepoint = savepoint;
        assert_ok(db_query(l->w->db, "PRAGMA max_page_count = 60", NULL, 0, &rows, &l->err), &l->err);
        assert_ok(db_next(rows, &more, &l->err), &l->err);
        db_rows_close(rows);
        assert_code(audit_commit(l->audit, &work, soon(), &l->err), CODE_AUDIT_UNAVAILABLE);
        assert_int_equal(log_count(l), 0);
    }
    (void)log_append(l, admin_record());
}

struct signer {
    struct log_world *l;
    atomic_bool *stop;
    int64_t last; /* highest seq acknowledged to it */
    int refused, acknowledged;
};

static void *append_until_stopped(void *arg)
{
    struct signer *s = arg;
    while (!atomic_load(s->stop)) {
        struct audit_record r = admin_record();
        struct audit_work work = {.record = &r};
        status result = audit_commit(s->l->audit, &work, soon(), NULL);
        if (is_ok(result))
            s->last = r.seq;
        s->acknowledged += is_ok(result);
        s->refused += !is_ok(result);
    }
    return NULL;
}

/* The disk fails now and then under load: the log has what was acknowledged, and not one record more. */
static void i1_log_has_exactly_what_was_acknowledged(void **state)
{
    enum { THREADS = 8 };
    struct log_world *l = *state;
    atomic_bool stop = false;
    struct signer signers[THREADS] = {0};
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        signers[i] = (struct signer){.l = l, .stop = &stop};
        assert_int_equal(pthread_create(&threads[i], NULL, append_until_stopped, &signers[i]), 0);
    }
    int failures = 0;
    for (int i = 0; i < 30; i++) {
        (void)usleep(5000);
        faulty_disk_set(faults[(size_t)i % COUNT_OF(faults)]);
        for (int wait = 0; wait < 2000 && faulty_disk_failures() == 0; wait++)
            (void)usleep(1000);
        failures += faulty_disk_failures();
        faulty_disk_set(DISK_GOOD);
    }
    atomic_store(&stop, true);
    int acknowledged = 0, refused = 0;
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        acknowledged += signers[i].acknowledged;
        refused += signers[i].refused;
    }
    assert_true(failures >= 30);
    assert_true(refused > 0);
    assert_true(acknowledged > 0);
    assert_int_equal(log_count(l), acknowledged);
}

/* ---- kill -9 */

enum { CHILD_THREADS = 8 };

struct child {
    struct audit *audit;
    int pipe;
};

struct acknowledged {
    int64_t seq;
    int64_t intent; /* of an outcome; 0: an intent */
};

static void *child_sign(void *arg)
{
    struct child *c = arg;
    for (;;) {
        struct audit_record r = intent_record();
        struct audit_work work = {.record = &r};
        if (!is_ok(audit_commit(c->audit, &work, soon(), NULL)))
            _exit(3);
        struct acknowledged said[2] = {{.seq = r.seq}};
        if (write(c->pipe, &said[0], sizeof(said[0])) != (ssize_t)sizeof(said[0]))
            _exit(4);
        r = outcome_record(said[0].seq, "success");
        if (!is_ok(audit_commit(c->audit, &work, soon(), NULL)))
            _exit(5);
        said[1] = (struct acknowledged){.seq = r.seq, .intent = said[0].seq};
        if (write(c->pipe, &said[1], sizeof(said[1])) != (ssize_t)sizeof(said[1]))
            _exit(6);
    }
}

/* Never returns: it is killed. */
static void child_run(const char *url, int pipe)
{
    struct store *store = NULL;
    struct child c = {.pipe = pipe};
    struct error err;
    pthread_t thread;
    (void)alarm(120);
    if (!is_ok(store_open(url, &store, &err)) || !is_ok(audit_open(store, NULL, &c.audit, &err)))
        _exit(2);
    for (int i = 1; i < CHILD_THREADS; i++)
        (void)pthread_create(&thread, NULL, child_sign, &c);
    (void)child_sign(&c);
}

/* Reads what the child acknowledged; kills it after enough, reads the rest. */
static size_t child_watch(pid_t pid, int fd, size_t enough, struct acknowledged *out, size_t room)
{
    size_t count = 0;
    while (count < room) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&p, 1, 30000), 1);
        ssize_t len = read(fd, &out[count], sizeof(*out)); /* whole: writes up to PIPE_BUF are atomic */
        if (len == 0)
            break;
        assert_int_equal(len, sizeof(*out));
        if (++count == enough)
            assert_int_equal(kill(pid, SIGKILL), 0);
    }
    int how = 0;
    assert_int_equal(waitpid(pid, &how, 0), pid);
    assert_true(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
    return count;
}

static void acknowledged_is_in_log(struct log_world *l, const struct acknowledged *a)
{
    char line[4096], expected[128];
    log_line(l, a->seq, line);
    (void)snprintf(expected, sizeof(expected), "{\"v\":1,\"seq\":%lld,", (long long)a->seq);
    assert_int_equal(strncmp(line, expected, strlen(expected)), 0);
    if (a->intent) {
        (void)snprintf(expected, sizeof(expected), "\"outcome\":\"success\",\"reason\":null,\"intent\":%lld,",
                       (long long)a->intent);
        assert_non_null(strstr(line, expected));
    }
}

static status outcome_count(void *arg, const struct record_row *r)
{
    int64_t *counts = arg;
    counts[strcmp(r->type, "signature.intent") == 0 ? 0 : 1]++;
    return OK;
}

static void i1_killed_server_has_lost_no_acknowledged_record(void **state)
{
    enum { ROUNDS = 3, ROOM = 200000 };
    struct log_world *l = *state;
    struct acknowledged *said = calloc(ROOM, sizeof(*said));
    assert_non_null(said);
    audit_close(l->audit);
    store_close(l->w->store);
    l->audit = NULL;
    l->w->store = NULL;
    for (int round = 0; round < ROUNDS; round++) {
        int fds[2];
        assert_int_equal(pipe(fds), 0);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            (void)close(fds[0]);
            child_run(l->w->url, fds[1]);
        }
        (void)close(fds[1]);
        size_t count = child_watch(pid, fds[0], 300 + 100 * (size_t)round, said, ROOM);
        (void)close(fds[0]);
        assert_true(count >= 300);

        assert_ok(store_open(l->w->url, &l->w->store, &l->err), &l->err);
        l->w->db = store_writer(l->w->store);
        assert_ok(audit_open(l->w->store, NULL, &l->audit, &l->err), &l->err);
        for (size_t i = 0; i < count; i++)
            acknowledged_is_in_log(l, &said[i]);

        /* The chain holds, and every intent has its one outcome (I2). */
        int64_t total = log_count(l), counts[2] = {0}, last = 0;
        while (last < total) {
            struct record_filter filter = {.after_seq = last};
            assert_ok(record_list(l->w->db, &filter, outcome_count, counts, &l->err), &l->err);
            last += LIMIT_PAGE;
        }
        assert_int_equal(counts[0], counts[1]);
        audit_close(l->audit);
        l->audit = NULL;
        store_close(l->w->store);
        l->w->store = NULL;
    }
    free(said);
}

static int good_disk_setup(void **state)
{
    faulty_disk_set(DISK_GOOD);
    return log_setup(state);
}

#define DISK_TEST(test) cmocka_unit_test_setup_teardown(test, good_disk_setup, log_teardown)

int main(void)
{
    const struct CMUnitTest killed[] = {DISK_TEST(i1_killed_server_has_lost_no_acknowledged_record)};
    const struct CMUnitTest failing[] = {
        DISK_TEST(i1_record_is_not_acknowledged_when_commit_fails),
        DISK_TEST(i9_log_goes_on_when_the_disk_does),
        DISK_TEST(i1_outcome_that_could_not_be_recorded_can_be_recorded_later),
        DISK_TEST(i4_generation_stays_when_commit_fails),
        DISK_TEST(change_that_finds_no_room_is_undone_and_said),
        DISK_TEST(i1_log_has_exactly_what_was_acknowledged),
    };
    world_fresh = world_fresh_file;
    faulty_disk_install();
    int failed = cmocka_run_group_tests(failing, NULL, NULL);
    return failed + cmocka_run_group_tests(killed, NULL, NULL);
}

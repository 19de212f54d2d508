/* SPDX-License-Identifier: Apache-2.0 */
/* What the overview counts: of everything, and of the projects where a principal has a role now, on any store. */
#include "server/store/connector.h"
#include "world.h"

enum { DAY_MS = 86400000, NOW = 1000000 };

/* alice owns demo and signs in other; nobody has a role in third. */
static void rows_put(struct world *w)
{
    (void)world_project(w, "prj_a", "demo");
    (void)world_project(w, "prj_b", "other");
    (void)world_project(w, "prj_c", "third");
    (void)world_principal(w, "usr_a", "alice", PRINCIPAL_USER);
    (void)world_principal(w, "usr_x", "xaver", PRINCIPAL_USER);
    world_key(w, "key_a", "prj_a", "rsa", 1);
    world_key(w, "key_b", "prj_b", "rsa", 2);
    world_key(w, "key_c", "prj_c", "rsa", 3);
    world_key(w, "key_d", "prj_a", "rsa-2", 4);
    world_member(w, "prj_a", "usr_a", MEMBER_OWNER);
    world_member(w, "prj_a", "usr_a", MEMBER_APPROVER);
    world_member(w, "prj_b", "usr_a", MEMBER_SIGNER);
}

static void role_end(struct world *w, const char *project_id)
{
    assert_ok(db_exec(w->db, "UPDATE member SET not_after_ms = 1 WHERE project_id = $1", DB_PARAMS(db_text(project_id)),
                      NULL, &w->err),
              &w->err);
}

static void assert_keys(struct world *w, const char *member_id, int64_t active, int64_t disabled, int64_t retired)
{
    int64_t counts[KEY_STATE_COUNT] = {9, 9, 9, 9, 9, 9};
    const int64_t expected[KEY_STATE_COUNT] = {
        [KEY_ACTIVE] = active, [KEY_DISABLED] = disabled, [KEY_RETIRED] = retired};
    assert_ok(signing_key_count(w->db, member_id, counts, &w->err), &w->err);
    assert_memory_equal(counts, expected, sizeof(counts));
}

static void keys_are_counted_by_state_once_each_whatever_the_roles(void **state)
{
    struct world *w = *state;
    assert_keys(w, NULL, 0, 0, 0);
    rows_put(w);
    assert_ok(signing_key_set_state(w->db, "key_b", KEY_DISABLED, "why", &w->err), &w->err);
    assert_ok(signing_key_set_state(w->db, "key_d", KEY_RETIRED, "", &w->err), &w->err);
    assert_keys(w, NULL, 2, 1, 1);
    assert_keys(w, "usr_a", 1, 1, 1);
    assert_keys(w, "usr_x", 0, 0, 0);
    role_end(w, "prj_a");
    assert_keys(w, "usr_a", 0, 1, 0);
}

static void assert_projects(struct world *w, const char *member_id, int64_t seen, int64_t owned)
{
    struct project_count count = {0};
    assert_ok(project_count(w->db, member_id, &count, &w->err), &w->err);
    assert_int_equal(count.seen, seen);
    assert_int_equal(count.owned, owned);
}

static void projects_are_counted_as_seen_and_owned(void **state)
{
    struct world *w = *state;
    assert_projects(w, NULL, 0, 0);
    rows_put(w);
    assert_projects(w, NULL, 3, 0);
    assert_projects(w, "usr_a", 2, 1);
    assert_projects(w, "usr_x", 0, 0);
    role_end(w, "prj_a");
    assert_projects(w, "usr_a", 1, 0);
}

static void principals_are_counted_by_type_but_for_those_that_are_removed(void **state)
{
    struct world *w = *state;
    int64_t users = 0, accounts = 9;
    rows_put(w);
    assert_ok(principal_count(w->db, PRINCIPAL_USER, &users, &w->err), &w->err);
    assert_ok(principal_count(w->db, PRINCIPAL_SERVICE_ACCOUNT, &accounts, &w->err), &w->err);
    assert_int_equal(users, 2);
    assert_int_equal(accounts, 0);
    assert_ok(principal_remove(w->db, "usr_x", NOW, &w->err), &w->err);
    assert_ok(principal_count(w->db, PRINCIPAL_USER, &users, &w->err), &w->err);
    assert_int_equal(users, 1);
}

/* ---- usage */

static status sum_text(void *arg, const struct usage *u)
{
    char text[128];
    (void)snprintf(text, sizeof(text), "%s %lld/%lld/%lld", u->day, (long long)u->success, (long long)u->refused,
                   (long long)u->failed);
    collect(arg, text);
    return OK;
}

static void assert_sum(struct world *w, const char *owner_id, const char *from_day, const char *expected)
{
    struct collected c = {0};
    assert_ok(usage_sum_days(w->db, owner_id, from_day, sum_text, &c, &w->err), &w->err);
    assert_string_equal(c.text, expected);
}

static void usage_is_added_up_by_day_over_the_keys_that_one_owns(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *key, *who;
        int day;
        enum usage_outcome outcome;
    } signatures[] = {{"key_a", "usr_a", 0, USAGE_SUCCESS}, {"key_a", "usr_a", 1, USAGE_SUCCESS},
                      {"key_a", "usr_x", 1, USAGE_SUCCESS}, {"key_b", "usr_a", 1, USAGE_REFUSED},
                      {"key_d", "usr_a", 1, USAGE_FAILED},  {"key_c", "usr_x", 3, USAGE_SUCCESS}};
    rows_put(w);
    assert_sum(w, NULL, "1970-01-01", "");
    for (size_t i = 0; i < COUNT_OF(signatures); i++)
        assert_ok(usage_add(w->db, signatures[i].key, signatures[i].who, (int64_t)signatures[i].day * DAY_MS,
                            signatures[i].outcome, &w->err),
                  &w->err);
    assert_sum(w, NULL, "1970-01-01", "1970-01-01 1/0/0,1970-01-02 2/1/1,1970-01-04 1/0/0");
    assert_sum(w, NULL, "1970-01-02", "1970-01-02 2/1/1,1970-01-04 1/0/0");
    assert_sum(w, NULL, "1970-01-05", "");
    assert_sum(w, "usr_a", "1970-01-02", "1970-01-02 2/0/1");
    assert_sum(w, "usr_x", "1970-01-01", "");
    role_end(w, "prj_a");
    assert_sum(w, "usr_a", "1970-01-01", "");
}

/* ---- certificates */

static void end_set(struct world *w, const char *key_id, int64_t not_after_ms)
{
    assert_ok(db_exec(w->db, "UPDATE key_version SET not_after_ms = $2 WHERE key_id = $1",
                      DB_PARAMS(db_text(key_id), db_int(not_after_ms)), NULL, &w->err),
              &w->err);
}

static status end_text(void *arg, const struct certificate_end *e)
{
    char text[2 * NAME_SIZE];
    (void)snprintf(text, sizeof(text), "%s:%s", e->project_name, e->label);
    collect(arg, text);
    return OK;
}

static void assert_ends(struct world *w, const char *member_id, int64_t until_ms, int64_t expired, const char *expected)
{
    const struct certificate_end_filter filter = {.until_ms = until_ms, .member_id = member_id, .limit = 8};
    struct certificate_end_count count = {0};
    struct collected c = {0};
    assert_ok(certificate_end_list(w->db, &filter, end_text, &c, &w->err), &w->err);
    assert_ok(certificate_end_count(w->db, member_id, NOW, until_ms, &count, &w->err), &w->err);
    assert_string_equal(c.text, expected);
    assert_int_equal(count.ending, c.count);
    assert_int_equal(count.expired, expired);
}

static void certificates_are_counted_and_listed_by_their_end(void **state)
{
    struct world *w = *state;
    rows_put(w);
    assert_ends(w, NULL, INT64_MAX, 0, "");
    end_set(w, "key_a", NOW + 1);
    end_set(w, "key_b", NOW);
    end_set(w, "key_c", NOW - 1);
    end_set(w, "key_d", NOW + 2);
    assert_ends(w, NULL, NOW + 2, 2, "third:rsa,other:rsa,demo:rsa,demo:rsa-2");
    assert_ends(w, NULL, NOW + 1, 2, "third:rsa,other:rsa,demo:rsa");
    assert_ends(w, "usr_a", NOW + 2, 1, "other:rsa,demo:rsa,demo:rsa-2");
    assert_ends(w, "usr_x", NOW + 2, 0, "");
    assert_ok(key_version_set_revoked(w->db, "key_c", 1, NOW, &w->err), &w->err);
    assert_ok(signing_key_set_state(w->db, "key_d", KEY_RETIRED, "", &w->err), &w->err);
    assert_ok(signing_key_set_state(w->db, "key_a", KEY_DISABLED, "", &w->err), &w->err);
    assert_ends(w, NULL, NOW + 2, 1, "other:rsa,demo:rsa");
}

static void a_list_of_ends_goes_on_behind_the_last_one(void **state)
{
    struct world *w = *state;
    struct certificate_end_filter filter = {
        .until_ms = NOW, .after_ms = 5, .after_key = "key_a", .member_id = NULL, .limit = 2};
    struct collected c = {0};
    rows_put(w);
    end_set(w, "key_a", 5);
    end_set(w, "key_b", 5);
    end_set(w, "key_c", 4);
    end_set(w, "key_d", 6);
    assert_ok(certificate_end_list(w->db, &filter, end_text, &c, &w->err), &w->err);
    assert_string_equal(c.text, "other:rsa,demo:rsa-2");
}

/* ---- jobs */

static void job_put(struct world *w, const char *id, enum job_state state)
{
    struct job job = {.kind = JOB_TEST, .connector_id = CONNECTOR_MANUAL, .created_ms = NOW};
    (void)snprintf(job.id, sizeof(job.id), "%s", id);
    assert_ok(job_insert(w->db, &job, &w->err), &w->err);
    job.state = state;
    if (state != JOB_QUEUED)
        assert_ok(job_set_state(w->db, &job, &w->err), &w->err);
}

static void jobs_are_counted_by_state(void **state)
{
    struct world *w = *state;
    int64_t counts[JOB_STATES] = {9, 9, 9, 9, 9};
    const int64_t none[JOB_STATES] = {0}, some[JOB_STATES] = {[JOB_QUEUED] = 1, [JOB_FAILED] = 2};
    assert_ok(job_count(w->db, counts, &w->err), &w->err);
    assert_memory_equal(counts, none, sizeof(counts));
    job_put(w, "job_a", JOB_FAILED);
    job_put(w, "job_b", JOB_QUEUED);
    job_put(w, "job_c", JOB_FAILED);
    assert_ok(job_count(w->db, counts, &w->err), &w->err);
    assert_memory_equal(counts, some, sizeof(counts));
}

const struct CMUnitTest count_tests[] = {
    WORLD_TEST(keys_are_counted_by_state_once_each_whatever_the_roles),
    WORLD_TEST(projects_are_counted_as_seen_and_owned),
    WORLD_TEST(principals_are_counted_by_type_but_for_those_that_are_removed),
    WORLD_TEST(usage_is_added_up_by_day_over_the_keys_that_one_owns),
    WORLD_TEST(certificates_are_counted_and_listed_by_their_end),
    WORLD_TEST(a_list_of_ends_goes_on_behind_the_last_one),
    WORLD_TEST(jobs_are_counted_by_state),
};
const size_t count_test_count = COUNT_OF(count_tests);

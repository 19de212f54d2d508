/* SPDX-License-Identifier: Apache-2.0 */
/* Lists: filters, and paging through a hundred thousand objects while others come and go. The rows are put straight
 * into the store, behind the server's back. */
#include "world.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "common/text.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { MANY = 10000 }; /* under these it would take more than half an hour */
#else
enum { MANY = 100000 };
#endif
enum { PAGE = 1000 };

static sqlite3 *database(const struct world *w)
{
    char path[512];
    sqlite3 *db = NULL;
    (void)snprintf(path, sizeof(path), "%s/chancery.db", w->hsm.dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_busy_timeout(db, 10000), SQLITE_OK);
    return db;
}

static void run(sqlite3 *db, const char *sql)
{
    char *why = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %.200s", why, sql);
}

/* Ids are in no order of names. */
static void rows_put(struct world *w)
{
    sqlite3 *db = database(w);
    cleanup_buf struct buf sql = {0};
    buf_printf(
        &sql,
        "BEGIN; CREATE TEMP TABLE n (i INTEGER PRIMARY KEY);"
        "INSERT INTO n WITH RECURSIVE up(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM up WHERE i < %d) SELECT i FROM up;"
        "INSERT INTO project (id, name, description, created_ms) SELECT 'prj_' || lower(hex(randomblob(10))), "
        "printf('many-%%06d', i), '', 1 FROM n;"
        "INSERT INTO principal (id, name, type, role, disabled, expires_ms, created_ms) "
        "SELECT 'usr_' || lower(hex(randomblob(10))), printf('user-%%06d', i), 'user', 'user', i %% 2, 0, 1 FROM n;"
        "INSERT INTO principal (id, name, type, role, disabled, expires_ms, created_ms) "
        "SELECT 'svc_' || lower(hex(randomblob(10))), printf('acct-%%06d', i), 'service_account', 'user', 0, 0, 1 FROM "
        "n;"
        "INSERT INTO member (project_id, principal_id, role, since_ms, not_before_ms, not_after_ms) "
        "SELECT '%s', id, 4, 1, 0, 0 FROM principal "
        "WHERE name LIKE 'acct-%%';"
        "INSERT INTO signing_key (id, project_id, label, state, disabled_reason, hashes, mechanisms, version, "
        "created_ms) "
        "SELECT 'key_' || lower(hex(randomblob(10))), k.project_id, printf('many-%%06d', i), k.state, '', k.hashes, "
        "k.mechanisms, 1, 1 FROM n, (SELECT * FROM signing_key LIMIT 1) k;"
        "INSERT INTO key_version (key_id, version, type, hsm_id, spki, hsm_attributes, certificate, created_ms) "
        "SELECT s.id, 1, v.type, randomblob(20), v.spki, v.hsm_attributes, NULL, 1 FROM signing_key s, "
        "(SELECT * FROM key_version LIMIT 1) v WHERE s.label LIKE 'many-%%';"
        "INSERT INTO listed_digest (key_id, hash, digest, remaining, expires_ms, note, author_id, created_ms) "
        "SELECT (SELECT id FROM signing_key WHERE label = 'key'), 'sha256', printf('%%064d', i), -1, 0, '', '', 1 FROM "
        "n;"
        "COMMIT",
        MANY - 1, w->project_id);
    run(db, buf_text(&sql));
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static int setup(void **state)
{
    char id[ID_SIZE];

    (void)world_open(state);
    world_key(*state, "key", "p256", id);
    rows_put(*state);
    return 0;
}

/* ---- paging */

static const struct many {
    const char *path, *member, *begins; /* the member that names one of the many */
    const char *come, *go;              /* SQL with one number: others that are made and removed meanwhile */
} lists[] = {
    {"/v1/projects", "name", "many-",
     "INSERT INTO project (id, name, description, created_ms) VALUES ('prj_' || lower(hex(randomblob(10))), 'come-' || "
     "?1, "
     "'', 1)",
     "DELETE FROM project WHERE name = 'come-' || ?1"},
    {"/v1/users", "name", "user-",
     "INSERT INTO principal (id, name, type, role, disabled, expires_ms, created_ms) VALUES ('usr_' || "
     "lower(hex(randomblob(10))), 'come-' || ?1, 'user', 'user', 0, 0, 1)",
     "DELETE FROM principal WHERE name = 'come-' || ?1"},
    {"/v1/service-accounts", "name", "acct-",
     "INSERT INTO principal (id, name, type, role, disabled, expires_ms, created_ms) VALUES ('svc_' || "
     "lower(hex(randomblob(10))), 'came-' || ?1, 'service_account', 'user', 0, 0, 1)",
     "DELETE FROM principal WHERE name = 'came-' || ?1"},
    {"/v1/projects/demo/members", "name", "acct-",
     "INSERT INTO member SELECT (SELECT project_id FROM signing_key LIMIT 1), id, NULL, 2, 1, 0, 0 FROM principal "
     "WHERE name = printf('user-%06d', ?1)",
     "DELETE FROM member WHERE role = 2 AND principal_id = (SELECT id FROM principal WHERE name = printf('user-%06d', "
     "?1))"},
    {"/v1/keys", "label", "many-",
     "INSERT INTO signing_key (id, project_id, label, state, disabled_reason, hashes, mechanisms, version, created_ms, "
     "lifecycle, plan_type) SELECT 'key_' || lower(hex(randomblob(10))), project_id, 'come-' || ?1, 'disabled', '', "
     "hashes, mechanisms, 0, 1, 'pending', 'p256' FROM signing_key LIMIT 1",
     "DELETE FROM signing_key WHERE label = 'come-' || ?1"},
    {"/v1/keys/demo:key/digests", "digest", "00000000000000000000000000000000000000000000000000000000000",
     "INSERT INTO listed_digest (key_id, hash, digest, remaining, expires_ms, note, author_id, created_ms) SELECT id, "
     "'sha256', printf('f%063d', ?1), -1, 0, '', '', 1 FROM signing_key WHERE label = 'key'",
     "DELETE FROM listed_digest WHERE digest = printf('f%063d', ?1)"},
};

/* The table's own SQL, with its one number. */
static void meanwhile(sqlite3 *db, const char *sql, int n)
{
    sqlite3_stmt *st = NULL;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_bind_int(st, 1, n), SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_DONE);
    assert_int_equal(sqlite3_finalize(st), SQLITE_OK);
}

static int page_count(const struct world *w, const struct many *l, unsigned char *times)
{
    int found = 0;
    size_t begins = strlen(l->begins);
    const struct json *items = json_get(w->answer, "items");
    for (size_t i = 0; i < json_count(items); i++) {
        const char *name = json_get_text(json_at(items, i), l->member, "");
        int64_t n = 0;
        if (strncmp(name, l->begins, begins) != 0 || strlen(name + begins) < 5 || !text_to_int64(name + begins, &n))
            continue;
        assert_in_range(n, 0, MANY - 1);
        times[n]++;
        found++;
    }
    return found;
}

/* Each page is followed by a change: one comes, the one before it goes. */
static void walk(struct world *w, const struct many *l)
{
    static unsigned char times[MANY];
    char after[LIMIT_TEXT + 1] = "";
    sqlite3 *db = database(w);
    int64_t longest_ms = 0, started_ms = clock_monotonic_ms();
    int found = 0, pages = 0;

    memset(times, 0, sizeof(times));
    do {
        int64_t before_ms = clock_monotonic_ms();
        assert_status(w, world_get(w, ADMIN, "%s?limit=%d%s%s", l->path, PAGE, *after ? "&after=" : "", after), 200);
        int64_t took_ms = clock_monotonic_ms() - before_ms;
        longest_ms = took_ms > longest_ms ? took_ms : longest_ms;
        assert_in_range(json_count(json_get(w->answer, "items")), 1, PAGE);
        found += page_count(w, l, times);
        (void)text_copy(after, sizeof(after), answer_text(w, "next"));
        meanwhile(db, l->come, pages);
        if (pages > 0)
            meanwhile(db, l->go, pages - 1);
    } while (*after && ++pages < 2 * MANY / PAGE);

    print_message("%s: %d in %lld ms, the slowest page %lld ms\n", l->path, found,
                  (long long)(clock_monotonic_ms() - started_ms), (long long)longest_ms);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(times[i], 1);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void every_object_is_listed_once_while_others_come_and_go(void **state)
{
    for (size_t i = 0; i < COUNT_OF(lists); i++)
        walk(*state, &lists[i]);
}

/* ---- the overview */

static int64_t counted(const struct world *w, const char *part, const char *name)
{
    return json_get_integer(json_get(w->answer, part), name, -1);
}

static void the_overview_of_a_hundred_thousand_keys_is_exact(void **state)
{
    struct world *w = *state;
    cleanup_buf struct buf sql = {0};
    sqlite3 *db = database(w);
    const int64_t now_ms = clock_now_ms();

    /* One in three ends within 60 days, one in ten of these has ended; one in ten keys has been used on three days. */
    buf_printf(&sql,
               "BEGIN; UPDATE key_version SET not_after_ms = %lld + CASE WHEN rowid %% 30 = 0 THEN -1000 WHEN "
               "rowid %% 3 = 0 THEN 86400000 ELSE 86400000000 END WHERE rowid > 1;"
               "INSERT INTO key_usage (key_id, day, principal_id, success, refused, failed) SELECT id, date('now', "
               "d.column1), 'usr_a', 2, 1, 0 FROM signing_key, (VALUES ('-1 day'), ('-29 day'), ('-300 day')) d WHERE "
               "label LIKE 'many-%%0'; COMMIT",
               (long long)now_ms);
    run(db, buf_text(&sql));
    for (int i = 0; i < 2; i++) {
        int64_t before_ms = clock_monotonic_ms();
        assert_status(w, world_get(w, i ? OWNER : ADMIN, "/v1/overview"), 200);
        print_message("/v1/overview: %lld ms\n", (long long)(clock_monotonic_ms() - before_ms));
        assert_int_equal(counted(w, "keys", "active"), MANY + 1);
        assert_in_range(counted(w, "certificates", "ending"), MANY / 3 - 1, MANY / 3 + 1);
        assert_in_range(counted(w, "certificates", "expired"), MANY / 30 - 1, MANY / 30 + 1);
        assert_int_equal(counted(w, "signatures", "success"), 2 * 2 * MANY / 10);
    }
    run(db, "UPDATE key_version SET not_after_ms = 0; DELETE FROM key_usage");
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* ---- filters */

static void a_filter_narrows_a_list(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *target;
        size_t count;
    } rows[] = {
        {"/v1/projects?name=many-00001", 10},
        {"/v1/projects?name=demo", 1},
        {"/v1/projects?name=emo", 0},
        {"/v1/users?name=user-00001&state=disabled", 5},
        {"/v1/users?name=user-00001&state=active", 5},
        {"/v1/users?role=administrator", 1},
        {"/v1/users?role=auditor&state=active", 1},
        {"/v1/service-accounts?name=acct-00999&state=active", 10},
        {"/v1/service-accounts?state=disabled", 0},
        {"/v1/keys?label=many-00001&type=p256&state=active", 10},
        {"/v1/keys?label=many-00001&type=rsa2048", 0},
        {"/v1/keys?label=key&project=demo", 1},
        {"/v1/keys?state=disabled", 0},
        {"/v1/projects/demo/members?role=owner", 1},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_status(w, world_get(w, ADMIN, "%s", rows[i].target), 200);
        if (json_count(json_get(w->answer, "items")) != rows[i].count)
            fail_msg("%s: %zu", rows[i].target, json_count(json_get(w->answer, "items")));
    }
}

static void a_filtered_list_is_paged_as_well(void **state)
{
    struct world *w = *state;
    char next[64];
    assert_status(w, world_get(w, ADMIN, "/v1/users?name=user-00001&limit=6"), 200);
    assert_int_equal(json_count(json_get(w->answer, "items")), 6);
    (void)text_copy(next, sizeof(next), answer_text(w, "next"));
    assert_status(w, world_get(w, ADMIN, "/v1/users?name=user-00001&limit=6&after=%s", next), 200);
    assert_int_equal(json_count(json_get(w->answer, "items")), 4);
    assert_string_equal(answer_text(w, "next"), "");
}

/* 300 keys in each of three months: the pages together have each row once, in its order, and no month more than asked
 * for. */
static void usage_is_paged_by_month_and_the_most_used_come_first(void **state)
{
    struct world *w = *state;
    char after[256] = "", before[256] = "", target[512];
    int seen = 0, pages = 0;
    sqlite3 *db = database(w);

    run(db,
        "INSERT INTO key_usage (key_id, day, principal_id, success, refused, failed) "
        "SELECT k.id, m.day, '', CAST(substr(k.label, 6) AS INTEGER), 0, 0 FROM signing_key k, (SELECT '2020-01-31' "
        "AS day UNION SELECT '2020-02-01' UNION SELECT '2020-03-15') m WHERE k.label LIKE 'many-0002%' OR k.label "
        "LIKE 'many-0003%' OR k.label LIKE 'many-0004%'");
    do {
        (void)snprintf(target, sizeof(target), "/v1/usage?period=month&from=2020-02-01&to=2020-12-31&limit=70%s%s",
                       *after ? "&after=" : "", after);
        assert_status(w, world_get(w, ADMIN, "%s", target), 200);
        const struct json *items = json_get(w->answer, "items");
        for (size_t i = 0; i < json_count(items); i++, seen++) {
            const struct json *row = json_at(items, i);
            char at[256];
            (void)snprintf(at, sizeof(at), "%s %s", json_get_text(row, "day", ""), json_get_text(row, "label", ""));
            assert_true(strcmp(before, at) < 0);
            (void)text_copy(before, sizeof(before), at);
        }
        (void)text_copy(after, sizeof(after), json_get_text(w->answer, "next", ""));
    } while (*after && ++pages < 20);
    assert_int_equal(seen, 600);
    assert_string_equal(before, "2020-03 many-000499");

    assert_status(w, world_get(w, ADMIN, "/v1/usage?period=all&order=most&to=2020-12-31&limit=2"), 200);
    const struct json *most = json_get(w->answer, "items");
    assert_int_equal(json_get_integer(w->answer, "total", 0), 300);
    assert_int_equal(json_count(most), 2);
    assert_string_equal(json_get_text(json_at(most, 0), "label", ""), "many-000499");
    assert_int_equal(json_get_integer(json_at(most, 0), "success", 0), 3 * 499);
    assert_int_equal(json_type(json_get(json_at(most, 0), "day")), JSON_NULL);
    assert_string_equal(json_get_text(json_at(most, 1), "label", ""), "many-000498");
    run(db, "DELETE FROM key_usage WHERE day < '2021'");
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void a_filter_that_cannot_match_is_invalid_and_named(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *target, *part;
    } rows[] = {
        {"/v1/projects?name=", "name: the beginning"},
        {"/v1/projects?name=Demo", "name: the beginning"},
        {"/v1/projects?name=d%C3%A9mo", "name"},
        {"/v1/projects?state=active", "unknown query parameter"},
        {"/v1/users?state=gone", "state: there is no gone"},
        {"/v1/users?role=owner", "role: there is no owner"},
        {"/v1/keys?type=p255", "type: there is no p255"},
        {"/v1/keys?name=key", "unknown query parameter"},
        {"/v1/keys?label=a%25", "label: the beginning"},
        {"/v1/projects/demo/members?role=boss", "role: there is"},
        {"/v1/service-accounts?role=user", "unknown query"},
        {"/v1/users?limit=0", "limit"},
        {"/v1/users?limit=1001", "limit"},
        {"/v1/users?after=", "after"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        (void)world_ask(w, ADMIN, "GET", rows[i].target, NULL);
        assert_problem(w, CODE_INVALID, rows[i].part);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_object_is_listed_once_while_others_come_and_go),
        cmocka_unit_test(the_overview_of_a_hundred_thousand_keys_is_exact),
        cmocka_unit_test(a_filter_narrows_a_list),
        cmocka_unit_test(a_filtered_list_is_paged_as_well),
        cmocka_unit_test(usage_is_paged_by_month_and_the_most_used_come_first),
        cmocka_unit_test(a_filter_that_cannot_match_is_invalid_and_named),
    };
    return cmocka_run_group_tests(tests, setup, world_close);
}

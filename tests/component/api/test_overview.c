/* SPDX-License-Identifier: Apache-2.0 */
/* The overview: exact numbers, of everything for administrators and auditors, of what their lists hold for others. */
#include "world.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "common/text.h"

/* Straight into the store, behind the server's back. */
static void run(const struct world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void run(const struct world *w, const char *format, ...)
{
    char path[512], sql[1024];
    char *why = NULL;
    sqlite3 *db = NULL;
    va_list args;

    va_start(args, format);
    assert_in_range(vsnprintf(sql, sizeof(sql), format, args), 1, sizeof(sql) - 1);
    va_end(args);
    (void)snprintf(path, sizeof(path), "%s/chancery.db", w->hsm.dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_busy_timeout(db, 10000), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", why, sql);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static const struct json *part(const struct world *w, const char *name)
{
    return json_get(w->answer, name);
}

static int64_t counted(const struct world *w, const char *name, const char *member)
{
    return json_get_integer(part(w, name), member, -1);
}

static void overview(struct world *w, enum who who, const char *query)
{
    assert_status(w, world_get(w, who, "/v1/overview%s", query), 200);
}

static bool is_null(const struct world *w, const char *name)
{
    return json_type(part(w, name)) == JSON_NULL;
}

/* ---- a server on which nothing was done yet: this test comes first */

static void an_empty_server_counts_nothing(void **state)
{
    struct world *w = *state;

    overview(w, ADMIN, "");
    for (int s = 0; s < KEY_STATE_COUNT; s++)
        assert_int_equal(counted(w, "keys", key_state_name((enum key_state)s)), 0);
    assert_int_equal(counted(w, "certificates", "within_days"), 60);
    assert_int_equal(counted(w, "certificates", "ending"), 0);
    assert_int_equal(counted(w, "certificates", "expired"), 0);
    assert_int_equal(json_count(json_get(part(w, "certificates"), "first")), 0);
    assert_int_equal(counted(w, "approvals", "pending"), 0);
    assert_int_equal(counted(w, "approvals", "to_decide"), 0);
    assert_int_equal(json_count(json_get(part(w, "approvals"), "newest")), 0);
    assert_int_equal(counted(w, "signatures", "days"), 30);
    assert_int_equal(counted(w, "signatures", "success"), 0);
    assert_int_equal(json_count(json_get(part(w, "signatures"), "by_day")), 0);
    assert_int_equal(counted(w, "jobs", "failed"), 0);
    assert_int_equal(json_get_integer(w->answer, "projects", -1), 1);
    assert_int_equal(json_get_integer(w->answer, "users", -1), WHO_COUNT - 1);
    assert_int_equal(json_get_integer(w->answer, "service_accounts", -1), 0);
}

/* ---- who sees what */

static const struct seen_row {
    enum who who;
    int active, disabled, projects, ending, pending, to_decide;
    int success; /* -1: signatures is null */
    bool sees_platform;
} seen_rows[] = {
    {ADMIN, 2, 1, 2, 2, 1, 0, 5, true},      {AUDITOR, 2, 1, 2, 2, 1, 0, 5, true},
    {OWNER, 1, 1, 1, 1, 1, 0, 2, false},     {SIGNER, 1, 1, 1, 1, 1, 0, -1, false},
    {APPROVER, 1, 1, 1, 1, 1, 1, -1, false}, {STRANGER, 0, 0, 0, 0, 0, 0, -1, false},
};

/* Keys demo:one (used twice, its use waits for an approval, ends), demo:two (disabled) and other:three (used three
 * times, ends); a failed job. */
static void rows_put(struct world *w)
{
    char id[ID_SIZE];
    cleanup_buf struct buf body = {0};

    world_key(w, "one", "p256", id);
    for (uint8_t i = 1; i <= 2; i++) {
        digest_body("ecdsa", i, &body);
        assert_status(w, world_sign(w, SIGNER, "demo:one", buf_text(&body)), 201);
        buf_reset(&body);
    }
    world_key(w, "two", "p256", id);
    assert_status(w, world_ask(w, OWNER, "POST", "/v1/keys/demo:two/disable", "{}"), 200);
    assert_status(w, world_post(w, ADMIN, "/v1/projects", "{\"name\":\"other\"}"), 201);
    assert_status(w, world_post(w, ADMIN, "/v1/projects/other/keys", "{\"label\":\"three\",\"type\":\"p256\"}"), 201);
    assert_status(w, world_ask(w, OWNER, "PUT", "/v1/keys/demo:one/policy", "{\"approval\":{\"needed\":1}}"), 200);
    assert_status(w, world_post(w, SIGNER, "/v1/approvals", "{\"key\":\"demo:one\",\"reason\":\"r\",\"count\":1}"),
                  201);
    run(w,
        "INSERT INTO key_usage SELECT id, date('now'), 'usr_a', 3, 0, 0 FROM signing_key WHERE label = 'three';"
        "INSERT INTO job SELECT 'job_a', 'test', 'con_manual', '', 0, '', 0, 'failed', 1, 0, '', 0, '', 'no answer', "
        "'', '', 1, 1;"
        "UPDATE key_version SET not_after_ms = 0;");
    run(w,
        "UPDATE key_version SET not_after_ms = %lld WHERE key_id IN (SELECT id FROM signing_key WHERE label IN "
        "('one', 'three'))",
        (long long)clock_now_ms() + 1000LL * 86400);
}

static void assert_seen(struct world *w, const struct seen_row *row)
{
    overview(w, row->who, "");
    assert_int_equal(counted(w, "keys", "active"), row->active);
    assert_int_equal(counted(w, "keys", "disabled"), row->disabled);
    assert_int_equal(json_get_integer(w->answer, "projects", -1), row->projects);
    assert_int_equal(counted(w, "certificates", "ending"), row->ending);
    assert_int_equal(json_count(json_get(part(w, "certificates"), "first")), row->ending);
    assert_int_equal(counted(w, "approvals", "pending"), row->pending);
    assert_int_equal(counted(w, "approvals", "to_decide"), row->to_decide);
    assert_int_equal(json_count(json_get(part(w, "approvals"), "newest")), row->pending);
    assert_int_equal(counted(w, "signatures", "success"), row->success);
    assert_int_equal(is_null(w, "signatures"), row->success == -1);
    assert_int_equal(is_null(w, "jobs"), !row->sees_platform);
    assert_int_equal(is_null(w, "users"), !row->sees_platform);
    assert_int_equal(is_null(w, "service_accounts"), !row->sees_platform);
    assert_int_equal(counted(w, "jobs", "failed"), row->sees_platform ? 1 : -1);
}

static void everybody_sees_what_his_lists_hold_counted_exactly(void **state)
{
    struct world *w = *state;

    rows_put(w);
    for (size_t i = 0; i < COUNT_OF(seen_rows); i++)
        assert_seen(w, &seen_rows[i]);
}

/* ---- certificates */

static void certificates_that_end_are_counted_to_the_day_and_the_first_eight_are_named(void **state)
{
    struct world *w = *state;
    const long long day_ms = 86400000, now_ms = clock_now_ms();
    char id[ID_SIZE], label[16];

    run(w, "UPDATE key_version SET not_after_ms = 0");
    for (int i = 1; i <= 10; i++) {
        (void)snprintf(label, sizeof(label), "end-%02d", 11 - i);
        world_key(w, label, "p256", id);
        run(w, "UPDATE key_version SET not_after_ms = %lld WHERE key_id = '%s'",
            now_ms + (11 - i) * day_ms - 2 * day_ms, id);
    }
    overview(w, OWNER, "?expiring_within=5");
    assert_int_equal(counted(w, "certificates", "within_days"), 5);
    assert_int_equal(counted(w, "certificates", "ending"), 7);
    assert_int_equal(counted(w, "certificates", "expired"), 2); /* one ends in this moment */
    overview(w, ADMIN, "?expiring_within=3650");
    assert_int_equal(counted(w, "certificates", "ending"), 10);
    const struct json *first = json_get(part(w, "certificates"), "first");
    assert_int_equal(json_count(first), 8);
    assert_string_equal(json_get_text(json_at(first, 0), "key", ""), "demo:end-01");
    assert_string_equal(json_get_text(json_at(first, 7), "key", ""), "demo:end-08");
    assert_int_equal(json_get_integer(json_at(first, 0), "version", 0), 1);

    run(w, "UPDATE key_version SET revoked_ms = 1 WHERE not_after_ms = %lld", now_ms - day_ms);
    assert_status(w, world_ask(w, OWNER, "POST", "/v1/keys/demo:end-02/retire", "{}"), 200);
    assert_status(w, world_ask(w, OWNER, "POST", "/v1/keys/demo:end-03/disable", "{}"), 200);
    overview(w, ADMIN, "?expiring_within=3650");
    assert_int_equal(counted(w, "certificates", "ending"), 8);
    assert_int_equal(counted(w, "certificates", "expired"), 0);
    assert_status(w, world_get(w, ADMIN, "/v1/keys?expiring_within=3650"), 200);
    assert_int_equal(json_count(json_get(w->answer, "items")), 8);
}

/* ---- signatures */

static void signatures_are_added_up_over_the_days_asked_for(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *query;
        int days, success, refused, failed;
    } rows[] = {{"?days=1", 1, 1, 10, 100},
                {"?days=2", 1, 1, 10, 100},
                {"", 2, 3, 20, 200},
                {"?days=31", 3, 7, 30, 300},
                {"?days=366", 3, 7, 30, 300}};

    run(w, "DELETE FROM key_usage");
    run(w,
        "INSERT INTO key_usage SELECT k.id, date('now', d.column1), 'usr_a', CASE k.label WHEN 'one' THEN d.column2 "
        "ELSE 0 END, 5, 50 FROM signing_key k, (VALUES ('0 day', 1), ('-29 day', 2), ('-30 day', 4)) d WHERE k.label "
        "IN ('one', 'two')");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        overview(w, OWNER, rows[i].query);
        assert_int_equal(json_count(json_get(part(w, "signatures"), "by_day")), rows[i].days);
        assert_int_equal(counted(w, "signatures", "success"), rows[i].success);
        assert_int_equal(counted(w, "signatures", "refused"), rows[i].refused);
        assert_int_equal(counted(w, "signatures", "failed"), rows[i].failed);
    }
    overview(w, OWNER, "?days=1");
    const struct json *day = json_at(json_get(part(w, "signatures"), "by_day"), 0);
    assert_string_equal(json_get_text(day, "day", ""), json_get_text(part(w, "signatures"), "from", "none"));
    assert_int_equal(json_get_integer(day, "refused", -1), 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_server_counts_nothing),
        cmocka_unit_test(everybody_sees_what_his_lists_hold_counted_exactly),
        cmocka_unit_test(certificates_that_end_are_counted_to_the_day_and_the_first_eight_are_named),
        cmocka_unit_test(signatures_are_added_up_over_the_days_asked_for),
    };
    return cmocka_run_group_tests(tests, world_open, world_close);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Administration: users, API keys, projects, lists, the audit log and its records. */
#include "world.h"

#include <glob.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../hsm/faulty.h"
#include "chancery/version.h"
#include "common/encoding.h"
#include "common/file.h"
#include "common/secret.h"
#include "common/text.h"

#define PEM                                                                                                            \
    "-----BEGIN PUBLIC KEY-----\\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\\n-----END PUBLIC "     \
    "KEY-----\\n"

static void the_last_active_administrator_stays_one(void **state)
{
    struct world *w = *state;

    (void)world_post(w, ADMIN, "/v1/users/admin/disable", "{}");
    assert_problem(w, CODE_CONFLICT, "last active administrator");
    (void)world_ask(w, ADMIN, "PATCH", "/v1/users/admin", "{\"role\":\"auditor\"}");
    assert_problem(w, CODE_CONFLICT, "last active administrator");
    assert_status(w, world_ask(w, ADMIN, "PATCH", "/v1/users/admin", "{\"role\":\"administrator\"}"), 200);
    (void)world_ask(w, ADMIN, "DELETE", "/v1/users/admin", NULL);
    assert_problem(w, CODE_CONFLICT, "last active administrator");

    assert_status(w, world_post(w, ADMIN, "/v1/users", "{\"name\":\"second\",\"role\":\"administrator\"}"), 201);
    assert_status(w, world_post(w, ADMIN, "/v1/users/second/disable", "{}"), 200);
    (void)world_post(w, ADMIN, "/v1/users/admin/disable", "{}");
    assert_problem(w, CODE_CONFLICT, "last active administrator");
}

static void i4_a_role_that_was_taken_away_stops_at_the_next_request(void **state)
{
    struct world *w = *state;

    assert_status(w, world_get(w, AUDITOR, "/v1/audit/head"), 200);
    assert_status(w, world_ask(w, ADMIN, "PATCH", "/v1/users/auditor", "{\"role\":\"user\"}"), 200);
    (void)world_get(w, AUDITOR, "/v1/audit/head");
    assert_problem(w, CODE_FORBIDDEN, NULL);
    assert_status(w, world_ask(w, ADMIN, "PATCH", "/v1/users/auditor", "{\"role\":\"auditor\"}"), 200);
    assert_status(w, world_get(w, AUDITOR, "/v1/audit/head"), 200);
}

static void i4_a_disabled_user_s_api_key_stops_at_the_next_request(void **state)
{
    struct world *w = *state;

    assert_status(w, world_post(w, ADMIN, "/v1/users/stranger/disable", "{}"), 200);
    (void)world_get(w, STRANGER, "/v1/whoami");
    assert_problem(w, CODE_NOT_AUTHENTICATED, NULL);
    assert_status(w, world_post(w, ADMIN, "/v1/users/stranger/enable", "{}"), 200);
    assert_status(w, world_get(w, STRANGER, "/v1/whoami"), 200);
}

static void i8_an_api_key_is_shown_once_works_and_is_gone_when_revoked(void **state)
{
    struct world *w = *state;
    char secret[256], target[128];

    assert_status(w, world_post(w, OWNER, "/v1/users/owner/api-keys", "{\"name\":\"laptop\"}"), 201);
    (void)snprintf(secret, sizeof(secret), "%s", answer_text(w, "api_key"));
    (void)snprintf(target, sizeof(target), "/v1/users/owner/api-keys/%s", answer_text(w, "id"));
    const struct call call = {.bearer = secret, .method = "GET", .target = "/v1/whoami"};
    assert_status(w, world_call(w, &call), 200);
    assert_string_equal(answer_text(w, "name"), "owner");

    assert_status(w, world_get(w, OWNER, "/v1/users/owner/api-keys"), 200);
    assert_int_equal(json_count(json_get(w->answer, "items")), 2);
    assert_null(strstr(buf_text(&w->x.response_body), secret));
    assert_string_not_equal(json_get_text(json_at(json_get(w->answer, "items"), 1), "last_used", ""), "");
    assert_status(w, world_get(w, AUDITOR, "/v1/audit/export"), 200);
    assert_null(strstr(buf_text(&w->x.response_body), secret));
    assert_null(strstr(buf_text(&w->x.response_body), strrchr(secret, '_') - 8));

    assert_status(w, world_ask(w, OWNER, "DELETE", target, NULL), 204);
    (void)world_call(w, &call);
    assert_problem(w, CODE_NOT_AUTHENTICATED, NULL);
    (void)world_ask(w, OWNER, "DELETE", target, NULL);
    assert_problem(w, CODE_NOT_FOUND, NULL);
}

static int64_t denials_of(struct world *w, const char *principal, const char *route, int64_t *suppressed)
{
    int64_t count = 0;

    assert_status(w, world_get(w, ADMIN, "/v1/audit?type=access.denied&principal=%s&limit=1000", principal), 200);
    const struct json *items = json_get(w->answer, "items");
    for (size_t i = 0; i < json_count(items); i++) {
        const struct json *detail = json_get(json_at(items, i), "detail");
        if (strcmp(json_get_text(json_get(json_at(items, i), "target"), "id", ""), route) != 0)
            continue;
        count++;
        *suppressed += json_get_integer(detail, "suppressed", 0);
        assert_string_equal(json_get_text(json_at(items, i), "outcome", ""), "refused");
    }
    return count;
}

static void a_denied_request_is_on_record_once_a_second_with_a_count_of_the_others(void **state)
{
    struct world *w = *state;
    enum { TRIES = 200 };
    const struct timespec pause = {.tv_sec = 1, .tv_nsec = 100000000};
    int64_t suppressed = 0, begun_ms = clock_now_ms();

    for (int i = 0; i < TRIES; i++)
        assert_status(w, world_post(w, STRANGER, "/v1/projects", "{\"name\":\"mine\"}"), 403);
    int64_t seconds = (clock_now_ms() - begun_ms) / 1000 + 2;
    (void)nanosleep(&pause, NULL);
    assert_status(w, world_post(w, STRANGER, "/v1/projects", "{\"name\":\"mine\"}"), 403);
    int64_t count = denials_of(w, "stranger", "/v1/projects", &suppressed);
    assert_true(count >= 2 && count <= seconds + 1);
    assert_int_equal(count + suppressed, TRIES + 1);
}

static void nobody_revokes_another_user_s_api_key_under_his_own_name(void **state)
{
    struct world *w = *state;
    char target[128];

    assert_status(w, world_get(w, ADMIN, "/v1/users/owner/api-keys"), 200);
    (void)snprintf(target, sizeof(target), "/v1/users/stranger/api-keys/%s",
                   json_get_text(json_at(json_get(w->answer, "items"), 0), "id", ""));
    (void)world_ask(w, STRANGER, "DELETE", target, NULL);
    assert_problem(w, CODE_NOT_FOUND, NULL);
    assert_status(w, world_get(w, OWNER, "/v1/whoami"), 200);
}

static void every_change_leaves_one_record_that_tells_it(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *method, *target, *body, *type, *target_type, *target_name;
    } rows[] = {
        {"POST", "/v1/projects", "{\"name\":\"r\"}", "project.create", "project", "r"},
        {"PATCH", "/v1/projects/r", "{\"description\":\"new\"}", "project.update", "project", "r"},
        {"POST", "/v1/users", "{\"name\":\"ru\"}", "user.create", "user", "ru"},
        {"PATCH", "/v1/users/ru", "{\"role\":\"auditor\"}", "user.update", "user", "ru"},
        {"POST", "/v1/users/ru/disable", "{}", "user.disable", "user", "ru"},
        {"POST", "/v1/users/ru/enable", "{}", "user.enable", "user", "ru"},
        {"POST", "/v1/users/ru/api-keys", "{\"name\":\"k\"}", "api_key.create", "api_key", "k"},
        {"POST", "/v1/service-accounts", "{\"name\":\"ra\",\"public_key\":\"" PEM "\"}", "account.create",
         "service_account", "ra"},
        {"POST", "/v1/service-accounts/ra/disable", "{}", "account.disable", "service_account", "ra"},
        {"POST", "/v1/service-accounts/ra/enable", "{}", "account.enable", "service_account", "ra"},
        {"POST", "/v1/service-accounts/ra/keys", "{\"public_key\":\"" PEM "\"}", "account_key.add", "service_account",
         "ra"},
        {"POST", "/v1/projects/r/members", "{\"principal\":\"ra\",\"role\":\"signer\"}", "member.add",
         "service_account", "ra"},
        {"DELETE", "/v1/projects/r/members/signer/ra", NULL, "member.remove", "service_account", "ra"},
        {"POST", "/v1/projects/r/keys", "{\"label\":\"k\",\"type\":\"p256\"}", "key.create", "key", "k"},
        {"POST", "/v1/keys/r:k/disable", "{\"reason\":\"why\"}", "key.disable", "key", "k"},
        {"POST", "/v1/keys/r:k/enable", "{}", "key.enable", "key", "k"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t head = world_head(w);
        int answered = world_ask(w, ADMIN, rows[i].method, rows[i].target, rows[i].body);
        if (answered / 100 != 2)
            fail_msg("%s: %s", rows[i].type, buf_text(&w->x.response_body));
        assert_int_equal(world_head(w), head + 1);
        cleanup_json struct json *record = world_last_record(w);
        assert_string_equal(json_get_text(record, "type", ""), rows[i].type);
        assert_string_equal(json_get_text(record, "principal", ""), "admin");
        assert_string_equal(json_get_text(record, "outcome", ""), "success");
        assert_string_equal(json_get_text(json_get(record, "target"), "type", ""), rows[i].target_type);
        assert_string_equal(json_get_text(json_get(record, "target"), "name", ""), rows[i].target_name);
        assert_string_equal(json_get_text(json_get(record, "client"), "address", ""), "192.0.2.7");
    }
}

static void i7_records_are_given_byte_for_byte_as_they_were_hashed(void **state)
{
    struct world *w = *state;
    cleanup_buf struct buf lines = {0};
    int count = 0;

    assert_status(w, world_post(w, ADMIN, "/v1/projects", "{\"name\":\"bytes\",\"description\":\"\\u00e9 \\\" /\"}"),
                  201);
    assert_status(w, world_get(w, AUDITOR, "/v1/audit/export"), 200);
    buf_add(&lines, w->x.response_body.data, w->x.response_body.len);
    assert_string_equal(answer_header(w, "Content-Type"), "application/x-ndjson");
    assert_status(w, world_get(w, AUDITOR, "/v1/audit?limit=1000"), 200);

    char *rest = (char *)lines.data;
    for (char *line = strsep(&rest, "\n"); line && *line; line = strsep(&rest, "\n"), count++) {
        uint8_t hash[32];
        char hex[65];
        assert_non_null(strstr(buf_text(&w->x.response_body), line));
        char *tail = strstr(line, ",\"record_hash\":\"");
        assert_non_null(tail);
        cleanup_buf struct buf hashed = {0};
        buf_add(&hashed, line, (size_t)(tail - line));
        buf_add_byte(&hashed, '}');
        assert_ok(w, sha256(buf_slice(&hashed), hash, &w->err));
        hex_format((struct slice){hash, sizeof(hash)}, hex);
        assert_memory_equal(tail + strlen(",\"record_hash\":\""), hex, 64);
    }
    assert_int_equal(count, world_head(w));
}

static void the_head_is_the_newest_record(void **state)
{
    struct world *w = *state;
    char hash[65];

    assert_status(w, world_get(w, ADMIN, "/v1/audit/head"), 200);
    (void)snprintf(hash, sizeof(hash), "%s", answer_text(w, "record_hash"));
    assert_int_equal(json_get_integer(w->answer, "seq", 0), world_head(w));
    cleanup_json struct json *record = world_last_record(w);
    assert_string_equal(json_get_text(record, "record_hash", ""), hash);
}

static void the_log_is_filtered_by_type_and_principal(void **state)
{
    struct world *w = *state;

    assert_status(w, world_get(w, AUDITOR, "/v1/audit?type=project.create&principal=admin"), 200);
    const struct json *items = json_get(w->answer, "items");
    assert_true(json_count(items) > 0);
    for (size_t i = 0; i < json_count(items); i++)
        assert_string_equal(json_get_text(json_at(items, i), "type", ""), "project.create");
    assert_status(w, world_get(w, AUDITOR, "/v1/audit?type=project.create&principal=stranger"), 200);
    assert_int_equal(json_count(json_get(w->answer, "items")), 0);
    (void)world_get(w, AUDITOR, "/v1/audit?principal=nobody-here");
    assert_problem(w, CODE_NOT_FOUND, "principal");
}

static void the_log_is_read_backwards_from_the_newest_on(void **state)
{
    struct world *w = *state;
    int64_t expected = world_head(w), after = 0;

    for (int page = 0; page < 3; page++) {
        assert_status(w,
                      page == 0 ? world_get(w, AUDITOR, "/v1/audit?order=newest&limit=2")
                                : world_get(w, AUDITOR, "/v1/audit?order=newest&limit=2&after=%lld", (long long)after),
                      200);
        const struct json *items = json_get(w->answer, "items");
        assert_int_equal(json_count(items), 2);
        for (size_t i = 0; i < 2; i++, expected--)
            assert_int_equal(json_get_integer(json_at(items, i), "seq", 0), expected);
        assert_true(text_to_int64(answer_text(w, "next"), &after));
    }
    assert_status(w, world_get(w, AUDITOR, "/v1/audit?order=newest&after=1"), 200);
    assert_int_equal(json_count(json_get(w->answer, "items")), 0);
}

static void a_service_account_is_not_a_user_nor_the_reverse(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *method, *target, *body;
    } rows[] = {
        {"GET", "/v1/users/robot", NULL},
        {"PATCH", "/v1/users/robot", "{\"role\":\"administrator\"}"},
        {"POST", "/v1/users/robot/disable", "{}"},
        {"POST", "/v1/users/robot/api-keys", "{\"name\":\"k\"}"},
        {"GET", "/v1/users/robot/api-keys", NULL},
        {"GET", "/v1/service-accounts/owner", NULL},
        {"POST", "/v1/service-accounts/owner/disable", "{}"},
        {"POST", "/v1/service-accounts/owner/keys", "{\"public_key\":\"" PEM "\"}"},
    };

    assert_status(
        w, world_ask(w, ADMIN, "POST", "/v1/service-accounts", "{\"name\":\"robot\",\"public_key\":\"" PEM "\"}"), 201);
    int64_t head = world_head(w);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        (void)world_ask(w, ADMIN, rows[i].method, rows[i].target, rows[i].body);
        assert_problem(w, CODE_NOT_FOUND, "no such");
    }
    assert_int_equal(world_head(w), head);
}

/* Walks a list a few at a time; the number of distinct objects met. */
static size_t pages_walk(struct world *w, enum who who, const char *target, const char *id, size_t limit)
{
    cleanup_buf struct buf seen = {0};
    char next[256] = "", url[512];
    size_t count = 0;

    for (int page = 0; page < 100; page++) {
        (void)snprintf(url, sizeof(url), "%s?limit=%zu%s%s", target, limit, *next ? "&after=" : "", next);
        assert_status(w, world_get(w, who, "%s", url), 200);
        const struct json *items = json_get(w->answer, "items");
        assert_true(json_count(items) <= limit);
        for (size_t i = 0; i < json_count(items); i++, count++) {
            char mark[128];
            (void)snprintf(mark, sizeof(mark), "<%s>", json_get_text(json_at(items, i), id, ""));
            assert_null(strstr(buf_text(&seen), mark));
            buf_add_text(&seen, mark);
        }
        (void)snprintf(next, sizeof(next), "%s", json_get_text(w->answer, "next", ""));
        if (!*next)
            return count;
        assert_int_equal(json_count(items), limit);
    }
    fail_msg("the list has no end");
    return 0;
}

static void pages_show_every_object_once(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *target, *id;
    } lists[] = {{"/v1/projects", "id"},
                 {"/v1/users", "id"},
                 {"/v1/keys", "id"},
                 {"/v1/projects/demo/members", "principal"},
                 {"/v1/users/owner/api-keys", "id"},
                 {"/v1/service-accounts", "id"}};
    char body[64], id[ID_SIZE];

    for (int i = 0; i < 5; i++) {
        (void)snprintf(body, sizeof(body), "{\"name\":\"page-%d\"}", i);
        assert_status(w, world_ask(w, ADMIN, "POST", "/v1/projects", body), 201);
        assert_status(w, world_ask(w, ADMIN, "POST", "/v1/users", body), 201);
        assert_status(w, world_ask(w, OWNER, "POST", "/v1/users/owner/api-keys", body), 201);
        (void)snprintf(body, sizeof(body), "page-%d", i);
        world_key(w, body, "p256", id);
        assert_status(
            w, world_post(w, OWNER, "/v1/projects/demo/members", "{\"principal\":\"%s\",\"role\":\"approver\"}", body),
            201);
    }
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        size_t all = pages_walk(w, ADMIN, lists[i].target, lists[i].id, 1000);
        assert_int_equal(pages_walk(w, ADMIN, lists[i].target, lists[i].id, 2), all);
        assert_int_equal(pages_walk(w, ADMIN, lists[i].target, lists[i].id, all ? all : 1), all);
    }
}

static void an_export_goes_on_where_x_next_says(void **state)
{
    struct world *w = *state;
    int64_t after = 0, count = 0;

    for (int page = 0; page < 1000; page++) {
        assert_status(w, world_get(w, AUDITOR, "/v1/audit/export?limit=7&after=%lld", (long long)after), 200);
        for (const char *at = buf_text(&w->x.response_body); *at; at += strcspn(at, "\n") + 1)
            count++;
        if (!*answer_header(w, "X-Next"))
            break;
        after += 7;
        char expected[32];
        (void)snprintf(expected, sizeof(expected), "%lld", (long long)after);
        assert_string_equal(answer_header(w, "X-Next"), expected);
    }
    assert_int_equal(count, world_head(w));
}

/* SoftHSM keeps a file for each half of a key. */
static size_t hsm_objects(const struct world *w)
{
    char pattern[160];
    glob_t found;

    (void)snprintf(pattern, sizeof(pattern), "%s/tokens/*/*.object", w->hsm.dir);
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    size_t count = found.gl_pathc;
    globfree(&found);
    return count;
}

/* The store refuses the row by a trigger of the test's own. */
static void a_key_that_cannot_be_stored_is_taken_out_of_the_hsm(void **state)
{
    struct world *w = *state;
    char path[128];
    sqlite3 *db = NULL;
    int64_t head = world_head(w);
    int generated = w->faults->generated;
    size_t objects = hsm_objects(w);

    (void)snprintf(path, sizeof(path), "%s/chancery.db", w->hsm.dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_busy_timeout(db, 5000), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db, "CREATE TRIGGER stop BEFORE INSERT ON signing_key BEGIN SELECT RAISE(ABORT, 'no'); END", NULL,
                     NULL, NULL),
        SQLITE_OK);
    int answered = world_post(w, OWNER, "/v1/projects/demo/keys", "{\"label\":\"lost\",\"type\":\"p256\"}");
    assert_int_equal(sqlite3_exec(db, "DROP TRIGGER stop", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_true(answered >= 400);
    assert_int_equal(w->faults->generated, generated + 1);
    assert_int_equal(hsm_objects(w), objects);
    assert_int_equal(world_head(w), head);
    assert_status(w, world_post(w, OWNER, "/v1/projects/demo/keys", "{\"label\":\"lost\",\"type\":\"p256\"}"), 201);
    assert_int_equal(hsm_objects(w), objects + 2);
}

static void health_is_public_and_says_what_does_not_answer(void **state)
{
    struct world *w = *state;

    assert_status(w, world_get(w, NOBODY, "/livez"), 200);
    assert_status(w, world_get(w, NOBODY, "/readyz"), 200);
    assert_string_equal(json_get_text(json_get(w->answer, "checks"), "hsm", ""), "ok");
}

static bool draining(void)
{
    return true;
}

static void a_stopping_server_is_not_ready(void **state)
{
    struct world *w = *state;

    w->api.is_draining = draining;
    assert_status(w, world_get(w, NOBODY, "/readyz"), 503);
    assert_string_equal(answer_header(w, "Retry-After"), "1");
    w->api.is_draining = NULL;
}

static void the_ca_is_shown_as_pem(void **state)
{
    struct world *w = *state;

    assert_status(w, world_get(w, STRANGER, "/v1/ca"), 200);
    assert_memory_equal(answer_text(w, "issuing"), "-----BEGIN CERTIFICATE-----\n", 28);
    assert_memory_equal(answer_text(w, "root"), "-----BEGIN CERTIFICATE-----\n", 28);
    assert_string_not_equal(answer_text(w, "issuing"), answer_text(w, "root"));
}

static void write_root(struct world *w, const char *text)
{
    struct error err = {0};
    assert_true(is_ok(file_write(w->tls_root, slice_of_text(text), 0644, &err)));
}

static void a_machine_is_told_the_server_s_addresses_and_roots_where_there_are_some(void **state)
{
    struct world *w = *state;

    assert_status(w, world_get(w, STRANGER, "/v1/server"), 200);
    assert_string_equal(json_get_text(w->answer, "root", "none"), "none");
    assert_string_equal(json_text(json_at(json_get(w->answer, "urls"), 0), ""), "https://sign.example");
    assert_string_equal(answer_text(w, "version"), CHANCERY_VERSION);
    assert_int_equal(strlen(answer_text(w, "started")), strlen("2026-01-31T00:00:00.000Z"));
    write_root(w, "-----BEGIN CERTIFICATE-----\n");
    assert_status(w, world_get(w, STRANGER, "/v1/server"), 200);
    assert_string_equal(answer_text(w, "root"), "-----BEGIN CERTIFICATE-----\n");
    assert_int_equal(unlink(w->tls_root), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_active_administrator_stays_one),
        cmocka_unit_test(i4_a_role_that_was_taken_away_stops_at_the_next_request),
        cmocka_unit_test(i4_a_disabled_user_s_api_key_stops_at_the_next_request),
        cmocka_unit_test(i8_an_api_key_is_shown_once_works_and_is_gone_when_revoked),
        cmocka_unit_test(a_denied_request_is_on_record_once_a_second_with_a_count_of_the_others),
        cmocka_unit_test(nobody_revokes_another_user_s_api_key_under_his_own_name),
        cmocka_unit_test(every_change_leaves_one_record_that_tells_it),
        cmocka_unit_test(i7_records_are_given_byte_for_byte_as_they_were_hashed),
        cmocka_unit_test(the_head_is_the_newest_record),
        cmocka_unit_test(the_log_is_filtered_by_type_and_principal),
        cmocka_unit_test(the_log_is_read_backwards_from_the_newest_on),
        cmocka_unit_test(a_service_account_is_not_a_user_nor_the_reverse),
        cmocka_unit_test(pages_show_every_object_once),
        cmocka_unit_test(an_export_goes_on_where_x_next_says),
        cmocka_unit_test(a_key_that_cannot_be_stored_is_taken_out_of_the_hsm),
        cmocka_unit_test(health_is_public_and_says_what_does_not_answer),
        cmocka_unit_test(a_stopping_server_is_not_ready),
        cmocka_unit_test(a_machine_is_told_the_server_s_addresses_and_roots_where_there_are_some),
        cmocka_unit_test(the_ca_is_shown_as_pem),
    };
    return cmocka_run_group_tests(tests, world_open, world_close);
}

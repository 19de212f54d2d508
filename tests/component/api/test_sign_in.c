/* SPDX-License-Identifier: Apache-2.0 */
/* Passwords: setting one, signing in with it, failures, one-time passwords, and the confirmation of a session. */
#include "browser.h"

#include <stdio.h>
#include <string.h>

#include "server/auth/password.h"
#include "server/auth/throttle.h"

#define GOOD "a good long password"
#define BETTER "an even better password"

static int password_put(struct world *w, enum who who, const char *name, const char *body)
{
    char target[128];
    (void)snprintf(target, sizeof(target), "/v1/users/%s/password", name);
    return world_ask(w, who, "PUT", target, body);
}

static int sign_in_from(struct world *w, const char *address, const char *name, const char *password)
{
    char body[512];
    (void)snprintf(body, sizeof(body), "{\"name\":\"%s\",\"password\":\"%s\"}", name, password);
    const struct call call = {
        .method = "POST", .target = "/v1/session", .body = slice_of_text(body), .address = address};
    return world_call(w, &call);
}

static int sign_in(struct world *w, const char *name, const char *password)
{
    return sign_in_from(w, NULL, name, password);
}

/* Each test finds everybody without a password, and nothing counted, neither of a user nor of its address. */
static int fresh(void **state)
{
    struct world *w = *state;
    static char address[32];
    static int number;

    (void)snprintf(address, sizeof(address), "192.0.2.%d", ++number);
    w->address = address;
    world_sql(w, "DELETE FROM sign_in_failure");
    world_sql(w, "DELETE FROM user_password");
    world_sql(w, "DELETE FROM web_session");
    return 0;
}

/* ---- passwords */

static void a_user_sets_his_password_and_signs_in_with_it(void **state)
{
    struct world *w = *state;
    struct browser b;

    assert_status(w, password_put(w, OWNER, "owner", "{\"password\":\"" GOOD "\"}"), 204);
    assert_status(w, world_get(w, OWNER, "/v1/users/owner/password"), 200);
    assert_true(json_get_bool(w->answer, "is_set", false));
    assert_false(json_get_bool(w->answer, "is_one_time", true));
    browser_sign_in(w, "owner", GOOD, &b);
    assert_string_equal(answer_text(w, "opened_with"), "password");
    assert_false(json_get_bool(w->answer, "must_change_password", true));
    assert_status(w, browser_ask(w, &b, "PATCH", "/v1/projects/demo", "{\"description\":\"by hand\"}"), 200);
    assert_status(w, browser_ask(w, &b, "GET", "/v1/users/owner/sessions", NULL), 200);
    assert_int_equal(json_type(json_get(json_at(json_get(w->answer, "items"), 0), "api_key")), JSON_NULL);
}

static void the_next_password_needs_the_present_one_or_a_confirmed_session(void **state)
{
    struct world *w = *state;
    struct browser b;

    assert_status(w, password_put(w, OWNER, "owner", "{\"password\":\"" GOOD "\"}"), 204);
    (void)password_put(w, OWNER, "owner", "{\"password\":\"" BETTER "\"}");
    assert_problem(w, CODE_CONFIRMATION_REQUIRED, "current_password");
    (void)password_put(w, OWNER, "owner", "{\"password\":\"" BETTER "\",\"current_password\":\"something else\"}");
    assert_problem(w, CODE_CONFIRMATION_REQUIRED, "wrong");
    assert_status(w, password_put(w, OWNER, "owner", "{\"password\":\"" BETTER "\",\"current_password\":\"" GOOD "\"}"),
                  204);
    browser_sign_in(w, "owner", BETTER, &b);
    world_sql(w, "UPDATE web_session SET confirmed_until_ms = 1");
    (void)browser_ask(w, &b, "PUT", "/v1/users/owner/password", "{\"password\":\"" GOOD "\"}");
    assert_problem(w, CODE_CONFIRMATION_REQUIRED, NULL);
    assert_status(w, browser_ask(w, &b, "POST", "/v1/session/confirm", "{\"password\":\"" BETTER "\"}"), 200);
    assert_status(w, browser_ask(w, &b, "PUT", "/v1/users/owner/password", "{\"password\":\"" GOOD "\"}"), 204);
    assert_status(w, sign_in(w, "owner", GOOD), 201);
    assert_status(w, sign_in(w, "owner", BETTER), 401);
}

static void a_password_that_is_none_is_refused(void **state)
{
    struct world *w = *state;
    char body[1024], long_one[PASSWORD_MAX + 2];
    memset(long_one, 'x', sizeof(long_one) - 1);
    long_one[sizeof(long_one) - 1] = '\0';
    const char *const bad[] = {"", "elevenbytes", "with a \\u0007 bell", "with a \\u0085 control", long_one};

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        (void)snprintf(body, sizeof(body), "{\"password\":\"%s\"}", bad[i]);
        (void)password_put(w, OWNER, "owner", body);
        assert_problem(w, CODE_INVALID, "password: 12 to 256 bytes");
    }
    assert_status(w, world_post(w, ADMIN, "/v1/users", "{\"name\":\"longestnameofall\"}"), 201);
    (void)password_put(w, ADMIN, "longestnameofall", "{\"password\":\"LongestNameOfAll\"}");
    assert_problem(w, CODE_INVALID, "name of the user");
    (void)snprintf(body, sizeof(body), "{\"password\":\"%.256s\"}", long_one);
    assert_status(w, password_put(w, OWNER, "owner", body), 204);
    assert_status(w, password_put(w, SIGNER, "signer", "{\"password\":\"Grüße aus Köln\"}"), 204);
    assert_status(w, sign_in(w, "signer", "Grüße aus Köln"), 201);
}

static void a_new_password_ends_the_sessions_of_the_old_one_but_its_own(void **state)
{
    struct world *w = *state;
    struct browser here, there, by_key;

    assert_status(w, password_put(w, OWNER, "owner", "{\"password\":\"" GOOD "\"}"), 204);
    browser_sign_in(w, "owner", GOOD, &here);
    browser_sign_in(w, "owner", GOOD, &there);
    browser_open(w, OWNER, &by_key);
    (void)browser_ask(w, &here, "PUT", "/v1/users/owner/password", "{\"password\":\"" GOOD "\"}");
    assert_problem(w, CODE_INVALID, "the one there is");
    assert_status(w, browser_ask(w, &here, "PUT", "/v1/users/owner/password", "{\"password\":\"" BETTER "\"}"), 204);
    assert_status(w, browser_ask(w, &here, "GET", "/v1/session", NULL), 200);
    assert_status(w, browser_ask(w, &there, "GET", "/v1/session", NULL), 401);
    assert_status(w, browser_ask(w, &by_key, "GET", "/v1/session", NULL), 200);
    assert_status(w, world_ask(w, ADMIN, "DELETE", "/v1/users/owner/password", NULL), 204);
    assert_status(w, browser_ask(w, &here, "GET", "/v1/session", NULL), 401);
    assert_status(w, sign_in(w, "owner", BETTER), 401);
    assert_status(w, world_ask(w, ADMIN, "DELETE", "/v1/users/owner/password", NULL), 404);
}

static void i8_a_password_is_on_no_record_and_in_the_store_as_argon2id_alone(void **state)
{
    struct world *w = *state;
    struct user_password stored;

    assert_status(w, password_put(w, ADMIN, "owner", "{\"password\":\"" GOOD "\"}"), 204);
    assert_status(w, sign_in(w, "owner", GOOD), 201);
    assert_status(w, sign_in(w, GOOD, GOOD), 401);
    assert_status(w, world_get(w, AUDITOR, "/v1/audit/export"), 200);
    assert_null(strstr(buf_text(&w->x.response_body), GOOD));
    struct db *db = store_reader_acquire(w->store, &w->err);
    status found = user_password_find(db, w->users[OWNER].id, &stored, &w->err);
    store_reader_release(w->store, db);
    assert_true(is_ok(found));
    assert_int_equal(strncmp(stored.hash, "$argon2id$v=19$m=65536,t=3,p=1$", 31), 0);
}

/* ---- one-time passwords */

static void a_one_time_password_opens_a_session_that_can_only_change_it(void **state)
{
    struct world *w = *state;
    struct browser b;

    assert_status(w, password_put(w, ADMIN, "stranger", "{\"password\":\"" GOOD "\"}"), 204);
    browser_sign_in(w, "stranger", GOOD, &b);
    assert_true(json_get_bool(w->answer, "must_change_password", false));
    static const char *const closed[] = {"/v1/projects", "/v1/users/stranger", "/v1/users/stranger/sessions"};
    for (size_t i = 0; i < COUNT_OF(closed); i++) {
        (void)browser_ask(w, &b, "GET", closed[i], NULL);
        assert_problem(w, CODE_PASSWORD_CHANGE_REQUIRED, NULL);
    }
    (void)browser_ask(w, &b, "PUT", "/v1/users/owner/password", "{\"password\":\"" BETTER "\"}");
    assert_problem(w, CODE_PASSWORD_CHANGE_REQUIRED, NULL);
    assert_status(w, browser_ask(w, &b, "GET", "/v1/whoami", NULL), 200);
    assert_status(w, browser_ask(w, &b, "PUT", "/v1/users/stranger/password", "{\"password\":\"" BETTER "\"}"), 204);
    assert_status(w, browser_ask(w, &b, "GET", "/v1/projects", NULL), 200);
    assert_status(w, sign_in(w, "stranger", GOOD), 401);
    assert_status(w, sign_in(w, "stranger", BETTER), 201);
    assert_false(json_get_bool(w->answer, "must_change_password", true));
}

static void a_one_time_password_ends_after_three_days(void **state)
{
    struct world *w = *state;

    assert_status(w, password_put(w, ADMIN, "stranger", "{\"password\":\"" GOOD "\"}"), 204);
    world_sql(w, "UPDATE user_password SET changed_ms = changed_ms - 71 * 3600 * 1000");
    assert_status(w, sign_in(w, "stranger", GOOD), 201);
    world_sql(w, "UPDATE user_password SET changed_ms = changed_ms - 3600 * 1000");
    assert_status(w, sign_in(w, "stranger", GOOD), 401);
    world_sql(w, "UPDATE user_password SET is_one_time = 0");
    assert_status(w, sign_in(w, "stranger", GOOD), 201);
}

/* ---- failures */

static void whatever_is_wrong_gets_one_answer_for_the_same_work(void **state)
{
    struct world *w = *state;
    char first[256] = "";
    static const char *const rows[][2] = {
        {"owner", "not the password"}, {"nobody-of-this-name", GOOD}, {"auditor", GOOD}, {"stranger", GOOD}};

    assert_status(w, password_put(w, OWNER, "owner", "{\"password\":\"" GOOD "\"}"), 204);
    assert_status(w, password_put(w, STRANGER, "stranger", "{\"password\":\"" GOOD "\"}"), 204);
    assert_status(w, world_post(w, ADMIN, "/v1/users/stranger/disable", "{}"), 200);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        unsigned long before = password_hash_count();
        (void)sign_in(w, rows[i][0], rows[i][1]);
        assert_problem(w, CODE_NOT_AUTHENTICATED, NULL);
        assert_int_equal(password_hash_count(), before + 1);
        assert_string_equal(answer_header(w, "Set-Cookie"), "");
        if (i == 0)
            (void)snprintf(first, sizeof(first), "%s", answer_text(w, "detail"));
        assert_string_equal(answer_text(w, "detail"), first);
    }
    assert_status(w, world_post(w, ADMIN, "/v1/users/stranger/enable", "{}"), 200);
}

static void fail_times(struct world *w, const char *name, int times)
{
    for (int i = 0; i < times; i++)
        assert_status(w, sign_in(w, name, "not the password"), 401);
}

static void after_ten_failures_each_further_attempt_must_be_waited_for(void **state)
{
    struct world *w = *state;

    assert_status(w, password_put(w, SIGNER, "signer", "{\"password\":\"" GOOD "\"}"), 204);
    fail_times(w, "signer", 10);
    unsigned long before = password_hash_count();
    (void)sign_in(w, "signer", GOOD);
    assert_problem(w, CODE_RATE_LIMITED, "too many failed sign-ins");
    assert_string_equal(answer_header(w, "Retry-After"), "1");
    assert_int_equal(password_hash_count(), before);
    world_sql(w, "UPDATE sign_in_failure SET failures = 30");
    (void)sign_in(w, "signer", GOOD);
    assert_problem(w, CODE_RATE_LIMITED, NULL);
    assert_string_equal(answer_header(w, "Retry-After"), "900");
    world_sql(w, "UPDATE sign_in_failure SET last_ms = last_ms - 900000");
    assert_status(w, sign_in(w, "signer", GOOD), 201);
    fail_times(w, "signer", 10);
}

static void a_name_that_is_no_user_is_slowed_down_like_one(void **state)
{
    struct world *w = *state;

    fail_times(w, "nobody-of-this-name", 10);
    (void)sign_in(w, "nobody-of-this-name", GOOD);
    assert_problem(w, CODE_RATE_LIMITED, NULL);
    assert_string_equal(answer_header(w, "Retry-After"), "1");
}

static void a_session_cannot_be_used_to_guess_either(void **state)
{
    struct world *w = *state;
    struct browser b;

    assert_status(w, password_put(w, APPROVER, "approver", "{\"password\":\"" GOOD "\"}"), 204);
    browser_sign_in(w, "approver", GOOD, &b);
    for (int i = 0; i < 10; i++) {
        (void)browser_ask(w, &b, "POST", "/v1/session/confirm", "{\"password\":\"not the password\"}");
        assert_problem(w, CODE_CONFIRMATION_REQUIRED, "wrong");
    }
    (void)browser_ask(w, &b, "POST", "/v1/session/confirm", "{\"password\":\"" GOOD "\"}");
    assert_problem(w, CODE_RATE_LIMITED, NULL);
    (void)password_put(w, APPROVER, "approver", "{\"password\":\"" BETTER "\",\"current_password\":\"" GOOD "\"}");
    assert_problem(w, CODE_RATE_LIMITED, NULL);
}

static void an_address_that_fails_often_is_slowed_down_for_every_name(void **state)
{
    struct world *w = *state;
    const struct call guess = {.method = "POST",
                               .target = "/v1/session",
                               .body = slice_of_text("{\"api_key\":\"x\"}"),
                               .address = "2001:db8:1:2::7"};

    assert_status(w, password_put(w, OWNER, "owner", "{\"password\":\"" GOOD "\"}"), 204);
    for (int i = 0; i < 50; i++)
        assert_status(w, world_call(w, &guess), 401);
    (void)sign_in_from(w, "2001:db8:1:2::8", "owner", GOOD); /* the same network */
    assert_problem(w, CODE_RATE_LIMITED, NULL);
    assert_status(w, sign_in_from(w, "2001:db8:1:3::7", "owner", GOOD), 201);
}

static void more_hashing_than_there_are_slots_for_is_refused_at_once_and_not_counted(void **state)
{
    struct world *w = *state;
    struct password_slot slots[PASSWORD_SLOTS] = {0};

    assert_status(w, password_put(w, OWNER, "owner", "{\"password\":\"" GOOD "\"}"), 204);
    fail_times(w, "owner", 9);
    for (size_t i = 0; i < COUNT_OF(slots); i++)
        assert_true(is_ok(password_slot_take(&slots[i], &w->err)));
    for (int i = 0; i < 3; i++) {
        (void)sign_in(w, "owner", GOOD);
        assert_problem(w, CODE_UNAVAILABLE, "too many passwords");
        assert_string_equal(answer_header(w, "Retry-After"), "1");
    }
    (void)password_put(w, SIGNER, "signer", "{\"password\":\"" GOOD "\"}");
    assert_problem(w, CODE_UNAVAILABLE, NULL);
    for (size_t i = 0; i < COUNT_OF(slots); i++)
        password_slot_give(&slots[i]);
    assert_status(w, sign_in(w, "owner", GOOD), 201);
}

static void failed_sign_ins_are_on_record_without_what_was_typed_for_a_name(void **state)
{
    struct world *w = *state;

    assert_status(w, sign_in_from(w, "198.51.100.1", "owner", GOOD), 401);
    cleanup_json struct json *known = world_last_record(w);
    assert_string_equal(json_get_text(known, "type", ""), "session.denied");
    assert_string_equal(json_get_text(known, "outcome", ""), "refused");
    assert_string_equal(json_get_text(known, "principal", ""), "owner");
    assert_string_equal(json_get_text(known, "reason", ""), "the user has no password");
    assert_string_equal(json_get_text(json_get(known, "client"), "address", ""), "198.51.100.1");
    assert_status(w, sign_in_from(w, "198.51.100.2", "my secret password", GOOD), 401);
    cleanup_json struct json *unknown = world_last_record(w);
    assert_string_equal(json_get_text(unknown, "reason", ""), "no such user");
    assert_int_equal(json_type(json_get(unknown, "principal")), JSON_NULL);
}

static void failed_sign_ins_cannot_fill_the_log(void **state)
{
    struct world *w = *state;
    char address[32];
    int64_t head = world_head(w);

    for (int i = 0; i < 200; i++) {
        (void)snprintf(address, sizeof(address), "203.0.113.%d", i);
        const struct call call = {.method = "POST",
                                  .target = "/v1/session",
                                  .body = slice_of_text("{\"api_key\":\"x\"}"),
                                  .address = address};
        assert_status(w, world_call(w, &call), 401);
    }
    assert_in_range(world_head(w) - head, 0, 16); /* in at most two spans of ten seconds */
}

/* ---- confirmation */

static void a_session_confirms_before_what_is_sensitive(void **state)
{
    struct world *w = *state;
    struct browser b;
    static const char patch[] = "{\"role\":\"user\"}";

    assert_status(w, password_put(w, ADMIN, "admin", "{\"password\":\"" GOOD "\"}"), 204);
    browser_sign_in(w, "admin", GOOD, &b);
    assert_string_not_equal(answer_text(w, "confirmed_until"), "");
    assert_status(w, browser_ask(w, &b, "PATCH", "/v1/users/owner", patch), 200);
    world_sql(w, "UPDATE web_session SET confirmed_until_ms = 1");
    (void)browser_ask(w, &b, "PATCH", "/v1/users/owner", patch);
    assert_problem(w, CODE_CONFIRMATION_REQUIRED, NULL);
    assert_status(w, browser_ask(w, &b, "GET", "/v1/users/owner", NULL), 200);
    assert_status(w, browser_ask(w, &b, "PATCH", "/v1/projects/demo", "{\"description\":\"d\"}"), 200);
    assert_status(w, world_ask(w, ADMIN, "PATCH", "/v1/users/owner", patch), 200); /* an API key is asked nothing */

    assert_status(w, world_post(w, OWNER, "/v1/session/confirm", "{\"password\":\"" GOOD "\"}"), 404);
    char body[256];
    (void)snprintf(body, sizeof(body), "{\"api_key\":\"%s\"}", buf_text(&w->credentials[OWNER]));
    (void)browser_ask(w, &b, "POST", "/v1/session/confirm", body);
    assert_problem(w, CODE_CONFIRMATION_REQUIRED, NULL);
    (void)snprintf(body, sizeof(body), "{\"api_key\":\"%s\"}", buf_text(&w->credentials[ADMIN]));
    assert_status(w, browser_ask(w, &b, "POST", "/v1/session/confirm", body), 200);
    assert_status(w, browser_ask(w, &b, "PATCH", "/v1/users/owner", patch), 200);
}

static void who_may_not_do_it_is_not_asked_to_confirm(void **state)
{
    struct world *w = *state;
    struct browser b;

    browser_open(w, STRANGER, &b);
    world_sql(w, "UPDATE web_session SET confirmed_until_ms = 1");
    (void)browser_ask(w, &b, "PATCH", "/v1/users/owner", "{\"role\":\"administrator\"}");
    assert_problem(w, CODE_NOT_FOUND, NULL);
}

static void every_sensitive_route_is_a_route(void **state)
{
    const char *method = NULL, *pattern = NULL;
    size_t i = 0;
    (void)state;

    for (; (pattern = session_sensitive_at(i, &method)); i++) {
        bool found = false;
        for (const struct route *const *table = api_tables; *table; table++) {
            for (const struct route *r = *table; r->method; r++)
                found |= strcmp(r->method, method) == 0 && strcmp(r->pattern, pattern) == 0;
        }
        if (!found)
            fail_msg("%s %s", method, pattern);
    }
    assert_in_range(i, 10, 100);
}

static void signing_out_everywhere_ends_every_session_of_the_user(void **state)
{
    struct world *w = *state;
    struct browser a, b, other;

    assert_status(w, password_put(w, OWNER, "owner", "{\"password\":\"" GOOD "\"}"), 204);
    browser_sign_in(w, "owner", GOOD, &a);
    browser_open(w, OWNER, &b);
    browser_open(w, SIGNER, &other);
    assert_status(w, browser_ask(w, &a, "DELETE", "/v1/users/owner/sessions", NULL), 204);
    assert_non_null(strstr(answer_header(w, "Set-Cookie"), "Max-Age=0"));
    assert_status(w, browser_ask(w, &a, "GET", "/v1/session", NULL), 401);
    assert_status(w, browser_ask(w, &b, "GET", "/v1/session", NULL), 401);
    assert_status(w, browser_ask(w, &other, "GET", "/v1/session", NULL), 200);
    cleanup_json struct json *record = world_last_record(w);
    assert_string_equal(json_get_text(record, "type", ""), "session.revoke_all");
    assert_int_equal(json_get_integer(json_get(record, "detail"), "sessions", 0), 2);
}

#define T(test) cmocka_unit_test_setup(test, fresh)

int main(void)
{
    const struct CMUnitTest tests[] = {
        /* the first: records are few in any ten seconds */
        T(failed_sign_ins_are_on_record_without_what_was_typed_for_a_name),
        T(a_user_sets_his_password_and_signs_in_with_it),
        T(the_next_password_needs_the_present_one_or_a_confirmed_session),
        T(a_password_that_is_none_is_refused),
        T(a_new_password_ends_the_sessions_of_the_old_one_but_its_own),
        T(i8_a_password_is_on_no_record_and_in_the_store_as_argon2id_alone),
        T(a_one_time_password_opens_a_session_that_can_only_change_it),
        T(a_one_time_password_ends_after_three_days),
        T(whatever_is_wrong_gets_one_answer_for_the_same_work),
        T(after_ten_failures_each_further_attempt_must_be_waited_for),
        T(a_name_that_is_no_user_is_slowed_down_like_one),
        T(a_session_cannot_be_used_to_guess_either),
        T(an_address_that_fails_often_is_slowed_down_for_every_name),
        T(more_hashing_than_there_are_slots_for_is_refused_at_once_and_not_counted),
        T(failed_sign_ins_cannot_fill_the_log),
        T(a_session_confirms_before_what_is_sensitive),
        T(who_may_not_do_it_is_not_asked_to_confirm),
        T(every_sensitive_route_is_a_route),
        T(signing_out_everywhere_ends_every_session_of_the_user),
    };
    return cmocka_run_group_tests(tests, world_open, world_close);
}

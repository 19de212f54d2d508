/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions of browsers: cookie, CSRF token, limits, revocation. */
#include "browser.h"

#include <stdio.h>
#include <string.h>

static void the_cookie_is_for_this_host_alone_and_hidden_from_scripts(void **state)
{
    struct world *w = *state;
    struct browser s;

    browser_open(w, OWNER, &s);
    const char *set = answer_header(w, "Set-Cookie");
    assert_int_equal(strncmp(set, "__Host-chancery=", 16), 0);
    assert_non_null(strstr(set, "; Path=/; Secure; HttpOnly; SameSite=Strict"));
    assert_string_equal(answer_header(w, "Cache-Control"), "no-store");
    assert_string_equal(answer_text(w, "user"), "owner");
    assert_status(w, browser_ask_with(w, &s, NULL, "GET", "/v1/session", NULL), 200);
    assert_string_equal(answer_text(w, "csrf_token"), s.csrf + strlen("X-CSRF-Token: "));
    assert_status(w, browser_ask_with(w, &s, NULL, "GET", "/v1/whoami", NULL), 200);
    assert_string_equal(answer_text(w, "name"), "owner");
}

static void a_change_needs_the_token_of_its_session(void **state)
{
    struct world *w = *state;
    struct browser s, other;
    static const char patch[] = "{\"description\":\"d\"}";

    browser_open(w, OWNER, &s);
    browser_open(w, OWNER, &other);
    int64_t head = world_head(w);
    (void)browser_ask_with(w, &s, NULL, "PATCH", "/v1/projects/demo", patch);
    assert_problem(w, CODE_FORBIDDEN, "X-CSRF-Token");
    (void)browser_ask_with(w, &s, other.csrf, "PATCH", "/v1/projects/demo", patch);
    assert_problem(w, CODE_FORBIDDEN, "X-CSRF-Token");
    (void)browser_ask_with(w, &s, "X-CSRF-Token: 0", "DELETE", "/v1/session", NULL);
    assert_problem(w, CODE_FORBIDDEN, "X-CSRF-Token");
    assert_int_equal(world_head(w), head + 2); /* access.denied: of each route */
    assert_status(w, browser_ask_with(w, &s, s.csrf, "PATCH", "/v1/projects/demo", patch), 200);
}

static void nothing_is_signed_in_a_session(void **state)
{
    struct world *w = *state;
    struct browser s;

    browser_open(w, SIGNER, &s);
    (void)browser_ask_with(w, &s, s.csrf, "POST", "/v1/signing/keys/demo:key/signatures", "{}");
    assert_problem(w, CODE_FORBIDDEN, "scope sign");
}

static void a_key_that_is_not_good_opens_nothing_and_is_told_nothing(void **state)
{
    struct world *w = *state;
    char first[256] = "";
    static const char *const bad[] = {"x", "chancery_ak_aaaaaaaaaaaaaaaaaaaa_secret_check", "chancery-token.abc"};

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        (void)world_post(w, NOBODY, "/v1/session", "{\"api_key\":\"%s\"}", bad[i]);
        assert_problem(w, CODE_NOT_AUTHENTICATED, NULL);
        assert_string_equal(answer_header(w, "Set-Cookie"), "");
        if (i == 0)
            (void)snprintf(first, sizeof(first), "%s", answer_text(w, "detail"));
        assert_string_equal(answer_text(w, "detail"), first);
    }
    const struct browser made_up = {.cookie = "Cookie: __Host-chancery=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    (void)browser_ask_with(w, &made_up, NULL, "GET", "/v1/whoami", NULL);
    assert_problem(w, CODE_NOT_AUTHENTICATED, NULL);
}

static void i4_a_session_ends_when_closed_revoked_or_its_user_is_disabled(void **state)
{
    struct world *w = *state;
    struct browser closed, revoked, disabled;
    char target[128];

    browser_open(w, OWNER, &closed);
    browser_open(w, OWNER, &revoked);
    browser_open(w, STRANGER, &disabled);
    assert_status(w, browser_ask_with(w, &closed, closed.csrf, "DELETE", "/v1/session", NULL), 204);
    (void)snprintf(target, sizeof(target), "/v1/users/owner/sessions/%s", revoked.id);
    assert_status(w, world_get(w, OWNER, "/v1/users/owner/sessions?limit=1000"), 200);
    assert_non_null(strstr(buf_text(&w->x.response_body), revoked.id));
    assert_null(strstr(buf_text(&w->x.response_body), closed.id));
    assert_status(w, world_ask(w, ADMIN, "DELETE", target, NULL), 204);
    assert_status(w, world_ask(w, ADMIN, "DELETE", target, NULL), 404);
    assert_status(w, world_post(w, ADMIN, "/v1/users/stranger/disable", "{}"), 200);
    const struct browser *const ended[] = {&closed, &revoked, &disabled};
    for (size_t i = 0; i < COUNT_OF(ended); i++) {
        (void)browser_ask_with(w, ended[i], NULL, "GET", "/v1/whoami", NULL);
        assert_problem(w, CODE_NOT_AUTHENTICATED, NULL);
    }
    assert_status(w, world_post(w, ADMIN, "/v1/users/stranger/enable", "{}"), 200);
}

static void i4_a_session_ends_with_its_api_key(void **state)
{
    struct world *w = *state;
    struct browser s;
    char target[128];

    browser_open(w, APPROVER, &s);
    assert_status(w, world_get(w, APPROVER, "/v1/users/approver/api-keys"), 200);
    (void)snprintf(target, sizeof(target), "/v1/users/approver/api-keys/%s",
                   json_get_text(json_at(json_get(w->answer, "items"), 0), "id", ""));
    assert_status(w, world_ask(w, ADMIN, "DELETE", target, NULL), 204);
    (void)browser_ask_with(w, &s, NULL, "GET", "/v1/whoami", NULL);
    assert_problem(w, CODE_NOT_AUTHENTICATED, NULL);
}

static void a_session_ends_idle_or_old(void **state)
{
    struct world *w = *state;
    struct browser s;

    browser_open(w, OWNER, &s);
    world_sql(w, "UPDATE web_session SET last_used_ms = last_used_ms - 29 * 60 * 1000");
    assert_status(w, browser_ask_with(w, &s, NULL, "GET", "/v1/whoami", NULL), 200);
    world_sql(w, "UPDATE web_session SET last_used_ms = last_used_ms - 29 * 60 * 1000");
    assert_status(w, browser_ask_with(w, &s, NULL, "GET", "/v1/whoami", NULL), 200); /* the request before counted */
    world_sql(w, "UPDATE web_session SET last_used_ms = last_used_ms - 31 * 60 * 1000");
    (void)browser_ask_with(w, &s, NULL, "GET", "/v1/whoami", NULL);
    assert_problem(w, CODE_NOT_AUTHENTICATED, NULL);

    browser_open(w, OWNER, &s);
    world_sql(w, "UPDATE web_session SET expires_ms = 1");
    (void)browser_ask_with(w, &s, NULL, "GET", "/v1/whoami", NULL);
    assert_problem(w, CODE_NOT_AUTHENTICATED, NULL);
}

static void i8_no_secret_of_a_session_is_in_the_log(void **state)
{
    struct world *w = *state;
    struct browser s;

    browser_open(w, OWNER, &s);
    assert_status(w, world_get(w, AUDITOR, "/v1/audit/export"), 200);
    assert_null(strstr(buf_text(&w->x.response_body), strrchr(s.cookie, '=') + 1));
    assert_null(strstr(buf_text(&w->x.response_body), s.csrf + strlen("X-CSRF-Token: ")));
}

static void the_address_of_a_session_is_what_a_trusted_proxy_says_and_nobody_else(void **state)
{
    struct world *w = *state;
    struct network proxy;
    char body[256];
    (void)snprintf(body, sizeof(body), "{\"api_key\":\"%s\"}", buf_text(&w->credentials[OWNER]));
    const struct call call = {.method = "POST",
                              .target = "/v1/session",
                              .body = slice_of_text(body),
                              .headers = {"X-Forwarded-For: 203.0.113.9, 198.51.100.7"}};

    assert_status(w, world_call(w, &call), 201);
    cleanup_json struct json *direct = world_last_record(w);
    assert_string_equal(json_get_text(json_get(direct, "client"), "address", ""), "192.0.2.7");
    assert_true(network_parse("192.0.2.0/24", &proxy));
    w->http.proxies = (struct proxies){&proxy, 1};
    assert_status(w, world_call(w, &call), 201);
    w->http.proxies = (struct proxies){0};
    cleanup_json struct json *behind = world_last_record(w);
    assert_string_equal(json_get_text(json_get(behind, "client"), "address", ""), "198.51.100.7");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cookie_is_for_this_host_alone_and_hidden_from_scripts),
        cmocka_unit_test(a_change_needs_the_token_of_its_session),
        cmocka_unit_test(nothing_is_signed_in_a_session),
        cmocka_unit_test(a_key_that_is_not_good_opens_nothing_and_is_told_nothing),
        cmocka_unit_test(i4_a_session_ends_when_closed_revoked_or_its_user_is_disabled),
        cmocka_unit_test(a_session_ends_idle_or_old),
        cmocka_unit_test(the_address_of_a_session_is_what_a_trusted_proxy_says_and_nobody_else),
        cmocka_unit_test(i8_no_secret_of_a_session_is_in_the_log),
        cmocka_unit_test(i4_a_session_ends_with_its_api_key),
    };
    return cmocka_run_group_tests(tests, world_open, world_close);
}

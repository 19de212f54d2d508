/* SPDX-License-Identifier: Apache-2.0 */
/* Users and service accounts over their life: removal, owning team, expiry, revisions. */
#include "world.h"

#include <stdio.h>
#include <string.h>

#define PEM                                                                                                            \
    "-----BEGIN PUBLIC KEY-----\\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\\n-----END PUBLIC "     \
    "KEY-----\\n"

static int setup(void **state)
{
    char id[ID_SIZE];

    (void)world_open(state);
    world_key(*state, "key", "p256", id);
    if (world_post(*state, ADMIN, "/v1/teams", "{\"name\":\"builders\"}") != 201)
        return -1;
    return world_post(*state, ADMIN, "/v1/service-accounts", "{\"name\":\"build\",\"public_key\":\"" PEM "\"}") == 201
               ? 0
               : -1;
}

static void a_member_of_the_owning_team_manages_the_accounts_keys_and_nothing_else(void **state)
{
    struct world *w = *state;
    char target[128];

    assert_status(w, world_post(w, ADMIN, "/v1/teams/builders/members", "{\"principal\":\"stranger\"}"), 201);
    (void)world_post(w, STRANGER, "/v1/service-accounts/build/keys", "{\"public_key\":\"" PEM "\"}");
    assert_problem(w, CODE_NOT_FOUND, "no such object");
    assert_status(w, world_ask(w, ADMIN, "PATCH", "/v1/service-accounts/build", "{\"team\":\"builders\"}"), 200);
    assert_string_equal(answer_text(w, "team"), "builders");

    assert_status(w, world_get(w, STRANGER, "/v1/service-accounts/build"), 200);
    assert_status(w, world_post(w, STRANGER, "/v1/service-accounts/build/keys", "{\"public_key\":\"" PEM "\"}"), 201);
    (void)snprintf(target, sizeof(target), "/v1/service-accounts/build/keys/%s", answer_text(w, "id"));
    assert_status(w, world_ask(w, STRANGER, "DELETE", target, NULL), 204);
    (void)world_ask(w, STRANGER, "PATCH", "/v1/service-accounts/build", "{\"description\":\"d\"}");
    assert_problem(w, CODE_NOT_FOUND, NULL);
    (void)world_post(w, STRANGER, "/v1/service-accounts/build/enable", "{}");
    assert_problem(w, CODE_NOT_FOUND, NULL);

    (void)world_ask(w, ADMIN, "DELETE", "/v1/teams/builders", NULL);
    assert_problem(w, CODE_CONFLICT, "owns the service account build");
    assert_status(w, world_ask(w, ADMIN, "PATCH", "/v1/service-accounts/build", "{\"team\":\"\"}"), 200);
    assert_int_equal(json_type(json_get(w->answer, "team")), JSON_NULL);
    (void)world_get(w, STRANGER, "/v1/service-accounts/build");
    assert_problem(w, CODE_NOT_FOUND, NULL);
}

static void an_account_is_changed_in_what_is_given_alone(void **state)
{
    struct world *w = *state;

    assert_status(w,
                  world_ask(w, ADMIN, "PATCH", "/v1/service-accounts/build",
                            "{\"expires\":\"2999-01-01T00:00:00Z\",\"description\":\"nightly\"}"),
                  200);
    assert_status(w, world_ask(w, ADMIN, "PATCH", "/v1/service-accounts/build", "{}"), 200);
    assert_string_equal(answer_text(w, "expires"), "2999-01-01T00:00:00.000Z");
    assert_string_equal(answer_text(w, "description"), "nightly");
    assert_status(w, world_ask(w, ADMIN, "PATCH", "/v1/service-accounts/build", "{\"expires\":\"\"}"), 200);
    assert_int_equal(json_type(json_get(w->answer, "expires")), JSON_NULL);

    (void)world_ask(w, ADMIN, "PATCH", "/v1/service-accounts/build", "{\"expires\":\"2020-01-01T00:00:00Z\"}");
    assert_problem(w, CODE_INVALID, "expires");
    (void)world_ask(w, ADMIN, "PATCH", "/v1/service-accounts/build", "{\"team\":\"No Team\"}");
    assert_problem(w, CODE_INVALID, "team");
    (void)world_ask(w, ADMIN, "PATCH", "/v1/service-accounts/build", "{\"team\":\"nobody\"}");
    assert_problem(w, CODE_NOT_FOUND, "team");
}

static void a_stale_change_of_a_user_or_account_changes_nothing(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *method, *target, *body;
    } rows[] = {
        {"PATCH", "/v1/users/stranger", "{\"role\":\"auditor\"}"},
        {"POST", "/v1/users/stranger/disable", "{}"},
        {"DELETE", "/v1/users/stranger", NULL},
        {"PATCH", "/v1/service-accounts/build", "{\"description\":\"d\"}"},
        {"POST", "/v1/service-accounts/build/disable", "{}"},
        {"DELETE", "/v1/service-accounts/build", NULL},
    };
    int64_t head = world_head(w);

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct call call = {.who = ADMIN,
                                  .method = rows[i].method,
                                  .target = rows[i].target,
                                  .body = slice_of_text(rows[i].body ? rows[i].body : ""),
                                  .headers = {"If-Match: \"99\""}};
        (void)world_call(w, &call);
        assert_problem(w, CODE_STALE, "changed since");
    }
    assert_int_equal(world_head(w), head);
}

static void the_revision_of_a_user_is_his_etag(void **state)
{
    struct world *w = *state;
    char expected[32];

    assert_status(w, world_ask(w, ADMIN, "PATCH", "/v1/users/stranger", "{\"role\":\"user\"}"), 200);
    int64_t revision = json_get_integer(w->answer, "revision", 0);
    assert_status(w, world_get(w, STRANGER, "/v1/users/stranger"), 200);
    assert_int_equal(json_get_integer(w->answer, "revision", 0), revision);
    (void)snprintf(expected, sizeof(expected), "\"%lld\"", (long long)revision);
    assert_string_equal(answer_header(w, "ETag"), expected);
}

static void i4_a_removed_user_is_refused_at_the_next_request_and_listed_no_more(void **state)
{
    struct world *w = *state;
    cleanup_buf struct buf body = {0};

    digest_body("ecdsa", 1, &body);
    assert_status(w, world_sign(w, SIGNER, "demo:key", buf_text(&body)), 201);
    assert_status(w, world_ask(w, ADMIN, "DELETE", "/v1/users/signer", NULL), 204);
    (void)world_sign(w, SIGNER, "demo:key", buf_text(&body));
    assert_problem(w, CODE_NOT_AUTHENTICATED, NULL);
    assert_status(w, world_get(w, ADMIN, "/v1/users"), 200);
    assert_null(strstr(buf_text(&w->x.response_body), "\"signer\""));
    assert_status(w, world_get(w, ADMIN, "/v1/projects/demo/members"), 200);
    assert_null(strstr(buf_text(&w->x.response_body), "\"name\":\"signer\""));
    (void)world_post(w, ADMIN, "/v1/users", "{\"name\":\"signer\"}");
    assert_problem(w, CODE_CONFLICT, "is or was the name");
    (void)world_post(w, ADMIN, "/v1/teams", "{\"name\":\"signer\"}");
    assert_problem(w, CODE_CONFLICT, "is or was the name");
    (void)world_ask(w, ADMIN, "DELETE", "/v1/users/signer", NULL);
    assert_problem(w, CODE_NOT_FOUND, "no such user");
}

/* ---- API keys */

static void key_make(struct world *w, const char *name, const char *scopes, char secret[256])
{
    assert_status(
        w, world_post(w, APPROVER, "/v1/users/approver/api-keys", "{\"name\":\"%s\",\"scopes\":%s}", name, scopes),
        201);
    (void)snprintf(secret, 256, "%s", answer_text(w, "api_key"));
}

static int ask_with(struct world *w, const char *secret, const char *method, const char *target, const char *body)
{
    const struct call call = {
        .bearer = secret, .method = method, .target = target, .body = slice_of_text(body ? body : "")};
    return world_call(w, &call);
}

static void an_api_key_carries_its_scopes_and_no_more(void **state)
{
    struct world *w = *state;
    cleanup_buf struct buf digest = {0};
    static const struct {
        const char *method, *target, *allowed; /* which of sign, read, admin: s r a */
    } rows[] = {
        {"GET", "/v1/whoami", "sra"},
        {"GET", "/v1/signing/keys", "sr"},
        {"GET", "/v1/server", "sr"},
        {"GET", "/v1/overview", "r"},
        {"GET", "/v1/projects", "r"},
        {"GET", "/v1/projects/demo/members", "r"},
        {"GET", "/v1/keys/demo:key/policy", "r"},
        {"POST", "/v1/access/explain", "r"},
        {"POST", "/v1/policies/dry-run", "r"},
        {"POST", "/v1/signing/keys/demo:key/signatures", "s"},
        {"POST", "/v1/approvals", "sa"},
        {"GET", "/v1/approvals/apr_a", "sr"},
        {"POST", "/v1/approvals/apr_a/approve", "a"},
        {"POST", "/v1/users/approver/api-keys", "a"},
        {"PATCH", "/v1/projects/demo", "a"},
        {"PUT", "/v1/policy", "a"},
        {"DELETE", "/v1/users/owner", "a"},
    };
    static const char *const scopes[] = {"[\"sign\"]", "[\"read\"]", "[\"admin\"]"};
    static const char letters[] = "sra";
    const char *const names[] = {"scope-s", "scope-r", "scope-a"};

    for (size_t k = 0; k < COUNT_OF(scopes); k++) {
        char secret[256];
        key_make(w, names[k], scopes[k], secret);
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
            bool is_body = strcmp(rows[i].method, "GET") != 0 && strcmp(rows[i].method, "DELETE") != 0;
            (void)ask_with(w, secret, rows[i].method, rows[i].target, is_body ? "{}" : NULL);
            bool lacks = strstr(answer_text(w, "detail"), "does not have the scope") != NULL;
            if (lacks != !strchr(rows[i].allowed, letters[k]))
                fail_msg("%s %s with %s: %s", rows[i].method, rows[i].target, scopes[k], answer_text(w, "detail"));
            if (lacks)
                assert_problem(w, CODE_FORBIDDEN, NULL);
        }
    }
}

static void a_key_with_few_scopes_makes_none_with_more(void **state)
{
    struct world *w = *state;
    char secret[256];

    key_make(w, "narrow", "[\"admin\"]", secret);
    (void)ask_with(w, secret, "POST", "/v1/users/approver/api-keys", "{\"name\":\"wide\",\"scopes\":[\"sign\"]}");
    assert_problem(w, CODE_FORBIDDEN, "does not have the scope sign itself");
    assert_status(w, ask_with(w, secret, "POST", "/v1/users/approver/api-keys", "{\"name\":\"same\"}"), 201);
    assert_int_equal(json_count(json_get(w->answer, "scopes")), 1);
    assert_string_equal(json_text(json_at(json_get(w->answer, "scopes"), 0), ""), "admin");
}

static void an_unknown_scope_is_refused(void **state)
{
    struct world *w = *state;
    static const char *const bad[] = {"[]", "[\"root\"]", "[\"sign\",\"sign\"]", "[7]", "[\"Sign\"]"};

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        (void)world_post(w, APPROVER, "/v1/users/approver/api-keys", "{\"name\":\"bad\",\"scopes\":%s}", bad[i]);
        assert_problem(w, CODE_INVALID, "scopes");
    }
}

static void an_administrator_makes_only_the_first_api_key_of_another(void **state)
{
    struct world *w = *state;
    char target[128];

    (void)world_post(w, ADMIN, "/v1/users/owner/api-keys", "{\"name\":\"mine\"}");
    assert_problem(w, CODE_FORBIDDEN, "makes further ones himself");
    assert_status(w, world_post(w, ADMIN, "/v1/users/admin/api-keys", "{\"name\":\"second\"}"), 201);
    assert_status(w, world_post(w, ADMIN, "/v1/users", "{\"name\":\"new\"}"), 201);
    assert_status(w, world_post(w, ADMIN, "/v1/users/new/api-keys", "{\"name\":\"first\"}"), 201);
    (void)snprintf(target, sizeof(target), "/v1/users/new/api-keys/%s", answer_text(w, "id"));
    cleanup_json struct json *record = world_last_record(w);
    assert_true(json_bool(json_get(json_get(record, "detail"), "for_another"), false));
    (void)world_post(w, ADMIN, "/v1/users/new/api-keys", "{\"name\":\"second\"}");
    assert_problem(w, CODE_FORBIDDEN, NULL);
    assert_status(w, world_ask(w, ADMIN, "DELETE", target, NULL), 204);
    assert_status(w, world_post(w, ADMIN, "/v1/users/new/api-keys", "{\"name\":\"again\"}"), 201);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_member_of_the_owning_team_manages_the_accounts_keys_and_nothing_else),
        cmocka_unit_test(an_account_is_changed_in_what_is_given_alone),
        cmocka_unit_test(a_stale_change_of_a_user_or_account_changes_nothing),
        cmocka_unit_test(the_revision_of_a_user_is_his_etag),
        cmocka_unit_test(an_api_key_carries_its_scopes_and_no_more),
        cmocka_unit_test(a_key_with_few_scopes_makes_none_with_more),
        cmocka_unit_test(an_unknown_scope_is_refused),
        cmocka_unit_test(an_administrator_makes_only_the_first_api_key_of_another),
        cmocka_unit_test(i4_a_removed_user_is_refused_at_the_next_request_and_listed_no_more),
    };
    return cmocka_run_group_tests(tests, setup, world_close);
}

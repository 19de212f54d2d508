/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of the document that need no test of their own: one request each, in this order. test_contract tells what is
 * missing in all of these programs together; a row here is the quick way to add it. */
#include "world.h"

#include <stdio.h>
#include <string.h>

#include "../hsm/faulty.h"
#include "common/text.h"

#define CKR_DEVICE_ERROR_ 0x30UL /* PKCS#11: only server/hsm sees its header */
#define SIGN "/v1/signing/keys/demo:key/signatures"
#define DIGEST "paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU="
#define ORDER "{\"mechanism\":\"ecdsa\",\"hash\":\"sha256\",\"digest\":\"" DIGEST "\"}"
#define STALE_TAG "If-Match: \"999\""

static const struct {
    enum who who;
    const char *method, *target, *body, *header;
    int status;
    enum code code; /* of a refusal */
} rows[] = {
    {SIGNER, "GET", "/v1/keys/demo:key", NULL, NULL, 200, CODE_OK},
    {ADMIN, "GET", "/v1/users/owner", NULL, NULL, 200, CODE_OK},
    {ADMIN, "POST", "/v1/users/owner/enable", "{}", NULL, 409, CODE_CONFLICT},
    {ADMIN, "POST", "/v1/service-accounts/build/enable", "{}", NULL, 409, CODE_CONFLICT},

    {OWNER, "POST", "/v1/keys/demo:key/disable", "{}", STALE_TAG, 412, CODE_STALE},
    {OWNER, "POST", "/v1/keys/demo:key/retire", "{}", STALE_TAG, 412, CODE_STALE},
    {OWNER, "POST", "/v1/keys/demo:key/activate", "{}", STALE_TAG, 412, CODE_STALE},
    {OWNER, "POST", "/v1/keys/demo:key/renew", "{}", STALE_TAG, 412, CODE_STALE},
    {OWNER, "POST", "/v1/keys/demo:key/versions/1/revoke", "{\"reason\":\"superseded\"}", STALE_TAG, 412, CODE_STALE},
    {OWNER, "POST", "/v1/keys/demo:key/versions/7/revoke", "{\"reason\":\"superseded\"}", NULL, 404, CODE_NOT_FOUND},
    {ADMIN, "PATCH", "/v1/cas/issuing", "{\"crl_days\":3}", STALE_TAG, 412, CODE_STALE},
    {ADMIN, "PUT", "/v1/cas/issuing/certificate", "{\"certificate\":\"MAA=\"}", STALE_TAG, 412, CODE_STALE},
    {ADMIN, "POST", "/v1/keys/demo:key/destroy", "{}", STALE_TAG, 412, CODE_STALE},

    {ADMIN, "POST", "/v1/users/owner/enable", "{}", STALE_TAG, 412, CODE_STALE},
    {ADMIN, "POST", "/v1/service-accounts/build/enable", "{}", STALE_TAG, 412, CODE_STALE},
    {ADMIN, "POST", "/v1/teams", "{\"name\":\"builders\"}", NULL, 201, CODE_OK},
    {ADMIN, "GET", "/v1/teams", NULL, NULL, 200, CODE_OK},
    {ADMIN, "POST", "/v1/teams/builders/members", "{\"principal\":\"owner\"}", STALE_TAG, 412, CODE_STALE},
    {ADMIN, "POST", "/v1/teams/builders/members", "{\"principal\":\"owner\"}", NULL, 201, CODE_OK},
    {ADMIN, "GET", "/v1/teams/builders/members", NULL, NULL, 200, CODE_OK},
    {ADMIN, "GET", "/v1/teams/builders/roles", NULL, NULL, 200, CODE_OK},
    {ADMIN, "GET", "/v1/users/owner/roles", NULL, NULL, 200, CODE_OK},
    {ADMIN, "GET", "/v1/service-accounts/build/roles", NULL, NULL, 200, CODE_OK},
    {ADMIN, "DELETE", "/v1/teams/builders/members/owner", NULL, STALE_TAG, 412, CODE_STALE},
    {ADMIN, "DELETE", "/v1/teams/builders", NULL, STALE_TAG, 412, CODE_STALE},
    {ADMIN, "GET", "/v1/session", NULL, NULL, 404, CODE_NOT_FOUND},
    {ADMIN, "DELETE", "/v1/session", NULL, NULL, 404, CODE_NOT_FOUND},
    {ADMIN, "POST", "/v1/session/confirm", "{\"api_key\":\"k\"}", NULL, 404, CODE_NOT_FOUND},

    {ADMIN, "GET", "/v1/policy", NULL, NULL, 200, CODE_OK},
    {ADMIN, "DELETE", "/v1/policy", NULL, NULL, 404, CODE_NOT_FOUND},
    {ADMIN, "PUT", "/v1/policy", "{}", STALE_TAG, 412, CODE_STALE},
    {ADMIN, "PUT", "/v1/policy", "{\"digests\":\"any\"}", "If-Match: \"0\"", 200, CODE_OK},
    {ADMIN, "DELETE", "/v1/policy", NULL, STALE_TAG, 412, CODE_STALE},
    {ADMIN, "GET", "/v1/policy/versions", NULL, NULL, 200, CODE_OK},
    {OWNER, "PUT", "/v1/projects/demo/policy", "{}", STALE_TAG, 412, CODE_STALE},
    {OWNER, "PUT", "/v1/projects/demo/policy", "{\"digests\":\"any\"}", NULL, 200, CODE_OK},
    {OWNER, "GET", "/v1/projects/demo/policy", NULL, NULL, 200, CODE_OK},
    {OWNER, "GET", "/v1/projects/demo/policy/versions", NULL, NULL, 200, CODE_OK},
    {OWNER, "DELETE", "/v1/projects/demo/policy", NULL, STALE_TAG, 412, CODE_STALE},
    {OWNER, "PUT", "/v1/keys/demo:key/policy", "{\"approval\":{\"needed\":1}}", NULL, 200, CODE_OK},
    {SIGNER, "POST", SIGN, ORDER, NULL, 403, CODE_APPROVAL_REQUIRED},
    {OWNER, "DELETE", "/v1/keys/demo:key/policy", NULL, STALE_TAG, 412, CODE_STALE},
    {OWNER, "DELETE", "/v1/keys/demo:key/policy", NULL, NULL, 200, CODE_OK},
    {OWNER, "GET", "/v1/keys/demo:key/digests", NULL, NULL, 200, CODE_OK},
    {ADMIN, "POST", "/v1/policies/dry-run", "{\"policy\":{},\"project\":\"nothing\"}", NULL, 404, CODE_NOT_FOUND},

    {ADMIN, "POST", "/v1/tsa", "{\"type\":\"p256\",\"issuer\":\"external\"}", NULL, 201, CODE_OK},
    {ADMIN, "POST", "/v1/tsa/renew", "{}", NULL, 409, CODE_CONFLICT},

    {ADMIN, "GET", "/v1/freeze", NULL, NULL, 200, CODE_OK},
    {ADMIN, "POST", "/v1/unfreeze", "{\"reason\":\"r\"}", NULL, 409, CODE_CONFLICT},
    {OWNER, "POST", "/v1/projects/demo/unfreeze", "{\"reason\":\"r\"}", NULL, 409, CODE_CONFLICT},
    {OWNER, "POST", "/v1/projects/demo/freeze", "{\"reason\":\"r\"}", NULL, 200, CODE_OK},
    {OWNER, "POST", "/v1/projects/demo/freeze", "{\"reason\":\"r\"}", NULL, 409, CODE_CONFLICT},
    {OWNER, "GET", "/v1/projects/demo/freeze", NULL, NULL, 200, CODE_OK},
    {OWNER, "POST", "/v1/projects/demo/unfreeze", "{\"reason\":\"r\"}", NULL, 200, CODE_OK},
};

static int setup(void **state)
{
    char id[ID_SIZE];

    (void)world_open(state);
    world_key(*state, "key", "p256", id);
    return world_post(*state, ADMIN, "/v1/service-accounts", "{\"name\":\"build\",\"public_key\":\"%s\"}",
                      "-----BEGIN PUBLIC KEY-----\\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\\n"
                      "-----END PUBLIC KEY-----\\n") == 201
               ? 0
               : -1;
}

static void every_request_of_the_table_is_answered_as_it_says(void **state)
{
    struct world *w = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct call call = {.who = rows[i].who,
                                  .method = rows[i].method,
                                  .target = rows[i].target,
                                  .body = slice_of_text(rows[i].body ? rows[i].body : ""),
                                  .headers = {rows[i].header}};
        assert_status(w, world_call(w, &call), rows[i].status);
        if (rows[i].code != CODE_OK)
            assert_problem(w, rows[i].code, NULL);
    }
}

static int step(struct world *w, enum who who, const char *id, const char *name, const char *header)
{
    char target[128];
    (void)snprintf(target, sizeof(target), "/v1/approvals/%s/%s", id, name);
    const struct call call = {
        .who = who, .method = "POST", .target = target, .body = slice_of_text("{}"), .headers = {header}};
    return world_call(w, &call);
}

static void a_stale_or_late_step_of_an_approval_is_refused(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE];

    assert_status(w, world_ask(w, OWNER, "PUT", "/v1/keys/demo:key/policy", "{\"approval\":{\"needed\":1}}"), 200);
    assert_status(w, world_post(w, SIGNER, "/v1/approvals", "{\"key\":\"demo:key\",\"reason\":\"r\",\"count\":1}"),
                  201);
    (void)text_copy(id, sizeof(id), answer_text(w, "id"));
    assert_status(w, step(w, APPROVER, id, "deny", STALE_TAG), 412);
    assert_status(w, step(w, SIGNER, id, "cancel", STALE_TAG), 412);
    assert_status(w, step(w, OWNER, id, "revoke", STALE_TAG), 412);
    assert_status(w, step(w, SIGNER, id, "cancel", NULL), 200);
    assert_status(w, step(w, SIGNER, id, "cancel", NULL), 409);
    assert_status(w, world_get(w, SIGNER, "/v1/approvals?project=nothing"), 404);
    assert_status(w, world_ask(w, OWNER, "DELETE", "/v1/keys/demo:key/policy", NULL), 200);
}

static void example_target(const char *pattern, struct buf *out)
{
    for (const char *p = pattern; *p; p++) {
        if (*p == '{') {
            buf_add_text(out, strncmp(p, "{key}", 5) == 0 ? "demo:key" : "demo");
            p += strcspn(p, "}");
        } else {
            buf_add_byte(out, (uint8_t)*p);
        }
    }
}

/* A body where none belongs is read to its cap as well. */
static void a_body_over_the_cap_is_too_large_for_a_route_without_one(void **state)
{
    struct world *w = *state;
    cleanup_buf struct buf body = {0};

    while (body.len <= LIMIT_BODY)
        buf_add_text(&body, "                                ");
    for (const struct route *const *table = api_tables; *table; table++) {
        for (const struct route *r = *table; r->method; r++) {
            const struct json *operation = openapi_operation(w->document, r->method, r->pattern);
            if (strcmp(r->method, "DELETE") != 0 || !json_get(json_get(operation, "responses"), "413"))
                continue;
            cleanup_buf struct buf target = {0};
            example_target(r->pattern, &target);
            const struct call call = {
                .who = ADMIN, .method = r->method, .target = buf_text(&target), .body = buf_slice(&body)};
            (void)world_call(w, &call);
            assert_problem(w, CODE_TOO_LARGE, NULL);
        }
    }
}

/* An API key of the administrator that has this scope only. */
static void narrow_key(struct world *w, enum scope scope, struct buf *secret)
{
    assert_status(w,
                  world_post(w, ADMIN, "/v1/users/admin/api-keys", "{\"name\":\"%s\",\"scopes\":[\"%s\"]}",
                             scope_name(scope), scope_name(scope)),
                  201);
    buf_add_text(secret, answer_text(w, "api_key"));
}

static void a_key_without_the_scope_of_a_route_is_forbidden(void **state)
{
    struct world *w = *state;
    static const enum scope scopes[] = {SCOPE_SIGN, SCOPE_READ, SCOPE_ADMIN};
    struct buf secrets[COUNT_OF(scopes)] = {0};

    for (size_t i = 0; i < COUNT_OF(scopes); i++)
        narrow_key(w, scopes[i], &secrets[i]);
    for (const struct route *const *table = api_tables; *table; table++) {
        for (const struct route *r = *table; r->method; r++) {
            unsigned needed = scopes_for((enum permission)r->permission, r->method, r->pattern);
            if (r->permission == PERMISSION_PUBLIC)
                continue;
            cleanup_buf struct buf target = {0};
            example_target(r->pattern, &target);
            for (size_t i = 0; i < COUNT_OF(scopes); i++) {
                const struct call call = {
                    .bearer = buf_text(&secrets[i]), .method = r->method, .target = buf_text(&target)};
                if (needed & scopes[i])
                    continue;
                (void)world_call(w, &call);
                assert_problem(w, CODE_FORBIDDEN, "scope");
            }
        }
    }
    (void)world_post(w, NOBODY, "/v1/session", "{\"api_key\":\"%s\"}", buf_text(&secrets[0]));
    assert_problem(w, CODE_FORBIDDEN, "scope");
    for (size_t i = 0; i < COUNT_OF(scopes); i++)
        buf_clear(&secrets[i]);
}

static void an_hsm_that_fails_is_hsm_unavailable(void **state)
{
    struct world *w = *state;

    atomic_store(&w->faults->sign_fail, CKR_DEVICE_ERROR_);
    atomic_store(&w->faults->open_session_fail, CKR_DEVICE_ERROR_); /* nor can it be opened again */
    (void)world_ask(w, SIGNER, "POST", SIGN, ORDER);
    assert_problem(w, CODE_HSM_UNAVAILABLE, NULL);
    atomic_store(&w->faults->open_session_fail, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_request_of_the_table_is_answered_as_it_says),
        cmocka_unit_test(a_stale_or_late_step_of_an_approval_is_refused),
        cmocka_unit_test(a_body_over_the_cap_is_too_large_for_a_route_without_one),
        cmocka_unit_test(a_key_without_the_scope_of_a_route_is_forbidden),
        cmocka_unit_test(an_hsm_that_fails_is_hsm_unavailable),
    };
    return cmocka_run_group_tests(tests, setup, world_close);
}

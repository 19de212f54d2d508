/* SPDX-License-Identifier: Apache-2.0 */
/* Creates with an Idempotency-Key: repeated they make nothing more and get the first answer. */
#include "world.h"

#include <stdio.h>
#include <string.h>

#include "../hsm/faulty.h"

#define PEM(x)                                                                                                         \
    "-----BEGIN PUBLIC KEY-----\\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZu" x "\\n-----END PUBLIC "  \
    "KEY-----\\n"

/* Every create of the API, with another request of the same route. Not here: signatures; requests for approval,
 * which say `once` with the digest itself for a key; and sessions, which a repeated request opens anew, because the
 * cookie is kept nowhere. */
static const struct create {
    enum who who;
    const char *target, *body, *other;
    bool shows_secret;
} creates[] = {
    {ADMIN, "/v1/projects", "{\"name\":\"more\"}", "{\"name\":\"most\"}", false},
    {OWNER, "/v1/projects/demo/members", "{\"principal\":\"stranger\",\"role\":\"approver\"}",
     "{\"principal\":\"stranger\",\"role\":\"owner\"}", false},
    {OWNER, "/v1/projects/demo/keys", "{\"label\":\"more\",\"type\":\"p256\"}",
     "{\"label\":\"most\",\"type\":\"p256\"}", false},
    {ADMIN, "/v1/projects/demo/keys/import", "{\"label\":\"adopted\",\"hsm_label\":\"foreign\"}",
     "{\"label\":\"adapted\",\"hsm_label\":\"foreign\"}", false},
    {ADMIN, "/v1/service-accounts", "{\"name\":\"build\",\"public_key\":\"" PEM("E=") "\"}",
     "{\"name\":\"built\",\"public_key\":\"" PEM("E=") "\"}", false},
    {ADMIN, "/v1/service-accounts/build/keys", "{\"public_key\":\"" PEM("E=") "\"}",
     "{\"public_key\":\"" PEM("I=") "\"}", false},
    {ADMIN, "/v1/cas", "{\"name\":\"more\",\"purpose\":\"timestamping\",\"subject\":\"CN=a\"}",
     "{\"name\":\"most\",\"purpose\":\"timestamping\",\"subject\":\"CN=a\"}", false},
    {ADMIN, "/v1/users", "{\"name\":\"anna\"}", "{\"name\":\"anne\"}", false},
    {ADMIN, "/v1/teams", "{\"name\":\"builders\"}", "{\"name\":\"testers\"}", false},
    {ADMIN, "/v1/teams/builders/members", "{\"principal\":\"stranger\"}", "{\"principal\":\"signer\"}", false},
    {ADMIN, "/v1/tsa", "{\"type\":\"p256\"}", "{\"type\":\"p384\"}", false},
    {ADMIN, "/v1/connectors", "{\"name\":\"more\",\"type\":\"manual\"}", "{\"name\":\"most\",\"type\":\"manual\"}",
     false},
    {OWNER, "/v1/users/owner/api-keys", "{\"name\":\"more\"}", "{\"name\":\"most\"}", true},
    {OWNER, "/v1/keys/demo:key/digests",
     "{\"hash\":\"sha256\",\"digest\":\"abababababababababababababababababababababababababababababababab\",\"count\":"
     "2}",
     "{\"hash\":\"sha256\",\"digest\":\"abababababababababababababababababababababababababababababababab\",\"count\":"
     "3}",
     false},
};

static int setup(void **state)
{
    char id[ID_SIZE];

    cleanup_hsm_key struct hsm_key foreign = {0};

    (void)world_open(state);
    struct world *w = *state;
    world_key(w, "key", "p256", id);
    assert_ok(w, hsm_generate(w->hsm.h, KEY_TYPE_P256, "foreign", deadline_in(60000), &foreign, &w->err));
    return 0;
}

static int create(struct world *w, const struct create *c, enum who who, const char *body, const char *key)
{
    char header[128];
    (void)snprintf(header, sizeof(header), "Idempotency-Key: %s", key);
    const struct call call = {
        .who = who, .method = "POST", .target = c->target, .body = slice_of_text(body), .headers = {header}};
    return world_call(w, &call);
}

static void key_of(size_t i, char out[32])
{
    (void)snprintf(out, 32, "0123456789abcdef-%zu", i);
}

static void every_create_is_in_the_table_and_documents_the_header(void **state)
{
    struct world *w = *state;

    for (const struct route *const *table = api_tables; *table; table++) {
        for (const struct route *r = *table; r->method; r++) {
            size_t i = 0;
            bool documented = false;
            const struct json *operation = openapi_operation(w->document, r->method, r->pattern);
            if (strcmp(r->method, "POST") != 0 || !json_get(json_get(operation, "responses"), "201") ||
                strstr(r->pattern, "/signatures") || strcmp(r->pattern, "/v1/approvals") == 0 ||
                strcmp(r->pattern, "/v1/session") == 0)
                continue;
            while (i < COUNT_OF(creates) && route_of("POST", creates[i].target) != r)
                i++;
            const struct json *parameters = json_get(operation, "parameters");
            for (size_t p = 0; p < json_count(parameters); p++)
                documented |= strstr(json_get_text(json_at(parameters, p), "$ref", ""), "idempotencyKey") != NULL;
            if (i == COUNT_OF(creates) || !documented)
                fail_msg("%s: %s", r->pattern, documented ? "not in the table" : "the document has no Idempotency-Key");
        }
    }
}

static void a_create_that_is_repeated_makes_nothing_and_answers_the_same(void **state)
{
    struct world *w = *state;
    char key[32];

    for (size_t i = 0; i < COUNT_OF(creates); i++) {
        cleanup_buf struct buf first = {0};
        const struct create *c = &creates[i];
        key_of(i, key);
        assert_status(w, create(w, c, c->who, c->body, key), 201);
        assert_string_equal(answer_header(w, "Idempotency-Replayed"), "");
        buf_add(&first, w->x.response_body.data, w->x.response_body.len);
        int64_t head = world_head(w);
        int generated = w->faults->generated;

        int again = create(w, c, c->who, c->body, key);

        assert_int_equal(world_head(w), head);
        assert_int_equal(w->faults->generated, generated);
        if (c->shows_secret) {
            assert_problem(w, CODE_CONFLICT, "shown once; it made ak_");
            continue;
        }
        assert_status(w, again, 201);
        assert_string_equal(answer_header(w, "Idempotency-Replayed"), "true");
        assert_string_equal(buf_text(&w->x.response_body), buf_text(&first));
    }
}

/* Needs what the test before has made. */
static void another_request_with_the_same_key_is_a_conflict(void **state)
{
    struct world *w = *state;
    char key[32];

    for (size_t i = 0; i < COUNT_OF(creates); i++) {
        const struct create *c = &creates[i];
        int64_t head = world_head(w);
        key_of(i, key);
        (void)create(w, c, c->who, c->other, key);
        assert_problem(w, CODE_IDEMPOTENCY_CONFLICT, "used for another request");
        assert_int_equal(world_head(w), head);
    }
}

static void the_key_of_another_principal_or_route_is_another_key(void **state)
{
    struct world *w = *state;
    static const struct create members = {.target = "/v1/projects/demo/members",
                                          .body = "{\"principal\":\"auditor\",\"role\":\"approver\"}"};

    assert_status(w, create(w, &members, OWNER, members.body, "shared-0123456789"), 201);
    (void)create(w, &members, ADMIN, members.body, "shared-0123456789");
    assert_problem(w, CODE_CONFLICT, "has this role");
    (void)create(w, &creates[0], ADMIN, members.body, "shared-0123456789");
    assert_problem(w, CODE_INVALID, NULL);
}

static void a_refused_create_leaves_its_key_free(void **state)
{
    struct world *w = *state;
    const struct create *projects = &creates[0];

    (void)create(w, projects, ADMIN, "{\"name\":\"demo\"}", "refused-0123456789");
    assert_problem(w, CODE_CONFLICT, "already");
    assert_status(w, create(w, projects, ADMIN, "{\"name\":\"after\"}", "refused-0123456789"), 201);
}

static void a_malformed_key_is_invalid(void **state)
{
    struct world *w = *state;
    static const char *const keys[] = {"short", "0123456789abcde%", "0123456789abcdef 1",
                                       "01234567890123456789012345678901234567890123456789012345678901234"};

    for (size_t i = 0; i < COUNT_OF(creates); i++) {
        for (size_t k = 0; k < COUNT_OF(keys); k++) {
            (void)create(w, &creates[i], creates[i].who, creates[i].body, keys[k]);
            assert_problem(w, CODE_INVALID, "Idempotency-Key");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_create_is_in_the_table_and_documents_the_header),
        cmocka_unit_test(a_create_that_is_repeated_makes_nothing_and_answers_the_same),
        cmocka_unit_test(another_request_with_the_same_key_is_a_conflict),
        cmocka_unit_test(the_key_of_another_principal_or_route_is_another_key),
        cmocka_unit_test(a_refused_create_leaves_its_key_free),
        cmocka_unit_test(a_malformed_key_is_invalid),
    };
    return cmocka_run_group_tests(tests, setup, world_close);
}

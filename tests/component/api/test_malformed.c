/* SPDX-License-Identifier: Apache-2.0 */
/* Malformed input at every route that takes a body: a 4xx with a stable code that names the field, no record, and
 * nothing that reaches the HSM. What a body may hold is taken from docs/openapi.yaml. */
#include "world.h"

#include <stdio.h>
#include <string.h>

#include "../hsm/faulty.h"

#define PEM                                                                                                            \
    "-----BEGIN PUBLIC KEY-----\\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\\n-----END PUBLIC "     \
    "KEY-----\\n"
#define DIGEST "paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU="
#define SIGN_TARGET "/v1/signing/keys/demo:key/signatures"

/* A good request of each route with a JSON body; what is sent differs from it in one thing. */
static const struct sample {
    enum who who;
    const char *method, *target, *body;
} samples[] = {
    {SIGNER, "POST", SIGN_TARGET, "{\"mechanism\":\"ecdsa\",\"hash\":\"sha256\",\"digest\":\"" DIGEST "\"}"},
    {ADMIN, "POST", "/v1/projects", "{\"name\":\"more\",\"description\":\"d\"}"},
    {ADMIN, "PATCH", "/v1/projects/demo", "{\"description\":\"d\"}"},
    {OWNER, "POST", "/v1/projects/demo/members", "{\"principal\":\"stranger\",\"role\":\"signer\"}"},
    {ADMIN, "POST", "/v1/teams", "{\"name\":\"more\",\"description\":\"d\"}"},
    {ADMIN, "PATCH", "/v1/teams/builders", "{\"description\":\"d\"}"},
    {ADMIN, "POST", "/v1/teams/builders/members", "{\"principal\":\"stranger\"}"},
    {OWNER, "POST", "/v1/projects/demo/keys", "{\"label\":\"more\",\"type\":\"p256\"}"},
    {OWNER, "POST", "/v1/keys/demo:key/disable", "{\"reason\":\"r\"}"},
    {OWNER, "POST", "/v1/keys/demo:key/enable", "{}"},
    {OWNER, "POST", "/v1/keys/demo:key/retire", "{\"reason\":\"r\"}"},
    {ADMIN, "POST", "/v1/keys/demo:key/destroy", "{}"},
    {OWNER, "POST", "/v1/keys/demo:key/activate", "{}"},
    {ADMIN, "POST", "/v1/projects/demo/keys/import",
     "{\"label\":\"more\",\"hsm_label\":\"nothing\",\"accept_weak\":true}"},
    {ADMIN, "POST", "/v1/hsms/default/reconcile", "{}"},
    {ADMIN, "POST", "/v1/tsa", "{\"type\":\"p256\",\"issuer\":\"builtin\",\"subject\":\"CN=a\",\"days\":1}"},
    {ADMIN, "POST", "/v1/tsa/rotate", "{\"type\":\"p256\",\"issuer\":\"builtin\",\"subject\":\"CN=a\",\"days\":1}"},
    {ADMIN, "POST", "/v1/tsa/renew", "{\"subject\":\"CN=a\",\"days\":1}"},
    {ADMIN, "POST", "/v1/tsa/disable", "{\"reason\":\"r\"}"},
    {ADMIN, "POST", "/v1/tsa/enable", "{}"},
    {ADMIN, "POST", "/v1/tsa/certificate", "{\"certificates\":\"-----BEGIN CERTIFICATE-----\"}"},
    {OWNER, "POST", "/v1/keys/demo:key/rotate",
     "{\"grace_hours\":1,\"subject\":\"CN=a\",\"days\":1,\"connector\":\"builtin\"}"},
    {OWNER, "POST", "/v1/keys/demo:key/renew", "{\"subject\":\"CN=a\",\"days\":1,\"connector\":\"builtin\"}"},
    {ADMIN, "POST", "/v1/cas", "{\"name\":\"more\",\"purpose\":\"timestamping\",\"subject\":\"CN=a\"}"},
    {ADMIN, "PATCH", "/v1/cas/issuing", "{\"crl_days\":3}"},
    {ADMIN, "PUT", "/v1/cas/issuing/certificate", "{\"certificate\":\"MAA=\"}"},
    {ADMIN, "POST", "/v1/cas/issuing/certificates/AB/revoke", "{\"reason\":\"superseded\"}"},
    {OWNER, "POST", "/v1/keys/demo:key/versions/1/revoke", "{\"reason\":\"superseded\"}"},
    {ADMIN, "POST", "/v1/service-accounts", "{\"name\":\"more\",\"public_key\":\"" PEM "\"}"},
    {ADMIN, "PATCH", "/v1/service-accounts/build", "{\"description\":\"d\"}"},
    {ADMIN, "POST", "/v1/service-accounts/build/disable", "{}"},
    {ADMIN, "POST", "/v1/service-accounts/build/enable", "{}"},
    {ADMIN, "POST", "/v1/service-accounts/build/keys", "{\"public_key\":\"" PEM "\"}"},
    {ADMIN, "POST", "/v1/users", "{\"name\":\"more\",\"role\":\"user\"}"},
    {ADMIN, "PATCH", "/v1/users/owner", "{\"role\":\"user\"}"},
    {ADMIN, "POST", "/v1/users/owner/disable", "{}"},
    {ADMIN, "POST", "/v1/users/owner/enable", "{}"},
    {OWNER, "POST", "/v1/users/owner/api-keys", "{\"name\":\"more\"}"},
    {NOBODY, "POST", "/v1/session", "{\"api_key\":\"k\"}"},
    {OWNER, "POST", "/v1/session/confirm", "{\"api_key\":\"k\"}"},
    {OWNER, "POST", "/v1/users/owner/totp", "{}"},
    {OWNER, "PUT", "/v1/users/owner/totp", "{\"code\":\"123456\"}"},
    {OWNER, "PUT", "/v1/users/owner/password", "{\"password\":\"a good long password\"}"},
    {ADMIN, "PUT", "/v1/policy", "{\"digests\":\"any\"}"},
    {OWNER, "PUT", "/v1/projects/demo/policy", "{\"digests\":\"any\"}"},
    {OWNER, "PUT", "/v1/keys/demo:key/policy", "{\"digests\":\"any\"}"},
    {ADMIN, "POST", "/v1/freeze", "{\"reason\":\"r\"}"},
    {ADMIN, "POST", "/v1/unfreeze", "{\"reason\":\"r\"}"},
    {OWNER, "POST", "/v1/projects/demo/freeze", "{\"reason\":\"r\"}"},
    {OWNER, "POST", "/v1/projects/demo/unfreeze", "{\"reason\":\"r\"}"},
    {OWNER, "POST", "/v1/keys/demo:key/digests",
     "{\"hash\":\"sha256\",\"digest\":\"abababababababababababababababababababababababababababababababab\"}"},
    {ADMIN, "POST", "/v1/access/explain",
     "{\"principal\":\"signer\",\"key\":\"demo:key\",\"mechanism\":\"ecdsa\",\"hash\":\"sha256\"}"},
    {ADMIN, "POST", "/v1/policies/dry-run", "{\"policy\":{}}"},
    {SIGNER, "POST", "/v1/approvals", "{\"key\":\"demo:key\",\"reason\":\"r\",\"count\":1}"},
    {APPROVER, "POST", "/v1/approvals/apr_a/approve", "{\"comment\":\"c\"}"},
    {APPROVER, "POST", "/v1/approvals/apr_a/deny", "{\"comment\":\"c\"}"},
    {SIGNER, "POST", "/v1/approvals/apr_a/cancel", "{\"comment\":\"c\"}"},
    {APPROVER, "POST", "/v1/approvals/apr_a/revoke", "{\"comment\":\"c\"}"},
    {ADMIN, "POST", "/v1/connectors", "{\"name\":\"more\",\"type\":\"builtin\",\"settings\":{\"days\":1}}"},
    {ADMIN, "PATCH", "/v1/connectors/builtin", "{\"settings\":{\"days\":1}}"},
    {ADMIN, "POST", "/v1/connectors/builtin/test", "{}"},
    {ADMIN, "POST", "/v1/jobs/job_a/retry", "{}"},
    {ADMIN, "POST", "/v1/jobs/job_a/cancel", "{}"},
    {OWNER, "PATCH", "/v1/keys/demo:key", "{\"connector\":\"manual\",\"subject\":\"CN=a\",\"renew_before_days\":7}"},
    {OWNER, "PUT", "/v1/keys/demo:key/certificate", "{\"certificate\":\"AAAA\"}"},
};

struct untouched {
    int64_t head;
    int generated, signed_count;
};

static struct untouched untouched_begin(struct world *w)
{
    return (struct untouched){world_head(w), w->faults->generated, w->signed_count};
}

static void assert_untouched(struct world *w, struct untouched before)
{
    assert_int_equal(world_head(w), before.head);
    assert_int_equal(w->faults->generated, before.generated);
    assert_int_equal(w->signed_count, before.signed_count);
}

static int setup(void **state)
{
    char id[ID_SIZE];

    (void)world_open(state);
    world_key(*state, "key", "p256", id);
    if (world_post(*state, ADMIN, "/v1/teams", "{\"name\":\"builders\"}") != 201)
        return -1;
    return world_post(*state, ADMIN, "/v1/service-accounts", "{\"name\":\"build\",\"public_key\":\"%s\"}",
                      "-----BEGIN PUBLIC KEY-----\\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\\n"
                      "-----END PUBLIC KEY-----\\n") == 201
               ? 0
               : -1;
}

static const struct json *sample_schema(struct world *w, const struct sample *s)
{
    const struct json *operation = openapi_operation(w->document, s->method, route_of(s->method, s->target)->pattern);
    const struct json *schema = openapi_body_schema(w->document, operation, "application/json");

    assert_non_null(schema);
    return schema;
}

static void send(struct world *w, const struct sample *s, struct slice body, const char *content_type)
{
    const struct call call = {
        .who = s->who, .method = s->method, .target = s->target, .body = body, .content_type = content_type};
    (void)world_call(w, &call);
}

static void every_route_with_a_json_body_has_a_sample(void **state)
{
    struct world *w = *state;

    for (const struct route *const *table = api_tables; *table; table++) {
        for (const struct route *r = *table; r->method; r++) {
            size_t i = 0;
            const struct json *operation = openapi_operation(w->document, r->method, r->pattern);
            if (!openapi_body_schema(w->document, operation, "application/json"))
                continue;
            while (i < COUNT_OF(samples) && route_of(samples[i].method, samples[i].target) != r)
                i++;
            if (i == COUNT_OF(samples))
                fail_msg("%s %s", r->method, r->pattern);
        }
    }
}

static void what_is_not_one_json_object_is_invalid(void **state)
{
    struct world *w = *state;
    struct untouched before = untouched_begin(w);
    static const char *const bodies[] = {
        "",
        "{",
        "[]",
        "null",
        "7",
        "\"text\"",
        "{} {}",
        "{}x",
        "{\"a\"}",
        "{,}",
        "{\"a\":1,}",
        "{'a':1}",
        "{\"a\":01}",
        "{\"a\":NaN}",
        "/* c */ {}",
        "{\"a\":\"\xff\"}",
        "\xef\xbb\xbf{}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":\"\\u0000\"}",
        "{\"a\":\"\n\"}",
        "{\"a\":tru}",
    };

    for (size_t i = 0; i < COUNT_OF(samples); i++) {
        for (size_t b = 0; b < COUNT_OF(bodies); b++) {
            send(w, &samples[i], slice_of_text(bodies[b]), "application/json");
            assert_problem(w, CODE_INVALID, NULL);
        }
    }
    assert_untouched(w, before);
}

static void deep_nesting_is_invalid(void **state)
{
    struct world *w = *state;
    struct untouched before = untouched_begin(w);
    cleanup_buf struct buf body = {0};

    buf_add_text(&body, "{\"a\":");
    for (int i = 0; i < 50000; i++)
        buf_add_text(&body, "[");
    for (int i = 0; i < 50000; i++)
        buf_add_text(&body, "]");
    buf_add_text(&body, "}");
    for (size_t i = 0; i < COUNT_OF(samples); i++) {
        send(w, &samples[i], buf_slice(&body), NULL);
        assert_problem(w, CODE_INVALID, NULL);
    }
    assert_untouched(w, before);
}

static void a_body_over_the_cap_is_too_large(void **state)
{
    struct world *w = *state;
    struct untouched before = untouched_begin(w);

    for (size_t i = 0; i < COUNT_OF(samples); i++) {
        cleanup_buf struct buf body = {0};
        size_t cap = route_of(samples[i].method, samples[i].target)->max_body;
        buf_add_text(&body, samples[i].body);
        while (body.len <= (cap ? cap : LIMIT_BODY))
            buf_add_byte(&body, ' ');
        send(w, &samples[i], buf_slice(&body), NULL);
        assert_problem(w, CODE_TOO_LARGE, NULL);
    }
    assert_untouched(w, before);
}

static void another_content_type_is_unsupported(void **state)
{
    struct world *w = *state;
    struct untouched before = untouched_begin(w);
    static const char *const types[] = {"text/plain", "application/jsonx", "application/x-www-form-urlencoded",
                                        "multipart/form-data"};

    for (size_t i = 0; i < COUNT_OF(samples); i++) {
        for (size_t t = 0; t < COUNT_OF(types); t++) {
            send(w, &samples[i], slice_of_text(samples[i].body), types[t]);
            assert_problem(w, CODE_UNSUPPORTED_MEDIA, "application/json");
        }
    }
    assert_untouched(w, before);
}

static void an_unknown_query_parameter_is_invalid(void **state)
{
    struct world *w = *state;
    struct untouched before = untouched_begin(w);

    for (size_t i = 0; i < COUNT_OF(samples); i++) {
        char target[256];
        struct sample s = samples[i];
        (void)snprintf(target, sizeof(target), "%s?dry_run=true", s.target);
        s.target = target;
        send(w, &s, slice_of_text(s.body), NULL);
        assert_problem(w, CODE_INVALID, "dry_run");
    }
    assert_untouched(w, before);
}

/* ---- one member is not as the document says */

/* The sample with this member put in place of its own, or left out when value is NULL. */
static void sample_change(const struct sample *s, const char *name, const char *value, struct buf *out)
{
    cleanup_json struct json *good = NULL;
    struct json_writer writer = json_writer_on(out);

    assert_true(is_ok(json_parse(slice_of_text(s->body), 8192, 8, &good, NULL)));
    json_begin_object(&writer, NULL);
    for (size_t i = 0; i < json_count(good); i++) {
        if (strcmp(json_name_at(good, i), name) != 0)
            json_add_value(&writer, json_name_at(good, i), json_at(good, i));
    }
    if (value)
        json_add_raw(&writer, name, value);
    json_end_object(&writer);
}

static void assert_refused_naming(struct world *w, const struct sample *s, const char *name, const char *value)
{
    cleanup_buf struct buf body = {0};

    sample_change(s, name, value, &body);
    send(w, s, buf_slice(&body), NULL);
    assert_problem(w, CODE_INVALID, name);
}

static void an_unknown_member_is_invalid_and_named(void **state)
{
    struct world *w = *state;
    struct untouched before = untouched_begin(w);

    for (size_t i = 0; i < COUNT_OF(samples); i++)
        assert_refused_naming(w, &samples[i], "no_such_member", "true");
    assert_untouched(w, before);
}

static void a_member_twice_is_invalid(void **state)
{
    struct world *w = *state;
    struct untouched before = untouched_begin(w);

    for (size_t i = 0; i < COUNT_OF(samples); i++) {
        cleanup_json struct json *good = NULL;
        cleanup_buf struct buf body = {0};
        struct json_writer writer = json_writer_on(&body);
        assert_true(is_ok(json_parse(slice_of_text(samples[i].body), 8192, 8, &good, NULL)));
        if (json_count(good) == 0)
            continue;
        json_begin_object(&writer, NULL);
        for (size_t m = 0; m < json_count(good); m++)
            json_add_value(&writer, json_name_at(good, m), json_at(good, m));
        json_add_value(&writer, json_name_at(good, 0), json_at(good, 0));
        json_end_object(&writer);
        send(w, &samples[i], buf_slice(&body), NULL);
        assert_problem(w, CODE_INVALID, NULL);
    }
    assert_untouched(w, before);
}

static void a_needed_member_that_is_absent_or_null_is_named(void **state)
{
    struct world *w = *state;
    struct untouched before = untouched_begin(w);
    int asked = 0;

    for (size_t i = 0; i < COUNT_OF(samples); i++) {
        const struct json *required = json_get(sample_schema(w, &samples[i]), "required");
        for (size_t r = 0; r < json_count(required); r++, asked++) {
            assert_refused_naming(w, &samples[i], json_text(json_at(required, r), ""), NULL);
            assert_refused_naming(w, &samples[i], json_text(json_at(required, r), ""), "null");
        }
    }
    assert_true(asked >= 12);
    assert_untouched(w, before);
}

static const char *wrong_type(struct world *w, const struct json *property)
{
    const char *type = json_get_text(openapi_resolve(w->document, property), "type", "");

    return strcmp(type, "string") == 0 ? "7" : strcmp(type, "array") == 0 ? "{}" : "[]";
}

static void a_member_of_another_type_is_named(void **state)
{
    struct world *w = *state;
    struct untouched before = untouched_begin(w);

    for (size_t i = 0; i < COUNT_OF(samples); i++) {
        const struct json *properties = json_get(sample_schema(w, &samples[i]), "properties");
        for (size_t p = 0; p < json_count(properties); p++)
            assert_refused_naming(w, &samples[i], json_name_at(properties, p), wrong_type(w, json_at(properties, p)));
    }
    assert_untouched(w, before);
}

static void text_with_control_or_bidi_characters_is_named(void **state)
{
    struct world *w = *state;
    struct untouched before = untouched_begin(w);
    static const char *const texts[] = {"\"a\\u0001b\"", "\"a\\nb\"", "\"a\\u001b[31m\"", "\"a\\u202eb\"",
                                        "\"a\\u0085b\""};

    for (size_t i = 0; i < COUNT_OF(samples); i++) {
        const struct json *properties = json_get(sample_schema(w, &samples[i]), "properties");
        for (size_t p = 0; p < json_count(properties); p++) {
            const struct json *property = openapi_resolve(w->document, json_at(properties, p));
            if (strcmp(json_get_text(property, "type", ""), "string") != 0)
                continue;
            for (size_t t = 0; t < COUNT_OF(texts); t++)
                assert_refused_naming(w, &samples[i], json_name_at(properties, p), texts[t]);
        }
    }
    assert_untouched(w, before);
}

/* Two names that look alike must not be two names: names are ASCII, in lower case, at most 63 characters. */
static void a_name_that_looks_like_another_is_invalid(void **state)
{
    struct world *w = *state;
    struct untouched before = untouched_begin(w);
    static const char *const names[] = {"name", "label", "principal"};
    static const char *const values[] = {"\"d\\u0435mo\"" /* Cyrillic e */,
                                         "\"\\uff44emo\"" /* full width */,
                                         "\"demo\\u200b\"" /* zero width */,
                                         "\"de\\u0301mo\"" /* combining */,
                                         "\"Demo\"",
                                         "\"demo \"",
                                         "\" demo\"",
                                         "\"-demo\"",
                                         "\".demo\"",
                                         "\"de/mo\"",
                                         "\"\"",
                                         "\"0123456789012345678901234567890123456789012345678901234567890123\""};
    int asked = 0;

    for (size_t i = 0; i < COUNT_OF(samples); i++) {
        const struct json *properties = json_get(sample_schema(w, &samples[i]), "properties");
        bool is_principal_text = strstr(samples[i].target, "/access/explain") != NULL;
        for (size_t n = 0; n < COUNT_OF(names); n++) {
            if (!json_get(properties, names[n]) || is_principal_text)
                continue;
            for (size_t v = 0; v < COUNT_OF(values); v++, asked++)
                assert_refused_naming(w, &samples[i], names[n], values[v]);
        }
    }
    assert_true(asked >= 6 * (int)COUNT_OF(values));
    assert_untouched(w, before);
}

/* ---- what only the meaning of a member forbids */

struct refusal {
    const char *body;
    enum code code;
    const char *part;
};

static void assert_refusals(struct world *w, enum who who, const char *target, const struct refusal *rows, size_t count)
{
    struct untouched before = untouched_begin(w);

    for (size_t i = 0; i < count; i++) {
        (void)world_ask(w, who, "POST", target, rows[i].body);
        assert_problem(w, rows[i].code, rows[i].part);
    }
    assert_untouched(w, before);
}

static void i5_a_signature_request_names_mechanism_hash_and_a_digest_of_its_length(void **state)
{
#define SIGN(mechanism, hash, digest)                                                                                  \
    "{\"mechanism\":\"" mechanism "\",\"hash\":\"" hash "\",\"digest\":\"" digest "\"}"
#define PSS(pss) "{\"mechanism\":\"rsa_pss\",\"hash\":\"sha256\",\"digest\":\"" DIGEST "\",\"pss\":" pss "}"
#define CONTEXT(c) "{\"mechanism\":\"ecdsa\",\"hash\":\"sha256\",\"digest\":\"" DIGEST "\",\"context\":" c "}"
    static const struct refusal rows[] = {
        {SIGN("ecdsa", "sha384", DIGEST), CODE_DIGEST_MALFORMED, "digest: 32 bytes where sha384 has 48"},
        {SIGN("ecdsa", "sha3-384", DIGEST), CODE_DIGEST_MALFORMED, "digest: 32 bytes where sha3-384 has 48"},
        {SIGN("ecdsa", "sha3", DIGEST), CODE_INVALID, "hash: one of sha1,"},
        {SIGN("ecdsa", "sha256", "paWl"), CODE_DIGEST_MALFORMED, "digest"},
        {SIGN("ecdsa", "sha256", ""), CODE_DIGEST_MALFORMED, "digest"},
        {SIGN("ecdsa", "sha256", "paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU"), CODE_INVALID, "digest"},
        {SIGN("ecdsa", "sha256", "paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaV="), CODE_INVALID, "digest"},
        {SIGN("ecdsa", "sha256", "paWl paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU="), CODE_INVALID, "digest"},
        {SIGN("ecdsa", "sha256", "_-WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU="), CODE_INVALID, "digest"},
        {SIGN("ecdsa", "md5", DIGEST), CODE_INVALID, "hash"},
        {SIGN("ecdsa", "none", DIGEST), CODE_INVALID, "hash"},
        {SIGN("ecdsa", "SHA256", DIGEST), CODE_INVALID, "hash"},
        {SIGN("raw_rsa", "sha256", DIGEST), CODE_INVALID, "mechanism"},
        {SIGN("none", "sha256", DIGEST), CODE_INVALID, "mechanism"},
        {SIGN("eddsa", "sha256", DIGEST), CODE_INVALID, "hash"},
        {"{\"mechanism\":\"eddsa\",\"digest\":\"" DIGEST "\"}", CODE_INVALID, "digest"},
        {"{\"mechanism\":\"eddsa\"}", CODE_INVALID, "message"},
        {"{\"mechanism\":\"eddsa\",\"message\":\"p\"}", CODE_INVALID, "message"},
        {"{\"mechanism\":\"ecdsa\",\"hash\":\"sha256\",\"message\":\"" DIGEST "\"}", CODE_INVALID, "message"},
        {"{\"mechanism\":\"ecdsa\",\"digest\":\"" DIGEST "\"}", CODE_INVALID, "hash"},
        {"{\"mechanism\":\"ecdsa\",\"hash\":\"sha256\"}", CODE_INVALID, "digest"},
        {CONTEXT("{\"program\":\"a\\u0007\"}"), CODE_INVALID, "context: program"},
        {CONTEXT("{\"host\":7}"), CODE_INVALID, "context"},
        {CONTEXT("{\"pid\":7}"), CODE_INVALID, "context: pid: a string"},
        {CONTEXT("{\"Build Id\":\"7\"}"), CODE_INVALID, "context: a field's name"},
        {CONTEXT("{\"build_id\":\"a\\u202eb\"}"), CODE_INVALID, "context: build_id"},
        {CONTEXT("{\"a\":\"\",\"b\":\"\",\"c\":\"\",\"d\":\"\",\"e\":\"\",\"f\":\"\",\"g\":\"\",\"h\":\"\",\"i\":\"\","
                 "\"j\":\"\",\"k\":\"\",\"l\":\"\",\"m\":\"\",\"n\":\"\",\"o\":\"\",\"p\":\"\",\"q\":\"\"}"),
         CODE_INVALID, "context: at most 16"},
        {"{\"mechanism\":\"ecdsa\",\"hash\":\"sha256\",\"digest\":\"" DIGEST "\",\"pss\":{}}", CODE_INVALID, "pss"},
        {PSS("{\"salt_length\":-1}"), CODE_INVALID, "pss.salt_length"},
        {PSS("{\"salt_length\":513}"), CODE_INVALID, "pss.salt_length"},
        {PSS("{\"salt_length\":\"32\"}"), CODE_INVALID, "pss"},
        {PSS("{\"salt_length\":99999999999999999999}"), CODE_INVALID, NULL},
        {PSS("{\"mgf_hash\":\"md5\"}"), CODE_INVALID, "pss.mgf_hash"},
        {PSS("{\"trailer\":1}"), CODE_INVALID, "trailer"},
    };
    assert_refusals(*state, SIGNER, SIGN_TARGET, rows, COUNT_OF(rows));
}

static void an_ed25519_message_is_bounded(void **state)
{
    struct world *w = *state;
    struct untouched before = untouched_begin(w);
    cleanup_buf struct buf body = {0};

    buf_add_text(&body, "{\"mechanism\":\"eddsa\",\"message\":\"");
    for (int i = 0; i < (LIMIT_EDDSA_MESSAGE + 3) / 3 + 1; i++)
        buf_add_text(&body, "AAAA");
    buf_add_text(&body, "\"}");
    (void)world_ask(w, SIGNER, "POST", SIGN_TARGET, buf_text(&body));
    assert_problem(w, CODE_TOO_LARGE, "message");
    assert_untouched(w, before);
}

static void an_idempotency_key_of_another_form_is_named(void **state)
{
    struct world *w = *state;
    struct untouched before = untouched_begin(w);
    static const char *const bad[] = {
        "Idempotency-Key: short", "Idempotency-Key: has a space in it", "Idempotency-Key: 0123456789abcde/",
        "Idempotency-Key: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0"};

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct call call = {.who = SIGNER,
                            .method = "POST",
                            .target = SIGN_TARGET,
                            .body = slice_of_text(samples[0].body),
                            .headers = {bad[i]}};
        (void)world_call(w, &call);
        assert_problem(w, CODE_INVALID, "Idempotency-Key");
    }
    assert_untouched(w, before);
}

static void a_key_is_asked_for_in_terms_of_its_type(void **state)
{
#define KEY(label, type, more) "{\"label\":\"" label "\",\"type\":\"" type "\"" more "}"
#define CERTIFICATE(c) KEY("k", "p256", ",\"certificate\":" c)
    static const struct refusal rows[] = {
        {KEY("Upper", "p256", ""), CODE_INVALID, "label"},
        {KEY("", "p256", ""), CODE_INVALID, "label"},
        {KEY("-k", "p256", ""), CODE_INVALID, "label"},
        {KEY("a/b", "p256", ""), CODE_INVALID, "label"},
        {KEY("a:b", "p256", ""), CODE_INVALID, "label"},
        {KEY("key_aaaaaaaaaaaaaaaaaaaa", "p256", ""), CODE_INVALID, "label"},
        {KEY("0123456789012345678901234567890123456789012345678901234567890123", "p256", ""), CODE_INVALID, "label"},
        {KEY("k", "rsa1024", ""), CODE_INVALID, "type"},
        {KEY("k", "none", ""), CODE_INVALID, "type"},
        {KEY("k", "p256", ",\"mechanisms\":[\"rsa_pss\"]"), CODE_INVALID, "mechanisms"},
        {KEY("k", "p256", ",\"mechanisms\":[]"), CODE_INVALID, "mechanisms"},
        {KEY("k", "p256", ",\"mechanisms\":[7]"), CODE_INVALID, "mechanisms"},
        {KEY("k", "rsa2048", ",\"mechanisms\":[\"rsa_pss\",\"rsa_pss\"]"), CODE_INVALID, "mechanisms"},
        {KEY("k", "p256", ",\"hashes\":[]"), CODE_INVALID, "hashes"},
        {KEY("k", "p256", ",\"hashes\":[\"md5\"]"), CODE_INVALID, "hashes"},
        {KEY("k", "p256", ",\"hashes\":[\"none\"]"), CODE_INVALID, "hashes"},
        {KEY("k", "p256", ",\"hashes\":[\"sha256\",\"sha256\"]"), CODE_INVALID, "hashes"},
        {KEY("k", "ed25519", ",\"hashes\":[\"sha256\"]"), CODE_INVALID, "hashes"},
        {CERTIFICATE("{\"issuer\":\"other\"}"), CODE_INVALID, "certificate.issuer"},
        {CERTIFICATE("{\"days\":0}"), CODE_INVALID, "certificate.days"},
        {CERTIFICATE("{\"days\":461}"), CODE_INVALID, "certificate.days"},
        {CERTIFICATE("{\"days\":\"1\"}"), CODE_INVALID, "certificate"},
        {CERTIFICATE("{\"subject\":\"\"}"), CODE_INVALID, "certificate.subject"},
        {CERTIFICATE("{\"subject\":\"no pairs\"}"), CODE_INVALID, "certificate.subject"},
        {CERTIFICATE("{\"subject\":\"CN=a\\u0000b\"}"), CODE_INVALID, NULL},
        {CERTIFICATE("{\"subject\":\"CN=a\\nO=b\"}"), CODE_INVALID, "certificate.subject"},
        {CERTIFICATE("{\"issuer\":\"none\",\"subject\":\"CN=a\"}"), CODE_INVALID, "certificate"},
        {CERTIFICATE("{\"serial\":1}"), CODE_INVALID, "serial"},
    };
    assert_refusals(*state, OWNER, "/v1/projects/demo/keys", rows, COUNT_OF(rows));
}

static void names_roles_times_and_public_keys_are_judged(void **state)
{
    struct world *w = *state;
    static const struct refusal users[] = {
        {"{\"name\":\"Upper\"}", CODE_INVALID, "name"},
        {"{\"name\":\"usr_aaaaaaaaaaaaaaaaaaaa\"}", CODE_INVALID, "name"},
        {"{\"name\":\"ok\",\"role\":\"root\"}", CODE_INVALID, "role"},
        {"{\"name\":\"ok\",\"role\":\"owner\"}", CODE_INVALID, "role"},
        {"{\"name\":\"admin\"}", CODE_CONFLICT, "name"},
        {"{\"name\":\"build\"}", CODE_CONFLICT, "name"},
        {"{\"name\":\"builders\"}", CODE_CONFLICT, "name"},
    };
    static const struct refusal api_keys[] = {
        {"{\"name\":\"k\",\"expires\":\"2020-01-01T00:00:00Z\"}", CODE_INVALID, "expires"},
        {"{\"name\":\"k\",\"expires\":\"tomorrow\"}", CODE_INVALID, "expires"},
        {"{\"name\":\"first\"}", CODE_CONFLICT, "name"},
    };
    static const struct refusal accounts[] = {
        {"{\"name\":\"a\",\"public_key\":\"x\"}", CODE_INVALID, "public_key"},
        {"{\"name\":\"a\",\"public_key\":\"" PEM "\",\"algorithm\":\"none\"}", CODE_INVALID, "algorithm"},
        {"{\"name\":\"a\",\"public_key\":\"" PEM "\",\"algorithm\":\"HS256\"}", CODE_INVALID, "algorithm"},
        {"{\"name\":\"a\",\"public_key\":\"" PEM "\",\"algorithm\":\"ES256\"}", CODE_INVALID, "algorithm"},
        {"{\"name\":\"a\",\"public_key\":\"" PEM "\",\"expires\":\"2020-01-01T00:00:00Z\"}", CODE_INVALID, "expires"},
        {"{\"name\":\"build\",\"public_key\":\"" PEM "\"}", CODE_CONFLICT, "name"},
    };
    static const struct refusal members[] = {
        {"{\"principal\":\"stranger\",\"role\":\"administrator\"}", CODE_INVALID, "role"},
        {"{\"principal\":\"nobody-here\",\"role\":\"signer\"}", CODE_NOT_FOUND, "principal"},
        {"{\"principal\":\"signer\",\"role\":\"signer\"}", CODE_CONFLICT, NULL},
        {"{\"principal\":\"stranger\",\"role\":\"signer\",\"not_after\":\"2020-01-01T00:00:00Z\"}", CODE_INVALID,
         "not_after"},
        {"{\"principal\":\"stranger\",\"role\":\"signer\",\"not_before\":\"2090-01-01T00:00:00Z\","
         "\"not_after\":\"2090-01-01T00:00:00Z\"}",
         CODE_INVALID, "not_after"},
        {"{\"principal\":\"stranger\",\"role\":\"signer\",\"not_before\":\"soon\"}", CODE_INVALID, "not_before"},
    };
    static const struct refusal teams[] = {
        {"{\"name\":\"Upper\"}", CODE_INVALID, "name"},
        {"{\"name\":\"team_aaaaaaaaaaaaaaaaaaaa\"}", CODE_INVALID, "name"},
        {"{\"name\":\"build\\u0435r\"}", CODE_INVALID, "name"},
        {"{\"name\":\"builders\"}", CODE_CONFLICT, "name"},
        {"{\"name\":\"signer\"}", CODE_CONFLICT, "name"},
    };
    static const struct refusal team_members[] = {
        {"{\"principal\":\"No Name\"}", CODE_INVALID, "principal"},
        {"{\"principal\":\"nobody-here\"}", CODE_NOT_FOUND, "principal"},
        {"{\"principal\":\"builders\"}", CODE_NOT_FOUND, "principal"},
    };
    static const struct refusal projects[] = {
        {"{\"name\":\"demo\"}", CODE_CONFLICT, "name"},
        {"{\"name\":\"prj_aaaaaaaaaaaaaaaaaaaa\"}", CODE_INVALID, "name"},
    };

    assert_refusals(w, ADMIN, "/v1/users", users, COUNT_OF(users));
    assert_refusals(w, OWNER, "/v1/users/owner/api-keys", api_keys, COUNT_OF(api_keys));
    assert_refusals(w, ADMIN, "/v1/service-accounts", accounts, COUNT_OF(accounts));
    assert_refusals(w, OWNER, "/v1/projects/demo/members", members, COUNT_OF(members));
    assert_refusals(w, ADMIN, "/v1/teams", teams, COUNT_OF(teams));
    assert_refusals(w, ADMIN, "/v1/teams/builders/members", team_members, COUNT_OF(team_members));
    assert_refusals(w, ADMIN, "/v1/projects", projects, COUNT_OF(projects));
}

static void a_request_for_approval_names_what_for_and_why(void **state)
{
#define ASK(more) "{\"key\":\"demo:key\",\"reason\":\"r\"" more "}"
#define HEX64 "abababababababababababababababababababababababababababababababab"
    static const struct refusal rows[] = {
        {"{\"key\":\"demo:key\",\"reason\":\"\",\"count\":1}", CODE_INVALID, "reason"},
        {ASK(""), CODE_INVALID, "count"},
        {ASK(",\"count\":1,\"digests\":[{\"hash\":\"sha256\",\"digest\":\"" HEX64 "\"}]"), CODE_INVALID, "count"},
        {ASK(",\"count\":0"), CODE_INVALID, "count"},
        {ASK(",\"count\":-1"), CODE_INVALID, "count"},
        {ASK(",\"count\":1000000001"), CODE_INVALID, "count"},
        {ASK(",\"count\":1,\"hours\":0"), CODE_INVALID, "hours"},
        {ASK(",\"count\":1,\"hours\":8785"), CODE_INVALID, "hours"},
        {ASK(",\"digests\":[]"), CODE_INVALID, "digests"},
        {ASK(",\"digests\":[7]"), CODE_INVALID, "digests[0]"},
        {ASK(",\"digests\":[{\"hash\":\"md5\",\"digest\":\"ab\"}]"), CODE_INVALID, "digests[0]: hash"},
        {ASK(",\"digests\":[{\"hash\":\"sha256\",\"digest\":\"ab\"}]"), CODE_INVALID, "digests[0]: digest"},
        {ASK(",\"digests\":[{\"hash\":\"sha256\",\"digest\":\"" HEX64 "\",\"x\":1}]"), CODE_INVALID, "x"},
        {ASK(",\"count\":1,\"once\":true"), CODE_INVALID, "once"},
        {"{\"key\":\"demo:nothing\",\"reason\":\"r\",\"count\":1}", CODE_NOT_FOUND, "key"},
        {ASK(",\"count\":1"), CODE_CONFLICT, "asks for no approval"},
    };
    assert_refusals(*state, SIGNER, "/v1/approvals", rows, COUNT_OF(rows));
}

static void query_parameters_are_judged(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *target, *part;
    } rows[] = {
        {"/v1/projects?limit=0", "limit"},
        {"/v1/projects?limit=1001", "limit"},
        {"/v1/projects?limit=ten", "limit"},
        {"/v1/projects?limit=", "limit"},
        {"/v1/projects?limit=1&limit=2", "limit"},
        {"/v1/users?after=", "after"},
        {"/v1/users?after=%01", "after"},
        {"/v1/audit?after=-1", "after"},
        {"/v1/audit?after=x", "after"},
        {"/v1/audit?type=%0a", "type"},
        {"/v1/audit?order=sideways", "order"},
        {"/v1/audit/export?limit=10001", "limit"},
        {"/v1/audit/export?after=-1", "after"},
        {"/v1/approvals?state=open", "state"},
        {"/v1/approvals?mine=yes", "mine"},
        {"/v1/approvals?to_decide=1", "to_decide"},
        {"/v1/approvals?break_glass=", "break_glass"},
        {"/v1/approvals?after=x", "after"},
        {"/v1/approvals?after=x.apr_a", "after"},
        {"/v1/overview?days=0", "days"},
        {"/v1/overview?days=367", "days"},
        {"/v1/overview?expiring_within=0", "expiring_within"},
        {"/v1/overview?expiring_within=3651", "expiring_within"},
        {"/v1/overview?expiring_within=", "expiring_within"},
        {"/v1/usage?from=2026-13-01", "from"},
        {"/v1/usage?to=2026-1-1", "to"},
        {"/v1/usage?from=today", "from"},
        {"/v1/usage?group=hsm", "group"},
        {"/v1/usage?group=", "group"},
        {"/v1/usage?period=week", "period"},
        {"/v1/usage?order=least", "order"},
        {"/v1/usage?order=newest&after=2026-01!demo!key!", "after: the list has pages with order oldest only"},
        {"/v1/usage?to=2026-01-01T00:00:00Z", "to"},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        (void)world_get(w, ADMIN, "%s", rows[i].target);
        assert_problem(w, CODE_INVALID, rows[i].part);
    }
}

static void unknown_paths_and_methods_are_told_apart(void **state)
{
    struct world *w = *state;

    (void)world_get(w, ADMIN, "/v1/nothing");
    assert_problem(w, CODE_NOT_FOUND, NULL);
    (void)world_ask(w, ADMIN, "DELETE", "/v1/projects", NULL);
    assert_problem(w, CODE_METHOD_NOT_ALLOWED, NULL);
    assert_string_not_equal(answer_header(w, "Allow"), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_with_a_json_body_has_a_sample),
        cmocka_unit_test(what_is_not_one_json_object_is_invalid),
        cmocka_unit_test(deep_nesting_is_invalid),
        cmocka_unit_test(a_body_over_the_cap_is_too_large),
        cmocka_unit_test(another_content_type_is_unsupported),
        cmocka_unit_test(an_unknown_query_parameter_is_invalid),
        cmocka_unit_test(an_unknown_member_is_invalid_and_named),
        cmocka_unit_test(a_member_twice_is_invalid),
        cmocka_unit_test(a_needed_member_that_is_absent_or_null_is_named),
        cmocka_unit_test(a_member_of_another_type_is_named),
        cmocka_unit_test(a_name_that_looks_like_another_is_invalid),
        cmocka_unit_test(text_with_control_or_bidi_characters_is_named),
        cmocka_unit_test(i5_a_signature_request_names_mechanism_hash_and_a_digest_of_its_length),
        cmocka_unit_test(an_ed25519_message_is_bounded),
        cmocka_unit_test(an_idempotency_key_of_another_form_is_named),
        cmocka_unit_test(a_key_is_asked_for_in_terms_of_its_type),
        cmocka_unit_test(names_roles_times_and_public_keys_are_judged),
        cmocka_unit_test(a_request_for_approval_names_what_for_and_why),
        cmocka_unit_test(query_parameters_are_judged),
        cmocka_unit_test(unknown_paths_and_methods_are_told_apart),
    };
    return cmocka_run_group_tests(tests, setup, world_close);
}

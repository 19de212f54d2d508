/* SPDX-License-Identifier: Apache-2.0 */
/* From a project to signatures, their records, and their end: through the interface alone, on a real HSM. */
#include "world.h"

#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "../hsm/faulty.h"
#include "common/encoding.h"
#include "common/secret.h"
#include "common/text.h"

/* The public key that /v1/signing/keys gives for this id. */
static EVP_PKEY *listed_public_key(struct world *w, const char *id)
{
    cleanup_buf struct buf spki = {0};

    assert_status(w, world_get(w, SIGNER, "/v1/signing/keys"), 200);
    const struct json *keys = json_get(w->answer, "keys");
    for (size_t i = 0; i < json_count(keys); i++) {
        const char *text = json_get_text(json_at(keys, i), "public_key", "");
        if (strcmp(json_get_text(json_at(keys, i), "id", ""), id) != 0)
            continue;
        assert_ok(w, base64_decode(text, strlen(text), &spki, &w->err));
        const unsigned char *at = spki.data;
        return d2i_PUBKEY(NULL, &at, (long)spki.len);
    }
    return NULL;
}

static void signature_take(struct world *w, struct buf *out)
{
    const char *text = answer_text(w, "signature");

    assert_ok(w, base64_decode(text, strlen(text), out, &w->err));
}

static void assert_signature_of(struct world *w, const char *type, const char *body, struct sign_input in)
{
    char id[ID_SIZE];
    cleanup_buf struct buf signature = {0};
    uint8_t digest[64];

    memset(digest, 0xa5, sizeof(digest));
    in.digest.data = digest;
    world_key(w, type, type, id);
    EVP_PKEY *public_key = listed_public_key(w, id);
    assert_non_null(public_key);
    assert_status(w, world_sign(w, SIGNER, id, body), 201);
    signature_take(w, &signature);
    assert_ok(w, signature_verify(NULL, public_key, &in, buf_slice(&signature), &w->err));
    digest[0] ^= 1;
    assert_code(w, signature_verify(NULL, public_key, &in, buf_slice(&signature), &w->err), CODE_BAD_SIGNATURE);
    EVP_PKEY_free(public_key);
}

static void a_signature_verifies_with_the_listed_public_key(void **state)
{
    cleanup_buf struct buf rsa = {0}, ec = {0};
    static const char eddsa[] = "{\"mechanism\":\"eddsa\",\"message\":\"paWlpQ==\"}";
    static const char pss[] = "{\"mechanism\":\"rsa_pss\",\"hash\":\"sha256\",\"digest\":"
                              "\"paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU=\",\"pss\":{\"salt_length\":20}}";

    digest_body("rsa_pkcs1", 0xa5, &rsa);
    digest_body("ecdsa", 0xa5, &ec);
    assert_signature_of(*state, "rsa3072", buf_text(&rsa),
                        (struct sign_input){MECHANISM_RSA_PKCS1, HASH_SHA256, {.len = 32}, HASH_NONE, 0});
    assert_signature_of(*state, "rsa2048", pss,
                        (struct sign_input){MECHANISM_RSA_PSS, HASH_SHA256, {.len = 32}, HASH_SHA256, 20});
    assert_signature_of(*state, "p384", buf_text(&ec),
                        (struct sign_input){MECHANISM_ECDSA, HASH_SHA256, {.len = 32}, HASH_NONE, 0});
    assert_signature_of(*state, "ed25519", eddsa,
                        (struct sign_input){MECHANISM_EDDSA, HASH_NONE, {.len = 4}, HASH_NONE, 0});
}

static void i3_a_new_key_shows_and_records_what_the_hsm_says_of_it(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE];

    world_key(w, "attributes", "p256", id);
    const struct json *hsm = json_get(w->answer, "hsm");
    assert_true(json_get_bool(hsm, "sensitive", false) && json_get_bool(hsm, "always_sensitive", false));
    assert_true(json_get_bool(hsm, "never_extractable", false) && json_get_bool(hsm, "local", false));
    assert_false(json_get_bool(hsm, "extractable", true));

    cleanup_json struct json *record = world_last_record(w);
    assert_string_equal(json_get_text(record, "type", ""), "key.create");
    assert_string_equal(json_get_text(record, "key", ""), "demo-attributes");
    assert_string_equal(json_get_text(record, "key_id", ""), id);
    assert_string_equal(json_get_text(record, "principal", ""), "owner");
    const struct json *recorded = json_get(json_get(record, "detail"), "hsm");
    assert_false(json_get_bool(recorded, "extractable", true));
    assert_true(json_get_bool(recorded, "sensitive", false));
}

static void a_certificate_chain_leads_from_the_key_to_the_root(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE];
    X509 *chain[3];

    world_key(w, "chain", "rsa2048", id);
    const struct json *certificates = json_get(w->answer, "certificates");
    assert_int_equal(json_count(certificates), 3);
    for (size_t i = 0; i < 3; i++) {
        cleanup_buf struct buf der = {0};
        const char *text = json_text(json_at(certificates, i), "");
        assert_ok(w, base64_decode(text, strlen(text), &der, &w->err));
        const unsigned char *at = der.data;
        chain[i] = d2i_X509(NULL, &at, (long)der.len);
        assert_non_null(chain[i]);
    }
    assert_int_equal(X509_verify(chain[0], X509_get0_pubkey(chain[1])), 1);
    assert_int_equal(X509_verify(chain[1], X509_get0_pubkey(chain[2])), 1);
    assert_int_equal(X509_verify(chain[2], X509_get0_pubkey(chain[2])), 1);
    for (size_t i = 0; i < 3; i++)
        X509_free(chain[i]);
}

static void a_key_without_issuer_has_no_certificate(void **state)
{
    struct world *w = *state;

    assert_status(w,
                  world_post(w, OWNER, "/v1/projects/demo/keys",
                             "{\"label\":\"bare\",\"type\":\"ed25519\",\"certificate\":{\"issuer\":\"none\"}}"),
                  201);
    assert_int_equal(json_count(json_get(w->answer, "certificates")), 0);
    assert_int_equal(json_count(json_get(w->answer, "hashes")), 0);
}

static void a_taken_label_is_refused_before_the_hsm_makes_a_key(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE];

    world_key(w, "twice", "p256", id);
    int generated = w->faults->generated;
    (void)world_post(w, ADMIN, "/v1/projects/demo/keys", "{\"label\":\"twice\",\"type\":\"p256\"}");
    assert_problem(w, CODE_CONFLICT, "label");
    assert_int_equal(w->faults->generated, generated);
}

static const struct json *record_of(struct world *w, const char *type)
{
    const struct json *items = json_get(w->answer, "items"), *found = NULL;

    for (size_t i = 0; i < json_count(items); i++) {
        if (strcmp(json_get_text(json_at(items, i), "type", ""), type) == 0)
            found = json_at(items, i);
    }
    if (!found)
        fail_msg("no record %s in %s", type, buf_text(&w->x.response_body));
    return found;
}

static void the_log_says_who_signed_what_when_with_which_program(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE], hex[65];
    uint8_t hash[32];
    cleanup_buf struct buf signature = {0};

    world_key(w, "told", "p256", id);
    int64_t before = world_head(w);
    assert_status(
        w,
        world_sign(w, SIGNER, "demo:told",
                   "{\"mechanism\":\"ecdsa\",\"hash\":\"sha256\",\"digest\":"
                   "\"paWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpaU=\",\"context\":{\"program\":\"osslsigncode\"}}"),
        201);
    signature_take(w, &signature);
    int64_t intent_seq = json_get_integer(json_get(w->answer, "record"), "intent", 0);

    assert_status(w, world_get(w, AUDITOR, "/v1/audit?after=%lld&key=%s", (long long)before, id), 200);
    const struct json *intent = record_of(w, "signature.intent"), *outcome = record_of(w, "signature.outcome");
    assert_int_equal(json_get_integer(intent, "seq", 0), intent_seq);
    assert_int_equal(json_get_integer(outcome, "intent", 0), intent_seq);
    assert_string_equal(json_get_text(outcome, "outcome", ""), "success");
    assert_string_equal(json_get_text(outcome, "principal", ""), "signer");
    assert_string_equal(json_get_text(outcome, "key", ""), "demo-told");
    assert_string_equal(json_get_text(outcome, "mechanism", ""), "ecdsa");
    assert_string_equal(json_get_text(outcome, "hash", ""), "sha256");
    assert_string_equal(json_get_text(intent, "digest", ""),
                        "a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5");
    assert_ok(w, sha256(buf_slice(&signature), hash, &w->err));
    hex_format((struct slice){hash, sizeof(hash)}, hex);
    assert_string_equal(json_get_text(outcome, "signature_sha256", ""), hex);
    assert_string_equal(json_get_text(json_get(outcome, "client"), "program", ""), "osslsigncode");
    assert_string_equal(json_get_text(json_get(outcome, "client"), "address", ""), "192.0.2.7");

    assert_status(w, world_get(w, OWNER, "/v1/usage?key=%s", id), 200);
    assert_int_equal(json_get_integer(json_at(json_get(w->answer, "items"), 0), "success", 0), 1);
}

static void i6_the_same_idempotency_key_gives_the_same_answer(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE], target[128];
    cleanup_buf struct buf body = {0}, other = {0}, first = {0};

    world_key(w, "repeat", "p256", id);
    (void)snprintf(target, sizeof(target), "/v1/signing/keys/%s/signatures", id);
    digest_body("ecdsa", 1, &body);
    digest_body("ecdsa", 2, &other);
    struct call call = {.who = SIGNER,
                        .method = "POST",
                        .target = target,
                        .body = buf_slice(&body),
                        .headers = {"Idempotency-Key: 0123456789abcdef"}};
    assert_status(w, world_call(w, &call), 201);
    buf_add(&first, w->x.response_body.data, w->x.response_body.len);
    int64_t head = world_head(w);
    assert_status(w, world_call(w, &call), 201);
    assert_string_equal(buf_text(&w->x.response_body), buf_text(&first));
    assert_int_equal(world_head(w), head);
    call.body = buf_slice(&other);
    (void)world_call(w, &call);
    assert_problem(w, CODE_IDEMPOTENCY_CONFLICT, NULL);
}

static void i4_a_disabled_key_signs_no_more_until_it_is_enabled(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE];
    cleanup_buf struct buf body = {0};

    world_key(w, "stopped", "p256", id);
    digest_body("ecdsa", 3, &body);
    assert_status(w, world_sign(w, SIGNER, id, buf_text(&body)), 201);
    assert_status(w, world_post(w, OWNER, "/v1/keys/demo:stopped/disable", "{\"reason\":\"lost a disk\"}"), 200);
    assert_string_equal(answer_text(w, "state"), "disabled");
    assert_string_equal(answer_text(w, "disabled_reason"), "lost a disk");

    int signed_before = w->signed_count;
    (void)world_sign(w, SIGNER, id, buf_text(&body));
    assert_problem(w, CODE_KEY_DISABLED, NULL);
    assert_int_equal(w->signed_count, signed_before);
    cleanup_json struct json *record = world_last_record(w);
    assert_string_equal(json_get_text(record, "outcome", ""), "refused");
    assert_non_null(strstr(json_get_text(record, "reason", ""), "key_disabled"));
    assert_null(listed_public_key(w, id));

    (void)world_post(w, OWNER, "/v1/keys/demo:stopped/disable", "{}");
    assert_problem(w, CODE_CONFLICT, "disabled already");
    assert_status(w, world_post(w, OWNER, "/v1/keys/demo:stopped/enable", "{}"), 200);
    assert_status(w, world_sign(w, SIGNER, id, buf_text(&body)), 201);
    (void)world_post(w, OWNER, "/v1/keys/demo:stopped/enable", "{}");
    assert_problem(w, CODE_CONFLICT, "active already");
}

static void i4_a_removed_signer_signs_no_more(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE];
    cleanup_buf struct buf body = {0};

    world_key(w, "removed", "p256", id);
    digest_body("ecdsa", 4, &body);
    assert_status(w, world_sign(w, SIGNER, id, buf_text(&body)), 201);
    assert_status(w, world_ask(w, OWNER, "DELETE", "/v1/projects/demo/members/signer/signer", NULL), 204);
    int signed_before = w->signed_count;
    (void)world_sign(w, SIGNER, id, buf_text(&body));
    assert_problem(w, CODE_NOT_FOUND, NULL);
    assert_int_equal(w->signed_count, signed_before);
    cleanup_json struct json *record = world_last_record(w);
    assert_string_equal(json_get_text(record, "outcome", ""), "refused");
    assert_string_equal(json_get_text(record, "key_id", ""), id);

    assert_status(
        w, world_post(w, OWNER, "/v1/projects/demo/members", "{\"principal\":\"signer\",\"role\":\"signer\"}"), 201);
    assert_status(w, world_sign(w, SIGNER, id, buf_text(&body)), 201);
}

/* The whole answer but the request id, which is given. */
static void answer_to(struct world *w, enum who who, const char *key, const char *body, struct buf *out)
{
    char target[128];
    (void)snprintf(target, sizeof(target), "/v1/signing/keys/%s/signatures", key);
    struct call call = {
        .who = who, .method = "POST", .target = target, .body = slice_of_text(body), .headers = {"X-Request-Id: same"}};

    assert_status(w, world_call(w, &call), 404);
    buf_add(out, w->x.response_headers.data, w->x.response_headers.len);
    buf_add(out, w->x.response_body.data, w->x.response_body.len);
}

static void an_unknown_and_a_forbidden_key_are_answered_alike(void **state)
{
    struct world *w = *state;
    char id[ID_SIZE];
    cleanup_buf struct buf body = {0};
    static const enum who without_right[] = {STRANGER, OWNER, ADMIN, AUDITOR, APPROVER};

    world_key(w, "hidden", "p256", id);
    digest_body("ecdsa", 5, &body);
    for (size_t i = 0; i < COUNT_OF(without_right); i++) {
        cleanup_buf struct buf forbidden = {0}, unknown = {0}, unlabelled = {0};
        answer_to(w, without_right[i], id, buf_text(&body), &forbidden);
        answer_to(w, without_right[i], "key_aaaaaaaaaaaaaaaaaaaa", buf_text(&body), &unknown);
        answer_to(w, without_right[i], "demo:nothing", buf_text(&body), &unlabelled);
        assert_string_equal(buf_text(&forbidden), buf_text(&unknown));
        assert_string_equal(buf_text(&unlabelled), buf_text(&unknown));
    }
}

static void an_unchanged_key_list_is_answered_304_until_something_changes(void **state)
{
    struct world *w = *state;
    char known[200], id[ID_SIZE];
    struct call call = {.who = SIGNER, .method = "GET", .target = "/v1/signing/keys", .headers = {known}};

    assert_status(w, world_get(w, SIGNER, "/v1/signing/keys"), 200);
    (void)snprintf(known, sizeof(known), "If-None-Match: %s", answer_header(w, "ETag"));
    assert_status(w, world_call(w, &call), 304);
    assert_int_equal(w->x.response_body.len, 0);
    assert_string_equal(answer_header(w, "Cache-Control"), "private, no-cache");

    call.who = STRANGER;
    assert_status(w, world_call(w, &call), 200);
    world_key(w, "later", "p256", id);
    call.who = SIGNER;
    assert_status(w, world_call(w, &call), 200);
}

static void a_signature_leaves_the_key_list_unchanged(void **state)
{
    struct world *w = *state;
    char known[200], id[ID_SIZE];
    cleanup_buf struct buf body = {0};
    struct call call = {.who = SIGNER, .method = "GET", .target = "/v1/signing/keys", .headers = {known}};

    world_key(w, "used", "p256", id);
    digest_body("ecdsa", 6, &body);
    assert_status(w, world_get(w, SIGNER, "/v1/signing/keys"), 200);
    (void)snprintf(known, sizeof(known), "If-None-Match: %s", answer_header(w, "ETag"));
    assert_status(w, world_sign(w, SIGNER, id, buf_text(&body)), 201);
    assert_status(w, world_call(w, &call), 304);
}

static void only_a_signer_is_shown_signing_keys(void **state)
{
    struct world *w = *state;
    static const enum who others[] = {ADMIN, AUDITOR, OWNER, APPROVER, STRANGER};
    char id[ID_SIZE];

    world_key(w, "shown", "p256", id);
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        assert_status(w, world_get(w, others[i], "/v1/signing/keys"), 200);
        assert_int_equal(json_count(json_get(w->answer, "keys")), 0);
    }
    EVP_PKEY *key = listed_public_key(w, id);
    assert_non_null(key);
    EVP_PKEY_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signature_verifies_with_the_listed_public_key),
        cmocka_unit_test(i3_a_new_key_shows_and_records_what_the_hsm_says_of_it),
        cmocka_unit_test(a_certificate_chain_leads_from_the_key_to_the_root),
        cmocka_unit_test(a_key_without_issuer_has_no_certificate),
        cmocka_unit_test(a_taken_label_is_refused_before_the_hsm_makes_a_key),
        cmocka_unit_test(the_log_says_who_signed_what_when_with_which_program),
        cmocka_unit_test(i6_the_same_idempotency_key_gives_the_same_answer),
        cmocka_unit_test(i4_a_disabled_key_signs_no_more_until_it_is_enabled),
        cmocka_unit_test(i4_a_removed_signer_signs_no_more),
        cmocka_unit_test(an_unknown_and_a_forbidden_key_are_answered_alike),
        cmocka_unit_test(an_unchanged_key_list_is_answered_304_until_something_changes),
        cmocka_unit_test(a_signature_leaves_the_key_list_unchanged),
        cmocka_unit_test(only_a_signer_is_shown_signing_keys),
    };
    return cmocka_run_group_tests(tests, world_open, world_close);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Assertions, taken apart and verified here with OpenSSL alone; and the key files behind them. */
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/assertion.h"
#include "client/credential.h"
#include "common/encoding.h"
#include "common/json.h"
#include "common/signature.h"
#include "tests/unit/common/expect.h"

static const struct assertion order = {
    .account = "build-1", .audience = "https://h/v1/oauth/token", .issued_at_s = 1700000000, .life_s = 120};
static struct error err;

static void part_decode(const char *text, size_t len, struct buf *out)
{
    assert_ok(base64url_decode(text, len, out, &err));
}

/* Header, claims, signature and the signed text of a compact JWS. */
struct parts {
    struct buf header, claims, signature;
    struct slice signed_text;
};

static void parts_clear(struct parts *p)
{
    buf_clear(&p->header);
    buf_clear(&p->claims);
    buf_clear(&p->signature);
}

static void take_apart(const struct buf *jws, struct parts *p)
{
    const char *text = buf_text(jws);
    const char *first = strchr(text, '.');
    assert_non_null(first);
    const char *second = strchr(first + 1, '.');
    assert_non_null(second);
    assert_null(strchr(second + 1, '.'));
    part_decode(text, (size_t)(first - text), &p->header);
    part_decode(first + 1, (size_t)(second - first - 1), &p->claims);
    part_decode(second + 1, strlen(second + 1), &p->signature);
    p->signed_text = (struct slice){(const uint8_t *)text, (size_t)(second - text)};
}

static void verifies(EVP_PKEY *key, const char *digest, bool pss, size_t field_len, const struct parts *p)
{
    EVP_PKEY_CTX *ctx = NULL;
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    struct buf der = {0};
    struct slice signature = buf_slice(&p->signature);
    if (field_len) {
        assert_int_equal(signature.len, 2 * field_len);
        assert_ok(ecdsa_raw_to_der(signature, &der, &err));
        signature = buf_slice(&der);
    }
    assert_int_equal(EVP_DigestVerifyInit_ex(md, &ctx, digest, NULL, NULL, key, NULL), 1);
    if (pss) {
        assert_true(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0);
        assert_true(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0);
    }
    assert_int_equal(EVP_DigestVerify(md, signature.data, signature.len, p->signed_text.data, p->signed_text.len), 1);
    EVP_MD_CTX_free(md);
    buf_clear(&der);
}

static void each_key_type_has_its_algorithm(void **state)
{
    (void)state;
    const struct {
        EVP_PKEY *key;
        const char *alg;
        const char *digest;
        size_t field_len;
        bool pss;
    } rows[] = {
        {EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), "EdDSA", NULL, 0, false},
        {EVP_EC_gen("P-256"), "ES256", "SHA256", 32, false},
        {EVP_EC_gen("P-384"), "ES384", "SHA384", 48, false},
        {EVP_RSA_gen(2048), "PS256", "SHA256", 0, true},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cleanup_buf struct buf jws = {0};
        CLEANUP(parts_clear) struct parts p = {0};
        cleanup_json struct json *header = NULL;
        assert_ok(assertion_sign(&order, rows[i].key, &jws, &err));
        take_apart(&jws, &p);
        assert_ok(json_parse(buf_slice(&p.header), 1000, 2, &header, &err));
        assert_string_equal(json_get_text(header, "alg", ""), rows[i].alg);
        verifies(rows[i].key, rows[i].digest, rows[i].pss, rows[i].field_len, &p);
        EVP_PKEY_free(rows[i].key);
    }
}

static void the_claims_are_those_of_rfc_7523(void **state)
{
    (void)state;
    cleanup_buf struct buf jws = {0};
    CLEANUP(parts_clear) struct parts p = {0};
    cleanup_json struct json *claims = NULL;
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    assert_ok(assertion_sign(&order, key, &jws, &err));
    EVP_PKEY_free(key);
    take_apart(&jws, &p);
    assert_ok(json_parse(buf_slice(&p.claims), 1000, 2, &claims, &err));
    assert_int_equal(json_count(claims), 6);
    assert_string_equal(json_get_text(claims, "iss", ""), "build-1");
    assert_string_equal(json_get_text(claims, "sub", ""), "build-1");
    assert_string_equal(json_get_text(claims, "aud", ""), "https://h/v1/oauth/token");
    assert_int_equal(json_get_integer(claims, "iat", 0), 1700000000);
    assert_int_equal(json_get_integer(claims, "exp", 0), 1700000120);
    assert_int_equal(strlen(json_get_text(claims, "jti", "")), 32);
}

static void two_assertions_have_two_ids(void **state)
{
    (void)state;
    cleanup_buf struct buf one = {0};
    cleanup_buf struct buf two = {0};
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    assert_ok(assertion_sign(&order, key, &one, &err));
    assert_ok(assertion_sign(&order, key, &two, &err));
    EVP_PKEY_free(key);
    assert_string_not_equal(buf_text(&one), buf_text(&two));
}

static void what_stands_before_an_assertion_is_not_signed(void **state)
{
    (void)state;
    cleanup_buf struct buf body = {0};
    cleanup_buf struct buf jws = {0};
    CLEANUP(parts_clear) struct parts p = {0};
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    buf_add_text(&body, "assertion=");
    assert_ok(assertion_sign(&order, key, &body, &err));
    buf_add_text(&jws, buf_text(&body) + strlen("assertion="));
    take_apart(&jws, &p);
    verifies(key, NULL, false, 0, &p);
    EVP_PKEY_free(key);
}

static void other_keys_are_refused(void **state)
{
    (void)state;
    EVP_PKEY *const keys[] = {EVP_RSA_gen(1024), EVP_EC_gen("P-521"), EVP_PKEY_Q_keygen(NULL, NULL, "X25519")};
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        cleanup_buf struct buf jws = {0};
        assert_code(assertion_sign(&order, keys[i], &jws, &err), CODE_CREDENTIAL);
        assert_int_equal(jws.len, 0);
        EVP_PKEY_free(keys[i]);
    }
}

static void an_encrypted_key_comes_back_with_its_passphrase_alone(void **state)
{
    (void)state;
    static const char secret[] = "open sesame";
    struct slice right = {(const uint8_t *)secret, sizeof(secret) - 1};
    struct slice wrong = {(const uint8_t *)secret, sizeof(secret) - 2};
    cleanup_buf struct buf pem = {0};
    bool encrypted = false;
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    EVP_PKEY *read = NULL;
    assert_ok(private_key_write(key, right, &pem, &err));
    assert_non_null(strstr(buf_text(&pem), "BEGIN ENCRYPTED PRIVATE KEY"));

    assert_ok(private_key_read(buf_slice(&pem), NULL, &read, &encrypted, &err));
    assert_true(encrypted);
    assert_null(read);
    assert_code(private_key_read(buf_slice(&pem), &wrong, &read, &encrypted, &err), CODE_CREDENTIAL);
    assert_null(read);
    assert_ok(private_key_read(buf_slice(&pem), &right, &read, &encrypted, &err));
    assert_int_equal(EVP_PKEY_eq(key, read), 1);
    EVP_PKEY_free(key);
    EVP_PKEY_free(read);
}

static void a_plain_key_needs_no_passphrase(void **state)
{
    (void)state;
    cleanup_buf struct buf pem = {0};
    bool encrypted = true;
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    EVP_PKEY *read = NULL;
    assert_ok(private_key_write(key, (struct slice){0}, &pem, &err));
    assert_ok(private_key_read(buf_slice(&pem), NULL, &read, &encrypted, &err));
    assert_false(encrypted);
    assert_int_equal(EVP_PKEY_eq(key, read), 1);
    EVP_PKEY_free(key);
    EVP_PKEY_free(read);
}

static void a_file_without_a_private_key_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "hello\n",
                                        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        EVP_PKEY *read = NULL;
        bool encrypted = false;
        assert_code(private_key_read(slice_of_text(texts[i]), NULL, &read, &encrypted, &err), CODE_CONFIGURATION);
        assert_null(read);
    }
}

static void what_has_not_the_form_of_an_api_key_is_refused(void **state)
{
    (void)state;
    assert_ok(api_key_check(slice_of_text("chancery_ak1_0123456789abcdef_00"), &err));
    assert_code(api_key_check(slice_of_text(""), &err), CODE_CREDENTIAL);
    assert_code(api_key_check(slice_of_text("chancery_"), &err), CODE_CREDENTIAL);
    assert_code(api_key_check(slice_of_text("Chancery_ak1_0123456789abcdef_00"), &err), CODE_CREDENTIAL);
    assert_code(api_key_check(slice_of_text("chancery_ak1_0123456789ab\ndef_00"), &err), CODE_CREDENTIAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_key_type_has_its_algorithm),
        cmocka_unit_test(the_claims_are_those_of_rfc_7523),
        cmocka_unit_test(two_assertions_have_two_ids),
        cmocka_unit_test(what_stands_before_an_assertion_is_not_signed),
        cmocka_unit_test(other_keys_are_refused),
        cmocka_unit_test(an_encrypted_key_comes_back_with_its_passphrase_alone),
        cmocka_unit_test(a_plain_key_needs_no_passphrase),
        cmocka_unit_test(a_file_without_a_private_key_is_refused),
        cmocka_unit_test(what_has_not_the_form_of_an_api_key_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 7523 assertions against a real store. The table spoils one thing of a good assertion in each row. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "jws_make.h"
#include "server/auth/jws.h"
#include "store_fixture.h"

static const int64_t now = 1700000000;
static const char *const audiences[] = {"https://sign.example/v1/oauth/token", "https://sign:8443/v1/oauth/token",
                                        NULL};
#define AUD "\"https://sign.example/v1/oauth/token\""
#define JTI "\"0123456789abcdef\""
#define SIGNER_TEXT "assertion: the account is unknown, or the signature is not by a key registered for it"

/* Made once: RSA takes a while. */
static EVP_PKEY *ed, *p256, *p384, *rsa, *stranger;

struct keys {
    struct fixture *f;
    char id[6][ID_SIZE]; /* registered for build-1: EdDSA, ES256, ES384, PS256; for build-2: EdDSA; for a user */
};

static void account_key_add(struct fixture *f, const char *account, EVP_PKEY *key, const char *algorithm, char *id)
{
    cleanup_buf struct buf pem = {0};
    struct account_key row = {0};
    public_key_pem(key, &pem);
    assert_int_equal(account_key_parse(buf_text(&pem), algorithm, &row, NULL).code, CODE_OK);
    (void)text_copy(row.account_id, sizeof(row.account_id), account);
    assert_int_equal(account_key_insert(f->db, &row, NULL).code, CODE_OK);
    (void)text_copy(id, ID_SIZE, row.id);
    account_key_clear(&row);
}

static int setup(void **state)
{
    void *fixture = NULL;
    struct keys *k = calloc(1, sizeof(*k));
    if (!k || fixture_open(&fixture) != 0)
        return -1;
    k->f = fixture;
    principal_add(k->f, "svc_1", "build-1", PRINCIPAL_SERVICE_ACCOUNT);
    principal_add(k->f, "svc_2", "build-2", PRINCIPAL_SERVICE_ACCOUNT);
    principal_add(k->f, "usr_1", "alice", PRINCIPAL_USER);
    account_key_add(k->f, "svc_1", ed, NULL, k->id[0]);
    account_key_add(k->f, "svc_1", p256, NULL, k->id[1]);
    account_key_add(k->f, "svc_1", p384, NULL, k->id[2]);
    account_key_add(k->f, "svc_1", rsa, "PS256", k->id[3]);
    account_key_add(k->f, "svc_2", stranger, NULL, k->id[4]);
    account_key_add(k->f, "usr_1", ed, NULL, k->id[5]); /* the API makes none, but if there were one */
    *state = k;
    return 0;
}

static int teardown(void **state)
{
    struct keys *k = *state;
    void *fixture = k->f;
    free(k);
    return fixture_close(&fixture);
}

/* times NULL: exp and iat of a good assertion. */
static void payload_format(char *out, size_t size, const char *iss, const char *aud, const char *times, const char *jti)
{
    char usual[64];
    (void)snprintf(usual, sizeof(usual), "\"iat\":%lld,\"exp\":%lld", (long long)now, (long long)now + 300);
    (void)snprintf(out, size, "{\"iss\":\"%s\",\"sub\":\"%s\",\"aud\":%s,%s,\"jti\":%s}", iss, iss, aud,
                   times ? times : usual, jti);
}

static status check(struct keys *k, const char *text, struct auth_assertion *out, struct error *err)
{
    *out = (struct auth_assertion){0};
    *err = (struct error){0};
    return auth_assertion_check(k->f->db, slice_of_text(text), audiences, now * 1000, out, err);
}

/* A payload, signed with the account's Ed25519 key. */
static status check_payload(struct keys *k, const char *payload, struct auth_assertion *out, struct error *err)
{
    cleanup_buf struct buf text = {0};
    jws_make(&text, "{\"alg\":\"EdDSA\"}", payload, "EdDSA", ed, (struct slice){0});
    return check(k, buf_text(&text), out, err);
}

static void a_good_assertion_of_each_algorithm_is_taken(void **state)
{
    struct keys *k = *state;
    const struct {
        const char *alg;
        EVP_PKEY *key;
    } rows[] = {{"EdDSA", ed}, {"ES256", p256}, {"ES384", p384}, {"PS256", rsa}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char header[128], payload[512];
        struct auth_assertion got;
        struct error err;
        cleanup_buf struct buf text = {0};
        payload_format(payload, sizeof(payload), "build-1", AUD, NULL, JTI);
        for (int with_kid = 0; with_kid < 2; with_kid++) {
            (void)snprintf(header, sizeof(header), with_kid ? "{\"alg\":\"%s\",\"kid\":\"%s\"}" : "{\"alg\":\"%s\"}",
                           rows[i].alg, k->id[i]);
            jws_make(&text, header, payload, rows[i].alg, rows[i].key, (struct slice){0});

            if (!is_ok(check(k, buf_text(&text), &got, &err)))
                fail_msg("%s: %s", rows[i].alg, err.text);
            assert_string_equal(got.principal.id, "svc_1");
            assert_string_equal(got.key_id, k->id[i]);
            assert_string_equal(got.jti, "0123456789abcdef");
        }
    }
}

static void the_jti_is_remembered_until_the_assertion_is_no_longer_accepted(void **state)
{
    struct keys *k = *state;
    char payload[512];
    struct auth_assertion got;
    struct error err;
    payload_format(payload, sizeof(payload), "build-1", AUD, NULL, JTI);
    assert_int_equal(check_payload(k, payload, &got, &err).code, CODE_OK);

    assert_int_equal(got.expires_ms, (now + 300 + LIMIT_CLOCK_SKEW_SECONDS) * 1000);
}

static void the_account_may_be_named_by_its_id_and_one_audience_of_several_be_ours(void **state)
{
    struct keys *k = *state;
    char payload[512];
    struct auth_assertion got;
    struct error err;
    payload_format(payload, sizeof(payload), "svc_1", "[\"https://other\",\"https://sign:8443/v1/oauth/token\"]", NULL,
                   JTI);

    assert_int_equal(check_payload(k, payload, &got, &err).code, CODE_OK);
}

static void clock_skew_of_a_minute_is_allowed(void **state)
{
    struct keys *k = *state;
    const char *const rows[] = {"\"iat\":1700000060,\"exp\":1700000360", "\"iat\":1699999641,\"exp\":1699999941",
                                "\"iat\":1700000000,\"exp\":1700000001,\"nbf\":1700000060"};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char payload[512];
        struct auth_assertion got;
        struct error err;
        payload_format(payload, sizeof(payload), "build-1", AUD, rows[i], JTI);
        if (!is_ok(check_payload(k, payload, &got, &err)))
            fail_msg("row %zu: %s", i, err.text);
    }
}

static void spoiled_claims_are_refused(void **state)
{
    struct keys *k = *state;
    static const struct {
        const char *aud, *times, *jti, *reason;
    } rows[] = {
        {"\"https://other\"", NULL, JTI, "aud is not"},
        {"\"https://sign.example/v1/oauth/token/\"", NULL, JTI, "aud is not"},
        {"\"\"", NULL, JTI, "aud is not"},
        {"[]", NULL, JTI, "aud is not"},
        {"[\"https://other\"]", NULL, JTI, "aud is not"},
        {"[[" AUD "]]", NULL, JTI, "aud is not"},
        {"{\"a\":" AUD "}", NULL, JTI, "aud is not"},
        {"7", NULL, JTI, "aud is not"},
        {"null", NULL, JTI, "aud is not"},
        {AUD, "\"iat\":1699999640,\"exp\":1699999940", JTI, "exp has passed"},
        {AUD, "\"iat\":1700000061,\"exp\":1700000062", JTI, "iat is in the future"},
        {AUD, "\"iat\":1700000000,\"exp\":1700000301", JTI, "1 to 300 seconds"},
        {AUD, "\"iat\":1700000000,\"exp\":1700000000", JTI, "1 to 300 seconds"},
        {AUD, "\"iat\":1700000010,\"exp\":1700000000", JTI, "1 to 300 seconds"},
        {AUD, "\"iat\":1700000000,\"exp\":1700000300,\"nbf\":1700000061", JTI, "nbf is in the future"},
        {AUD, "\"iat\":1700000000", JTI, "whole seconds"},
        {AUD, "\"exp\":1700000300", JTI, "whole seconds"},
        {AUD, "\"iat\":\"1700000000\",\"exp\":1700000300", JTI, "whole seconds"},
        {AUD, "\"iat\":1700000000.5,\"exp\":1700000300", JTI, "whole seconds"},
        {AUD, "\"iat\":-1,\"exp\":200", JTI, "whole seconds"},
        {AUD, "\"iat\":9223372036854775807,\"exp\":9223372036854775807", JTI, "whole seconds"},
        {AUD, "\"iat\":null,\"exp\":1700000300", JTI, "whole seconds"},
        {AUD, "\"iat\":1700000000,\"exp\":1700000300,\"nbf\":\"x\"", JTI, "whole seconds"},
        {AUD, NULL, "null", "jti must be"},
        {AUD, NULL, "\"0123456789abcde\"", "jti must be"},
        {AUD, NULL, "\"0123456789 bcdef\"", "jti must be"},
        {AUD, NULL, "\"0123456789\\tbcdef\"", "jti must be"},
        {AUD, NULL, "1234567890123456", "jti must be"},
        {AUD, NULL, "\"01234567890123456789012345678901234567890123456789012345678901234\"", "jti must be"},
        {AUD, NULL, JTI ",\"jti\":\"0123456789abcdeX\"", "payload"},
        {AUD, "\"iat\":1700000000,\"exp\":1700000300,\"exp\":1800000000", JTI, "payload"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char payload[512];
        struct auth_assertion got;
        struct error err;
        payload_format(payload, sizeof(payload), "build-1", rows[i].aud, rows[i].times, rows[i].jti);
        if (check_payload(k, payload, &got, &err).code != CODE_NOT_AUTHENTICATED || !strstr(err.text, rows[i].reason))
            fail_msg("row %zu: code %d, %s", i, err.code, err.text);
        assert_string_equal(got.principal.id, "");
    }
}

static void missing_or_differing_names_are_refused(void **state)
{
    struct keys *k = *state;
    static const char *const rows[] = {
        "{\"aud\":" AUD ",\"iat\":1700000000,\"exp\":1700000300,\"jti\":" JTI "}",
        "{\"iss\":\"build-1\",\"aud\":" AUD ",\"iat\":1700000000,\"exp\":1700000300,\"jti\":" JTI "}",
        "{\"sub\":\"build-1\",\"aud\":" AUD ",\"iat\":1700000000,\"exp\":1700000300,\"jti\":" JTI "}",
        "{\"iss\":\"build-1\",\"sub\":\"build-2\",\"aud\":" AUD ",\"iat\":1700000000,\"exp\":1700000300,\"jti\":" JTI
        "}",
        "{\"iss\":\"build-1\",\"sub\":[\"build-1\"],\"aud\":" AUD ",\"iat\":1700000000,\"exp\":1700000300,\"jti\":" JTI
        "}",
        "{\"iss\":\"build-1\",\"sub\":\"build-1\",\"iat\":1700000000,\"exp\":1700000300,\"jti\":" JTI "}",
        "{\"iss\":\"build-1\",\"sub\":\"build-1\",\"aud\":" AUD ",\"iat\":1700000000,\"exp\":1700000300}",
        "{}",
        "[]",
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct auth_assertion got;
        struct error err;
        if (check_payload(k, rows[i], &got, &err).code != CODE_NOT_AUTHENTICATED)
            fail_msg("row %zu: %s", i, err.text);
    }
}

/* What could tell an attacker which accounts and keys exist reads the same in every row. */
static void an_unknown_account_and_a_bad_signature_answer_alike(void **state)
{
    struct keys *k = *state;
    char kid_of_other[96], kid_of_wrong_alg[96];
    (void)snprintf(kid_of_other, sizeof(kid_of_other), "{\"alg\":\"EdDSA\",\"kid\":\"%s\"}", k->id[4]);
    (void)snprintf(kid_of_wrong_alg, sizeof(kid_of_wrong_alg), "{\"alg\":\"EdDSA\",\"kid\":\"%s\"}", k->id[1]);
    const struct {
        const char *iss, *header, *alg;
        EVP_PKEY *key;
    } rows[] = {
        {"nobody", "{\"alg\":\"EdDSA\"}", "EdDSA", ed},
        {"nobody", "{\"alg\":\"PS256\"}", "PS256", rsa},
        {"nobody", "{\"alg\":\"ES256\"}", "ES256", p256},
        {"nobody", "{\"alg\":\"ES384\"}", "ES384", p384},
        {"alice", "{\"alg\":\"EdDSA\"}", "EdDSA", ed},         /* a user */
        {"build-1", "{\"alg\":\"EdDSA\"}", "EdDSA", stranger}, /* another account's key */
        {"build-1", kid_of_other, "EdDSA", stranger},          /* and its kid */
        {"build-1", kid_of_other, "EdDSA", ed},
        {"build-1", kid_of_wrong_alg, "EdDSA", ed},
        {"build-1", "{\"alg\":\"EdDSA\",\"kid\":\"sk_unknown\"}", "EdDSA", ed},
        {"build-1", "{\"alg\":\"EdDSA\",\"kid\":\"\"}", "EdDSA", ed},
        {"build-2", "{\"alg\":\"EdDSA\"}", "EdDSA", ed},
        {"build-1", "{\"alg\":\"RS256\"}", "RS256", rsa}, /* registered for PS256 */
        {"build-1", "{\"alg\":\"PS256\"}", "RS256", rsa}, /* header lies */
        {"build-1", "{\"alg\":\"ES256\"}", "ES384", p384},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char payload[512];
        struct auth_assertion got;
        struct error err;
        cleanup_buf struct buf text = {0};
        payload_format(payload, sizeof(payload), rows[i].iss, AUD, NULL, JTI);
        jws_make(&text, rows[i].header, payload, rows[i].alg, rows[i].key, (struct slice){0});
        if (check(k, buf_text(&text), &got, &err).code != CODE_NOT_AUTHENTICATED || strcmp(err.text, SIGNER_TEXT) != 0)
            fail_msg("row %zu: code %d, %s", i, err.code, err.text);
    }
}

/* The claims are judged behind the signature: without the key nobody learns what the server thinks of them. */
static void claims_of_an_unsigned_caller_are_not_judged(void **state)
{
    struct keys *k = *state;
    char payload[512];
    struct auth_assertion got;
    struct error err;
    cleanup_buf struct buf text = {0};
    principal_change(k->f, "svc_1", true, 0);
    payload_format(payload, sizeof(payload), "build-1", "\"https://other\"", NULL, JTI);
    jws_make(&text, "{\"alg\":\"EdDSA\"}", payload, "EdDSA", stranger, (struct slice){0});

    assert_int_equal(check(k, buf_text(&text), &got, &err).code, CODE_NOT_AUTHENTICATED);
    assert_string_equal(err.text, SIGNER_TEXT);
}

static void none_and_hmac_with_the_public_key_as_secret_are_refused(void **state)
{
    struct keys *k = *state;
    char payload[512];
    struct auth_assertion got;
    struct error err;
    cleanup_buf struct buf text = {0}, pem = {0};
    public_key_pem(rsa, &pem);
    payload_format(payload, sizeof(payload), "build-1", AUD, NULL, JTI);

    jws_make(&text, "{\"alg\":\"HS256\"}", payload, "HS256", NULL, buf_slice(&pem));
    assert_int_equal(check(k, buf_text(&text), &got, &err).code, CODE_NOT_AUTHENTICATED);
    jws_make(&text, "{\"alg\":\"PS256\"}", payload, "HS256", NULL, buf_slice(&pem));
    assert_int_equal(check(k, buf_text(&text), &got, &err).code, CODE_NOT_AUTHENTICATED);
    jws_make(&text, "{\"alg\":\"none\"}", payload, "none", NULL, (struct slice){0});
    assert_int_equal(check(k, buf_text(&text), &got, &err).code, CODE_NOT_AUTHENTICATED);
    buf_add_text(&text, "AAAA");
    assert_int_equal(check(k, buf_text(&text), &got, &err).code, CODE_NOT_AUTHENTICATED);
    jws_make(&text, "{\"alg\":\"EdDSA\"}", payload, "none", NULL, (struct slice){0});
    assert_int_equal(check(k, buf_text(&text), &got, &err).code, CODE_NOT_AUTHENTICATED);
}

/* One changed bit anywhere: never taken. A flip in the last character of a part may make it uncanonical; also refused.
 */
static void no_changed_bit_is_taken(void **state)
{
    struct keys *k = *state;
    char payload[512];
    struct auth_assertion got;
    struct error err;
    cleanup_buf struct buf text = {0};
    payload_format(payload, sizeof(payload), "build-1", AUD, NULL, JTI);
    jws_make(&text, "{\"alg\":\"EdDSA\"}", payload, "EdDSA", ed, (struct slice){0});
    assert_int_equal(check(k, buf_text(&text), &got, &err).code, CODE_OK);
    for (size_t i = 0; i < text.len; i++) {
        text.data[i] ^= 1;
        if (is_ok(check(k, buf_text(&text), &got, &err)))
            fail_msg("byte %zu", i);
        text.data[i] ^= 1;
    }
    for (size_t len = text.len - 1; len > 7; len -= 7) {
        cleanup_buf struct buf cut = {0};
        buf_add(&cut, text.data, len);
        assert_int_equal(check(k, buf_text(&cut), &got, &err).code, CODE_NOT_AUTHENTICATED);
    }
}

static void i4_a_disabled_or_expired_account_and_a_removed_key_are_refused(void **state)
{
    struct keys *k = *state;
    char payload[512];
    struct auth_assertion got;
    struct error err;
    payload_format(payload, sizeof(payload), "build-1", AUD, NULL, JTI);

    principal_change(k->f, "svc_1", true, 0);
    assert_int_equal(check_payload(k, payload, &got, &err).code, CODE_NOT_AUTHENTICATED);
    assert_string_equal(err.text, "assertion: the service account is disabled");
    principal_change(k->f, "svc_1", false, now * 1000);
    assert_int_equal(check_payload(k, payload, &got, &err).code, CODE_NOT_AUTHENTICATED);
    assert_string_equal(err.text, "assertion: the service account has expired");
    principal_change(k->f, "svc_1", false, now * 1000 + 1);
    assert_int_equal(check_payload(k, payload, &got, &err).code, CODE_OK);
    assert_int_equal(account_key_delete(k->f->db, "svc_1", k->id[0], NULL).code, CODE_OK);
    assert_int_equal(check_payload(k, payload, &got, &err).code, CODE_NOT_AUTHENTICATED);
}

static void several_keys_of_one_algorithm_overlap(void **state)
{
    struct keys *k = *state;
    char payload[512], id[ID_SIZE];
    struct auth_assertion got;
    struct error err;
    cleanup_buf struct buf text = {0};
    EVP_PKEY *second = jws_key_make("ED25519");
    account_key_add(k->f, "svc_1", second, NULL, id);
    payload_format(payload, sizeof(payload), "build-1", AUD, NULL, JTI);
    jws_make(&text, "{\"alg\":\"EdDSA\"}", payload, "EdDSA", second, (struct slice){0});

    assert_int_equal(check(k, buf_text(&text), &got, &err).code, CODE_OK);
    assert_string_equal(got.key_id, id);
    EVP_PKEY_free(second);
}

int main(void)
{
    ed = jws_key_make("ED25519");
    p256 = jws_key_make("P-256");
    p384 = jws_key_make("P-384");
    rsa = jws_key_make("RSA2048");
    stranger = jws_key_make("ED25519");
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_good_assertion_of_each_algorithm_is_taken),
        TEST(the_jti_is_remembered_until_the_assertion_is_no_longer_accepted),
        TEST(the_account_may_be_named_by_its_id_and_one_audience_of_several_be_ours),
        TEST(clock_skew_of_a_minute_is_allowed),
        TEST(spoiled_claims_are_refused),
        TEST(missing_or_differing_names_are_refused),
        TEST(an_unknown_account_and_a_bad_signature_answer_alike),
        TEST(claims_of_an_unsigned_caller_are_not_judged),
        TEST(none_and_hmac_with_the_public_key_as_secret_are_refused),
        TEST(no_changed_bit_is_taken),
        TEST(i4_a_disabled_or_expired_account_and_a_removed_key_are_refused),
        TEST(several_keys_of_one_algorithm_overlap),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    EVP_PKEY *const keys[] = {ed, p256, p384, rsa, stranger};
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        EVP_PKEY_free(keys[i]);
    return failed;
}

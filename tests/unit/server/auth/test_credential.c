/* SPDX-License-Identifier: Apache-2.0 */
/* New credentials: their form, what the store keeps of them, and which public keys a service account may have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "server/auth/credential_text.h"

static void api_key_has_the_form_that_scanners_look_for(void **state)
{
    (void)state;
    struct api_key row = {0};
    cleanup_buf struct buf text = {0};
    assert_int_equal(api_key_make("usr_a", "laptop", 0, 1000, &text, &row, NULL).code, CODE_OK);

    assert_int_equal(text.len, 80);
    assert_memory_equal(text.data, "chancery_", 9);
    assert_memory_equal(text.data + 9, row.id + 3, 20);
    int separators = 0;
    for (size_t i = 0; i < text.len; i++)
        separators += text.data[i] == '_';
    assert_int_equal(separators, 3);
}

static void api_key_text_is_parsed_into_what_it_was_made_of(void **state)
{
    (void)state;
    struct api_key row = {0};
    cleanup_buf struct buf text = {0};
    char id[ID_SIZE] = "";
    struct slice secret = {0};
    uint8_t hash[32];
    assert_int_equal(api_key_make("usr_a", "laptop", 0, 1000, &text, &row, NULL).code, CODE_OK);

    assert_true(api_key_text_parse(buf_slice(&text), id, &secret));
    assert_string_equal(id, row.id);
    assert_int_equal(sha256(secret, hash, NULL).code, CODE_OK);
    assert_memory_equal(hash, row.secret_sha256, sizeof(hash));
}

static void one_changed_character_of_an_api_key_is_found(void **state)
{
    (void)state;
    struct api_key row = {0};
    cleanup_buf struct buf text = {0};
    char id[ID_SIZE];
    struct slice secret;
    assert_int_equal(api_key_make("usr_a", "laptop", 0, 1000, &text, &row, NULL).code, CODE_OK);
    for (size_t i = 0; i < text.len; i++) {
        uint8_t kept = text.data[i];
        text.data[i] = kept == 'b' ? 'c' : 'b';
        assert_false(api_key_text_parse(buf_slice(&text), id, &secret));
        text.data[i] = kept;
    }
    for (size_t len = 0; len < text.len; len++)
        assert_false(api_key_text_parse((struct slice){text.data, len}, id, &secret));
    assert_true(api_key_text_parse(buf_slice(&text), id, &secret));
}

static void i8_the_rows_hold_no_secret(void **state)
{
    (void)state;
    struct api_key key = {0};
    struct access_token token = {0};
    cleanup_buf struct buf key_text = {0}, token_text = {0};
    assert_int_equal(api_key_make("usr_a", "laptop", 0, 1000, &key_text, &key, NULL).code, CODE_OK);
    assert_int_equal(access_token_make("svc_a", 1000, &token_text, &token, NULL).code, CODE_OK);

    assert_null(memmem(&key, sizeof(key), key_text.data + 30, 8));
    assert_null(memmem(&token, sizeof(token), token_text.data + strlen(ACCESS_TOKEN_PREFIX), 8));
}

static void two_credentials_are_never_the_same(void **state)
{
    (void)state;
    struct access_token row = {0};
    cleanup_buf struct buf a = {0}, b = {0};
    assert_int_equal(access_token_make("svc_a", 1000, &a, &row, NULL).code, CODE_OK);
    assert_int_equal(access_token_make("svc_a", 1000, &b, &row, NULL).code, CODE_OK);

    assert_false(slice_equal(buf_slice(&a), buf_slice(&b)));
    assert_int_equal(row.expires_ms, 1000 + LIMIT_TOKEN_SECONDS * 1000);
}

static void an_api_key_that_has_expired_already_is_not_made(void **state)
{
    (void)state;
    struct api_key row = {0};
    cleanup_buf struct buf text = {0};
    assert_int_equal(api_key_make("usr_a", "laptop", 999, 1000, &text, &row, NULL).code, CODE_INVALID);
    assert_int_equal(api_key_make("usr_a", "La ptop", 0, 1000, &text, &row, NULL).code, CODE_INVALID);
    assert_int_equal(text.len, 0);
}

/* Made with openssl genpkey; the private halves were not kept. */
#define PEM(body) "-----BEGIN PUBLIC KEY-----\n" body "\n-----END PUBLIC KEY-----\n"
#define ED25519 "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
#define P256                                                                                                           \
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7\n"                                               \
    "6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ=="
#define RSA2048                                                                                                        \
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAofgWCuLjybRlzo0tZWJj\n"                                               \
    "NiuSfb4p4fAkd/wWJcyQoTbji9k0l8W26mPddxHmfHQp+Vaw+4qPCJrcS2mJPMEz\n"                                               \
    "P1Pt0Bm4d4QlL+yRT+SFd2lZS+pCgNMsD1W/YpRPEwOWvG6b32690r2jZ47soMZo\n"                                               \
    "9wGzjb/7OMg0LOL+bSf63kpaSHSXndS5z5rexMdbBYUsLA9e+KXBdQOS+UTo7WTB\n"                                               \
    "EMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6/I5IhlJH7aGhyxX\n"                                               \
    "FvUK+DWNmoudF8NAco9/h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXp\n"                                               \
    "oQIDAQAB"

static void account_key_algorithm_follows_the_key_unless_said(void **state)
{
    (void)state;
    const struct {
        const char *pem, *asked, *got;
    } rows[] = {{PEM(ED25519), NULL, "EdDSA"},
                {PEM(P256), NULL, "ES256"},
                {PEM(RSA2048), NULL, "PS256"},
                {PEM(RSA2048), "RS256", "RS256"},
                {PEM(RSA2048), "PS256", "PS256"},
                {PEM(P256), "ES256", "ES256"},
                {"\n  " PEM(ED25519) "\n\n", "EdDSA", "EdDSA"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct account_key key = {0};
        struct error err = {0};
        if (!is_ok(account_key_parse(rows[i].pem, rows[i].asked, &key, &err)))
            fail_msg("row %zu: %s", i, err.text);
        assert_string_equal(key.algorithm, rows[i].got);
        assert_memory_equal(key.id, "sk_", 3);
        account_key_clear(&key);
    }
}

static void account_keys_that_are_no_good_are_refused_with_a_reason(void **state)
{
    (void)state;
    const struct {
        const char *pem, *asked, *reason;
    } rows[] = {
        {"", NULL, "a PEM block"},
        {"ssh-ed25519 AAAA", NULL, "a PEM block"},
        {PEM("AAAA"), NULL, "cannot be read"},
        {PEM(ED25519) "x", NULL, "behind the PEM block"},
        {PEM(ED25519) PEM(P256), NULL, "behind the PEM block"},
        {PEM(ED25519), "none", "algorithm"},
        {PEM(ED25519), "HS256", "algorithm"},
        {PEM(ED25519), "ES256", "does not fit"},
        {PEM(P256), "ES384", "does not fit"},
        {PEM(P256), "RS256", "does not fit"},
        {"-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----\n", NULL, "this is a private key"},
        {"-----BEGIN ENCRYPTED PRIVATE KEY-----\nMC4C\n-----END ENCRYPTED PRIVATE KEY-----\n", NULL, "private key"},
        /* RSA of 1024 bits */
        {PEM("MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDIINzQQwFGeNHGxveNxHa/rIwL\n"
             "ayV6wVtwlBmIDJ3p4epJQFe5GqYbPKiYyh0Y3T9gc0XVphDyJZwevan5DNcTTcrA\n"
             "uUG9tqLVRlZz8WfuqjmdgmPKm3yUChQa1IncDDQPRTexkf8osL9h8dlxdMSP72Ha\n"
             "PBQlIGnwVv/6OVOWVQIDAQAB"),
         NULL, "Ed25519, P-256, P-384 or RSA"},
        /* P-521 */
        {PEM("MIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQAHHOXhKHHt1tg/Nr6UzvgBtQ5dGfs\n"
             "1hTiv9n3cyDOR835/oJa68Zz5OhrYjyX4bYI2ZEn2UK88mohC/V318kpg0IBWh/M\n"
             "0x7GvTkZXKc/ZQ+Dp0agX+aUZeFIN20GONWtC3eCd2MmKCy2BLfvLd2sV7g2athc\n"
             "CokN0CFbt0G4B7ndA80="),
         NULL, "Ed25519, P-256, P-384 or RSA"},
        /* secp256k1 */
        {PEM("MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAE1ndYhEI9+98lh5tPX+y5TJQfRatCVx5W\n"
             "XJpLo8qstLkKwttjGkd6Jt9FWAlelnXX3npaUHDanVqiEYUnmBsLIA=="),
         NULL, "Ed25519, P-256, P-384 or RSA"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct account_key key = {0};
        struct error err = {0};
        if (account_key_parse(rows[i].pem, rows[i].asked, &key, &err).code != CODE_INVALID ||
            !strstr(err.text, rows[i].reason))
            fail_msg("row %zu: %s", i, err.text);
        assert_null(key.spki.data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(api_key_has_the_form_that_scanners_look_for),
        cmocka_unit_test(api_key_text_is_parsed_into_what_it_was_made_of),
        cmocka_unit_test(one_changed_character_of_an_api_key_is_found),
        cmocka_unit_test(i8_the_rows_hold_no_secret),
        cmocka_unit_test(two_credentials_are_never_the_same),
        cmocka_unit_test(an_api_key_that_has_expired_already_is_not_made),
        cmocka_unit_test(account_key_algorithm_follows_the_key_unless_said),
        cmocka_unit_test(account_keys_that_are_no_good_are_refused_with_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

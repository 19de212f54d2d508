/* SPDX-License-Identifier: Apache-2.0 */
/* The verifier against the vectors of RFC 7515 and RFC 8037, and the forms it must not take. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <string.h>

#include "common/encoding.h"
#include "jws_make.h"
#include "server/auth/jws.h"

static const char rfc7515_a2_key[] = "-----BEGIN PUBLIC KEY-----\n"
                                     "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAofgWCuLjybRlzo0tZWJj\n"
                                     "NiuSfb4p4fAkd/wWJcyQoTbji9k0l8W26mPddxHmfHQp+Vaw+4qPCJrcS2mJPMEz\n"
                                     "P1Pt0Bm4d4QlL+yRT+SFd2lZS+pCgNMsD1W/YpRPEwOWvG6b32690r2jZ47soMZo\n"
                                     "9wGzjb/7OMg0LOL+bSf63kpaSHSXndS5z5rexMdbBYUsLA9e+KXBdQOS+UTo7WTB\n"
                                     "EMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6/I5IhlJH7aGhyxX\n"
                                     "FvUK+DWNmoudF8NAco9/h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXp\n"
                                     "oQIDAQAB\n"
                                     "-----END PUBLIC KEY-----\n";
static const char rfc7515_a2[] =
    "eyJhbGciOiJSUzI1NiJ9."
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t"
    "1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12j"
    "zDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQ"
    "Ge77Rw";
static const char rfc7515_a3_key[] = "-----BEGIN PUBLIC KEY-----\n"
                                     "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7\n"
                                     "6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==\n"
                                     "-----END PUBLIC KEY-----\n";
static const char rfc7515_a3[] =
    "eyJhbGciOiJFUzI1NiJ9."
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
static const char rfc8037_key[] = "-----BEGIN PUBLIC KEY-----\n"
                                  "MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
                                  "-----END PUBLIC KEY-----\n";

static EVP_PKEY *key_read(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    BIO_free(bio);
    assert_non_null(key);
    return key;
}

static status check(const char *text, const char *registered, EVP_PKEY *key, struct error *err)
{
    cleanup_jws struct jws j = {0};
    TRY(jws_parse(slice_of_text(text), &j, err));
    return jws_verify(&j, registered, key, err);
}

static void rfc7515_vectors_verify(void **state)
{
    (void)state;
    EVP_PKEY *rsa = key_read(rfc7515_a2_key), *ec = key_read(rfc7515_a3_key);

    assert_int_equal(check(rfc7515_a2, "RS256", rsa, NULL).code, CODE_OK);
    assert_int_equal(check(rfc7515_a3, "ES256", ec, NULL).code, CODE_OK);
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ec);
}

/* Its payload is no JSON object, so only the verifier can be asked. */
static void rfc8037_vector_verifies(void **state)
{
    (void)state;
    EVP_PKEY *key = key_read(rfc8037_key);
    const char input[] = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    const char signature[] = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    cleanup_jws struct jws j = {.signed_part = slice_of_text(input), .algorithm = jws_algorithm_find("EdDSA")};
    assert_int_equal(base64url_decode(signature, strlen(signature), &j.signature, NULL).code, CODE_OK);

    assert_int_equal(jws_verify(&j, "EdDSA", key, NULL).code, CODE_OK);
    j.signature.data[7] ^= 1;
    assert_int_equal(jws_verify(&j, "EdDSA", key, NULL).code, CODE_BAD_SIGNATURE);
    EVP_PKEY_free(key);
}

static void each_algorithm_verifies_and_finds_one_changed_bit(void **state)
{
    (void)state;
    const char *const rows[][2] = {
        {"EdDSA", "ED25519"}, {"ES256", "P-256"}, {"ES384", "P-384"}, {"RS256", "RSA2048"}, {"PS256", "RSA2048"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char header[64];
        cleanup_buf struct buf text = {0};
        EVP_PKEY *key = jws_key_make(rows[i][1]);
        (void)snprintf(header, sizeof(header), "{\"alg\":\"%s\"}", rows[i][0]);
        jws_make(&text, header, "{\"iss\":\"a\"}", rows[i][0], key, (struct slice){0});

        assert_int_equal(check(buf_text(&text), rows[i][0], key, NULL).code, CODE_OK);
        cleanup_jws struct jws j = {0};
        assert_int_equal(jws_parse(buf_slice(&text), &j, NULL).code, CODE_OK);
        j.signature.data[j.signature.len / 2] ^= 0x10;
        assert_int_equal(jws_verify(&j, rows[i][0], key, NULL).code, CODE_BAD_SIGNATURE);
        EVP_PKEY_free(key);
    }
}

static void the_registered_algorithm_decides_and_not_the_header(void **state)
{
    (void)state;
    cleanup_buf struct buf text = {0};
    EVP_PKEY *key = jws_key_make("RSA2048");
    jws_make(&text, "{\"alg\":\"RS256\"}", "{}", "RS256", key, (struct slice){0});

    assert_int_equal(check(buf_text(&text), "RS256", key, NULL).code, CODE_OK);
    assert_int_equal(check(buf_text(&text), "PS256", key, NULL).code, CODE_BAD_SIGNATURE);
    EVP_PKEY_free(key);
}

static void an_algorithm_is_never_used_with_a_key_of_another_type(void **state)
{
    (void)state;
    EVP_PKEY *p384 = jws_key_make("P-384"), *ed = jws_key_make("ED25519");
    assert_int_equal(check(rfc7515_a3, "ES256", p384, NULL).code, CODE_BAD_SIGNATURE);
    assert_int_equal(check(rfc7515_a3, "ES256", ed, NULL).code, CODE_BAD_SIGNATURE);
    EVP_PKEY_free(p384);
    EVP_PKEY_free(ed);
}

/* A good form to spoil: {"alg":"EdDSA"} . {} . 64 bytes. */
#define HEADER "eyJhbGciOiJFZERTQSJ9"
#define PAYLOAD "e30"
#define SIGNATURE "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static void malformed_text_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        ".",
        "..",
        "...",
        HEADER,
        HEADER "." PAYLOAD,                            /* cut off */
        HEADER "." PAYLOAD ".",                        /* unsecured */
        "." PAYLOAD "." SIGNATURE,                     /* */
        HEADER ".." SIGNATURE,                         /* detached payload */
        HEADER "." PAYLOAD "." SIGNATURE ".",          /* */
        HEADER "." PAYLOAD "." SIGNATURE ".AAAA.AAAA", /* five parts: a JWE */
        HEADER "=." PAYLOAD "." SIGNATURE,             /* padding */
        HEADER "." PAYLOAD "=." SIGNATURE,             /* */
        HEADER "." PAYLOAD "." SIGNATURE "==",         /* */
        HEADER "." PAYLOAD "." SIGNATURE "\n",         /* */
        " " HEADER "." PAYLOAD "." SIGNATURE,          /* */
        HEADER ".e3 0." SIGNATURE,                     /* */
        HEADER ".e31." SIGNATURE,                      /* bits behind the last byte: not canonical */
        HEADER "." PAYLOAD ".AAAAA",                   /* no length of base64 */
        HEADER "." PAYLOAD ".////",                    /* the other alphabet */
        HEADER ".W10." SIGNATURE,                      /* payload [] */
        HEADER ".bnVsbA." SIGNATURE,                   /* payload null */
        "W10." PAYLOAD "." SIGNATURE,                  /* header [] */
    };
    cleanup_jws struct jws good = {0};
    assert_int_equal(jws_parse(slice_of_text(HEADER "." PAYLOAD "." SIGNATURE), &good, NULL).code, CODE_OK);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct jws j = {0};
        struct error err = {0};
        if (jws_parse(slice_of_text(rows[i]), &j, &err).code != CODE_NOT_AUTHENTICATED)
            fail_msg("row %zu: %s", i, rows[i]);
        assert_null(j.header);
    }
}

static enum code header_code(const char *header)
{
    cleanup_buf struct buf text = {0};
    cleanup_jws struct jws j = {0};
    base64url_encode(slice_of_text(header), &text);
    buf_add_text(&text, "." PAYLOAD "." SIGNATURE);
    return jws_parse(buf_slice(&text), &j, NULL).code;
}

static void malformed_headers_are_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "{}",
        "{\"alg\":\"none\"}",
        "{\"alg\":\"None\"}",
        "{\"alg\":\"HS256\"}",
        "{\"alg\":\"HS512\"}",
        "{\"alg\":\"ES512\"}",
        "{\"alg\":\"eddsa\"}",
        "{\"alg\":\"\"}",
        "{\"alg\":null}",
        "{\"alg\":[\"EdDSA\"]}",
        "{\"alg\":\"none\",\"alg\":\"EdDSA\"}",
        "{\"alg\":\"EdDSA\",\"alg\":\"EdDSA\"}",
        "{\"alg\":\"EdDSA\\u0000\"}",
        "{\"alg\":\"EdDSA\",\"crit\":[]}",
        "{\"alg\":\"EdDSA\",\"crit\":[\"exp\"],\"exp\":1}",
        "{\"alg\":\"EdDSA\",\"crit\":[\"b64\"],\"b64\":false}",
        "{\"alg\":\"EdDSA\",\"b64\":false}",
        "{\"alg\":\"EdDSA\",\"typ\":\"at+jwt\"}",
        "{\"alg\":\"EdDSA\",\"typ\":1}",
        "{\"alg\":\"EdDSA\",\"kid\":7}",
        "{\"alg\":\"EdDSA\"} ,",
        "{\"alg\":\"EdDSA\"",
        "{\"alg\":\"EdDSA\",}",
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (header_code(rows[i]) != CODE_NOT_AUTHENTICATED)
            fail_msg("row %zu: %s", i, rows[i]);
    }
}

static void harmless_headers_are_taken(void **state)
{
    (void)state;
    assert_int_equal(header_code("{\"alg\":\"EdDSA\",\"typ\":\"JWT\"}"), CODE_OK);
    assert_int_equal(header_code("{\"alg\":\"ES384\",\"typ\":\"jwt\",\"kid\":\"sk_a\",\"x5t\":\"ignored\"}"), CODE_OK);
}

static void nesting_and_size_are_capped(void **state)
{
    (void)state;
    cleanup_buf struct buf deep = {0}, huge = {0};
    buf_add_text(&deep, "{\"alg\":\"EdDSA\",\"x\":");
    for (int i = 0; i < 1000; i++)
        buf_add_byte(&deep, '[');
    for (int i = 0; i < 1000; i++)
        buf_add_byte(&deep, ']');
    buf_add_byte(&deep, '}');
    assert_int_equal(header_code(buf_text(&deep)), CODE_NOT_AUTHENTICATED);

    buf_add_text(&huge, HEADER "." PAYLOAD ".");
    while (huge.len <= JWS_TEXT_MAX)
        buf_add_byte(&huge, 'A');
    struct jws j = {0};
    struct error err = {0};
    assert_int_equal(jws_parse(buf_slice(&huge), &j, &err).code, CODE_NOT_AUTHENTICATED);
    assert_string_equal(err.text, "assertion: more than 8192 characters");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc7515_vectors_verify),
        cmocka_unit_test(rfc8037_vector_verifies),
        cmocka_unit_test(each_algorithm_verifies_and_finds_one_changed_bit),
        cmocka_unit_test(the_registered_algorithm_decides_and_not_the_header),
        cmocka_unit_test(an_algorithm_is_never_used_with_a_key_of_another_type),
        cmocka_unit_test(malformed_text_is_refused),
        cmocka_unit_test(malformed_headers_are_refused),
        cmocka_unit_test(harmless_headers_are_taken),
        cmocka_unit_test(nesting_and_size_are_capped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

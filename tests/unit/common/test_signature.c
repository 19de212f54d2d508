/* SPDX-License-Identifier: Apache-2.0 */
#include "common/signature.h"

#include <openssl/err.h>
#include <openssl/provider.h>

#include "chancery/protocol.h"
#include "common/encoding.h"
#include "common/secret.h"
#include "expect.h"
#include "keys.h"

static const uint8_t digest_bytes[64] = {1, 2, 3, 4, 5, 6, 7, 8, 9};

static struct sign_input input_of(enum mechanism mechanism, enum hash hash)
{
    struct sign_input in = {.mechanism = mechanism, .hash = hash, .digest = {digest_bytes, hash_len(hash)}};
    if (mechanism == MECHANISM_RSA_PSS) {
        in.mgf_hash = hash;
        in.salt_len = hash_len(hash);
    }
    if (mechanism == MECHANISM_EDDSA)
        in.digest.len = 11;
    return in;
}

static void decode64(const char *text, struct buf *out)
{
    assert_ok(base64url_decode(text, strlen(text), out, NULL));
}

static void decode16(const char *text, struct buf *out)
{
    assert_ok(hex_decode(text, strlen(text), out, NULL));
}

#define JWS_PAYLOAD "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"

/* A good signature verifies; with any one bit turned, here or in the digest, it does not. */
static void assert_verifies(OSSL_LIB_CTX *libctx, EVP_PKEY *key, struct sign_input in, struct buf *signature)
{
    struct error err = {0};
    assert_ok(signature_verify(libctx, key, &in, buf_slice(signature), &err));
    for (size_t at = 0; at < signature->len; at += signature->len / 7 + 1) {
        signature->data[at] ^= 4;
        assert_code(signature_verify(libctx, key, &in, buf_slice(signature), &err), CODE_BAD_SIGNATURE);
        signature->data[at] ^= 4;
    }
    uint8_t other[128] = {0};
    assert_true(in.digest.len < sizeof(other));
    if (in.digest.len > 0)
        memcpy(other, in.digest.data, in.digest.len);
    other[0] ^= 1;
    in.digest = (struct slice){other, in.digest.len ? in.digest.len : 1};
    assert_code(signature_verify(libctx, key, &in, buf_slice(signature), &err), CODE_BAD_SIGNATURE);
}

static void the_rs256_signature_of_rfc_7515_verifies(void **state)
{
    (void)state;
    cleanup_buf struct buf modulus = {0}, signature = {0};
    decode64(
        "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZ"
        "S-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2"
        "R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcD"
        "TW9gb54h4FRWyuXpoQ",
        &modulus);
    decode64(
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CU"
        "Ar7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_d"
        "O--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0ig"
        "cN_IoypGlUPQGe77Rw",
        &signature);
    uint8_t digest[32];
    assert_ok(sha256(slice_of_text("eyJhbGciOiJSUzI1NiJ9." JWS_PAYLOAD), digest, NULL));
    struct sign_input in = {.mechanism = MECHANISM_RSA_PKCS1, .hash = HASH_SHA256, .digest = {digest, 32}};
    EVP_PKEY *key = public_rsa(buf_slice(&modulus));
    assert_verifies(NULL, key, in, &signature);
    EVP_PKEY_free(key);
}

static void the_es256_signature_of_rfc_7515_verifies(void **state)
{
    (void)state;
    cleanup_buf struct buf point = {0}, signature = {0};
    buf_add_byte(&point, 4);
    decode64("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", &point);
    decode64("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0", &point);
    decode64("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q", &signature);
    uint8_t digest[32];
    assert_ok(sha256(slice_of_text("eyJhbGciOiJFUzI1NiJ9." JWS_PAYLOAD), digest, NULL));
    struct sign_input in = {.mechanism = MECHANISM_ECDSA, .hash = HASH_SHA256, .digest = {digest, 32}};
    EVP_PKEY *key = public_ec("prime256v1", buf_slice(&point));
    assert_verifies(NULL, key, in, &signature);
    EVP_PKEY_free(key);
}

/* RFC 8032 §7.1, tests 1 to 3 */
static void the_ed25519_signatures_of_rfc_8032_verify(void **state)
{
    (void)state;
    static const struct {
        const char *key, *message, *signature;
    } rows[] = {
        {"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bb"
         "e24655141438"
         "e7a100b"},
        {"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302"
         "aeeb00d29161"
         "2bb0c00"},
        {"fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
         "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed"
         "28dc027beceea1"
         "ec40a"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cleanup_buf struct buf raw = {0}, message = {0}, signature = {0};
        decode16(rows[i].key, &raw);
        decode16(rows[i].message, &message);
        decode16(rows[i].signature, &signature);
        struct sign_input in = {.mechanism = MECHANISM_EDDSA, .digest = buf_slice(&message)};
        EVP_PKEY *key = public_ed25519(buf_slice(&raw));
        assert_verifies(NULL, key, in, &signature);
        EVP_PKEY_free(key);
    }
}

static void what_openssl_signs_verifies_for_every_type_mechanism_and_hash(void **state)
{
    (void)state;
    for (int t = 1; t < KEY_TYPE_COUNT; t++) {
        for (int m = 1; m < MECHANISM_COUNT; m++) {
            bool edwards = m == MECHANISM_EDDSA;
            if (mechanism_family((enum mechanism)m) != key_type_family((enum key_type)t))
                continue;
            for (int h = edwards ? 0 : 1; h < (edwards ? 1 : HASH_COUNT); h++) {
                struct sign_input in = input_of((enum mechanism)m, (enum hash)h);
                cleanup_buf struct buf signature = {0};
                sign_with(key_of((enum key_type)t), &in, &signature);
                assert_int_equal(signature.len, key_type_signature_len((enum key_type)t));
                assert_verifies(NULL, key_of((enum key_type)t), in, &signature);
            }
        }
    }
}

static void pss_parameters_are_part_of_what_is_verified(void **state)
{
    (void)state;
    EVP_PKEY *key = key_of(KEY_TYPE_RSA2048);
    struct sign_input in = input_of(MECHANISM_RSA_PSS, HASH_SHA256);
    in.mgf_hash = HASH_SHA1;
    in.salt_len = 20;
    cleanup_buf struct buf signature = {0}, plain = {0};
    sign_with(key, &in, &signature);
    assert_verifies(NULL, key, in, &signature);

    struct sign_input other = in;
    other.salt_len = 21;
    assert_code(signature_verify(NULL, key, &other, buf_slice(&signature), NULL), CODE_BAD_SIGNATURE);
    other = in;
    other.mgf_hash = HASH_SHA256;
    assert_code(signature_verify(NULL, key, &other, buf_slice(&signature), NULL), CODE_BAD_SIGNATURE);
    other = input_of(MECHANISM_RSA_PKCS1, HASH_SHA256);
    assert_code(signature_verify(NULL, key, &other, buf_slice(&signature), NULL), CODE_BAD_SIGNATURE);

    in.salt_len = 0;
    sign_with(key, &in, &plain);
    assert_verifies(NULL, key, in, &plain);
}

static void a_signature_of_another_length_is_bad(void **state)
{
    (void)state;
    struct sign_input in = input_of(MECHANISM_ECDSA, HASH_SHA256);
    EVP_PKEY *key = key_of(KEY_TYPE_P256);
    cleanup_buf struct buf signature = {0};
    sign_with(key, &in, &signature);
    assert_code(signature_verify(NULL, key, &in, (struct slice){0}, NULL), CODE_BAD_SIGNATURE);
    assert_code(signature_verify(NULL, key, &in, (struct slice){signature.data, 63}, NULL), CODE_BAD_SIGNATURE);
    buf_add_byte(&signature, 0);
    assert_code(signature_verify(NULL, key, &in, buf_slice(&signature), NULL), CODE_BAD_SIGNATURE);
    memset(signature.data, 0, 64);
    assert_code(signature_verify(NULL, key, &in, (struct slice){signature.data, 64}, NULL), CODE_BAD_SIGNATURE);
}

static void verification_works_in_a_private_context_and_leaves_the_error_queue(void **state)
{
    (void)state;
    OSSL_LIB_CTX *private = OSSL_LIB_CTX_new();
    OSSL_PROVIDER *provider = OSSL_PROVIDER_load(private, "default");
    assert_non_null(provider);
    static const enum key_type types[] = {KEY_TYPE_RSA2048, KEY_TYPE_P521, KEY_TYPE_ED25519};
    static const enum mechanism mechanisms[] = {MECHANISM_RSA_PSS, MECHANISM_ECDSA, MECHANISM_EDDSA};

    ERR_clear_error();
    ERR_raise(ERR_LIB_USER, 42); /* the host's own */
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        struct sign_input in = input_of(mechanisms[i], mechanisms[i] == MECHANISM_EDDSA ? HASH_NONE : HASH_SHA512);
        cleanup_buf struct buf signature = {0};
        sign_with(key_of(types[i]), &in, &signature);
        assert_verifies(private, key_of(types[i]), in, &signature);
    }
    assert_int_equal(ERR_GET_REASON(ERR_get_error()), 42);
    assert_int_equal(ERR_get_error(), 0);

    struct sign_input in = input_of(MECHANISM_RSA_PKCS1, HASH_SHA256);
    uint8_t zeros[256] = {0};
    assert_code(signature_verify(private, key_of(KEY_TYPE_RSA2048), &in, (struct slice){zeros, 256}, NULL),
                CODE_BAD_SIGNATURE);
    assert_int_equal(ERR_get_error(), 0);
    (void)OSSL_PROVIDER_unload(provider);
    OSSL_LIB_CTX_free(private);
}

static void what_does_not_fit_is_refused_before_it_is_signed(void **state)
{
    (void)state;
    static const struct {
        enum key_type type;
        enum mechanism mechanism;
        enum hash hash;
        size_t len;
        enum hash mgf;
        size_t salt;
        enum code code;
    } rows[] = {
        {KEY_TYPE_RSA2048, MECHANISM_RSA_PKCS1, HASH_SHA256, 32, HASH_NONE, 0, CODE_OK},
        {KEY_TYPE_RSA2048, MECHANISM_RSA_PKCS1, HASH_SHA256, 31, HASH_NONE, 0, CODE_DIGEST_MALFORMED},
        {KEY_TYPE_RSA2048, MECHANISM_RSA_PKCS1, HASH_SHA256, 51, HASH_NONE, 0, CODE_DIGEST_MALFORMED},
        {KEY_TYPE_RSA2048, MECHANISM_RSA_PKCS1, HASH_SHA256, 0, HASH_NONE, 0, CODE_DIGEST_MALFORMED},
        {KEY_TYPE_RSA2048, MECHANISM_RSA_PKCS1, HASH_NONE, 32, HASH_NONE, 0, CODE_INVALID},
        {KEY_TYPE_RSA2048, MECHANISM_RSA_PKCS1, HASH_SHA256, 32, HASH_SHA256, 0, CODE_INVALID},
        {KEY_TYPE_RSA2048, MECHANISM_RSA_PKCS1, HASH_SHA256, 32, HASH_NONE, 32, CODE_INVALID},
        {KEY_TYPE_RSA2048, MECHANISM_ECDSA, HASH_SHA256, 32, HASH_NONE, 0, CODE_MECHANISM_DENIED},
        {KEY_TYPE_RSA2048, MECHANISM_EDDSA, HASH_NONE, 32, HASH_NONE, 0, CODE_MECHANISM_DENIED},
        {KEY_TYPE_RSA2048, MECHANISM_RSA_PSS, HASH_SHA256, 32, HASH_SHA256, 222, CODE_OK},
        {KEY_TYPE_RSA2048, MECHANISM_RSA_PSS, HASH_SHA256, 32, HASH_SHA256, 223, CODE_INVALID},
        {KEY_TYPE_RSA2048, MECHANISM_RSA_PSS, HASH_SHA512, 64, HASH_SHA512, 190, CODE_OK},
        {KEY_TYPE_RSA2048, MECHANISM_RSA_PSS, HASH_SHA512, 64, HASH_SHA512, SIZE_MAX, CODE_INVALID},
        {KEY_TYPE_RSA4096, MECHANISM_RSA_PSS, HASH_SHA256, 32, HASH_SHA1, 478, CODE_OK},
        {KEY_TYPE_RSA4096, MECHANISM_RSA_PSS, HASH_SHA256, 32, HASH_NONE, 32, CODE_INVALID},
        {KEY_TYPE_P256, MECHANISM_ECDSA, HASH_SHA512, 64, HASH_NONE, 0, CODE_OK},
        {KEY_TYPE_P256, MECHANISM_ECDSA, HASH_SHA1, 20, HASH_NONE, 0, CODE_OK},
        {KEY_TYPE_P256, MECHANISM_ECDSA, HASH_SHA384, 47, HASH_NONE, 0, CODE_DIGEST_MALFORMED},
        {KEY_TYPE_P256, MECHANISM_ECDSA, HASH_NONE, 32, HASH_NONE, 0, CODE_INVALID},
        {KEY_TYPE_P256, MECHANISM_RSA_PKCS1, HASH_SHA256, 32, HASH_NONE, 0, CODE_MECHANISM_DENIED},
        {KEY_TYPE_ED25519, MECHANISM_EDDSA, HASH_NONE, 0, HASH_NONE, 0, CODE_OK},
        {KEY_TYPE_ED25519, MECHANISM_EDDSA, HASH_NONE, LIMIT_EDDSA_MESSAGE, HASH_NONE, 0, CODE_OK},
        {KEY_TYPE_ED25519, MECHANISM_EDDSA, HASH_NONE, LIMIT_EDDSA_MESSAGE + 1, HASH_NONE, 0, CODE_TOO_LARGE},
        {KEY_TYPE_ED25519, MECHANISM_EDDSA, HASH_SHA512, 64, HASH_NONE, 0, CODE_INVALID},
        {KEY_TYPE_ED25519, MECHANISM_ECDSA, HASH_SHA256, 32, HASH_NONE, 0, CODE_MECHANISM_DENIED},
        {KEY_TYPE_NONE, MECHANISM_RSA_PKCS1, HASH_SHA256, 32, HASH_NONE, 0, CODE_INVALID},
        {KEY_TYPE_RSA2048, MECHANISM_NONE, HASH_SHA256, 32, HASH_NONE, 0, CODE_INVALID},
        {KEY_TYPE_RSA2048, (enum mechanism)77, HASH_SHA256, 32, HASH_NONE, 0, CODE_INVALID},
        {KEY_TYPE_RSA2048, MECHANISM_RSA_PKCS1, (enum hash)77, 32, HASH_NONE, 0, CODE_INVALID},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct sign_input in = {
            rows[i].mechanism, rows[i].hash, {digest_bytes, rows[i].len}, rows[i].mgf, rows[i].salt};
        struct error err;
        assert_code(sign_input_check(&in, rows[i].type, &err), rows[i].code);
    }
}

static void ecdsa_forms_convert_with_padding_and_sign_bytes(void **state)
{
    (void)state;
    static const struct {
        size_t field;
        const char *raw, *der;
    } rows[] = {
        {2, "00010002", "3006020101020102"},
        {2, "80007fff",
         "30090203008000"
         "02027fff"},
        {4, "0000000100000000", "3006020101020100"},
        {1, "ff01", "3007020200ff020101"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cleanup_buf struct buf raw = {0}, der = {0}, to_der = {0}, to_raw = {0};
        decode16(rows[i].raw, &raw);
        decode16(rows[i].der, &der);
        assert_ok(ecdsa_raw_to_der(buf_slice(&raw), &to_der, NULL));
        assert_true(slice_equal(buf_slice(&to_der), buf_slice(&der)));
        assert_ok(ecdsa_der_to_raw(buf_slice(&der), rows[i].field, &to_raw, NULL));
        assert_true(slice_equal(buf_slice(&to_raw), buf_slice(&raw)));
    }
}

static void ecdsa_values_that_are_not_der_or_too_long_are_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "30",
        "3000",
        "3006020101020102ff",
        "30060201010201",
        "3006020181020102", /* empty, cut, trailing, negative */
        "300702020001020102",
        "30810602010102"
        "0102",
        "3080020101020102"
        "0000", /* not shortest, BER */
        "3006020101040102",
        "3106020101020102",
        "3009020101020102020103", /* other types, three numbers */
        "300802030100000201"
        "01", /* r longer than the field */
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cleanup_buf struct buf der = {0}, raw = {0};
        decode16(rows[i], &der);
        assert_code(ecdsa_der_to_raw(buf_slice(&der), 2, &raw, NULL), CODE_INVALID);
        assert_int_equal(raw.len, 0);
    }
    uint8_t bytes[200] = {1};
    static const size_t lengths[] = {0, 1, 63, 133, 134, 200};
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        cleanup_buf struct buf der = {0};
        assert_code(ecdsa_raw_to_der((struct slice){bytes, lengths[i]}, &der, NULL), CODE_INVALID);
    }
    assert_int_equal(ERR_peek_error(), 0);
}

static int teardown(void **state)
{
    (void)state;
    keys_clear();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rs256_signature_of_rfc_7515_verifies),
        cmocka_unit_test(the_es256_signature_of_rfc_7515_verifies),
        cmocka_unit_test(the_ed25519_signatures_of_rfc_8032_verify),
        cmocka_unit_test(what_openssl_signs_verifies_for_every_type_mechanism_and_hash),
        cmocka_unit_test(pss_parameters_are_part_of_what_is_verified),
        cmocka_unit_test(a_signature_of_another_length_is_bad),
        cmocka_unit_test(verification_works_in_a_private_context_and_leaves_the_error_queue),
        cmocka_unit_test(what_does_not_fit_is_refused_before_it_is_signed),
        cmocka_unit_test(ecdsa_forms_convert_with_padding_and_sign_bytes),
        cmocka_unit_test(ecdsa_values_that_are_not_der_or_too_long_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, teardown);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "common/signature.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "expect.h"
#include "keys.h"

static void each_type_chancery_makes_is_recognised(void **state)
{
    (void)state;
    for (int t = 1; t < KEY_TYPE_COUNT; t++) {
        enum key_type type = KEY_TYPE_NONE;
        assert_ok(key_type_of(key_of((enum key_type)t), &type, NULL));
        assert_int_equal(type, t);
    }
}

static void other_keys_are_refused(void **state)
{
    (void)state;
    EVP_PKEY *keys[] = {EVP_RSA_gen(1024),
                        EVP_RSA_gen(2047),
                        EVP_EC_gen("secp256k1"),
                        EVP_EC_gen("P-224"),
                        EVP_EC_gen("brainpoolP256r1"),
                        EVP_PKEY_Q_keygen(NULL, NULL, "ED448"),
                        EVP_PKEY_Q_keygen(NULL, NULL, "X25519"),
                        NULL};
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        enum key_type type = KEY_TYPE_NONE;
        uint8_t id[20];
        struct error err;
        assert_true(keys[i] || i == COUNT_OF(keys) - 1);
        assert_code(key_type_of(keys[i], &type, &err), CODE_INVALID);
        assert_code(key_cka_id(keys[i], id, &err), CODE_INVALID);
        assert_int_equal(type, KEY_TYPE_NONE);
        EVP_PKEY_free(keys[i]);
    }
    assert_int_equal(ERR_peek_error(), 0);
}

static void assert_cka_id(EVP_PKEY *key, struct slice hashed)
{
    uint8_t expected[20], id[20];
    assert_int_equal(EVP_Digest(hashed.data, hashed.len, expected, NULL, EVP_sha1(), NULL), 1);
    assert_ok(key_cka_id(key, id, NULL));
    assert_memory_equal(id, expected, 20);
}

static void the_id_of_an_rsa_key_is_the_sha1_of_its_modulus_without_sign_byte(void **state)
{
    (void)state;
    uint8_t modulus[256];
    memset(modulus, 0xA5, sizeof(modulus)); /* the first bit is set, where DER would put a zero before it */
    EVP_PKEY *key = public_rsa((struct slice){modulus, sizeof(modulus)});
    assert_cka_id(key, (struct slice){modulus, sizeof(modulus)});
    EVP_PKEY_free(key);
}

static void the_id_of_an_ec_key_is_the_sha1_of_its_uncompressed_point_however_it_came(void **state)
{
    (void)state;
    static const char *const groups[] = {"prime256v1", "secp384r1", "secp521r1"};
    for (size_t i = 0; i < COUNT_OF(groups); i++) {
        uint8_t point[133], compressed[67];
        size_t len = 0;
        EVP_PKEY *whole = key_of((enum key_type)(KEY_TYPE_P256 + (int)i));
        assert_int_equal(EVP_PKEY_get_octet_string_param(whole, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &len),
                         1);
        size_t field = (len - 1) / 2;
        compressed[0] = (uint8_t)(2 + (point[len - 1] & 1));
        memcpy(compressed + 1, point + 1, field);
        EVP_PKEY *key = public_ec(groups[i], (struct slice){compressed, 1 + field});
        assert_cka_id(whole, (struct slice){point, len});
        assert_cka_id(key, (struct slice){point, len});
        EVP_PKEY_free(key);
    }
}

static void the_id_of_an_ed25519_key_is_the_sha1_of_its_raw_bytes(void **state)
{
    (void)state;
    uint8_t raw[32];
    size_t len = sizeof(raw);
    assert_int_equal(EVP_PKEY_get_raw_public_key(key_of(KEY_TYPE_ED25519), raw, &len), 1);
    assert_cka_id(key_of(KEY_TYPE_ED25519), (struct slice){raw, len});
}

/* RFC 6979 §A.2.5, whose x has no leading zero; the value was computed with sha1sum over 04 || x || y. */
static void the_id_of_the_p256_key_of_rfc_6979_is_this(void **state)
{
    (void)state;
    struct slice point =
        SLICE("\x04\x60\xFE\xD4\xBA\x25\x5A\x9D\x31\xC9\x61\xEB\x74\xC6\x35\x6D\x68\xC0\x49\xB8\x92\x3B\x61"
              "\xFA\x6C\xE6\x69\x62\x2E\x60\xF2\x9F\xB6\x79\x03\xFE\x10\x08\xB8\xBC\x99\xA4\x1A\xE9\xE9\x56"
              "\x28\xBC\x64\xF2\xF1\xB2\x0C\x2D\x7E\x9F\x51\x77\xA3\xC2\x94\xD4\x46\x22\x99");
    static const uint8_t expected[20] = {0x1a, 0x95, 0x69, 0x57, 0x9b, 0xce, 0x32, 0x9a, 0x94, 0x2d,
                                         0x07, 0x69, 0xc9, 0xc0, 0xb5, 0x64, 0x31, 0x56, 0x37, 0x10};
    EVP_PKEY *key = public_ec("P-256", point);
    uint8_t id[20];
    assert_ok(key_cka_id(key, id, NULL));
    assert_memory_equal(id, expected, sizeof(id));
    EVP_PKEY_free(key);
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
        cmocka_unit_test(each_type_chancery_makes_is_recognised),
        cmocka_unit_test(other_keys_are_refused),
        cmocka_unit_test(the_id_of_an_rsa_key_is_the_sha1_of_its_modulus_without_sign_byte),
        cmocka_unit_test(the_id_of_an_ec_key_is_the_sha1_of_its_uncompressed_point_however_it_came),
        cmocka_unit_test(the_id_of_an_ed25519_key_is_the_sha1_of_its_raw_bytes),
        cmocka_unit_test(the_id_of_the_p256_key_of_rfc_6979_is_this),
    };
    return cmocka_run_group_tests(tests, NULL, teardown);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* CKA_EC_POINT and CKA_EC_PARAMS in the forms modules give them. */
#include "unit.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <string.h>

static const struct {
    enum key_type type;
    const char *curve;
} rows[] = {{KEY_TYPE_P256, "P-256"}, {KEY_TYPE_P384, "P-384"}, {KEY_TYPE_P521, "P-521"}};

static size_t point_of(EVP_PKEY *key, uint8_t out[200])
{
    size_t len = 0;

    assert_int_equal(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, out, 200, &len), 1);
    return len;
}

static void assert_same(EVP_PKEY *made, EVP_PKEY *expected)
{
    assert_non_null(made);
    assert_int_equal(EVP_PKEY_eq(made, expected), 1);
    EVP_PKEY_free(made);
}

static void a_point_is_read_bare_and_inside_an_octet_string(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint8_t wrapped[203] = {0x04};
        EVP_PKEY *key = EVP_EC_gen(rows[i].curve);
        size_t header = rows[i].type == KEY_TYPE_P521 ? 3 : 2;
        size_t len = point_of(key, wrapped + header);
        wrapped[1] = header == 3 ? 0x81 : (uint8_t)len;
        wrapped[header - 1] = (uint8_t)len;
        assert_same(public_key_of_point(NULL, rows[i].type, (struct slice){wrapped + header, len}), key);
        assert_same(public_key_of_point(NULL, rows[i].type, (struct slice){wrapped, header + len}), key);
        EVP_PKEY_free(key);
    }
}

static void a_point_of_another_length_or_off_the_curve_is_refused(void **state)
{
    uint8_t wrapped[67] = {0x04, 65, 0x04, 1, 2, 3};

    (void)state;
    for (size_t len = 0; len <= sizeof wrapped; len++)
        assert_null(public_key_of_point(NULL, KEY_TYPE_P256, (struct slice){wrapped, len}));
    assert_null(public_key_of_point(NULL, KEY_TYPE_NONE, (struct slice){wrapped, 65}));
    assert_null(public_key_of_point(NULL, KEY_TYPE_RSA2048, (struct slice){wrapped, 65}));
}

static void an_edwards_point_is_read_in_both_forms(void **state)
{
    uint8_t wrapped[34] = {0x04, 32};
    size_t len = 32;
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");

    (void)state;
    assert_int_equal(EVP_PKEY_get_raw_public_key(key, wrapped + 2, &len), 1);
    assert_same(public_key_of_point(NULL, KEY_TYPE_ED25519, (struct slice){wrapped + 2, 32}), key);
    assert_same(public_key_of_point(NULL, KEY_TYPE_ED25519, (struct slice){wrapped, 34}), key);
    EVP_PKEY_free(key);
}

static void curves_are_known_by_their_parameters(void **state)
{
    const enum key_type types[] = {KEY_TYPE_P256, KEY_TYPE_P384, KEY_TYPE_P521, KEY_TYPE_ED25519};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(types); i++)
        assert_int_equal(curve_type(curve_params(types[i])), types[i]);
    assert_int_equal(curve_type((struct slice){(const uint8_t *)"\x13\x0c"
                                                                "edwards25519",
                                               14}),
                     KEY_TYPE_ED25519);
    assert_int_equal(curve_type((struct slice){(const uint8_t *)"\x06\x05\x2b\x81\x04\x00\x0a", 7}), KEY_TYPE_NONE);
    assert_int_equal(curve_params(KEY_TYPE_RSA2048).len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_point_is_read_bare_and_inside_an_octet_string),
        cmocka_unit_test(a_point_of_another_length_or_off_the_curve_is_refused),
        cmocka_unit_test(an_edwards_point_is_read_in_both_forms),
        cmocka_unit_test(curves_are_known_by_their_parameters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

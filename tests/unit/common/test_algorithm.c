/* SPDX-License-Identifier: Apache-2.0 */
#include "common/algorithm.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "expect.h"

static void every_name_leads_back_to_its_value(void **state)
{
    (void)state;
    for (int i = 1; i < HASH_COUNT; i++) {
        enum hash h = HASH_NONE;
        assert_true(hash_parse(hash_name((enum hash)i), &h));
        assert_int_equal(h, i);
        assert_int_equal(hash_by_len(hash_len(h), hash_bit(h)), h);
    }
    for (int i = 1; i < KEY_TYPE_COUNT; i++) {
        enum key_type t = KEY_TYPE_NONE;
        assert_true(key_type_parse(key_type_name((enum key_type)i), &t));
        assert_int_equal(t, i);
        assert_true(key_type_signature_len(t) >= 64);
    }
    for (int i = 1; i < MECHANISM_COUNT; i++) {
        enum mechanism m = MECHANISM_NONE;
        assert_true(mechanism_parse(mechanism_name((enum mechanism)i), &m));
        assert_int_equal(m, i);
    }
}

static void unknown_names_are_not_found(void **state)
{
    (void)state;
    static const char *const rows[] = {"", "none", "SHA256", "sha", "sha2566", "md5", "rsa", "p256 ", "ed448"};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_false(hash_parse(rows[i], &(enum hash){0}));
        assert_false(key_type_parse(rows[i], &(enum key_type){0}));
        assert_false(mechanism_parse(rows[i], &(enum mechanism){0}));
    }
    assert_false(hash_parse(NULL, &(enum hash){0}));
    assert_false(key_type_parse(NULL, &(enum key_type){0}));
    assert_false(mechanism_parse(NULL, &(enum mechanism){0}));
    assert_int_equal(hash_by_len(0, HASH_SET_ALL), HASH_NONE);
    assert_int_equal(hash_by_len(33, HASH_SET_ALL), HASH_NONE);
}

static void a_bare_digest_is_of_the_preferred_hash_and_else_of_sha_2(void **state)
{
    (void)state;
    static const struct {
        size_t len;
        unsigned preferred;
        enum hash hash;
    } rows[] = {{32, HASH_SET_ALL, HASH_SHA256},
                {32, 0, HASH_SHA256},
                {32, HASH_SET_DEFAULT | 1u << HASH_SHA3_256, HASH_SHA256},
                {32, 1u << HASH_SHA3_256, HASH_SHA3_256},
                {32, 1u << HASH_SHA3_512, HASH_SHA256},
                {64, 1u << HASH_SHA3_512 | 1u << HASH_SHA256, HASH_SHA3_512},
                {20, 1u << HASH_SHA256, HASH_SHA1}};
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_int_equal(hash_by_len(rows[i].len, rows[i].preferred), rows[i].hash);
}

static void values_outside_the_enums_read_as_none(void **state)
{
    (void)state;
    assert_string_equal(hash_name(HASH_NONE), "none");
    assert_string_equal(hash_name((enum hash)99), "none");
    assert_int_equal(hash_len((enum hash)99), 0);
    assert_null(hash_openssl(HASH_NONE));
    assert_int_equal(key_type_bits((enum key_type)99), 0);
    assert_string_equal(mechanism_name((enum mechanism)99), "none");
}

static void openssl_knows_every_hash_with_this_length(void **state)
{
    (void)state;
    for (int i = 1; i < HASH_COUNT; i++) {
        EVP_MD *md = EVP_MD_fetch(NULL, hash_openssl((enum hash)i), NULL);
        assert_non_null(md);
        assert_int_equal(EVP_MD_get_size(md), hash_len((enum hash)i));
        EVP_MD_free(md);
    }
}

static void fill(uint8_t *digest, size_t len)
{
    for (size_t i = 0; i < len; i++)
        digest[i] = (uint8_t)(i + 1);
}

/* OpenSSL's own X509_SIG is the DigestInfo. */
static void digest_info_is_what_openssl_encodes(void **state)
{
    (void)state;
    for (int i = 1; i < HASH_COUNT; i++) {
        uint8_t digest[64];
        fill(digest, sizeof(digest));
        int len = (int)hash_len((enum hash)i);
        X509_SIG *sig = X509_SIG_new();
        X509_ALGOR *algorithm = NULL;
        ASN1_OCTET_STRING *octets = NULL;
        X509_SIG_getm(sig, &algorithm, &octets);
        assert_int_equal(
            X509_ALGOR_set0(algorithm, OBJ_nid2obj(OBJ_sn2nid(hash_openssl((enum hash)i))), V_ASN1_NULL, NULL), 1);
        assert_int_equal(ASN1_OCTET_STRING_set(octets, digest, len), 1);
        uint8_t *der = NULL;
        int der_len = i2d_X509_SIG(sig, &der);

        cleanup_buf struct buf out = {0};
        digest_info_encode((enum hash)i, (struct slice){digest, (size_t)len}, &out);
        assert_true(slice_equal(buf_slice(&out), (struct slice){der, (size_t)der_len}));
        OPENSSL_free(der);
        X509_SIG_free(sig);
    }
}

static void digest_info_decodes_what_was_encoded_and_nothing_near_it(void **state)
{
    (void)state;
    for (int i = 1; i < HASH_COUNT; i++) {
        uint8_t digest[64];
        fill(digest, sizeof(digest));
        cleanup_buf struct buf info = {0};
        struct slice in = {digest, hash_len((enum hash)i)};
        digest_info_encode((enum hash)i, in, &info);

        enum hash h = HASH_NONE;
        struct slice out = {0};
        assert_true(digest_info_decode(buf_slice(&info), &h, &out));
        assert_int_equal(h, i);
        assert_true(slice_equal(out, in));

        /* Any bit of the prefix turned, a byte less, a byte more. */
        for (size_t bit = 0; bit < 8 * (info.len - in.len); bit++) {
            info.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_false(digest_info_decode(buf_slice(&info), &h, &out));
            info.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        assert_false(digest_info_decode((struct slice){info.data, info.len - 1}, &h, &out));
        buf_add_byte(&info, 0);
        assert_false(digest_info_decode(buf_slice(&info), &h, &out));
    }
    assert_false(digest_info_decode((struct slice){0}, &(enum hash){0}, &(struct slice){0}));
}

/* RFC 8017 allows these to verifiers of old; here they are refused. */
static void digest_info_without_parameters_or_in_ber_is_refused(void **state)
{
    (void)state;
    static const struct slice rows[] = {
        /* no NULL behind the OID */
        {(const uint8_t *)"\x30\x1f\x30\x07\x06\x05\x2b\x0e\x03\x02\x1a\x04\x14"
                          "01234567890123456789",
         33},
        /* length in the long form */
        {(const uint8_t *)"\x30\x81\x21\x30\x09\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00\x04\x14"
                          "01234567890123456789",
         36},
        /* a bare digest */
        {(const uint8_t *)"01234567890123456789012345678901", 32},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_false(digest_info_decode(rows[i], &(enum hash){0}, &(struct slice){0}));
}

static void digest_info_of_a_digest_of_another_length_is_not_made(void **state)
{
    (void)state;
    static const struct {
        enum hash hash;
        size_t len;
    } rows[] = {{HASH_SHA256, 31}, {HASH_SHA256, 33}, {HASH_SHA256, 0}, {HASH_NONE, 0}, {HASH_NONE, 32}};
    uint8_t digest[64] = {0};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cleanup_buf struct buf out = {0};
        digest_info_encode(rows[i].hash, (struct slice){digest, rows[i].len}, &out);
        assert_true(out.failed);
        assert_int_equal(out.len, 0);
    }
}

static void hash_sets_read_and_write_comma_separated_names(void **state)
{
    (void)state;
    char text[HASH_SET_SIZE];
    bool valid = false;
    assert_int_equal(hash_set_parse("sha256,sha384,sha512", &valid), HASH_SET_DEFAULT);
    assert_true(valid);
    hash_set_format(HASH_SET_DEFAULT, text);
    assert_string_equal(text, "sha256,sha384,sha512");
    assert_int_equal(hash_set_parse("sha512,sha1", &valid), hash_bit(HASH_SHA1) | hash_bit(HASH_SHA512));
    hash_set_format(~0u, text);
    assert_string_equal(text, "sha1,sha224,sha256,sha384,sha512,sha3-224,sha3-256,sha3-384,sha3-512");
    assert_int_equal(hash_set_parse(text, &valid), HASH_SET_ALL);
    assert_int_equal(hash_set_parse("", &valid), 0);
    assert_true(valid);
    hash_set_format(0, text);
    assert_string_equal(text, "");
}

static void a_hash_set_with_one_bad_name_is_empty_and_invalid(void **state)
{
    (void)state;
    static const char *const rows[] = {",",       "sha256,",       ",sha256",        "sha256,,sha384", "sha256, sha384",
                                       "sha256;", "sha256,sha256", "sha256,unknown", "none",           "SHA256"};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        bool valid = true;
        assert_int_equal(hash_set_parse(rows[i], &valid), 0);
        assert_false(valid);
    }
    bool valid = true;
    assert_int_equal(hash_set_parse(NULL, &valid), 0);
    assert_false(valid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_leads_back_to_its_value),
        cmocka_unit_test(unknown_names_are_not_found),
        cmocka_unit_test(a_bare_digest_is_of_the_preferred_hash_and_else_of_sha_2),
        cmocka_unit_test(values_outside_the_enums_read_as_none),
        cmocka_unit_test(openssl_knows_every_hash_with_this_length),
        cmocka_unit_test(digest_info_is_what_openssl_encodes),
        cmocka_unit_test(digest_info_decodes_what_was_encoded_and_nothing_near_it),
        cmocka_unit_test(digest_info_without_parameters_or_in_ber_is_refused),
        cmocka_unit_test(digest_info_of_a_digest_of_another_length_is_not_made),
        cmocka_unit_test(hash_sets_read_and_write_comma_separated_names),
        cmocka_unit_test(a_hash_set_with_one_bad_name_is_empty_and_invalid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

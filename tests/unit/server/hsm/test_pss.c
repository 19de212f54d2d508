/* SPDX-License-Identifier: Apache-2.0 */
/* The block encoded here, signed raw by OpenSSL, is a PSS signature to OpenSSL. */
#include "unit.h"

#include <openssl/rsa.h>
#include <string.h>

static const uint8_t digest[64] = "Sixty-four bytes, of which a digest takes as many as it needs..";

static struct sign_input input_of(enum hash hash, enum hash mgf_hash, size_t salt_len)
{
    return (struct sign_input){MECHANISM_RSA_PSS, hash, {digest, hash_len(hash)}, mgf_hash, salt_len};
}

static void sign_raw(EVP_PKEY *key, struct slice block, uint8_t out[256])
{
    size_t len = 256;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);

    assert_true(EVP_PKEY_sign_init(ctx) == 1 && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) == 1);
    assert_int_equal(EVP_PKEY_sign(ctx, out, &len, block.data, block.len), 1);
    assert_int_equal(len, 256);
    EVP_PKEY_CTX_free(ctx);
}

static void assert_is_pss(EVP_PKEY *key, const struct sign_input *in)
{
    cleanup_buf struct buf block = {0};
    uint8_t signature[256];
    struct error err = {0};

    assert_true(is_ok(pss_encode(NULL, in, KEY_TYPE_RSA2048, &block, &err)));
    assert_int_equal(block.len, 256);
    sign_raw(key, buf_slice(&block), signature);
    if (!is_ok(signature_verify(NULL, key, in, (struct slice){signature, sizeof signature}, &err)))
        fail_msg("%s, mgf %s, salt %zu: %s", hash_name(in->hash), hash_name(in->mgf_hash), in->salt_len, err.text);
}

static void openssl_verifies_every_pair_of_hashes_and_every_kind_of_salt(void **state)
{
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);

    (void)state;
    for (int h = HASH_NONE + 1; h < HASH_COUNT; h++) {
        for (int m = HASH_NONE + 1; m < HASH_COUNT; m++) {
            const size_t salts[] = {0, 20, hash_len((enum hash)h), 256 - 2 - hash_len((enum hash)h)};
            for (size_t i = 0; i < COUNT_OF(salts); i++) {
                struct sign_input in = input_of((enum hash)h, (enum hash)m, salts[i]);
                assert_is_pss(key, &in);
            }
        }
    }
    EVP_PKEY_free(key);
}

static void two_blocks_of_one_digest_differ_by_their_salts(void **state)
{
    cleanup_buf struct buf a = {0}, b = {0};
    struct sign_input in = input_of(HASH_SHA256, HASH_SHA256, 32);

    (void)state;
    assert_true(is_ok(pss_encode(NULL, &in, KEY_TYPE_RSA2048, &a, NULL)));
    assert_true(is_ok(pss_encode(NULL, &in, KEY_TYPE_RSA2048, &b, NULL)));
    assert_false(slice_equal(buf_slice(&a), buf_slice(&b)));
}

static void a_salt_that_does_not_fit_is_refused(void **state)
{
    cleanup_buf struct buf block = {0};
    struct sign_input in = input_of(HASH_SHA3_512, HASH_SHA3_512, 256 - 2 - 64 + 1);

    (void)state;
    assert_int_equal(pss_encode(NULL, &in, KEY_TYPE_RSA2048, &block, NULL).code, CODE_INVALID);
    assert_int_equal(block.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(openssl_verifies_every_pair_of_hashes_and_every_kind_of_salt),
        cmocka_unit_test(two_blocks_of_one_digest_differ_by_their_salts),
        cmocka_unit_test(a_salt_that_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

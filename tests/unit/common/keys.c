/* SPDX-License-Identifier: Apache-2.0 */
#include "keys.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include "expect.h"

static EVP_PKEY *keys[KEY_TYPE_COUNT];

EVP_PKEY *key_of(enum key_type type)
{
    static const char *const curves[KEY_TYPE_COUNT] = {
        [KEY_TYPE_P256] = "P-256", [KEY_TYPE_P384] = "P-384", [KEY_TYPE_P521] = "P-521"};

    if (!keys[type]) {
        if (curves[type])
            keys[type] = EVP_EC_gen(curves[type]);
        else if (type == KEY_TYPE_ED25519)
            keys[type] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
        else
            keys[type] = EVP_RSA_gen((unsigned)key_type_bits(type));
    }
    assert_non_null(keys[type]);
    return keys[type];
}

void keys_clear(void)
{
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        EVP_PKEY_free(keys[i]);
        keys[i] = NULL;
    }
}

static void sign_message(EVP_PKEY *key, struct slice message, struct buf *signature)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t len = 64;
    uint8_t *out = buf_reserve(signature, len);
    assert_int_equal(EVP_DigestSignInit_ex(ctx, NULL, NULL, NULL, NULL, key, NULL), 1);
    assert_int_equal(EVP_DigestSign(ctx, out, &len, message.data, message.len), 1);
    signature->len += len;
    EVP_MD_CTX_free(ctx);
}

/* Through the classic controls and not by parameters, so that test and code do not share a fault. */
void sign_with(EVP_PKEY *key, const struct sign_input *in, struct buf *signature)
{
    if (in->mechanism == MECHANISM_EDDSA) {
        sign_message(key, in->digest, signature);
        return;
    }
    uint8_t out[1024];
    size_t len = sizeof(out);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
    if (in->mechanism != MECHANISM_ECDSA)
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, in->mechanism == MECHANISM_RSA_PSS ? RSA_PKCS1_PSS_PADDING
                                                                                              : RSA_PKCS1_PADDING),
                         1);
    assert_int_equal(EVP_PKEY_CTX_set_signature_md(ctx, EVP_get_digestbyname(hash_openssl(in->hash))), 1);
    if (in->mechanism == MECHANISM_RSA_PSS) {
        assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_get_digestbyname(hash_openssl(in->mgf_hash))), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, (int)in->salt_len), 1);
    }
    assert_int_equal(EVP_PKEY_sign(ctx, out, &len, in->digest.data, in->digest.len), 1);
    EVP_PKEY_CTX_free(ctx);

    enum key_type type = KEY_TYPE_NONE;
    assert_ok(key_type_of(key, &type, NULL));
    if (in->mechanism == MECHANISM_ECDSA)
        assert_ok(ecdsa_der_to_raw((struct slice){out, len}, key_type_signature_len(type) / 2, signature, NULL));
    else
        buf_add(signature, out, len);
}

static EVP_PKEY *from_params(const char *name, OSSL_PARAM_BLD *builder)
{
    EVP_PKEY *key = NULL;
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, name, NULL);
    assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
    assert_int_equal(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params), 1);
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(builder);
    return key;
}

EVP_PKEY *public_rsa(struct slice modulus)
{
    BIGNUM *n = BN_bin2bn(modulus.data, (int)modulus.len, NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    assert_int_equal(OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n), 1);
    assert_int_equal(OSSL_PARAM_BLD_push_uint(builder, OSSL_PKEY_PARAM_RSA_E, 65537), 1);
    EVP_PKEY *key = from_params("RSA", builder);
    BN_free(n);
    return key;
}

EVP_PKEY *public_ec(const char *group, struct slice point)
{
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    assert_int_equal(OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, group, 0), 1);
    assert_int_equal(OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point.data, point.len), 1);
    return from_params("EC", builder);
}

EVP_PKEY *public_ed25519(struct slice raw)
{
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, raw.data, raw.len);
    assert_non_null(key);
    return key;
}

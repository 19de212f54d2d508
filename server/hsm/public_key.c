/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys as PKCS#11 describes them (CKA_MODULUS, CKA_EC_POINT, CKA_EC_PARAMS) to OpenSSL's. */
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <string.h>

#include "server/hsm/internal.h"

/* CKA_EC_PARAMS: the curve's OID in DER (X9.62, RFC 8410); for Edwards curves PKCS#11 3.0 §2.3.10 also has the name. */
static const struct {
    enum key_type type;
    const char *group;
    size_t point_len;
    struct slice params;
} curves[] = {
    {KEY_TYPE_P256, "P-256", 65, {(const uint8_t *)"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", 10}},
    {KEY_TYPE_P384, "P-384", 97, {(const uint8_t *)"\x06\x05\x2b\x81\x04\x00\x22", 7}},
    {KEY_TYPE_P521, "P-521", 133, {(const uint8_t *)"\x06\x05\x2b\x81\x04\x00\x23", 7}},
    {KEY_TYPE_ED25519, "ED25519", 32, {(const uint8_t *)"\x06\x03\x2b\x65\x70", 5}},
    {KEY_TYPE_ED25519,
     "ED25519",
     32,
     {(const uint8_t *)"\x13\x0c"
                       "edwards25519",
      14}},
};

struct slice curve_params(enum key_type type)
{
    for (size_t i = 0; i < COUNT_OF(curves); i++) {
        if (curves[i].type == type)
            return curves[i].params;
    }
    return (struct slice){0};
}

enum key_type curve_type(struct slice ec_params)
{
    for (size_t i = 0; i < COUNT_OF(curves); i++) {
        if (slice_equal(curves[i].params, ec_params))
            return curves[i].type;
    }
    return KEY_TYPE_NONE;
}

/* The point without the OCTET STRING around it, which some modules leave out. Lengths tell the two apart. */
static struct slice point_unwrap(struct slice in, size_t point_len)
{
    size_t header = in.len >= 2 && in.data[1] == 0x81 ? 3 : 2;

    if (in.len == point_len)
        return in;
    if (in.len != header + point_len || in.data[0] != 0x04 || in.data[header - 1] != point_len)
        return (struct slice){0};
    return (struct slice){in.data + header, point_len};
}

static EVP_PKEY *key_from_params(OSSL_LIB_CTX *libctx, const char *name, OSSL_PARAM params[])
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(libctx, name, NULL);

    if (!ctx || EVP_PKEY_fromdata_init(ctx) <= 0 || EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) <= 0)
        key = NULL;
    EVP_PKEY_CTX_free(ctx);
    return key;
}

EVP_PKEY *public_key_of_point(OSSL_LIB_CTX *libctx, enum key_type type, struct slice in)
{
    for (size_t i = 0; i < COUNT_OF(curves); i++) {
        if (curves[i].type != type)
            continue;
        struct slice point = point_unwrap(in, curves[i].point_len);
        if (!point.data)
            return NULL;
        if (type == KEY_TYPE_ED25519)
            return EVP_PKEY_new_raw_public_key_ex(libctx, "ED25519", NULL, point.data, point.len);
        OSSL_PARAM params[] = {
            OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)curves[i].group, 0),
            OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)point.data, point.len),
            OSSL_PARAM_construct_end()};
        return key_from_params(libctx, "EC", params);
    }
    return NULL;
}

EVP_PKEY *public_key_of_modulus(OSSL_LIB_CTX *libctx, struct slice modulus, struct slice exponent)
{
    EVP_PKEY *key = NULL;
    BIGNUM *n = BN_bin2bn(modulus.data, (int)modulus.len, NULL);
    BIGNUM *e = BN_bin2bn(exponent.data, (int)exponent.len, NULL);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();

    if (n && e && build && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e)) {
        OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
        if (params)
            key = key_from_params(libctx, "RSA", params);
        OSSL_PARAM_free(params);
    }
    OSSL_PARAM_BLD_free(build);
    BN_free(n);
    BN_free(e);
    return key;
}

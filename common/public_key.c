/* SPDX-License-Identifier: Apache-2.0 */
/* What Chancery knows of a public key: its type and its CKA_ID. Declared in common/signature.h. */
#include "common/signature.h"

#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/ec.h>
#include <openssl/objects.h>
#include <string.h>

#include "common/openssl_scope.h"

static enum key_type type_by(enum key_family family, int bits)
{
    for (int t = KEY_TYPE_NONE + 1; t < KEY_TYPE_COUNT; t++) {
        if (key_type_family((enum key_type)t) == family && key_type_bits((enum key_type)t) == bits)
            return (enum key_type)t;
    }
    return KEY_TYPE_NONE;
}

/* Providers name a curve as they like: prime256v1 or P-256. */
static enum key_type ec_type(EVP_PKEY *key)
{
    char group[64] = "";
    if (EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) != 1)
        return KEY_TYPE_NONE;

    int nid = EC_curve_nist2nid(group);
    switch (nid != NID_undef ? nid : OBJ_sn2nid(group)) {
    case NID_X9_62_prime256v1:
        return KEY_TYPE_P256;
    case NID_secp384r1:
        return KEY_TYPE_P384;
    case NID_secp521r1:
        return KEY_TYPE_P521;
    default:
        return KEY_TYPE_NONE;
    }
}

status key_type_of(EVP_PKEY *key, enum key_type *out, struct error *err)
{
    cleanup_err_mark bool marked = err_mark();
    enum key_type type = KEY_TYPE_NONE;
    if (!key)
        return error_set(err, CODE_INVALID, "no public key");
    if (EVP_PKEY_is_a(key, "RSA"))
        type = type_by(FAMILY_RSA, EVP_PKEY_get_bits(key));
    else if (EVP_PKEY_is_a(key, "EC"))
        type = ec_type(key);
    else if (EVP_PKEY_is_a(key, "ED25519"))
        type = KEY_TYPE_ED25519;
    if (type == KEY_TYPE_NONE)
        return error_set(err, CODE_INVALID, "a public key of this type or size is not supported");

    *out = type;
    return OK;
}

/* Writes a number, padded on the left to len; 0 takes its natural length. False when the key has no such number. */
static bool add_number(EVP_PKEY *key, const char *name, size_t len, struct buf *out)
{
    cleanup_bn BIGNUM *number = NULL;
    if (EVP_PKEY_get_bn_param(key, name, &number) != 1)
        return false;

    size_t width = len ? len : (size_t)BN_num_bytes(number);
    uint8_t *bytes = buf_reserve(out, width);
    if (!bytes || BN_bn2binpad(number, bytes, (int)width) < 0)
        return false;
    out->len += width;
    return true;
}

/* The point is put together from its coordinates: a key read from a compressed point would be given out compressed. */
static bool add_public_bytes(EVP_PKEY *key, enum key_type type, struct buf *out)
{
    size_t len = key_type_signature_len(type) / 2; /* of a coordinate, and of an Ed25519 key */
    if (key_type_family(type) == FAMILY_RSA)
        return add_number(key, OSSL_PKEY_PARAM_RSA_N, 0, out);
    if (key_type_family(type) == FAMILY_EC) {
        buf_add_byte(out, POINT_CONVERSION_UNCOMPRESSED);
        return add_number(key, OSSL_PKEY_PARAM_EC_PUB_X, len, out) &&
               add_number(key, OSSL_PKEY_PARAM_EC_PUB_Y, len, out);
    }
    uint8_t *bytes = buf_reserve(out, len);
    if (!bytes || EVP_PKEY_get_raw_public_key(key, bytes, &len) != 1)
        return false;
    out->len += len;
    return true;
}

status key_cka_id(EVP_PKEY *key, uint8_t out[20], struct error *err)
{
    cleanup_err_mark bool marked = err_mark();
    enum key_type type = KEY_TYPE_NONE;
    TRY(key_type_of(key, &type, err));

    cleanup_buf struct buf bytes = {0};
    bool complete = add_public_bytes(key, type, &bytes);
    TRY(buf_check(&bytes, err));
    if (!complete)
        return error_set(err, CODE_INVALID, "the public key cannot be read");
    if (EVP_Q_digest(NULL, "SHA1", NULL, bytes.data, bytes.len, out, NULL) != 1)
        return error_set(err, CODE_INTERNAL, "SHA-1 is not available");
    return OK;
}

/* By a decoder: d2i_PUBKEY makes a legacy key, with the host's methods, where the host has an engine as its default. */
status public_key_decode(OSSL_LIB_CTX *libctx, struct slice spki, EVP_PKEY **out, struct error *err)
{
    cleanup_err_mark bool marked = err_mark();
    EVP_PKEY *key = NULL;
    OSSL_DECODER_CTX *ctx =
        OSSL_DECODER_CTX_new_for_pkey(&key, "DER", "SubjectPublicKeyInfo", NULL, EVP_PKEY_PUBLIC_KEY, libctx, NULL);
    const unsigned char *at = spki.data;
    size_t left = spki.len;
    bool done = ctx && OSSL_DECODER_from_data(ctx, &at, &left) == 1 && left == 0;
    OSSL_DECODER_CTX_free(ctx);
    if (!done) {
        EVP_PKEY_free(key);
        return error_set(err, CODE_INVALID, "not the DER form of a public key");
    }
    *out = key;
    return OK;
}

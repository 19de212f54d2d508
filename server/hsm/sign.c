/* SPDX-License-Identifier: Apache-2.0 */
/* One signature. I5: what the token signs is built here, from a hash's name and a digest of its length. */
#include "server/hsm/internal.h"

enum { SIGNATURE_MAX = 512 };

struct signing {
    const uint8_t *id;
    enum key_type type;
    const struct sign_input *in;
    CK_MECHANISM mechanism;
    CK_RSA_PKCS_PSS_PARAMS pss;
    struct slice data;
    struct buf *block; /* what data borrows from, where it is made here */
    uint8_t out[SIGNATURE_MAX];
    CK_ULONG out_len;
};

static const struct {
    CK_MECHANISM_TYPE digest;
    CK_RSA_PKCS_MGF_TYPE mgf;
} hashes[HASH_COUNT] = {
    [HASH_SHA1] = {CKM_SHA_1, CKG_MGF1_SHA1},
    [HASH_SHA224] = {CKM_SHA224, CKG_MGF1_SHA224},
    [HASH_SHA256] = {CKM_SHA256, CKG_MGF1_SHA256},
    [HASH_SHA384] = {CKM_SHA384, CKG_MGF1_SHA384},
    [HASH_SHA512] = {CKM_SHA512, CKG_MGF1_SHA512},
    [HASH_SHA3_224] = {CKM_SHA3_224, CKG_MGF1_SHA3_224},
    [HASH_SHA3_256] = {CKM_SHA3_256, CKG_MGF1_SHA3_256},
    [HASH_SHA3_384] = {CKM_SHA3_384, CKG_MGF1_SHA3_384},
    [HASH_SHA3_512] = {CKM_SHA3_512, CKG_MGF1_SHA3_512},
};

/* A token may refuse a digest longer than the curve's order; ECDSA takes its leftmost bits (FIPS 186-5 §6.4.1). */
static struct slice ecdsa_digest(struct slice digest, enum key_type type)
{
    size_t order_len = key_type_signature_len(type) / 2;

    return digest.len > order_len ? (struct slice){digest.data, order_len} : digest;
}

static void signing_prepare(struct signing *g)
{
    const struct sign_input *in = g->in;

    g->data = in->digest;
    switch (in->mechanism) {
    case MECHANISM_RSA_PKCS1:
        digest_info_encode(in->hash, in->digest, g->block);
        g->data = buf_slice(g->block);
        g->mechanism.mechanism = CKM_RSA_PKCS;
        break;
    case MECHANISM_RSA_PSS:
        g->pss = (CK_RSA_PKCS_PSS_PARAMS){hashes[in->hash].digest, hashes[in->mgf_hash].mgf, in->salt_len};
        g->mechanism = (CK_MECHANISM){CKM_RSA_PKCS_PSS, &g->pss, sizeof g->pss};
        break;
    case MECHANISM_ECDSA:
        g->data = ecdsa_digest(in->digest, g->type);
        g->mechanism.mechanism = CKM_ECDSA;
        break;
    default:
        g->mechanism.mechanism = CKM_EDDSA;
        break;
    }
}

/* C_SignInit's ways to say that it knows the mechanism but not these hashes, or not this salt. Nothing was signed. */
static bool is_pss_refusal(const struct signing *g, CK_RV rv)
{
    return g->mechanism.mechanism == CKM_RSA_PKCS_PSS &&
           (rv == CKR_MECHANISM_PARAM_INVALID || rv == CKR_ARGUMENTS_BAD || rv == CKR_MECHANISM_INVALID);
}

/* SoftHSM 2.6 has no SHA-3 and wants the same hash in both places: the block is encoded here then. */
static CK_RV sign_begin(struct hsm *h, struct session *s, struct signing *g, CK_OBJECT_HANDLE key)
{
    CK_RV rv = CALL(h, s, C_SignInit)(s->handle, &g->mechanism, key);

    if (!is_pss_refusal(g, rv))
        return rv;
    if (!is_ok(pss_encode(h->libctx, g->in, g->type, g->block, NULL)))
        return CKR_GENERAL_ERROR;
    g->data = buf_slice(g->block);
    g->mechanism = (CK_MECHANISM){CKM_RSA_X_509, NULL, 0};
    return CALL(h, s, C_SignInit)(s->handle, &g->mechanism, key);
}

static CK_RV sign_operation(struct hsm *h, struct session *s, void *arg)
{
    struct signing *g = arg;
    CK_OBJECT_HANDLE key;

    CK_RV rv = object_private(h, s, g->id, &key);
    if (rv != CKR_OK)
        return rv;
    rv = sign_begin(h, s, g, key);
    if (rv != CKR_OK)
        return rv;
    g->out_len = sizeof g->out;
    return CALL(h, s, C_Sign)(s->handle, (CK_BYTE *)g->data.data, g->data.len, g->out, &g->out_len);
}

status hsm_sign(struct hsm *h, const uint8_t id[HSM_ID_LEN], enum key_type type, const struct sign_input *in,
                struct deadline d, struct buf *signature, struct error *err)
{
    cleanup_buf struct buf block = {0};
    struct signing g;

    g.id = id;
    g.type = type;
    g.in = in;
    g.block = &block;
    g.mechanism = (CK_MECHANISM){0};
    TRY(sign_input_check(in, type, err));
    signing_prepare(&g);
    TRY(buf_check(&block, err));
    TRY(hsm_run(h, d, h->timeout_ms, sign_operation, &g, err));
    if (g.out_len != key_type_signature_len(type))
        return error_set(err, CODE_INTERNAL, "the HSM gave a signature of %lu bytes, %zu are expected", g.out_len,
                         key_type_signature_len(type));
    buf_reset(signature);
    buf_add(signature, g.out, g.out_len);
    return buf_check(signature, err);
}

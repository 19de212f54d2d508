/* SPDX-License-Identifier: Apache-2.0 */
/* The provider's signatures: the digest is made here, the HSM signs it (hsm_sign). Verification is passed to OpenSSL's
 * own implementation with the public half. I5: whatever is signed has a hash by name and a digest of its length; a bare
 * RSA signature is made only of a DigestInfo. */
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <string.h>

#include "server/hsm/provider.h"
#include "common/openssl_scope.h"

static void *signature_new(void *libctx, const char *properties)
{
    struct signature_ctx *c = calloc(1, sizeof *c);

    (void)properties;
    if (c) {
        c->libctx = libctx;
        c->scheme.salt_len = RSA_PSS_SALTLEN_DIGEST;
    }
    return c;
}

static void signature_free(void *ctx)
{
    struct signature_ctx *c = ctx;

    if (!c)
        return;
    EVP_MD_CTX_free(c->digest);
    provider_key_free(c->key);
    free(c);
}

static void *signature_dup(void *ctx)
{
    const struct signature_ctx *from = ctx;
    struct signature_ctx *c = signature_new(from->libctx, NULL);

    if (!c)
        return NULL;
    c->key = provider_key_dup(from->key);
    c->scheme = from->scheme;
    c->digest = from->digest ? EVP_MD_CTX_new() : NULL;
    if (from->digest && (!c->digest || !EVP_MD_CTX_copy_ex(c->digest, from->digest))) {
        signature_free(c);
        return NULL;
    }
    return c;
}

static int key_take(struct signature_ctx *c, void *key, bool private)
{
    static const enum mechanism usual[] = {
        [FAMILY_RSA] = MECHANISM_RSA_PKCS1, [FAMILY_EC] = MECHANISM_ECDSA, [FAMILY_EDWARDS] = MECHANISM_EDDSA};

    if (key) {
        provider_key_free(c->key);
        c->key = provider_key_dup(key);
        c->scheme.mechanism = usual[c->key->family];
    }
    if (!c->key || !c->key->public_key)
        return 0;
    return !private || c->key->h || provider_fail(CODE_INVALID, "the key has no private half");
}

static int sign_init(void *ctx, void *key, const OSSL_PARAM params[])
{
    return key_take(ctx, key, true) && provider_params_set(ctx, params);
}

static int verify_init(void *ctx, void *key, const OSSL_PARAM params[])
{
    return key_take(ctx, key, false) && provider_params_set(ctx, params);
}

static int digest_begin(struct signature_ctx *c, const char *name)
{
    if (c->key->family == FAMILY_EDWARDS)
        return !name || !name[0] || provider_fail(CODE_INVALID, "Ed25519 takes no digest");
    if (name && name[0])
        c->scheme.hash = scheme_hash(name);
    if (c->scheme.hash == HASH_NONE)
        return provider_fail(CODE_MECHANISM_DENIED, "this hash is not signed");

    EVP_MD *md = EVP_MD_fetch(c->libctx, hash_openssl(c->scheme.hash), NULL);
    EVP_MD_CTX_free(c->digest);
    c->digest = EVP_MD_CTX_new();
    int done = md && c->digest && EVP_DigestInit_ex2(c->digest, md, NULL);
    EVP_MD_free(md); /* the context holds its own */
    return done;
}

static int digest_sign_init(void *ctx, const char *name, void *key, const OSSL_PARAM params[])
{
    return sign_init(ctx, key, params) && digest_begin(ctx, name);
}

static int digest_verify_init(void *ctx, const char *name, void *key, const OSSL_PARAM params[])
{
    return verify_init(ctx, key, params) && digest_begin(ctx, name);
}

static int digest_update(void *ctx, const unsigned char *data, size_t len)
{
    struct signature_ctx *c = ctx;

    return c->digest && EVP_DigestUpdate(c->digest, data, len);
}

static status hsm_signature(struct signature_ctx *c, struct slice tbs, struct buf *out, struct error *err)
{
    cleanup_buf struct buf raw = {0};
    struct provider_key *k = c->key;
    struct sign_input in = scheme_input(&c->scheme, k, tbs);

    if (in.mechanism == MECHANISM_RSA_PKCS1 && in.hash == HASH_NONE && !digest_info_decode(tbs, &in.hash, &in.digest))
        return error_set(err, CODE_DIGEST_MALFORMED, "neither a digest nor a DigestInfo");
    if (in.mechanism == MECHANISM_ECDSA && in.hash == HASH_NONE)
        in.hash = hash_by_len(tbs.len, HASH_SET_DEFAULT);
    TRY(hsm_sign(k->h, k->id, k->type, &in, deadline_in(k->h->timeout_ms), &raw, err));
    if (in.mechanism == MECHANISM_ECDSA)
        return ecdsa_raw_to_der(buf_slice(&raw), out, err);
    buf_add(out, raw.data, raw.len);
    return buf_check(out, err);
}

static int sign(void *ctx, unsigned char *sig, size_t *sig_len, size_t size, const unsigned char *tbs, size_t tbs_len)
{
    struct signature_ctx *c = ctx;
    cleanup_buf struct buf made = {0};
    struct error err = {0};
    size_t max = (size_t)EVP_PKEY_get_size(c->key->public_key);

    if (!sig) {
        *sig_len = max;
        return 1;
    }
    if (!is_ok(hsm_signature(c, (struct slice){tbs, tbs_len}, &made, &err))) {
        provider_raise(&err);
        return 0;
    }
    if (made.len > size)
        return provider_fail(CODE_INTERNAL, "no room for the signature");
    memcpy(sig, made.data, made.len);
    *sig_len = made.len;
    return 1;
}

static int digest_sign_final(void *ctx, unsigned char *sig, size_t *sig_len, size_t size)
{
    struct signature_ctx *c = ctx;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    if (sig && (!c->digest || !EVP_DigestFinal_ex(c->digest, digest, &len)))
        return 0;
    return sign(c, sig, sig_len, size, digest, len);
}

/* ---- verification, in software */

static int verify(void *ctx, const unsigned char *sig, size_t sig_len, const unsigned char *tbs, size_t tbs_len)
{
    struct signature_ctx *c = ctx;
    enum hash mgf = c->scheme.mgf_hash != HASH_NONE ? c->scheme.mgf_hash : c->scheme.hash;
    OSSL_PARAM params[5], *p = params;

    if (c->scheme.hash != HASH_NONE)
        *p++ = OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, (char *)hash_openssl(c->scheme.hash), 0);
    if (c->scheme.mechanism == MECHANISM_RSA_PSS) {
        *p++ = OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, OSSL_PKEY_RSA_PAD_MODE_PSS, 0);
        *p++ = OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, &c->scheme.salt_len);
        *p++ = OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, (char *)hash_openssl(mgf), 0);
    }
    *p = OSSL_PARAM_construct_end();
    cleanup_pkey_ctx EVP_PKEY_CTX *v = EVP_PKEY_CTX_new_from_pkey(c->libctx, c->key->public_key, NULL);
    return v && EVP_PKEY_verify_init_ex(v, params) > 0 && EVP_PKEY_verify(v, sig, sig_len, tbs, tbs_len) == 1;
}

static int digest_verify_final(void *ctx, const unsigned char *sig, size_t sig_len)
{
    struct signature_ctx *c = ctx;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    return c->digest && EVP_DigestFinal_ex(c->digest, digest, &len) && verify(c, sig, sig_len, digest, len);
}

static int ed25519_verify(void *ctx, const unsigned char *sig, size_t sig_len, const unsigned char *tbs, size_t tbs_len)
{
    struct signature_ctx *c = ctx;
    cleanup_md_ctx EVP_MD_CTX *v = EVP_MD_CTX_new();

    return v && EVP_DigestVerifyInit_ex(v, NULL, NULL, c->libctx, NULL, c->key->public_key, NULL) > 0 &&
           EVP_DigestVerify(v, sig, sig_len, tbs, tbs_len) == 1;
}

#define F(id, function)                                                                                                \
    {                                                                                                                  \
        OSSL_FUNC_SIGNATURE_##id, (void (*)(void))(function)                                                           \
    }
#define COMMON_FUNCTIONS                                                                                               \
    F(NEWCTX, signature_new), F(FREECTX, signature_free), F(DUPCTX, signature_dup),                                    \
        F(DIGEST_SIGN_INIT, digest_sign_init), F(DIGEST_VERIFY_INIT, digest_verify_init),                              \
        F(GET_CTX_PARAMS, provider_params_get), F(GETTABLE_CTX_PARAMS, provider_params_gettable),                      \
        F(SET_CTX_PARAMS, provider_params_set), F(SETTABLE_CTX_PARAMS, provider_params_settable)

static const OSSL_DISPATCH digest_functions[] = {COMMON_FUNCTIONS,
                                                 F(SIGN_INIT, sign_init),
                                                 F(SIGN, sign),
                                                 F(VERIFY_INIT, verify_init),
                                                 F(VERIFY, verify),
                                                 F(DIGEST_SIGN_UPDATE, digest_update),
                                                 F(DIGEST_SIGN_FINAL, digest_sign_final),
                                                 F(DIGEST_VERIFY_UPDATE, digest_update),
                                                 F(DIGEST_VERIFY_FINAL, digest_verify_final),
                                                 {0, NULL}};
static const OSSL_DISPATCH ed25519_functions[] = {
    COMMON_FUNCTIONS, F(DIGEST_SIGN, sign), F(DIGEST_VERIFY, ed25519_verify), {0, NULL}};

const OSSL_ALGORITHM provider_signatures[] = {
    {"RSA:rsaEncryption", "provider=" PROVIDER_NAME, digest_functions, "RSA in the HSM"},
    {"ECDSA", "provider=" PROVIDER_NAME, digest_functions, "ECDSA in the HSM"},
    {"ED25519", "provider=" PROVIDER_NAME, ed25519_functions, "Ed25519 in the HSM"},
    {NULL, NULL, NULL, NULL}};

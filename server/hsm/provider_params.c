/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters of a signature under way: what OpenSSL's callers set (hash, padding, salt) and ask for (the same, and the
 * AlgorithmIdentifier that goes into a certificate). */
#include <limits.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "server/hsm/provider.h"

static int text_of(const OSSL_PARAM *p, char out[64])
{
    return OSSL_PARAM_get_utf8_string(p, &out, 64);
}

static int set_hash(enum hash *hash, const OSSL_PARAM *p)
{
    char name[64];

    if (!p)
        return 1;
    *hash = text_of(p, name) ? scheme_hash(name) : HASH_NONE;
    return *hash != HASH_NONE || provider_fail(CODE_MECHANISM_DENIED, "this hash is not signed");
}

static int set_padding(struct signature_ctx *c, const OSSL_PARAM *p)
{
    char name[64] = "";
    int mode = 0;

    if (!p)
        return 1;
    if (p->data_type == OSSL_PARAM_UTF8_STRING && !text_of(p, name))
        return 0;
    if (p->data_type == OSSL_PARAM_INTEGER && !OSSL_PARAM_get_int(p, &mode))
        return 0;
    if (mode == RSA_PKCS1_PADDING || strcmp(name, OSSL_PKEY_RSA_PAD_MODE_PKCSV15) == 0)
        c->scheme.mechanism = MECHANISM_RSA_PKCS1;
    else if (mode == RSA_PKCS1_PSS_PADDING || strcmp(name, OSSL_PKEY_RSA_PAD_MODE_PSS) == 0)
        c->scheme.mechanism = MECHANISM_RSA_PSS;
    else
        return provider_fail(CODE_MECHANISM_DENIED, "this RSA padding is not signed");
    return 1;
}

static int set_salt_len(struct signature_ctx *c, const OSSL_PARAM *p)
{
    static const struct {
        const char *name;
        int value;
    } names[] = {{OSSL_PKEY_RSA_PSS_SALT_LEN_DIGEST, RSA_PSS_SALTLEN_DIGEST},
                 {OSSL_PKEY_RSA_PSS_SALT_LEN_MAX, RSA_PSS_SALTLEN_MAX},
                 {OSSL_PKEY_RSA_PSS_SALT_LEN_AUTO, RSA_PSS_SALTLEN_AUTO}};
    char name[64];
    int64_t len = 0;

    if (!p)
        return 1;
    if (p->data_type != OSSL_PARAM_UTF8_STRING)
        return OSSL_PARAM_get_int(p, &c->scheme.salt_len) && c->scheme.salt_len >= RSA_PSS_SALTLEN_MAX;
    if (!text_of(p, name))
        return 0;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (strcmp(names[i].name, name) == 0) {
            c->scheme.salt_len = names[i].value;
            return 1;
        }
    }
    if (!text_to_int64(name, &len) || len < 0 || len > INT_MAX)
        return 0;
    c->scheme.salt_len = (int)len;
    return 1;
}

int provider_params_set(void *ctx, const OSSL_PARAM params[])
{
    struct signature_ctx *c = ctx;

    if (!params)
        return 1;
    if (!set_hash(&c->scheme.hash, OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_DIGEST)))
        return 0;
    if (!c->key || c->key->family != FAMILY_RSA)
        return 1;
    return set_padding(c, OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PAD_MODE)) &&
           set_salt_len(c, OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_PSS_SALTLEN)) &&
           set_hash(&c->scheme.mgf_hash, OSSL_PARAM_locate_const(params, OSSL_SIGNATURE_PARAM_MGF1_DIGEST));
}

const OSSL_PARAM *provider_params_settable(void *ctx, void *libctx)
{
    static const OSSL_PARAM settable[] = {OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, NULL, 0),
                                          OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
                                          OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL, 0),
                                          OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, NULL, 0),
                                          OSSL_PARAM_END};

    (void)ctx;
    (void)libctx;
    return settable;
}

static int get_algorithm_id(const struct signature_ctx *c, OSSL_PARAM *p)
{
    unsigned char *der = NULL;

    if (!p)
        return 1;
    int len = scheme_encode(&c->scheme, c->key, &der);
    int done = len > 0 && OSSL_PARAM_set_octet_string(p, der, (size_t)len);
    OPENSSL_free(der);
    return done;
}

static int get_padding(const struct signature_ctx *c, OSSL_PARAM *p)
{
    bool pss = c->scheme.mechanism == MECHANISM_RSA_PSS;

    if (!p)
        return 1;
    if (p->data_type == OSSL_PARAM_INTEGER)
        return OSSL_PARAM_set_int(p, pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING);
    return OSSL_PARAM_set_utf8_string(p, pss ? OSSL_PKEY_RSA_PAD_MODE_PSS : OSSL_PKEY_RSA_PAD_MODE_PKCSV15);
}

static int get_salt_len(const struct signature_ctx *c, OSSL_PARAM *p)
{
    char text[24];

    if (!p)
        return 1;
    if (p->data_type == OSSL_PARAM_INTEGER)
        return OSSL_PARAM_set_int(p, c->scheme.salt_len);
    struct sign_input in = scheme_input(&c->scheme, c->key, (struct slice){0});
    (void)snprintf(text, sizeof text, "%zu", in.salt_len);
    return OSSL_PARAM_set_utf8_string(p, text);
}

static int get_hash(enum hash hash, OSSL_PARAM *p)
{
    return !p || OSSL_PARAM_set_utf8_string(p, hash == HASH_NONE ? "" : hash_openssl(hash));
}

int provider_params_get(void *ctx, OSSL_PARAM params[])
{
    const struct signature_ctx *c = ctx;
    enum hash mgf = c->scheme.mgf_hash != HASH_NONE ? c->scheme.mgf_hash : c->scheme.hash;

    return get_algorithm_id(c, OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_ALGORITHM_ID)) &&
           get_hash(c->scheme.hash, OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_DIGEST)) &&
           get_padding(c, OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_PAD_MODE)) &&
           get_salt_len(c, OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_PSS_SALTLEN)) &&
           get_hash(mgf, OSSL_PARAM_locate(params, OSSL_SIGNATURE_PARAM_MGF1_DIGEST));
}

const OSSL_PARAM *provider_params_gettable(void *ctx, void *libctx)
{
    static const OSSL_PARAM gettable[] = {OSSL_PARAM_octet_string(OSSL_SIGNATURE_PARAM_ALGORITHM_ID, NULL, 0),
                                          OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, NULL, 0),
                                          OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
                                          OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL, 0),
                                          OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, NULL, 0),
                                          OSSL_PARAM_END};

    (void)ctx;
    (void)libctx;
    return gettable;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What the provider's files share: the key object and the tables OpenSSL calls through. */
#pragma once

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/params.h>

#include "server/hsm/internal.h"

#define PROVIDER_NAME "chancery-hsm"
/* The import parameter that carries a struct provider_key, of this process, to be taken over by reference. */
#define PARAM_KEY "chancery-hsm-key"

struct provider_key {
    atomic_int references;
    OSSL_LIB_CTX *libctx;
    enum key_family family;
    EVP_PKEY *public_key; /* in the default provider; all that is public is asked of it */
    struct hsm *h;        /* NULL: a public key alone */
    uint8_t id[HSM_ID_LEN];
    enum key_type type;
};
struct provider_key *provider_key_new(OSSL_LIB_CTX *libctx, enum key_family family);
struct provider_key *provider_key_dup(struct provider_key *k); /* one more reference */
void provider_key_free(void *key);
DEFINE_CLEANUP_PTR(struct provider_key, provider_key_free)
#define cleanup_provider_key CLEANUP(provider_key_free_cleanup)

extern const OSSL_ALGORITHM provider_keymgmts[];
extern const OSSL_ALGORITHM provider_signatures[];

/* How a signature is made; also what its AlgorithmIdentifier says. */
struct scheme {
    enum mechanism mechanism;
    enum hash hash;
    enum hash mgf_hash; /* HASH_NONE: as hash */
    int salt_len;       /* or RSA_PSS_SALTLEN_DIGEST and its kind */
};
struct sign_input scheme_input(const struct scheme *s, const struct provider_key *k, struct slice digest);
/* The DER AlgorithmIdentifier of RFC 5912, RFC 8017, RFC 8410. Length, or 0. */
int scheme_encode(const struct scheme *s, const struct provider_key *k, unsigned char **der);
enum hash scheme_hash(const char *openssl_name); /* any of OpenSSL's names */

struct signature_ctx {
    OSSL_LIB_CTX *libctx;
    struct provider_key *key;
    struct scheme scheme;
    EVP_MD_CTX *digest;
};
int provider_params_set(void *ctx, const OSSL_PARAM params[]);
int provider_params_get(void *ctx, OSSL_PARAM params[]);
const OSSL_PARAM *provider_params_settable(void *ctx, void *libctx);
const OSSL_PARAM *provider_params_gettable(void *ctx, void *libctx);

/* Puts the failure on OpenSSL's error queue and keeps it for hsm_evp_failure. */
void provider_raise(const struct error *err);
int provider_fail(enum code code, const char *text); /* the same; 0 */

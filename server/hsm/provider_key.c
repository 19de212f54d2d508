/* SPDX-License-Identifier: Apache-2.0 */
/* The provider's keys. A key is a software public key and, for one of ours, the HSM and CKA_ID of its private half. All
 * questions about the public half go to OpenSSL's own implementation; the private half is neither imported nor exported
 * (I3), which also makes OpenSSL come to our signature functions. */
#include <openssl/evp.h>

#include "server/hsm/provider.h"

struct provider_key *provider_key_new(OSSL_LIB_CTX *libctx, enum key_family family)
{
    struct provider_key *k = calloc(1, sizeof *k);

    if (k) {
        atomic_store(&k->references, 1);
        k->libctx = libctx;
        k->family = family;
    }
    return k;
}

struct provider_key *provider_key_dup(struct provider_key *k)
{
    if (k)
        atomic_fetch_add(&k->references, 1);
    return k;
}

void provider_key_free(void *key)
{
    struct provider_key *k = key;

    if (!k || atomic_fetch_sub(&k->references, 1) != 1)
        return;
    EVP_PKEY_free(k->public_key);
    free(k);
}

static void *key_new_rsa(void *libctx)
{
    return provider_key_new(libctx, FAMILY_RSA);
}

static void *key_new_ec(void *libctx)
{
    return provider_key_new(libctx, FAMILY_EC);
}

static void *key_new_ed25519(void *libctx)
{
    return provider_key_new(libctx, FAMILY_EDWARDS);
}

static void *key_dup(const void *key, int selection)
{
    (void)selection;
    return provider_key_dup((struct provider_key *)key);
}

static int key_has(const void *key, int selection)
{
    const struct provider_key *k = key;

    if (!k->public_key)
        return 0;
    return !(selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) || k->h != NULL;
}

/* Equal public halves are equal keys. */
static int key_match(const void *a, const void *b, int selection)
{
    const struct provider_key *left = a, *right = b;

    (void)selection;
    return left->public_key && right->public_key && EVP_PKEY_eq(left->public_key, right->public_key) == 1;
}

static int key_validate(const void *key, int selection, int type)
{
    (void)type;
    return key_has(key, selection);
}

static int key_get_params(void *key, OSSL_PARAM params[])
{
    struct provider_key *k = key;

    return k->public_key && EVP_PKEY_get_params(k->public_key, params);
}

static int key_import_ours(struct provider_key *k, const OSSL_PARAM *p)
{
    struct provider_key *other = NULL;
    void *at = &other;

    if (!OSSL_PARAM_get_octet_string(p, &at, sizeof(void *), NULL) || !other || other->family != k->family)
        return 0;
    k->public_key = other->public_key;
    (void)EVP_PKEY_up_ref(k->public_key);
    k->h = other->h;
    k->type = other->type;
    for (size_t i = 0; i < HSM_ID_LEN; i++)
        k->id[i] = other->id[i];
    return 1;
}

static int key_import(void *key, int selection, const OSSL_PARAM params[])
{
    static const char *const names[] = {[FAMILY_RSA] = "RSA", [FAMILY_EC] = "EC", [FAMILY_EDWARDS] = "ED25519"};
    struct provider_key *k = key;
    const OSSL_PARAM *ours = OSSL_PARAM_locate_const(params, PARAM_KEY);

    if (k->public_key)
        return 0;
    if (ours)
        return key_import_ours(k, ours);
    if (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY)
        return 0;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(k->libctx, names[k->family], "provider=default");
    if (!ctx || EVP_PKEY_fromdata_init(ctx) <= 0 ||
        EVP_PKEY_fromdata(ctx, &k->public_key, EVP_PKEY_PUBLIC_KEY, (OSSL_PARAM *)params) <= 0)
        k->public_key = NULL;
    EVP_PKEY_CTX_free(ctx);
    return k->public_key != NULL;
}

static int key_export(void *key, int selection, OSSL_CALLBACK *callback, void *arg)
{
    struct provider_key *k = key;

    if (!k->public_key || selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY)
        return 0;
    return EVP_PKEY_export(k->public_key, selection, callback, arg);
}

static const OSSL_PARAM *key_public_types(int selection)
{
    static const OSSL_PARAM types[] = {OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),
                                       OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0),
                                       OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
                                       OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0), OSSL_PARAM_END};

    return selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY ? NULL : types;
}

static const OSSL_PARAM *key_gettable_params(void *libctx)
{
    static const OSSL_PARAM gettable[] = {OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
                                          OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
                                          OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
                                          OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, NULL, 0),
                                          OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),
                                          OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0),
                                          OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
                                          OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
                                          OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, NULL, 0),
                                          OSSL_PARAM_END};

    (void)libctx;
    return gettable;
}

static const char *key_ec_operation(int operation)
{
    return operation == OSSL_OP_SIGNATURE ? "ECDSA" : NULL;
}

#define KEYMGMT_FUNCTIONS(new_function)                                                                                \
    {OSSL_FUNC_KEYMGMT_NEW, (void (*)(void))(new_function)},                                                           \
        {OSSL_FUNC_KEYMGMT_FREE, (void (*)(void))provider_key_free}, {OSSL_FUNC_KEYMGMT_DUP, (void (*)(void))key_dup}, \
        {OSSL_FUNC_KEYMGMT_HAS, (void (*)(void))key_has}, {OSSL_FUNC_KEYMGMT_MATCH, (void (*)(void))key_match},        \
        {OSSL_FUNC_KEYMGMT_VALIDATE, (void (*)(void))key_validate},                                                    \
        {OSSL_FUNC_KEYMGMT_GET_PARAMS, (void (*)(void))key_get_params},                                                \
        {OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, (void (*)(void))key_gettable_params},                                      \
        {OSSL_FUNC_KEYMGMT_IMPORT, (void (*)(void))key_import},                                                        \
        {OSSL_FUNC_KEYMGMT_IMPORT_TYPES, (void (*)(void))key_public_types},                                            \
        {OSSL_FUNC_KEYMGMT_EXPORT, (void (*)(void))key_export},                                                        \
    {                                                                                                                  \
        OSSL_FUNC_KEYMGMT_EXPORT_TYPES, (void (*)(void))key_public_types                                               \
    }

static const OSSL_DISPATCH rsa_functions[] = {KEYMGMT_FUNCTIONS(key_new_rsa), {0, NULL}};
static const OSSL_DISPATCH ed25519_functions[] = {KEYMGMT_FUNCTIONS(key_new_ed25519), {0, NULL}};
static const OSSL_DISPATCH ec_functions[] = {KEYMGMT_FUNCTIONS(key_new_ec),
                                             {OSSL_FUNC_KEYMGMT_QUERY_OPERATION_NAME, (void (*)(void))key_ec_operation},
                                             {0, NULL}};

const OSSL_ALGORITHM provider_keymgmts[] = {
    {"RSA:rsaEncryption", "provider=" PROVIDER_NAME, rsa_functions, "RSA keys in the HSM"},
    {"EC:id-ecPublicKey", "provider=" PROVIDER_NAME, ec_functions, "EC keys in the HSM"},
    {"ED25519", "provider=" PROVIDER_NAME, ed25519_functions, "Ed25519 keys in the HSM"},
    {NULL, NULL, NULL, NULL}};

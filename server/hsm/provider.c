/* SPDX-License-Identifier: Apache-2.0 */
/* The HSM as an OpenSSL provider, built in: a library context of its own holds it beside the default provider, which is
 * preferred for everything; ours serves only the keys that are made here (provider_key.c, provider_signature.c). */
#include "server/hsm/provider.h"

#include <openssl/err.h>
#include <openssl/provider.h>
#include <openssl/x509.h>
#include <string.h>

#include "common/signature.h"

static _Thread_local struct error failure;

void provider_raise(const struct error *err)
{
    failure = *err;
    ERR_raise_data(ERR_LIB_USER, ERR_R_OPERATION_FAIL, "%s", err->text);
}

int provider_fail(enum code code, const char *text)
{
    struct error err;

    ignore(error_set(&err, code, "%s", text));
    provider_raise(&err);
    return 0;
}

status hsm_evp_failure(struct error *err)
{
    status s = {failure.code};

    if (err && !is_ok(s))
        *err = failure;
    failure = (struct error){0};
    return s;
}

static const OSSL_ALGORITHM *provider_query(void *context, int operation, int *no_cache)
{
    (void)context;
    *no_cache = 0;
    switch (operation) {
    case OSSL_OP_KEYMGMT:
        return provider_keymgmts;
    case OSSL_OP_SIGNATURE:
        return provider_signatures;
    default:
        return NULL;
    }
}

static int provider_init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in, const OSSL_DISPATCH **out,
                         void **context)
{
    static const OSSL_DISPATCH functions[] = {{OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))provider_query},
                                              {0, NULL}};

    for (; in->function_id != 0; in++) {
        /* For a built-in provider the core's context is the library context (provider-base(7)). */
        if (in->function_id == OSSL_FUNC_CORE_GET_LIBCTX)
            *context = OSSL_FUNC_core_get_libctx(in)(handle);
    }
    *out = functions;
    return *context != NULL;
}

status provider_open(struct hsm *h, struct error *err)
{
    h->libctx = OSSL_LIB_CTX_new();
    if (!h->libctx)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    h->providers[0] = OSSL_PROVIDER_load(h->libctx, "default");
    if (OSSL_PROVIDER_add_builtin(h->libctx, PROVIDER_NAME, provider_init))
        h->providers[1] = OSSL_PROVIDER_load(h->libctx, PROVIDER_NAME);
    if (!h->providers[0] || !h->providers[1] || !EVP_set_default_properties(h->libctx, "?provider=default"))
        return error_set(err, CODE_INTERNAL, "OpenSSL's providers cannot be loaded");
    return OK;
}

void provider_close(struct hsm *h)
{
    for (size_t i = COUNT_OF(h->providers); i-- > 0;) {
        if (h->providers[i])
            (void)OSSL_PROVIDER_unload(h->providers[i]);
    }
    OSSL_LIB_CTX_free(h->libctx);
}

static const char *family_name(enum key_family family)
{
    static const char *const names[] = {[FAMILY_RSA] = "RSA", [FAMILY_EC] = "EC", [FAMILY_EDWARDS] = "ED25519"};

    return names[family];
}

static EVP_PKEY *evp_key_of(struct provider_key *k)
{
    OSSL_PARAM params[] = {OSSL_PARAM_construct_octet_string(PARAM_KEY, &k, sizeof(void *)),
                           OSSL_PARAM_construct_end()};
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(k->libctx, family_name(k->family), "provider=" PROVIDER_NAME);

    if (!ctx || EVP_PKEY_fromdata_init(ctx) <= 0 || EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) <= 0)
        key = NULL;
    EVP_PKEY_CTX_free(ctx);
    return key;
}

/* Takes public_key. */
static status evp_key_make(struct hsm *h, const uint8_t id[HSM_ID_LEN], enum key_type type, EVP_PKEY *public_key,
                           EVP_PKEY **out, struct error *err)
{
    cleanup_provider_key struct provider_key *k = provider_key_new(h->libctx, key_type_family(type));

    if (!k) {
        EVP_PKEY_free(public_key);
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    }
    k->h = h;
    k->type = type;
    memcpy(k->id, id, HSM_ID_LEN);
    k->public_key = public_key;
    *out = k->public_key ? evp_key_of(k) : NULL;
    ERR_clear_error();
    return *out ? OK : error_set(err, CODE_INTERNAL, "OpenSSL does not take the HSM's key");
}

status hsm_evp_key(struct hsm *h, const uint8_t id[HSM_ID_LEN], EVP_PKEY **out, struct error *err)
{
    cleanup_hsm_key struct hsm_key found = {0};

    TRY(hsm_find(h, id, deadline_in(h->timeout_ms), &found, err));
    const unsigned char *at = found.spki.data;
    return evp_key_make(h, id, found.type, d2i_PUBKEY_ex(NULL, &at, (long)found.spki.len, h->libctx, NULL), out, err);
}

status hsm_evp_key_of(struct hsm *h, const uint8_t id[HSM_ID_LEN], EVP_PKEY *public_key, EVP_PKEY **out,
                      struct error *err)
{
    uint8_t own_id[HSM_ID_LEN];
    enum key_type type = KEY_TYPE_NONE;

    TRY(key_type_of(public_key, &type, err));
    TRY(key_cka_id(public_key, own_id, err));
    if (memcmp(id, own_id, sizeof(own_id)) != 0)
        return error_set(err, CODE_INTERNAL, "the public key is not that of the HSM's key");
    (void)EVP_PKEY_up_ref(public_key);
    return evp_key_make(h, id, type, public_key, out, err);
}

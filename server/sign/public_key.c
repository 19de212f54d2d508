/* SPDX-License-Identifier: Apache-2.0 */
/* A key version's public half never changes, so its parsed form is kept without a generation. */
#include "server/sign/public_key.h"

#include <openssl/x509.h>
#include <stdio.h>

#include "common/openssl_scope.h"

struct public_key {
    struct shared shared;
    EVP_PKEY *pkey;
};

static void public_key_destroy(struct shared *shared)
{
    struct public_key *k = (struct public_key *)shared;
    EVP_PKEY_free(k->pkey);
    free(k);
}

static void public_key_release(struct public_key *k)
{
    shared_release(&k->shared);
}
DEFINE_CLEANUP_PTR(struct public_key, public_key_release)
#define cleanup_public_key CLEANUP(public_key_release_cleanup)

static status public_key_parse(const struct signing_key *key, struct public_key **out, struct error *err)
{
    cleanup_err_mark bool marked = err_mark();
    cleanup_public_key struct public_key *k = calloc(1, sizeof(*k));
    if (!k)
        return error_set(err, CODE_NO_MEMORY, "%s", code_text(CODE_NO_MEMORY));

    shared_init(&k->shared, public_key_destroy);
    if (!is_ok(public_key_decode(NULL, buf_slice(&key->spki), &k->pkey, NULL)))
        return error_set(err, CODE_INTERNAL, "the public key of %s-%s in the store cannot be read", key->project_name,
                         key->label);
    *out = steal(&k);
    return OK;
}

static status public_key_find(struct cache *keys, const struct signing_key *key, struct public_key **out,
                              struct error *err)
{
    enum { FOREVER = 0 };
    char name[ID_SIZE + 16];
    (void)snprintf(name, sizeof(name), "%s/%d", key->id, key->version);
    *out = (struct public_key *)cache_get(keys, name, FOREVER);
    if (*out)
        return OK;

    TRY(public_key_parse(key, out, err));
    cache_put(keys, name, FOREVER, &(*out)->shared);
    return OK;
}

status signature_judge(struct cache *keys, const struct signing_key *key, const struct sign_input *in,
                       struct slice signature, bool verify_all, struct error *err)
{
    if (signature.len != key_type_signature_len(key->type))
        return error_set(err, CODE_BAD_SIGNATURE, "the HSM gave a signature of %zu bytes for a key of type %s",
                         signature.len, key_type_name(key->type));
    if (key_type_family(key->type) != FAMILY_RSA && !verify_all)
        return OK;

    cleanup_public_key struct public_key *public_key = NULL;
    TRY(public_key_find(keys, key, &public_key, err));
    return signature_verify(NULL, public_key->pkey, in, signature, err);
}

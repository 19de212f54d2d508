/* SPDX-License-Identifier: Apache-2.0 */
/* A key's public half as OpenSSL's object. An object of the OSSL_LIB_CTX that a forked child gave up is left alone, and
 * not freed either: another thread of the parent may have held its locks. */
#include <openssl/evp.h>
#include <stdatomic.h>

#include "client/client.h"
#include "client/libctx.h"

struct public_key {
    EVP_PKEY *pkey;
    unsigned generation; /* of the libctx it was made in */
};

static bool is_current(const struct public_key *p)
{
    return p && p->generation == libctx_generation();
}

static void public_key_free(struct public_key *p)
{
    if (is_current(p))
        EVP_PKEY_free(p->pkey);
    free(p);
}

static status public_key_make(struct slice spki, struct public_key **out, struct error *err)
{
    cleanup_free struct public_key *p = calloc(1, sizeof(*p));
    if (!p)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    p->generation = libctx_generation();
    TRY(public_key_decode(NULL, spki, &p->pkey, err));
    *out = steal(&p);
    return OK;
}

/* Of several threads one publishes. What it replaces may still be read by another that compares its generation, so it
 * stays: a few bytes for each key and fork. */
status client_key_decode(const struct client_key *key, EVP_PKEY **out, struct error *err)
{
    struct client_key *k = (struct client_key *)key; /* a cache, not a change */
    struct public_key *seen = atomic_load(&k->public_key), *made = NULL;
    if (is_current(seen)) {
        *out = seen->pkey;
        return OK;
    }
    TRY(public_key_make(buf_slice(&key->spki), &made, err));
    if (atomic_compare_exchange_strong(&k->public_key, &seen, made)) {
        *out = made->pkey;
        return OK;
    }
    public_key_free(made);
    *out = seen->pkey;
    return OK;
}

EVP_PKEY *client_key_public(const struct client_key *key)
{
    EVP_PKEY *pkey = NULL;
    return is_ok(client_key_decode(key, &pkey, NULL)) ? pkey : NULL;
}

void client_key_clear(struct client_key *key)
{
    for (size_t i = 0; i < key->certificate_count; i++)
        buf_clear(&key->certificates[i]);
    free(key->certificates);
    public_key_free(atomic_load(&key->public_key));
    buf_clear(&key->spki);
    *key = (struct client_key){0};
}

/* SPDX-License-Identifier: Apache-2.0 */
/* auth_bearer with a memory. The generation is read before the store is asked, so a change that comes in between makes
 * the answer look older than it is, never newer (I4). */
#include <stdlib.h>

#include "common/encoding.h"
#include "common/secret.h"
#include "server/auth/auth.h"
#include "server/store/generation_cache.h"

enum { IDENTITIES_KEPT = 4096, HASH_TEXT_SIZE = 65 };

struct identity_cache {
    struct cache *kept;
};

struct entry {
    struct shared shared;
    struct identity identity;
};

static void entry_destroy(struct shared *shared)
{
    free(shared);
}

status identity_cache_new(struct identity_cache **out, struct error *err)
{
    cleanup_free struct identity_cache *c = calloc(1, sizeof(*c));
    if (!c)
        return error_set(err, CODE_NO_MEMORY, "%s", code_text(CODE_NO_MEMORY));
    TRY(cache_new(IDENTITIES_KEPT, &c->kept, err));
    *out = steal(&c);
    return OK;
}

void identity_cache_free(struct identity_cache *c)
{
    if (!c)
        return;
    cache_free(c->kept);
    free(c);
}

/* Disabling moves the generation; time does not. */
static bool is_current(const struct identity *i, int64_t now_ms)
{
    return (i->credential_expires_ms == 0 || now_ms < i->credential_expires_ms) &&
           (i->principal.expires_ms == 0 || now_ms < i->principal.expires_ms);
}

static bool identity_get(struct identity_cache *c, const char *name, int64_t generation, int64_t now_ms,
                         struct identity *out)
{
    struct shared *found = cache_get(c->kept, name, generation);
    if (!found)
        return false;

    const struct identity *identity = &((struct entry *)found)->identity;
    bool current = is_current(identity, now_ms);
    if (current)
        *out = *identity;
    shared_release(found);
    return current;
}

static void identity_put(struct identity_cache *c, const char *name, int64_t generation,
                         const struct identity *identity)
{
    struct entry *e = calloc(1, sizeof(*e));
    if (!e)
        return; /* it is asked for again */
    shared_init(&e->shared, entry_destroy);
    e->identity = *identity;
    cache_put(c->kept, name, generation, &e->shared);
    shared_release(&e->shared);
}

status identity_cache_bearer(struct identity_cache *c, struct db *db, const char *authorization, int64_t now_ms,
                             struct identity *out, struct error *err)
{
    uint8_t hash[32];
    char name[HASH_TEXT_SIZE];
    int64_t generation = 0;
    TRY(sha256(slice_of_text(authorization ? authorization : ""), hash, err));
    hex_format((struct slice){hash, sizeof(hash)}, name);
    TRY(store_generation(db, &generation, err));
    if (identity_get(c, name, generation, now_ms, out))
        return OK;

    TRY(auth_bearer(db, authorization, now_ms, out, err));
    identity_put(c, name, generation, out);
    return OK;
}

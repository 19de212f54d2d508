/* SPDX-License-Identifier: Apache-2.0 */
/* What one principal may do with one key, as the store had it at one generation (I4). A refusal is never remembered; a
 * permission is only used again after the generation was found unmoved. */
#pragma once

#include "server/store/generation_cache.h"
#include "server/store/store.h"

struct rights {
    struct shared shared;
    int64_t generation; /* of the store before anything was read */
    struct principal who;
    struct signing_key key; /* id "" when there is no such key */
    unsigned roles;         /* of who in the key's Project */
};
static inline void rights_release(struct rights *r)
{
    if (r)
        shared_release(&r->shared);
}
DEFINE_CLEANUP_PTR(struct rights, rights_release)
#define cleanup_rights CLEANUP(rights_release_cleanup)

/* key: an id or "project:label". CODE_OK for an unknown key too: that is for rules_judge. */
status rights_read(struct db *db, const char *key, const char *principal_id, struct rights **out, struct error *err);
/* The same, from the cache when the generation allows. */
status rights_find(struct cache *cache, struct db *db, const char *key, const char *principal_id, struct rights **out,
                   struct error *err);

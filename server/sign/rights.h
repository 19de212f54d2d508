/* SPDX-License-Identifier: Apache-2.0 */
/* What one principal may do with one key, as the store had it at one generation (I4). A refusal is never remembered; a
 * permission is only used again after the generation was found unmoved, and before the next membership begins or ends.
 */
#pragma once

#include "server/sign/policy.h"
#include "server/store/generation_cache.h"
#include "server/store/policy.h"

/* A policy as it counts for the key, and where it comes from. */
struct policy_in_force {
    struct policy *policy; /* NULL: none */
    enum policy_scope scope;
    int64_t version;
};
enum { POLICY_OF_PLATFORM, POLICY_OF_KEY, POLICIES_IN_FORCE }; /* the second: the key's own, else its Project's */

/* Policies of the platform and of Projects, read once for a listing of many keys. All zeros at first. */
struct policy_memo {
    struct policy_memo_row *rows;
    size_t count;
};
void policy_memo_clear(struct policy_memo *m);

/* memo NULL: reads them all. out is all zeros before; what is in it must be released, after a failure too. */
status policies_in_force(struct db *db, struct policy_memo *memo, const struct signing_key *key,
                         struct policy_in_force out[POLICIES_IN_FORCE], struct error *err);
void policies_release(struct policy_in_force policies[POLICIES_IN_FORCE]);

struct rights {
    struct shared shared;
    int64_t generation; /* of the store before anything was read */
    int64_t read_ms;    /* the time they are of */
    struct principal who;
    struct signing_key key;      /* id "" when there is no such key */
    struct signing_key *earlier; /* the key with each version that is in grace; only where it has been rotated */
    size_t earlier_count;
    struct held_roles held; /* of who in the key's Project */
    struct policy_in_force policies[POLICIES_IN_FORCE];
    struct freeze frozen_platform, frozen_project;
    bool has_certificate;
    int64_t not_after_ms; /* of the certificate */
};
static inline void rights_release(struct rights *r)
{
    if (r)
        shared_release(&r->shared);
}
DEFINE_CLEANUP_PTR(struct rights, rights_release)
#define cleanup_rights CLEANUP(rights_release_cleanup)

/* The key with the version asked for: the current one for 0. NULL: it has no such version that could sign. */
const struct signing_key *rights_version(const struct rights *r, int version);

/* As they are at that time. key: an id or "project:label". CODE_OK for an unknown key too: that is for rules_judge. */
status rights_read(struct db *db, const char *key, const char *principal_id, int64_t now_ms, struct rights **out,
                   struct error *err);
/* False when a change in the store, or the beginning or end of a membership, may have altered them. */
bool rights_are_current(const struct rights *r, int64_t generation, int64_t now_ms);
/* As they are now, from the cache when that has current ones. */
status rights_find(struct cache *cache, struct db *db, const char *key, const char *principal_id, struct rights **out,
                   struct error *err);

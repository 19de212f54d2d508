/* SPDX-License-Identifier: Apache-2.0 */
/* Values shared by the threads that serve requests, by a text key, good while the generation they were put in with
 * stands still. A value that is got stays alive until it is released, whatever happens in the cache meanwhile. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "common/cleanup.h"
#include "common/status.h"

struct shared { /* first member of every value */
    atomic_int references;
    void (*destroy)(struct shared *value);
};
void shared_init(struct shared *value, void (*destroy)(struct shared *value)); /* one reference: the maker's */
void shared_release(struct shared *value);                                     /* accepts NULL */

struct cache;
status cache_new(size_t capacity, struct cache **out, struct error *err);
void cache_free(struct cache *c);
DEFINE_CLEANUP_PTR(struct cache, cache_free)
#define cleanup_cache CLEANUP(cache_free_cleanup)

/* NULL when there is none of this generation; else the caller has a reference. */
struct shared *cache_get(struct cache *c, const char *key, int64_t generation);
/* Takes a reference of its own. Another generation than the one before, or a full cache, empties it first. Out of
 * memory means that the value is not kept. */
void cache_put(struct cache *c, const char *key, int64_t generation, struct shared *value);

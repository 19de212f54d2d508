/* SPDX-License-Identifier: Apache-2.0 */
/* A chained hash table under one read-write lock. It never looks into its values. */
#include "server/store/generation_cache.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

struct entry {
    struct entry *next;
    struct shared *value;
    uint64_t hash;
    char key[];
};

struct cache {
    pthread_rwlock_t lock;
    int64_t generation;
    size_t count, capacity;
    struct entry **buckets; /* capacity of them */
};

void shared_init(struct shared *value, void (*destroy)(struct shared *value))
{
    atomic_init(&value->references, 1);
    value->destroy = destroy;
}

void shared_release(struct shared *value)
{
    if (value && atomic_fetch_sub(&value->references, 1) == 1)
        value->destroy(value);
}

status cache_new(size_t capacity, struct cache **out, struct error *err)
{
    struct cache *c = calloc(1, sizeof(*c));
    struct entry **buckets = calloc(capacity, sizeof(struct entry *));
    if (!c || !buckets || pthread_rwlock_init(&c->lock, NULL) != 0) {
        free(buckets);
        free(c);
        return error_set(err, CODE_NO_MEMORY, "%s", code_text(CODE_NO_MEMORY));
    }
    c->capacity = capacity;
    c->buckets = buckets;
    *out = c;
    return OK;
}

static void entry_free(struct entry *e)
{
    shared_release(e->value);
    free(e);
}

static void empty(struct cache *c)
{
    for (size_t i = 0; i < c->capacity; i++) {
        while (c->buckets[i]) {
            struct entry *first = c->buckets[i];
            c->buckets[i] = first->next;
            entry_free(first);
        }
    }
    c->count = 0;
}

void cache_free(struct cache *c)
{
    if (!c)
        return;
    empty(c);
    (void)pthread_rwlock_destroy(&c->lock);
    free(c->buckets);
    free(c);
}

static struct entry **find(struct cache *c, const char *key, uint64_t hash)
{
    struct entry **at = &c->buckets[hash % c->capacity];
    while (*at && ((*at)->hash != hash || strcmp((*at)->key, key) != 0))
        at = &(*at)->next;
    return at;
}

struct shared *cache_get(struct cache *c, const char *key, int64_t generation)
{
    struct shared *value = NULL;
    (void)pthread_rwlock_rdlock(&c->lock);
    struct entry *found = c->generation == generation ? *find(c, key, text_hash(key)) : NULL;
    if (found) {
        value = found->value;
        atomic_fetch_add(&value->references, 1);
    }
    (void)pthread_rwlock_unlock(&c->lock);
    return value;
}

static struct entry *entry_new(const char *key, struct shared *value)
{
    size_t size = strlen(key) + 1;
    struct entry *e = calloc(1, sizeof(*e) + size);
    if (!e)
        return NULL;
    memcpy(e->key, key, size);
    e->hash = text_hash(key);
    e->value = value;
    atomic_fetch_add(&value->references, 1);
    return e;
}

/* What was read before the newest generation is not let in again. */
void cache_put(struct cache *c, const char *key, int64_t generation, struct shared *value)
{
    struct entry *e = entry_new(key, value);
    if (!e)
        return;

    (void)pthread_rwlock_wrlock(&c->lock);
    if (generation > c->generation || c->count >= c->capacity)
        empty(c);
    if (generation >= c->generation) {
        c->generation = generation;
        struct entry **at = find(c, key, e->hash);
        struct entry *old = *at;
        e->next = old ? old->next : NULL;
        *at = e;
        c->count += old ? 0 : 1;
        e = old;
    }
    (void)pthread_rwlock_unlock(&c->lock);
    if (e)
        entry_free(e);
}

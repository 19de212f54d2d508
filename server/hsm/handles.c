/* SPDX-License-Identifier: Apache-2.0 */
/* Object handles of private keys by CKA_ID. Readers take no lock: entries are only ever added, and live until the HSM
 * is closed; one whose generation is not the present one counts as forgotten. Entries exist only for keys that were
 * found. */
#include <string.h>

#include "server/hsm/internal.h"

status handles_init(struct handle_cache *c, struct error *err)
{
    atomic_store(&c->generation, 1);
    if (pthread_mutex_init(&c->lock, NULL) != 0)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    return OK;
}

void handles_clear(struct handle_cache *c)
{
    for (size_t i = 0; i < HANDLE_BUCKETS; i++) {
        struct handle_entry *e = atomic_load(&c->buckets[i]);
        while (e) {
            struct handle_entry *next = e->next;
            free(e);
            e = next;
        }
        atomic_store(&c->buckets[i], NULL);
    }
    (void)pthread_mutex_destroy(&c->lock);
}

/* A CKA_ID is a SHA-1: its first bytes are spread well enough. */
static _Atomic(struct handle_entry *) *bucket_of(struct handle_cache *c, const uint8_t id[HSM_ID_LEN])
{
    return &c->buckets[(id[0] | (unsigned)id[1] << 8) % HANDLE_BUCKETS];
}

static struct handle_entry *entry_find(struct handle_cache *c, const uint8_t id[HSM_ID_LEN])
{
    struct handle_entry *e = atomic_load_explicit(bucket_of(c, id), memory_order_acquire);

    while (e && memcmp(e->id, id, HSM_ID_LEN) != 0)
        e = e->next;
    return e;
}

bool handles_find(struct handle_cache *c, const uint8_t id[HSM_ID_LEN], CK_OBJECT_HANDLE *out)
{
    struct handle_entry *e = entry_find(c, id);

    if (!e)
        return false;
    uint64_t generation = atomic_load_explicit(&e->generation, memory_order_acquire);
    *out = atomic_load_explicit(&e->handle, memory_order_acquire);
    return generation == atomic_load_explicit(&c->generation, memory_order_acquire);
}

static struct handle_entry *entry_add(struct handle_cache *c, const uint8_t id[HSM_ID_LEN])
{
    struct handle_entry *e = calloc(1, sizeof *e);

    if (!e)
        return NULL;
    memcpy(e->id, id, HSM_ID_LEN);
    e->next = atomic_load(bucket_of(c, id));
    atomic_store_explicit(bucket_of(c, id), e, memory_order_release);
    return e;
}

void handles_add(struct handle_cache *c, const uint8_t id[HSM_ID_LEN], uint64_t generation, CK_OBJECT_HANDLE handle)
{
    cleanup_unlock pthread_mutex_t *held = &c->lock;
    (void)pthread_mutex_lock(held);

    if (atomic_load(&c->generation) != generation)
        return;
    struct handle_entry *e = entry_find(c, id);
    if (!e)
        e = entry_add(c, id);
    if (!e)
        return;
    /* A reader takes the generation first: it must not pair the present one with an old handle. */
    atomic_store_explicit(&e->generation, 0, memory_order_release);
    atomic_store_explicit(&e->handle, handle, memory_order_release);
    atomic_store_explicit(&e->generation, generation, memory_order_release);
}

void handles_forget(struct handle_cache *c, const uint8_t id[HSM_ID_LEN])
{
    cleanup_unlock pthread_mutex_t *held = &c->lock;
    (void)pthread_mutex_lock(held);
    struct handle_entry *e = entry_find(c, id);

    if (e)
        atomic_store(&e->generation, 0);
}

void handles_forget_all(struct handle_cache *c)
{
    cleanup_unlock pthread_mutex_t *held = &c->lock;
    (void)pthread_mutex_lock(held);
    atomic_fetch_add(&c->generation, 1);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Open addressing with few probes. A text met at a second address is prepared a second time, which is harmless. */
#include "server/store/statement.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static size_t slot_of(const char *sql, size_t probe)
{
    uint64_t hash = (uint64_t)(uintptr_t)sql * 0x9e3779b97f4a7c15u;
    return (size_t)(hash >> 32) + probe;
}

struct statement *statement_find(const struct statement_cache *cache, const char *sql)
{
    for (size_t probe = 0; probe < STATEMENT_PROBES; probe++) {
        struct statement *st = cache->slots[slot_of(sql, probe) % STATEMENT_SLOTS];
        if (st && st->address == sql && strcmp(st->text, sql) == 0)
            return st;
    }
    return NULL;
}

/* A free place, else one whose statement can go; NULL when all are in use. */
static struct statement **place_for(struct statement_cache *cache, const char *sql)
{
    struct statement **usable = NULL;
    for (size_t probe = 0; probe < STATEMENT_PROBES; probe++) {
        struct statement **slot = &cache->slots[slot_of(sql, probe) % STATEMENT_SLOTS];
        if (!*slot)
            return slot;
        /* The same address with another text: the buffer was used again. */
        if (!(*slot)->in_use && (!usable || (*slot)->address == sql))
            usable = slot;
    }
    return usable;
}

status statement_add(struct statement_cache *cache, struct statement *st, const char *sql, struct error *err)
{
    struct statement **slot = place_for(cache, sql);
    st->address = sql;
    st->text = strdup(sql);
    if (!slot || !st->text) {
        cache->drop(st);
        return error_set(err, CODE_NO_MEMORY, "no room for another prepared statement");
    }

    if (*slot)
        cache->drop(*slot);
    *slot = st;
    return OK;
}

void statement_clear(struct statement_cache *cache)
{
    for (size_t i = 0; i < STATEMENT_SLOTS; i++) {
        struct statement *st = cache->slots[i];
        cache->slots[i] = NULL;
        if (st && st->in_use)
            st->orphan = true;
        else if (st)
            cache->drop(st);
    }
}

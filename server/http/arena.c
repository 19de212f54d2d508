/* SPDX-License-Identifier: Apache-2.0 */
/* Bump allocation for one request. */
#include "server/http/arena.h"

#include <stdlib.h>
#include <string.h>

enum { ARENA_BLOCK = 8192 };

struct arena_block {
    struct arena_block *next;
    size_t size;
    _Alignas(max_align_t) char bytes[];
};

static size_t aligned(size_t size)
{
    return (size + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
}

void *arena_take(struct arena *a, size_t size)
{
    size_t need = aligned(size ? size : 1);
    size_t cap = a->blocks ? a->blocks->size : sizeof a->first;
    if (need < size)
        return NULL;
    if (cap - a->used < need) {
        size_t block_size = need > ARENA_BLOCK ? need : ARENA_BLOCK;
        struct arena_block *b = malloc(sizeof *b + block_size);
        if (!b)
            return NULL;
        b->next = a->blocks;
        b->size = block_size;
        a->blocks = b;
        a->used = 0;
    }
    char *base = a->blocks ? a->blocks->bytes : a->first;
    char *p = base + a->used;
    a->used += need;
    return p;
}

char *arena_copy(struct arena *a, const char *text, size_t len)
{
    char *p = arena_take(a, len + 1);
    if (!p)
        return NULL;
    memcpy(p, text, len);
    p[len] = '\0';
    return p;
}

void arena_reset(struct arena *a)
{
    while (a->blocks) {
        struct arena_block *next = a->blocks->next;
        free(a->blocks);
        a->blocks = next;
    }
    a->used = 0;
}

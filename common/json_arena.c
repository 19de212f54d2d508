/* SPDX-License-Identifier: Apache-2.0 */
/* Each piece carries its size in front, for realloc. */
#include "common/json_arena.h"

#include <openssl/crypto.h>
#include <string.h>

enum { ARENA_HEADER = 16 }; /* holds the size of an allocation, and keeps the next one aligned */

void json_arena_clear(struct json_arena *a)
{
    if (a->block)
        OPENSSL_cleanse(a->block, a->used);
    free(a->block);
}

void *json_arena_malloc(void *ctx, size_t size)
{
    struct json_arena *a = ctx;
    size_t rounded = (size + ARENA_HEADER - 1) / ARENA_HEADER * ARENA_HEADER;
    if (rounded < size || rounded + ARENA_HEADER > a->size - a->used)
        return NULL;

    uint8_t *p = a->block + a->used;
    memcpy(p, &rounded, sizeof(rounded));
    a->used += ARENA_HEADER + rounded;
    return p + ARENA_HEADER;
}

void *json_arena_realloc(void *ctx, void *old, size_t size)
{
    uint8_t *p = json_arena_malloc(ctx, size);
    if (!old || !p)
        return p;

    size_t old_size = 0;
    memcpy(&old_size, (uint8_t *)old - ARENA_HEADER, sizeof(old_size));
    memcpy(p, old, old_size < size ? old_size : size);
    return p;
}

void json_arena_free(void *ctx, void *p)
{
    (void)ctx;
    (void)p;
}

/* yajl keeps a few small structures (under 4 KiB with the depth capped) and two buffers: one for unescaped strings, one
 * for a token cut off at the end of the text. Each starts at 2 KiB and is doubled until it holds at most text_len + 1
 * bytes; all its sizes together stay below four times that, or 4 KiB. */
bool json_arena_init(struct json_arena *a, size_t text_len)
{
    a->size = 16384 + 8 * (text_len + 1);
    a->block = malloc(a->size);
    return a->block != NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of one request: bytes are handed out from a first block inside the struct, then from blocks of the heap, and
 * all go back at once. Secrets do not belong here. */
#pragma once

#include <stddef.h>

enum { ARENA_FIRST = 3072 };

struct arena_block;
struct arena {
    struct arena_block *blocks; /* of the heap, newest first */
    size_t used;                /* of the newest block, or of `first` when there is none */
    _Alignas(max_align_t) char first[ARENA_FIRST];
};

void *arena_take(struct arena *a, size_t size);                  /* NULL when out of memory; not zeroed */
char *arena_copy(struct arena *a, const char *text, size_t len); /* NUL-terminated */
void arena_reset(struct arena *a);

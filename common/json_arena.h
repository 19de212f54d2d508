/* SPDX-License-Identifier: Apache-2.0 */
/* Memory for one run of yajl, in the shape of yajl_alloc_funcs: a block from which pieces are cut; freeing does
 * nothing, the block is wiped and freed as a whole. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/cleanup.h"

struct json_arena {
    uint8_t *block;
    size_t used, size;
};

/* A block in which parsing a text of this length cannot run out; false when there is no memory for it. */
bool json_arena_init(struct json_arena *a, size_t text_len);
void json_arena_clear(struct json_arena *a);
#define cleanup_json_arena CLEANUP(json_arena_clear)

void *json_arena_malloc(void *arena, size_t size);
void *json_arena_realloc(void *arena, void *old, size_t size);
void json_arena_free(void *arena, void *p);

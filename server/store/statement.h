/* SPDX-License-Identifier: Apache-2.0 */
/* A connection's prepared statements, found by the address of their SQL text and confirmed by its content, so that
 * texts may also be built in a buffer. Each driver puts its own data behind struct statement. */
#pragma once

#include "common/status.h"

struct statement {
    const char *address; /* of the text it was prepared for */
    char *text;          /* a copy */
    bool in_use;         /* a result is open */
    bool orphan;         /* the cache was cleared meanwhile: who closes the result drops the statement */
};

enum { STATEMENT_SLOTS = 256, STATEMENT_PROBES = 8 };

struct statement_cache {
    struct statement *slots[STATEMENT_SLOTS];
    void (*drop)(struct statement *st); /* ends the driver's part and frees all of it */
};

struct statement *statement_find(const struct statement_cache *cache, const char *sql); /* NULL: prepare it */
/* Takes st; sets address and text. May drop another one that is not in use. CODE_NO_MEMORY: st was dropped. */
status statement_add(struct statement_cache *cache, struct statement *st, const char *sql, struct error *err);
void statement_clear(struct statement_cache *cache);

/* SPDX-License-Identifier: Apache-2.0 */
/* Aligned columns for people. Cells come from a server: what is not printable never reaches the terminal as it is. */
#pragma once

#include <stdio.h>

#include "common/buf.h"

struct table; /* opaque */

struct table *table_new(const char *const titles[], size_t columns); /* NULL when out of memory */
void table_free(struct table *t);
DEFINE_CLEANUP_PTR(struct table, table_free)
#define cleanup_table CLEANUP(table_free_cleanup)

/* Row by row, cell by cell, copied; NULL is "-". */
void table_add(struct table *t, const char *cell);
/* CODE_NO_MEMORY when a cell was lost. */
status table_print(struct table *t, FILE *out, struct error *err);
/* The text, with '?' for every byte of a control character or broken sequence. */
void text_print_safe(struct buf *out, const char *text);

/* SPDX-License-Identifier: Apache-2.0 */
/* What a store of each older schema holds when it is upgraded, and what is to be read in it afterwards. A migration
 * that adds a table needs a row here, or contract_upgrade.c fails; one that adds a column should have one. */
#pragma once

#include <stddef.h>

/* A statement for stores of schema since to before (0: any later one), in this order; with {blob} as in migrations. */
struct upgrade_row {
    int since, before;
    const char *sql;
};
extern const struct upgrade_row upgrade_rows[];
extern const size_t upgrade_row_count;

/* A query of one value. What it gives where the store was filled with schema since or a later one, and in an older. */
struct upgrade_check {
    int since;
    const char *sql, *newer, *older;
};
extern const struct upgrade_check upgrade_checks[];
extern const size_t upgrade_check_count;

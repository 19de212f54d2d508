/* SPDX-License-Identifier: Apache-2.0 */
/* The numbered migrations, as embedded at build time from migrations/. */
#pragma once

#include "server/store/db_driver.h"

struct migration {
    int number;
    const char *name;
    const char *sql; /* with {int}, {text}, … of the dialect */
};
extern const struct migration migrations[];
extern const size_t migration_count;

int64_t migrations_newest(void);
/* Brings the schema of this connection's database up to number last; tests stop before the newest. CODE_CONFLICT: it is
 * newer than this program. */
status migrations_apply(struct db *db, int64_t last, struct error *err);
/* Adds sql with the dialect's words in place of {int}, {text}, … */
void migration_translate(const struct db_dialect *dialect, const char *sql, struct buf *out);
/* The number of the last migration applied; 0 for an empty database. CODE_UNAVAILABLE when it cannot be asked. */
status migrations_version(struct db *db, int64_t *out, struct error *err);

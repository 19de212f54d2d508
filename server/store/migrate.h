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

/* Brings the schema of this connection's database up to the newest. CODE_CONFLICT: it is newer than this program. */
status migrations_apply(struct db *db, struct error *err);
/* The number of the last migration applied; 0 for an empty database. CODE_UNAVAILABLE when it cannot be asked. */
status migrations_version(struct db *db, int64_t *out, struct error *err);

/* SPDX-License-Identifier: Apache-2.0 */
/* Failed sign-ins in a row, kept in the store so that a restart forgives none. */
#include "server/store/row.h"
#include "server/store/sign_in.h"

status sign_in_failures_get(struct db *db, const char *who, struct sign_in_failures *out, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db, "SELECT failures, last_ms FROM sign_in_failure WHERE who = $1", DB_PARAMS(db_text(who)), &rows,
                 err));

    bool found = false;
    TRY(db_next(rows, &found, err));
    *out = (struct sign_in_failures){0};
    if (found)
        *out = (struct sign_in_failures){.count = db_column_int(rows, 0), .last_ms = db_column_int(rows, 1)};
    return OK;
}

status sign_in_failures_set(struct db *db, const char *who, const struct sign_in_failures *f, struct error *err)
{
    return db_exec(db,
                   "INSERT INTO sign_in_failure (who, failures, last_ms) VALUES ($1, $2, $3) "
                   "ON CONFLICT (who) DO UPDATE SET failures = excluded.failures, last_ms = excluded.last_ms",
                   DB_PARAMS(db_text(who), db_int(f->count), db_int(f->last_ms)), NULL, err);
}

status sign_in_failures_clear(struct db *db, const char *who, struct error *err)
{
    return db_exec(db, "DELETE FROM sign_in_failure WHERE who = $1", DB_PARAMS(db_text(who)), NULL, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Passwords of users: hashes alone (I8), and the rows are read by nothing but a sign-in. */
#include "server/store/row.h"
#include "server/store/sign_in.h"

status user_password_find(struct db *db, const char *user_id, struct user_password *out, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db, "SELECT hash, is_one_time, changed_ms FROM user_password WHERE user_id = $1",
                 DB_PARAMS(db_text(user_id)), &rows, err));
    TRY(row_expect(rows, "password", err));

    *out = (struct user_password){.is_one_time = db_column_int(rows, 1) != 0, .changed_ms = db_column_int(rows, 2)};
    COLUMN_COPY(out->hash, rows, 0);
    return OK;
}

status user_password_set(struct db *db, const char *user_id, const struct user_password *p, struct error *err)
{
    return db_exec(db,
                   "INSERT INTO user_password (user_id, hash, is_one_time, changed_ms) VALUES ($1, $2, $3, $4) "
                   "ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash, is_one_time = excluded.is_one_time, "
                   "changed_ms = excluded.changed_ms",
                   DB_PARAMS(db_text(user_id), db_text(p->hash), db_int(p->is_one_time), db_int(p->changed_ms)), NULL,
                   err);
}

status user_password_delete(struct db *db, const char *user_id, struct error *err)
{
    int64_t changed = 0;
    TRY(db_exec(db, "DELETE FROM user_password WHERE user_id = $1", DB_PARAMS(db_text(user_id)), &changed, err));
    return row_changed(changed, "password", err);
}

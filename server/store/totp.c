/* SPDX-License-Identifier: Apache-2.0 */
/* The second factor of users: secrets sealed by the caller, recovery codes as hashes (I8). */
#include "server/store/row.h"
#include "server/store/sign_in.h"

status user_totp_find(struct db *db, const char *user_id, struct user_totp *out, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db, "SELECT secret, is_confirmed, last_step, created_ms FROM user_totp WHERE user_id = $1",
                 DB_PARAMS(db_text(user_id)), &rows, err));
    TRY(row_expect(rows, "second factor", err));

    *out = (struct user_totp){.is_confirmed = db_column_int(rows, 1) != 0,
                              .last_step = db_column_int(rows, 2),
                              .created_ms = db_column_int(rows, 3)};
    return column_blob_exact(out->sealed, sizeof(out->sealed), rows, 0, err);
}

status user_totp_begin(struct db *db, const char *user_id, const struct user_totp *t, struct error *err)
{
    int64_t changed = 0;
    TRY(db_exec(
        db,
        "INSERT INTO user_totp (user_id, secret, is_confirmed, last_step, created_ms) VALUES ($1, $2, 0, 0, $3) "
        "ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret, created_ms = excluded.created_ms "
        "WHERE user_totp.is_confirmed = 0",
        DB_PARAMS(db_text(user_id), db_blob((struct slice){t->sealed, sizeof(t->sealed)}), db_int(t->created_ms)),
        &changed, err));
    return changed ? OK : error_set(err, CODE_CONFLICT, "the user has a second factor already");
}

status user_totp_confirm(struct db *db, const char *user_id, int64_t step, struct error *err)
{
    int64_t changed = 0;
    TRY(db_exec(db, "UPDATE user_totp SET is_confirmed = 1, last_step = $2 WHERE user_id = $1 AND is_confirmed = 0",
                DB_PARAMS(db_text(user_id), db_int(step)), &changed, err));
    return row_changed(changed, "second factor", err);
}

status user_totp_use(struct db *db, const char *user_id, int64_t step, struct error *err)
{
    int64_t changed = 0;
    TRY(db_exec(db, "UPDATE user_totp SET last_step = $2 WHERE user_id = $1 AND is_confirmed = 1 AND last_step < $2",
                DB_PARAMS(db_text(user_id), db_int(step)), &changed, err));
    return row_changed(changed, "second factor", err);
}

status user_totp_delete(struct db *db, const char *user_id, struct error *err)
{
    int64_t changed = 0;
    TRY(db_exec(db, "DELETE FROM recovery_code WHERE user_id = $1", DB_PARAMS(db_text(user_id)), NULL, err));
    TRY(db_exec(db, "DELETE FROM user_totp WHERE user_id = $1", DB_PARAMS(db_text(user_id)), &changed, err));
    return row_changed(changed, "second factor", err);
}

status recovery_code_insert(struct db *db, const char *user_id, const uint8_t sha256[32], struct error *err)
{
    return db_exec(db, "INSERT INTO recovery_code (user_id, sha256) VALUES ($1, $2)",
                   DB_PARAMS(db_text(user_id), db_blob((struct slice){sha256, 32})), NULL, err);
}

status recovery_code_use(struct db *db, const char *user_id, const uint8_t sha256[32], struct error *err)
{
    int64_t changed = 0;
    TRY(db_exec(db, "DELETE FROM recovery_code WHERE user_id = $1 AND sha256 = $2",
                DB_PARAMS(db_text(user_id), db_blob((struct slice){sha256, 32})), &changed, err));
    return row_changed(changed, "recovery code", err);
}

status recovery_code_count(struct db *db, const char *user_id, int64_t *out, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db, "SELECT COUNT(*) FROM recovery_code WHERE user_id = $1", DB_PARAMS(db_text(user_id)), &rows, err));
    TRY(row_expect(rows, "recovery code", err));
    *out = db_column_int(rows, 0);
    return OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/idempotent_create.h"

#include "server/store/row.h"

enum { KEPT_MS = 24 * 3600 * 1000, REMOVED_AT_ONCE = 16 };

void idempotent_create_clear(struct idempotent_create *c)
{
    buf_clear(&c->answer);
    *c = (struct idempotent_create){0};
}

status idempotent_create_find(struct db *db, const char *principal_id, const char *key, int64_t now_ms,
                              struct idempotent_create *out, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db,
                 "SELECT request_sha256, target_id, answer, created_ms FROM idempotent_create "
                 "WHERE principal_id = $1 AND idempotency_key = $2 AND created_ms > $3",
                 DB_PARAMS(db_text(principal_id), db_text(key), db_int(now_ms - KEPT_MS)), &rows, err));
    TRY(row_expect(rows, "idempotency key", err));

    idempotent_create_clear(out);
    (void)text_copy(out->principal_id, sizeof(out->principal_id), principal_id);
    (void)text_copy(out->idempotency_key, sizeof(out->idempotency_key), key);
    COLUMN_COPY(out->target_id, rows, 1);
    buf_add_text(&out->answer, db_column_text(rows, 2));
    out->created_ms = db_column_int(rows, 3);
    TRY(buf_check(&out->answer, err));
    return column_blob_exact(out->request_sha256, sizeof(out->request_sha256), rows, 0, err);
}

/* More than come, so that none stays, and never many at once. */
static status old_remove(struct db *db, int64_t now_ms, struct error *err)
{
    return db_exec(db,
                   "DELETE FROM idempotent_create WHERE (principal_id, idempotency_key) IN (SELECT principal_id, "
                   "idempotency_key FROM idempotent_create WHERE created_ms <= $1 ORDER BY created_ms LIMIT $2)",
                   DB_PARAMS(db_int(now_ms - KEPT_MS), db_int(REMOVED_AT_ONCE)), NULL, err);
}

status idempotent_create_insert(struct db *db, const struct idempotent_create *c, struct error *err)
{
    struct slice request = {c->request_sha256, sizeof(c->request_sha256)};
    cleanup_buf struct buf answer = {0};
    buf_add(&answer, c->answer.data, c->answer.len);
    TRY(buf_check(&answer, err));
    TRY(old_remove(db, c->created_ms, err));
    TRY(db_exec(
        db, "DELETE FROM idempotent_create WHERE principal_id = $1 AND idempotency_key = $2 AND created_ms <= $3",
        DB_PARAMS(db_text(c->principal_id), db_text(c->idempotency_key), db_int(c->created_ms - KEPT_MS)), NULL, err));
    status inserted =
        db_exec(db,
                "INSERT INTO idempotent_create (principal_id, idempotency_key, request_sha256, target_id, answer, "
                "created_ms) VALUES ($1, $2, $3, $4, $5, $6)",
                DB_PARAMS(db_text(c->principal_id), db_text(c->idempotency_key), db_blob(request),
                          db_text(c->target_id), db_text(answer.len ? buf_text(&answer) : ""), db_int(c->created_ms)),
                NULL, err);
    return row_conflict(inserted, err, "the idempotency key was used before");
}

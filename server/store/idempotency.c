/* SPDX-License-Identifier: Apache-2.0 */
/* I6: a request repeated with the same key gets the first one's signature. Rows are kept for a day. */
#include "server/store/row.h"

enum { KEPT_MS = 24 * 3600 * 1000, REMOVE_EVERY = 16 };

void idempotency_clear(struct idempotency *i)
{
    buf_clear(&i->signature);
    *i = (struct idempotency){0};
}

status idempotency_find(struct db *db, const char *principal_id, const char *key, struct idempotency *out,
                        struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db,
                 "SELECT request_sha256, intent_seq, outcome_seq, version, signature, created_ms FROM idempotency "
                 "WHERE principal_id = $1 AND idempotency_key = $2",
                 DB_PARAMS(db_text(principal_id), db_text(key)), &rows, err));
    TRY(row_expect(rows, "idempotency key", err));

    (void)text_copy(out->principal_id, sizeof(out->principal_id), principal_id);
    (void)text_copy(out->idempotency_key, sizeof(out->idempotency_key), key);
    out->intent_seq = db_column_int(rows, 1);
    out->outcome_seq = db_column_int(rows, 2);
    out->version = (int)db_column_int(rows, 3);
    out->created_ms = db_column_int(rows, 5);
    column_blob_copy(&out->signature, rows, 4);
    TRY(buf_check(&out->signature, err));
    return column_blob_exact(out->request_sha256, sizeof(out->request_sha256), rows, 0, err);
}

/* Every so often the oldest rows go, more than have come since, so that no insertion ever has much to remove. */
static status expired_remove(struct db *db, int64_t now_ms, struct error *err)
{
    return db_exec(db,
                   "DELETE FROM idempotency WHERE id IN (SELECT id FROM (SELECT id, created_ms FROM idempotency "
                   "ORDER BY id LIMIT $2) AS oldest WHERE created_ms < $1)",
                   DB_PARAMS(db_int(now_ms - KEPT_MS), db_int(2L * REMOVE_EVERY)), NULL, err);
}

status idempotency_insert(struct db *db, const struct idempotency *i, struct error *err)
{
    if (i->intent_seq % REMOVE_EVERY == 0)
        TRY(expired_remove(db, i->created_ms, err));
    struct slice request = {i->request_sha256, sizeof(i->request_sha256)};
    status result =
        db_exec(db,
                "INSERT INTO idempotency (principal_id, idempotency_key, request_sha256, intent_seq, "
                "outcome_seq, version, created_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)",
                DB_PARAMS(db_text(i->principal_id), db_text(i->idempotency_key), db_blob(request),
                          db_int(i->intent_seq), db_int(i->outcome_seq), db_int(i->version), db_int(i->created_ms)),
                NULL, err);
    return row_conflict(result, err, "the idempotency key was used before");
}

status idempotency_finish(struct db *db, const struct idempotency *i, struct error *err)
{
    int64_t changed = 0;
    TRY(db_exec(db,
                "UPDATE idempotency SET outcome_seq = $3, version = $4, signature = $5 "
                "WHERE principal_id = $1 AND idempotency_key = $2",
                DB_PARAMS(db_text(i->principal_id), db_text(i->idempotency_key), db_int(i->outcome_seq),
                          db_int(i->version), db_blob(buf_slice(&i->signature))),
                &changed, err));
    return row_changed(changed, "idempotency key", err);
}

status idempotency_remove(struct db *db, const char *principal_id, const char *key, struct error *err)
{
    return db_exec(db, "DELETE FROM idempotency WHERE principal_id = $1 AND idempotency_key = $2",
                   DB_PARAMS(db_text(principal_id), db_text(key)), NULL, err);
}

status idempotency_remove_open(struct db *db, const char *principal_id, int64_t intent_seq, struct error *err)
{
    return db_exec(db, "DELETE FROM idempotency WHERE principal_id = $1 AND intent_seq = $2 AND outcome_seq = 0",
                   DB_PARAMS(db_text(principal_id), db_int(intent_seq)), NULL, err);
}

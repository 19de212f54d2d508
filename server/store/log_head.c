/* SPDX-License-Identifier: Apache-2.0 */
/* The row that every batch takes: generation and head of the audit log. */
#include "server/store/db_driver.h"
#include "server/store/row.h"

static status generation_read(struct db *db, int64_t *out, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db, "SELECT generation FROM log_head WHERE id = 1", NULL, 0, &rows, err));
    TRY(row_expect(rows, "log head", err));
    *out = db_column_int(rows, 0);
    return OK;
}

/* The first reader fills the mirror; a writer that commits meanwhile has the newer value and wins. A transaction sees
 * its own bump before the mirror does: a signature's intent behind a revocation in one batch must not miss it (I4). */
status store_generation(struct db *db, int64_t *out, struct error *err)
{
    if (db->bumped) {
        *out = db->bumped;
        return OK;
    }
    if (!db->generation)
        return generation_read(db, out, err);

    int64_t seen = atomic_load(db->generation);
    if (seen < 0) {
        int64_t read = 0;
        TRY(generation_read(db, &read, err));
        if (atomic_compare_exchange_strong(db->generation, &seen, read))
            seen = read;
    }
    *out = seen;
    return OK;
}

status store_generation_bump(struct db *db, struct error *err)
{
    int64_t generation = 0;
    TRY(db_exec(db, "UPDATE log_head SET generation = generation + 1 WHERE id = 1", NULL, 0, NULL, err));
    TRY(generation_read(db, &generation, err));
    db->bumped = generation;
    return OK;
}

static status head_read(struct db *db, const char *sql, struct record_head *out, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db, sql, NULL, 0, &rows, err));
    TRY(row_expect(rows, "log head", err));
    out->seq = db_column_int(rows, 0);
    out->time_ms = db_column_int(rows, 2);
    return column_blob_exact(out->hash, sizeof(out->hash), rows, 1, err);
}

status record_head(struct db *db, int64_t *seq, uint8_t hash[32], struct error *err)
{
    struct record_head head = {0};
    TRY(head_read(db, "SELECT seq, record_hash, time_ms FROM log_head WHERE id = 1", &head, err));
    *seq = head.seq;
    for (size_t i = 0; i < sizeof(head.hash); i++)
        hash[i] = head.hash[i];
    return OK;
}

status record_head_lock(struct db *db, struct record_head *out, struct error *err)
{
    if (db->driver->row_locks)
        return head_read(db, "SELECT seq, record_hash, time_ms FROM log_head WHERE id = 1 FOR UPDATE", out, err);
    return head_read(db, "SELECT seq, record_hash, time_ms FROM log_head WHERE id = 1", out, err);
}

status record_head_set(struct db *db, const struct record_head *head, struct error *err)
{
    int64_t changed = 0;
    struct slice hash = {head->hash, sizeof(head->hash)};
    TRY(db_exec(db, "UPDATE log_head SET seq = $1, record_hash = $2, time_ms = $3 WHERE id = 1",
                DB_PARAMS(db_int(head->seq), db_blob(hash), db_int(head->time_ms)), &changed, err));
    return row_changed(changed, "log head", err);
}

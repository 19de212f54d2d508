/* SPDX-License-Identifier: Apache-2.0 */
/* When certificates end: read from them once, kept beside them, and found by an index. */
#include "server/store/connector.h"

#include "common/certificate.h"
#include "server/store/row.h"

enum { FILL_MAX = 100 };

static status end_read(const struct db_rows *rows, struct certificate_end *out, struct error *err)
{
    COLUMN_COPY(out->key_id, rows, 0);
    COLUMN_COPY(out->project_name, rows, 1);
    COLUMN_COPY(out->label, rows, 2);
    COLUMN_COPY(out->connector, rows, 3);
    COLUMN_COPY(out->source, rows, 4);
    out->version = (int)db_column_int(rows, 5);
    out->renew_before_days = (int)db_column_int(rows, 6);
    out->notified_days = (int)db_column_int(rows, 7);
    out->not_after_ms = db_column_int(rows, 8);
    column_blob_copy(&out->certificate, rows, 9);
    return buf_check(&out->certificate, err);
}

status certificate_end_list(struct db *db, int64_t after_ms, const char *after_key, int64_t until_ms, int limit,
                            status (*each)(void *arg, const struct certificate_end *e), void *arg, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(
        db,
        "SELECT k.id, p.name, k.label, k.connector, v.certificate_source, v.version, k.renew_before_days, "
        "v.notified_days, v.not_after_ms, v.certificate FROM key_version v JOIN signing_key k ON "
        "k.id = v.key_id AND k.version = v.version JOIN project p ON p.id = k.project_id WHERE "
        "v.not_after_ms > 0 AND v.not_after_ms <= $2 AND (v.not_after_ms > $1 OR (v.not_after_ms = $1 AND k.id > $4)) "
        "AND v.not_after_ms >= $1 AND v.revoked_ms = 0 AND k.lifecycle IN "
        "('active', 'disabled') ORDER BY v.not_after_ms, k.id LIMIT $3",
        DB_PARAMS(db_int(after_ms), db_int(until_ms), db_int(limit), db_text(after_key)), &rows, err));
    struct certificate_end e = {0};
    status s = OK;
    for (bool more = true; is_ok(s) && more;) {
        s = db_next(rows, &more, err);
        if (is_ok(s) && more)
            s = end_read(rows, &e, err);
        if (is_ok(s) && more)
            s = each(arg, &e);
    }
    buf_clear(&e.certificate);
    return s;
}

status certificate_end_set_notified(struct db *db, const char *key_id, int version, int days, struct error *err)
{
    int64_t changed = 0;
    TRY(db_exec(db,
                "UPDATE key_version SET notified_days = $3 WHERE key_id = $1 AND version = $2 AND (notified_days = 0 "
                "OR notified_days > $3)",
                DB_PARAMS(db_text(key_id), db_int(version), db_int(days)), &changed, err));
    return row_changed(changed, "certificate without this notice", err);
}

struct unread {
    char key_id[ID_SIZE];
    int version;
    int64_t not_after_ms;
};

static status unread_list(struct db *db, int limit, struct unread *out, size_t *count, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db,
                 "SELECT key_id, version, certificate FROM key_version WHERE certificate IS NOT NULL AND "
                 "not_after_ms = 0 LIMIT $1",
                 DB_PARAMS(db_int(limit)), &rows, err));
    for (bool more = false; *count < (size_t)limit; (*count)++) {
        TRY(db_next(rows, &more, err));
        if (!more)
            return OK;
        struct unread *u = &out[*count];
        int64_t end_ms = certificate_not_after_ms(db_column_blob(rows, 2));
        COLUMN_COPY(u->key_id, rows, 0);
        u->version = (int)db_column_int(rows, 1);
        u->not_after_ms = end_ms > 0 ? end_ms : 1; /* one that cannot be read is not read again */
    }
    return OK;
}

status certificate_end_fill(struct db *db, int limit, int64_t *changed, struct error *err)
{
    struct unread found[FILL_MAX];
    size_t count = 0;
    TRY(unread_list(db, limit < FILL_MAX ? limit : FILL_MAX, found, &count, err));
    for (size_t i = 0; i < count; i++)
        TRY(db_exec(db, "UPDATE key_version SET not_after_ms = $3 WHERE key_id = $1 AND version = $2",
                    DB_PARAMS(db_text(found[i].key_id), db_int(found[i].version), db_int(found[i].not_after_ms)), NULL,
                    err));
    *changed = (int64_t)count;
    return OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "server/store/timestamp.h"

#include <string.h>

#include "server/store/row.h"

/* ---- the authority */

status timestamp_authority_find(struct db *db, struct timestamp_authority *out, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db,
                 "SELECT disabled, disabled_reason, version, created_ms, revision FROM timestamp_authority "
                 "WHERE id = 1",
                 NULL, 0, &rows, err));
    TRY(row_expect(rows, "timestamp authority", err));

    out->is_disabled = db_column_int(rows, 0) != 0;
    COLUMN_COPY(out->disabled_reason, rows, 1);
    out->version = (int)db_column_int(rows, 2);
    out->created_ms = db_column_int(rows, 3);
    out->revision = db_column_int(rows, 4);
    return OK;
}

status timestamp_authority_insert(struct db *db, const struct timestamp_authority *a, struct error *err)
{
    status result = db_exec(
        db,
        "INSERT INTO timestamp_authority (id, disabled, disabled_reason, version, created_ms) "
        "VALUES (1, $1, $2, $3, $4)",
        DB_PARAMS(db_int(a->is_disabled), db_text(a->disabled_reason), db_int(a->version), db_int(a->created_ms)), NULL,
        err);
    return row_conflict(result, err, "there is a timestamp authority already");
}

status timestamp_authority_update(struct db *db, struct timestamp_authority *a, struct error *err)
{
    int64_t changed = 0;
    TRY(db_exec(db,
                "UPDATE timestamp_authority SET disabled = $1, disabled_reason = $2, version = $3, "
                "revision = revision + 1 WHERE id = 1",
                DB_PARAMS(db_int(a->is_disabled), db_text(a->disabled_reason), db_int(a->version)), &changed, err));
    TRY(row_changed(changed, "timestamp authority", err));
    a->revision++;
    return OK;
}

/* ---- its keys */

static const char *const state_names[] = {"pending", "active", "retired"};

const char *timestamp_key_state_name(enum timestamp_key_state state)
{
    return state_names[state];
}

void timestamp_key_clear(struct timestamp_key *k)
{
    buf_clear(&k->spki);
    buf_clear(&k->certificate);
    buf_clear(&k->chain);
    *k = (struct timestamp_key){0};
}

static struct db_value blob_or_null(const struct buf *b)
{
    return b->len ? db_blob(buf_slice(b)) : db_null();
}

status timestamp_key_insert(struct db *db, const struct timestamp_key *k, struct error *err)
{
    struct slice hsm_id = {k->hsm_id, sizeof(k->hsm_id)};
    status result = db_exec(
        db,
        "INSERT INTO timestamp_key (version, state, type, hsm_id, spki, hsm_attributes, subject, certificate, "
        "chain, created_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        DB_PARAMS(db_int(k->version), db_text(state_names[k->state]), db_text(key_type_name(k->type)), db_blob(hsm_id),
                  db_blob(buf_slice(&k->spki)), db_text(k->hsm_attributes), db_text(k->subject),
                  blob_or_null(&k->certificate), blob_or_null(&k->chain), db_int(k->created_ms)),
        NULL, err);
    return row_conflict(result, err, "the timestamp authority has this key already");
}

static status certificate_keep(struct db *db, const struct timestamp_key *k, int64_t now_ms, struct error *err)
{
    return db_exec(db,
                   "INSERT INTO timestamp_certificate (version, certificate, replaced_ms) "
                   "SELECT version, certificate, CAST($3 AS BIGINT) FROM timestamp_key "
                   "WHERE version = $1 AND certificate IS NOT NULL AND certificate <> $2",
                   DB_PARAMS(db_int(k->version), db_blob(buf_slice(&k->certificate)), db_int(now_ms)), NULL, err);
}

status timestamp_key_update(struct db *db, const struct timestamp_key *k, int64_t now_ms, struct error *err)
{
    int64_t changed = 0;
    if (k->certificate.len)
        TRY(certificate_keep(db, k, now_ms, err));
    TRY(db_exec(db,
                "UPDATE timestamp_key SET state = $2, subject = $3, certificate = $4, chain = $5 WHERE version = $1",
                DB_PARAMS(db_int(k->version), db_text(state_names[k->state]), db_text(k->subject),
                          blob_or_null(&k->certificate), blob_or_null(&k->chain)),
                &changed, err));
    return row_changed(changed, "key of the timestamp authority", err);
}

#define KEY_COLUMNS                                                                                                    \
    "SELECT version, state, type, hsm_id, spki, hsm_attributes, subject, certificate, chain, created_ms "              \
    "FROM timestamp_key "

static status key_read(const struct db_rows *rows, struct timestamp_key *out, struct error *err)
{
    size_t state = 0;

    while (state < COUNT_OF(state_names) && strcmp(state_names[state], db_column_text(rows, 1)) != 0)
        state++;
    if (state == COUNT_OF(state_names) || !key_type_parse(db_column_text(rows, 2), &out->type))
        return error_set(err, CODE_INTERNAL, "store: a key of the timestamp authority is not understood");
    out->version = (int)db_column_int(rows, 0);
    out->state = (enum timestamp_key_state)state;
    column_blob_copy(&out->spki, rows, 4);
    COLUMN_COPY(out->hsm_attributes, rows, 5);
    COLUMN_COPY(out->subject, rows, 6);
    column_blob_copy(&out->certificate, rows, 7);
    column_blob_copy(&out->chain, rows, 8);
    out->created_ms = db_column_int(rows, 9);
    TRY(buf_check(&out->spki, err));
    TRY(buf_check(&out->certificate, err));
    TRY(buf_check(&out->chain, err));
    return column_blob_exact(out->hsm_id, sizeof(out->hsm_id), rows, 3, err);
}

status timestamp_key_find(struct db *db, int version, struct timestamp_key *out, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db, KEY_COLUMNS "WHERE version = $1", DB_PARAMS(db_int(version)), &rows, err));
    TRY(row_expect(rows, "key of the timestamp authority", err));
    return key_read(rows, out, err);
}

status timestamp_key_find_pending(struct db *db, struct timestamp_key *out, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db, KEY_COLUMNS "WHERE state = 'pending'", NULL, 0, &rows, err));
    TRY(row_expect(rows, "key of the timestamp authority that waits for a certificate", err));
    return key_read(rows, out, err);
}

status timestamp_key_list(struct db *db, status (*each)(void *arg, const struct timestamp_key *k), void *arg,
                          struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    cleanup_timestamp_key struct timestamp_key k = {0};
    TRY(db_query(db, KEY_COLUMNS "ORDER BY version", NULL, 0, &rows, err));
    for (bool more = false;;) {
        TRY(db_next(rows, &more, err));
        if (!more)
            return OK;
        TRY(key_read(rows, &k, err));
        TRY(each(arg, &k));
    }
}

status timestamp_certificate_list(struct db *db,
                                  status (*each)(void *arg, int version, struct slice certificate, int64_t replaced_ms),
                                  void *arg, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db,
                 "SELECT version, certificate, replaced_ms FROM timestamp_certificate ORDER BY replaced_ms, version",
                 NULL, 0, &rows, err));
    for (bool more = false;;) {
        TRY(db_next(rows, &more, err));
        if (!more)
            return OK;
        TRY(each(arg, (int)db_column_int(rows, 0), db_column_blob(rows, 1), db_column_int(rows, 2)));
    }
}

/* ---- serial numbers and time */

status timestamp_serials_take(struct db *db, int64_t count, int64_t now_ms, int64_t tolerance_ms, int64_t *first,
                              struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    bool more = false;
    TRY(db_query(db,
                 "UPDATE timestamp_serial SET next = next + $1, "
                 "clock_ms = CASE WHEN clock_ms > $2 THEN clock_ms ELSE $2 END "
                 "WHERE id = 1 AND clock_ms <= $3 RETURNING next",
                 DB_PARAMS(db_int(count), db_int(now_ms), db_int(now_ms + tolerance_ms)), &rows, err));
    TRY(db_next(rows, &more, err));
    if (!more)
        return error_set(err, CODE_CONFLICT, "the clock is behind a time that was reached before");
    *first = db_column_int(rows, 0) - count;
    return db_next(rows, &more, err);
}

status timestamp_clock_reset(struct db *db, struct error *err)
{
    return db_exec(db, "UPDATE timestamp_serial SET clock_ms = 0 WHERE id = 1", NULL, 0, NULL, err);
}

/* ---- counters per UTC day */

status timestamp_usage_add(struct db *db, int64_t when_ms, const struct timestamp_usage *u, struct error *err)
{
    char day[TIME_TEXT_SIZE];
    time_format_day(when_ms, day);
    return db_exec(db,
                   "INSERT INTO timestamp_usage (day, granted, refused) VALUES ($1, $2, $3) "
                   "ON CONFLICT (day) DO UPDATE SET granted = timestamp_usage.granted + excluded.granted, "
                   "refused = timestamp_usage.refused + excluded.refused",
                   DB_PARAMS(db_text(day), db_int(u->granted), db_int(u->refused)), NULL, err);
}

status timestamp_usage_find(struct db *db, int64_t when_ms, struct timestamp_usage *day, struct timestamp_usage *total,
                            struct error *err)
{
    char today[TIME_TEXT_SIZE];
    cleanup_rows struct db_rows *rows = NULL;
    time_format_day(when_ms, today);
    TRY(db_query(db,
                 "SELECT COALESCE(CAST(SUM(CASE WHEN day = $1 THEN granted ELSE 0 END) AS BIGINT), 0), "
                 "COALESCE(CAST(SUM(CASE WHEN day = $1 THEN refused ELSE 0 END) AS BIGINT), 0), "
                 "COALESCE(CAST(SUM(granted) AS BIGINT), 0), COALESCE(CAST(SUM(refused) AS BIGINT), 0) "
                 "FROM timestamp_usage",
                 DB_PARAMS(db_text(today)), &rows, err));
    TRY(row_expect(rows, "timestamps", err));
    *day = (struct timestamp_usage){db_column_int(rows, 0), db_column_int(rows, 1)};
    *total = (struct timestamp_usage){db_column_int(rows, 2), db_column_int(rows, 3)};
    return OK;
}

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

/* CROSS: SQLite goes along the index of ends, which has all that is asked of a version. */
#define FROM " FROM key_version v CROSS JOIN signing_key k "
#define WHERE_ENDING(whose)                                                                                            \
    "WHERE k.id = v.key_id AND k.version = v.version AND " VERSION_ENDING("v.", "$3") " AND " KEY_RENEWABLE(           \
        "k.") " AND " whose
#define OF_ALL PROJECT_ANY("$1", "$2")
#define OF_MEMBER PROJECT_OF("k.project_id", "$1", ROLES_ANY, "$2")

#define LIST_SQL(whose)                                                                                                \
    "SELECT k.id, p.name, k.label, k.connector, v.certificate_source, v.version, k.renew_before_days, "                \
    "v.notified_days, v.not_after_ms, v.certificate" FROM "JOIN project p ON p.id = k.project_id " WHERE_ENDING(       \
        whose) " AND v.not_after_ms >= $4 AND (v.not_after_ms > $4 OR k.id > $5) "                                     \
               "ORDER BY v.not_after_ms, k.id LIMIT $6"

status certificate_end_list(struct db *db, const struct certificate_end_filter *filter,
                            status (*each)(void *arg, const struct certificate_end *e), void *arg, struct error *err)
{
    static const char *const texts[] = {LIST_SQL(OF_ALL), LIST_SQL(OF_MEMBER)};
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db, texts[filter->member_id != NULL],
                 DB_PARAMS(db_text(filter_text(filter->member_id)), db_int(clock_now_ms()), db_int(filter->until_ms),
                           db_int(filter->after_ms), db_text(filter_text(filter->after_key)), db_int(filter->limit)),
                 &rows, err));
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

#define COUNT_SQL(whose)                                                                                               \
    "SELECT COUNT(*), CAST(COALESCE(SUM(CASE WHEN v.not_after_ms <= $2 THEN 1 ELSE 0 END), 0) AS BIGINT)" FROM         \
    WHERE_ENDING(whose)

status certificate_end_count(struct db *db, const char *member_id, int64_t now_ms, int64_t until_ms,
                             struct certificate_end_count *out, struct error *err)
{
    static const char *const texts[] = {COUNT_SQL(OF_ALL), COUNT_SQL(OF_MEMBER)};
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db, texts[member_id != NULL],
                 DB_PARAMS(db_text(filter_text(member_id)), db_int(now_ms), db_int(until_ms)), &rows, err));
    TRY(row_expect(rows, "certificate", err));
    *out = (struct certificate_end_count){.ending = db_column_int(rows, 0), .expired = db_column_int(rows, 1)};
    return OK;
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

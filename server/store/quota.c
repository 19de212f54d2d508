/* SPDX-License-Identifier: Apache-2.0 */
/* Counters of quotas, one row a key: total, this UTC day, this UTC month. Only intents under a quota are counted, so a
 * row may be behind: its mark tells under which policies it was kept, and under others it is first brought level with
 * the successes on record. */
#include "server/store/policy.h"

#include <string.h>

#include "server/store/row.h"

enum { MONTH_LEN = 7 };

struct period {
    char day[TIME_TEXT_SIZE], month[TIME_TEXT_SIZE];
};

static struct period period_of(int64_t now_ms)
{
    struct period p;
    time_format_day(now_ms, p.day);
    memcpy(p.month, p.day, sizeof(p.month));
    p.month[MONTH_LEN] = '\0';
    return p;
}

static status row_level(struct db *db, const char *key_id, const char *mark, const struct period *p, struct error *err)
{
    return db_exec(
        db,
        "INSERT INTO key_counter (key_id, mark, total, day, day_count, month, month_count) "
        "SELECT $1, $2, COALESCE(CAST(SUM(success) AS BIGINT), 0), $3, "
        "COALESCE(CAST(SUM(CASE WHEN day = $3 THEN success ELSE 0 END) AS BIGINT), 0), $4, "
        "COALESCE(CAST(SUM(CASE WHEN substr(day, 1, 7) = $4 THEN success ELSE 0 END) AS BIGINT), 0) "
        "FROM key_usage WHERE key_id = $1 ON CONFLICT (key_id) DO UPDATE SET mark = excluded.mark, "
        "day_count = CASE WHEN key_counter.day = excluded.day AND key_counter.day_count > excluded.day_count "
        "THEN key_counter.day_count ELSE excluded.day_count END, "
        "month_count = CASE WHEN key_counter.month = excluded.month AND key_counter.month_count > excluded.month_count "
        "THEN key_counter.month_count ELSE excluded.month_count END, "
        "total = CASE WHEN key_counter.total > excluded.total THEN key_counter.total ELSE excluded.total END, "
        "day = excluded.day, month = excluded.month",
        DB_PARAMS(db_text(key_id), db_text(mark), db_text(p->day), db_text(p->month)), NULL, err);
}

static status row_take(struct db *db, const char *key_id, const char *mark, const struct quota *limit,
                       const struct period *p, struct quota_use *out, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db,
                 "UPDATE key_counter SET total = total + 1, "
                 "day_count = CASE WHEN day = $3 THEN day_count + 1 ELSE 1 END, day = $3, "
                 "month_count = CASE WHEN month = $4 THEN month_count + 1 ELSE 1 END, month = $4 "
                 "WHERE key_id = $1 AND mark = $2 AND ($5 = 0 OR total < $5) "
                 "AND ($6 = 0 OR day <> $3 OR day_count < $6) AND ($7 = 0 OR month <> $4 OR month_count < $7) "
                 "RETURNING total, day_count, month_count",
                 DB_PARAMS(db_text(key_id), db_text(mark), db_text(p->day), db_text(p->month), db_int(limit->total),
                           db_int(limit->day), db_int(limit->month)),
                 &rows, err));
    *out = (struct quota_use){0};
    for (bool more = true; more;) {
        TRY(db_next(rows, &more, err));
        if (more)
            *out = (struct quota_use){true, {db_column_int(rows, 0), db_column_int(rows, 1), db_column_int(rows, 2)}};
    }
    return OK;
}

static status row_has_mark(struct db *db, const char *key_id, const char *mark, bool *out, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db, "SELECT 1 FROM key_counter WHERE key_id = $1 AND mark = $2",
                 DB_PARAMS(db_text(key_id), db_text(mark)), &rows, err));
    return db_next(rows, out, err);
}

status quota_take(struct db *db, const char *key_id, const char *mark, const struct quota *limit, int64_t now_ms,
                  struct quota_use *out, struct error *err)
{
    struct period p = period_of(now_ms);
    bool is_level = false;
    TRY(row_take(db, key_id, mark, limit, &p, out, err));
    if (out->is_taken)
        return OK;
    TRY(row_has_mark(db, key_id, mark, &is_level, err));
    if (is_level)
        return quota_find(db, key_id, now_ms, &out->count, err);
    TRY(row_level(db, key_id, mark, &p, err));
    TRY(row_take(db, key_id, mark, limit, &p, out, err));
    return out->is_taken ? OK : quota_find(db, key_id, now_ms, &out->count, err);
}

/* The day or month may have ended meanwhile: then there is nothing to give back to it. */
status quota_give_back(struct db *db, const char *key_id, int64_t taken_ms, struct error *err)
{
    struct period p = period_of(taken_ms);
    return db_exec(db,
                   "UPDATE key_counter SET total = CASE WHEN total > 0 THEN total - 1 ELSE 0 END, "
                   "day_count = CASE WHEN day = $2 AND day_count > 0 THEN day_count - 1 ELSE day_count END, "
                   "month_count = CASE WHEN month = $3 AND month_count > 0 THEN month_count - 1 ELSE month_count END "
                   "WHERE key_id = $1",
                   DB_PARAMS(db_text(key_id), db_text(p.day), db_text(p.month)), NULL, err);
}

status quota_find(struct db *db, const char *key_id, int64_t now_ms, struct quota *out, struct error *err)
{
    struct period p = period_of(now_ms);
    cleanup_rows struct db_rows *rows = NULL;
    bool more = false;
    *out = (struct quota){0};
    TRY(db_query(db,
                 "SELECT total, CASE WHEN day = $2 THEN day_count ELSE 0 END, "
                 "CASE WHEN month = $3 THEN month_count ELSE 0 END FROM key_counter WHERE key_id = $1",
                 DB_PARAMS(db_text(key_id), db_text(p.day), db_text(p.month)), &rows, err));
    TRY(db_next(rows, &more, err));
    if (more)
        *out = (struct quota){db_column_int(rows, 0), db_column_int(rows, 1), db_column_int(rows, 2)};
    return OK;
}

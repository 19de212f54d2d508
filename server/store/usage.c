/* SPDX-License-Identifier: Apache-2.0 */
/* Counters per key, UTC day and signer, changed in the transaction of the outcome's record; reports add them up. */
#include "server/store/row.h"

status usage_add(struct db *db, const char *key_id, const char *principal_id, int64_t when_ms,
                 enum usage_outcome outcome, struct error *err)
{
    char day[TIME_TEXT_SIZE];
    time_format_day(when_ms, day);
    return db_exec(db,
                   "INSERT INTO key_usage (key_id, day, principal_id, success, refused, failed) "
                   "VALUES ($1, $2, $3, $4, $5, $6) "
                   "ON CONFLICT (key_id, day, principal_id) DO UPDATE SET "
                   "success = key_usage.success + excluded.success, "
                   "refused = key_usage.refused + excluded.refused, failed = key_usage.failed + excluded.failed",
                   DB_PARAMS(db_text(key_id), db_text(day), db_text(principal_id), db_int(outcome == USAGE_SUCCESS),
                             db_int(outcome == USAGE_REFUSED), db_int(outcome == USAGE_FAILED)),
                   NULL, err);
}

static void usage_read(const struct db_rows *rows, struct usage *out)
{
    *out = (struct usage){.success = db_column_int(rows, 6),
                          .refused = db_column_int(rows, 7),
                          .failed = db_column_int(rows, 8),
                          .total = db_column_int(rows, 9)};
    COLUMN_COPY(out->day, rows, 0);
    COLUMN_COPY(out->project_name, rows, 1);
    COLUMN_COPY(out->label, rows, 2);
    COLUMN_COPY(out->principal_name, rows, 3);
    COLUMN_COPY(out->key_id, rows, 4);
    COLUMN_COPY(out->principal_id, rows, 5);
}

static status usage_walk(struct db_rows *rows, status (*each)(void *arg, const struct usage *u), void *arg,
                         struct error *err)
{
    for (bool more = false;;) {
        TRY(db_next(rows, &more, err));
        if (!more)
            return OK;
        struct usage u;
        usage_read(rows, &u);
        TRY(each(arg, &u));
    }
}

static struct db_value text_or_empty(const char *text)
{
    return db_text(text ? text : "");
}

#define OWNED "SELECT id FROM signing_key WHERE " PROJECT_OF("project_id", "$5", ROLE_OWNER, "$6")
/* Added up before anything is joined: of a store with many keys and days that is most of the work. What is not grouped
 * by is '', so that the rows of a group are equal in it. $7: enum usage_period; $8: usage_group. */
#define USAGE_SUMS                                                                                                     \
    "SELECT CASE WHEN $7 = 0 THEN u.day WHEN $7 = 1 THEN substr(u.day, 1, 7) ELSE '' END AS period, "                  \
    "CASE WHEN $8 IN (0, 1) THEN u.key_id ELSE '' END AS key_of, "                                                     \
    "CASE WHEN $8 = 2 THEN u.principal_id ELSE '' END AS signer, CAST(SUM(u.success) AS BIGINT) AS success, "          \
    "CAST(SUM(u.refused) AS BIGINT) AS refused, CAST(SUM(u.failed) AS BIGINT) AS failed FROM key_usage u "             \
    "WHERE ($1 = '' OR u.key_id IN (SELECT id FROM signing_key WHERE project_id = $1)) "                               \
    "AND ($2 = '' OR u.key_id = $2) AND ($3 = '' OR u.day >= $3) AND ($4 = '' OR u.day <= $4) "                        \
    "AND ($5 = '' OR u.key_id IN (" OWNED ")) "                                                                        \
    "AND ($9 = '' OR u.principal_id = $9 OR u.principal_id IN (SELECT id FROM principal WHERE name = $9)) "            \
    "GROUP BY 1, 2, 3"

#define USAGE_NAMES "project_name, key_label, signer_name, key_id, signer"
#define USAGE_JOINS                                                                                                    \
    "FROM (" USAGE_SUMS ") a LEFT JOIN signing_key k ON k.id = a.key_of LEFT JOIN project p ON p.id = k.project_id "   \
    "LEFT JOIN principal s ON s.id = a.signer"
#define USAGE_KEYS                                                                                                     \
    "SELECT a.period, COALESCE(p.name, '') AS project_name, COALESCE(k.label, '') AS key_label, '' AS signer_name, "   \
    "a.key_of AS key_id, '' AS signer, a.success, a.refused, a.failed " USAGE_JOINS
/* The keys of a project are one row. */
#define USAGE_OTHERS                                                                                                   \
    "SELECT a.period, COALESCE(p.name, '') AS project_name, '' AS key_label, COALESCE(s.name, '') AS signer_name, "    \
    "'' AS key_id, a.signer, CAST(SUM(a.success) AS BIGINT) AS success, CAST(SUM(a.refused) AS BIGINT) AS refused, "   \
    "CAST(SUM(a.failed) AS BIGINT) AS failed " USAGE_JOINS " GROUP BY 1, 2, 3, 4, 5, 6"
#define USAGE_SQL(rows, count, order)                                                                                  \
    "SELECT g.*, " count " FROM (" rows ") g ORDER BY " order ", " USAGE_NAMES " LIMIT $10"
#define USAGE_TOTAL "COUNT(*) OVER ()"
/* What has pages is read to its end, and need not be counted before. */
#define USAGE_ORDERS(rows)                                                                                             \
    {                                                                                                                  \
        [USAGE_OLDEST_FIRST] = USAGE_SQL(rows, "0", "period"),                                                         \
        [USAGE_NEWEST_FIRST] = USAGE_SQL(rows, USAGE_TOTAL, "period DESC"),                                            \
        [USAGE_MOST_FIRST] = USAGE_SQL(rows, USAGE_TOTAL, "success DESC, refused DESC, failed DESC, period"),          \
    }

/* from_day and to_day are both included. */
status usage_list(struct db *db, const struct usage_filter *filter, status (*each)(void *arg, const struct usage *u),
                  void *arg, struct error *err)
{
    static const char *const of_keys[] = USAGE_ORDERS(USAGE_KEYS), *const of_others[] = USAGE_ORDERS(USAGE_OTHERS);
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db, (filter->group == USAGE_BY_KEY ? of_keys : of_others)[filter->order],
                 DB_PARAMS(text_or_empty(filter->project_id), text_or_empty(filter->key_id),
                           text_or_empty(filter->from_day), text_or_empty(filter->to_day),
                           text_or_empty(filter->owner_id), db_int(clock_now_ms()), db_int((int64_t)filter->period),
                           db_int((int64_t)filter->group), text_or_empty(filter->principal),
                           db_int(filter->limit > 0 ? filter->limit : INT64_MAX)),
                 &rows, err));

    return usage_walk(rows, each, arg, err);
}

/* CROSS: SQLite goes from key to key and takes the last days of each, which lie side by side. */
#define SUM_SQL(whose)                                                                                                 \
    "SELECT u.day, '', '', '', '', '', CAST(SUM(u.success) AS BIGINT), CAST(SUM(u.refused) AS BIGINT), "               \
    "CAST(SUM(u.failed) AS BIGINT), 0 FROM signing_key k CROSS JOIN key_usage u "                                      \
    "WHERE u.key_id = k.id AND u.day >= $3 AND " whose " GROUP BY u.day ORDER BY u.day"

status usage_sum_days(struct db *db, const char *owner_id, const char *from_day,
                      status (*each)(void *arg, const struct usage *u), void *arg, struct error *err)
{
    static const char *const texts[] = {SUM_SQL(PROJECT_ANY("$1", "$2")),
                                        SUM_SQL(PROJECT_OF("k.project_id", "$1", ROLE_OWNER, "$2"))};
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db, texts[owner_id != NULL],
                 DB_PARAMS(text_or_empty(owner_id), db_int(clock_now_ms()), db_text(from_day)), &rows, err));
    return usage_walk(rows, each, arg, err);
}

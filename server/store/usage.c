/* SPDX-License-Identifier: Apache-2.0 */
/* Counters per key and UTC day, changed in the transaction of the outcome's record. */
#include "server/store/row.h"

status usage_add(struct db *db, const char *key_id, int64_t when_ms, enum usage_outcome outcome, struct error *err)
{
    char day[TIME_TEXT_SIZE];
    time_format_day(when_ms, day);
    return db_exec(db,
                   "INSERT INTO key_usage (key_id, day, success, refused, failed) VALUES ($1, $2, $3, $4, $5) "
                   "ON CONFLICT (key_id, day) DO UPDATE SET success = key_usage.success + excluded.success, "
                   "refused = key_usage.refused + excluded.refused, failed = key_usage.failed + excluded.failed",
                   DB_PARAMS(db_text(key_id), db_text(day), db_int(outcome == USAGE_SUCCESS),
                             db_int(outcome == USAGE_REFUSED), db_int(outcome == USAGE_FAILED)),
                   NULL, err);
}

static void usage_read(const struct db_rows *rows, struct usage *out)
{
    *out = (struct usage){
        .success = db_column_int(rows, 4), .refused = db_column_int(rows, 5), .failed = db_column_int(rows, 6)};
    COLUMN_COPY(out->day, rows, 0);
    COLUMN_COPY(out->key_id, rows, 1);
    COLUMN_COPY(out->project_name, rows, 2);
    COLUMN_COPY(out->label, rows, 3);
}

static struct db_value text_or_empty(const char *text)
{
    return db_text(text ? text : "");
}

/* In the order of days, then project and label. from_day and to_day are both included. */
status usage_list(struct db *db, const struct usage_filter *filter, status (*each)(void *arg, const struct usage *u),
                  void *arg, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db,
                 "SELECT u.day, u.key_id, p.name, k.label, u.success, u.refused, u.failed FROM key_usage u "
                 "LEFT JOIN signing_key k ON k.id = u.key_id LEFT JOIN project p ON p.id = k.project_id "
                 "WHERE ($1 = '' OR k.project_id = $1) AND ($2 = '' OR u.key_id = $2) AND ($3 = '' OR u.day >= $3) "
                 "AND ($4 = '' OR u.day <= $4) AND ($5 = '' OR EXISTS (SELECT 1 FROM principal_role m "
                 "WHERE m.project_id = k.project_id AND m.principal_id = $5 AND m.role = 1 "
                 "AND " ROLE_IN_TIME("m.", "$6") ")) "
                                                 "ORDER BY u.day, p.name, k.label, u.key_id",
                 DB_PARAMS(text_or_empty(filter->project_id), text_or_empty(filter->key_id),
                           text_or_empty(filter->from_day), text_or_empty(filter->to_day),
                           text_or_empty(filter->owner_id), db_int(clock_now_ms())),
                 &rows, err));

    for (bool more = false;;) {
        TRY(db_next(rows, &more, err));
        if (!more)
            return OK;
        struct usage u;
        usage_read(rows, &u);
        TRY(each(arg, &u));
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the audit log. Nothing here updates or removes a record (I7). */
#include "common/json.h"
#include "server/store/row.h"

enum { RECORD_MAX = 1024 * 1024 };

#define COLUMNS "seq, line, type, principal_id, key_id, outcome, request_id, digest, intent_seq, server"

status record_insert(struct db *db, const struct record_row *r, struct error *err)
{
    return db_exec(db, "INSERT INTO record (" COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                   DB_PARAMS(db_int(r->seq), db_text(r->line), db_text(r->type), db_text(r->principal_id),
                             db_text(r->key_id), db_text(r->outcome), db_text(r->request_id), db_text(r->digest),
                             r->intent_seq ? db_int(r->intent_seq) : db_null(), db_int(r->server)),
                   NULL, err);
}

static const char *text_or_null(const struct db_rows *rows, int column)
{
    return db_column_is_null(rows, column) ? NULL : db_column_text(rows, column);
}

static status record_walk(struct db_rows *rows, status (*each)(void *arg, const struct record_row *r), void *arg,
                          struct error *err)
{
    for (bool more = false;;) {
        TRY(db_next(rows, &more, err));
        if (!more)
            return OK;
        struct record_row r = {
            .seq = db_column_int(rows, 0),
            .line = db_column_text(rows, 1),
            .type = text_or_null(rows, 2),
            .principal_id = text_or_null(rows, 3),
            .key_id = text_or_null(rows, 4),
            .outcome = text_or_null(rows, 5),
            .request_id = text_or_null(rows, 6),
            .digest = text_or_null(rows, 7),
            .intent_seq = db_column_int(rows, 8),
            .server = db_column_int(rows, 9),
        };
        TRY(each(arg, &r));
    }
}

static struct db_value text_or_empty(const char *text)
{
    return db_text(text ? text : "");
}

/* What all ways of listing share: $1 and $2 bound seq, on both sides excluded, $3 to $6 are filters. */
#define LIST_SQL(more)                                                                                                 \
    "SELECT " COLUMNS " FROM record WHERE seq > $1 AND seq < $2 AND ($3 = '' OR type = $3) "                           \
    "AND ($4 = '' OR principal_id = $4) AND ($5 = '' OR key_id = $5) AND ($6 = '' OR outcome = $6) " more " LIMIT $7"
/* The index on digests covers outcomes alone. */
#define OF_DIGEST "AND type = 'signature.outcome' AND digest = $8 "

static const char *list_sql(const struct record_filter *filter)
{
    if (filter->digest)
        return filter->newest_first ? LIST_SQL(OF_DIGEST "ORDER BY digest DESC, seq DESC")
                                    : LIST_SQL(OF_DIGEST "ORDER BY digest, seq");
    return filter->newest_first ? LIST_SQL("ORDER BY seq DESC") : LIST_SQL("ORDER BY seq");
}

status record_list(struct db *db, const struct record_filter *filter,
                   status (*each)(void *arg, const struct record_row *r), void *arg, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    struct page page = {.limit = filter->limit};
    const struct db_value params[] = {
        db_int(filter->after_seq),     db_int(filter->before_seq ? filter->before_seq : INT64_MAX),
        text_or_empty(filter->type),   text_or_empty(filter->principal_id),
        text_or_empty(filter->key_id), text_or_empty(filter->outcome),
        db_int(page_limit(page)),      text_or_empty(filter->digest)};
    TRY(db_query(db, list_sql(filter), params, filter->digest ? 8 : 7, &rows, err));
    return record_walk(rows, each, arg, err);
}

static status time_take(void *arg, const struct record_row *row)
{
    cleanup_json struct json *record = NULL;
    TRY(json_parse(slice_of_text(row->line), RECORD_MAX, LIMIT_JSON_DEPTH, &record, NULL));
    return time_parse(json_get_text(record, "time", ""), arg, NULL);
}

status record_seq_before(struct db *db, int64_t when_ms, int64_t *out, struct error *err)
{
    uint8_t hash[32];
    int64_t low = 0, high = 0;
    TRY(record_head(db, &high, hash, err));
    while (low < high) {
        int64_t middle = low + (high - low) / 2, time_ms = INT64_MAX;
        const struct record_filter one = {.after_seq = middle, .limit = 1};
        TRY(record_list(db, &one, time_take, &time_ms, err));
        if (time_ms < when_ms)
            low = middle + 1;
        else
            high = middle;
    }
    *out = low;
    return OK;
}

status record_open_intents(struct db *db, int64_t server, status (*each)(void *arg, const struct record_row *r),
                           void *arg, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db,
                 "SELECT " COLUMNS " FROM record i WHERE i.server = $1 AND i.type = 'signature.intent' "
                 "AND i.seq >= (SELECT open_from FROM log_server WHERE id = $1) AND NOT EXISTS "
                 "(SELECT 1 FROM record o WHERE o.seq > i.seq AND o.intent_seq = i.seq) ORDER BY i.seq",
                 DB_PARAMS(db_int(server)), &rows, err));
    return record_walk(rows, each, arg, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the audit log. Nothing here updates or removes a record (I7). */
#include "server/store/row.h"

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

#define SELECT_WHERE(range, order)                                                                                     \
    "SELECT " COLUMNS " FROM record WHERE " range " AND ($2 = '' OR type = $2) "                                       \
    "AND ($3 = '' OR principal_id = $3) AND ($4 = '' OR key_id = $4) AND ($5 = '' OR outcome = $5) "                   \
    "ORDER BY " order " LIMIT $6"

status record_list(struct db *db, const struct record_filter *filter,
                   status (*each)(void *arg, const struct record_row *r), void *arg, struct error *err)
{
    static const char oldest_first[] = SELECT_WHERE("seq > $1", "seq");
    static const char newest_first[] = SELECT_WHERE("seq < $1", "seq DESC");
    cleanup_rows struct db_rows *rows = NULL;
    struct page page = {.limit = filter->limit};
    int64_t from = filter->newest_first && filter->after_seq == 0 ? INT64_MAX : filter->after_seq;
    TRY(db_query(db, filter->newest_first ? newest_first : oldest_first,
                 DB_PARAMS(db_int(from), text_or_empty(filter->type), text_or_empty(filter->principal_id),
                           text_or_empty(filter->key_id), text_or_empty(filter->outcome), db_int(page_limit(page))),
                 &rows, err));
    return record_walk(rows, each, arg, err);
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

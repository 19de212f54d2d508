/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log, for administrators and auditors: records exactly as they are chained, byte for byte, so that a reader
 * can check the chain itself (I7). */
#include <stdio.h>
#include <string.h>

#include "common/encoding.h"
#include "common/text.h"
#include "server/api/caller.h"
#include "server/api/list.h"
#include "server/api/parse.h"
#include "server/api/principals.h"
#include "server/api/routes.h"

enum { EXPORT_MOST = 10000, SCAN_MOST = 20000, DIGEST_LEAST = 20, DIGEST_MOST = 64 };

struct record_page {
    struct list list;
    struct buf *lines; /* export */
};

/* What the filter's ids borrow. */
struct record_query {
    struct record_filter filter;
    struct principal principal;
    struct signing_key key;
    char digest[2 * DIGEST_MOST + 1];
    int64_t since_ms, until_ms, after;
};

static void record_query_clear(struct record_query *q)
{
    signing_key_clear(&q->key);
}
#define cleanup_record_query CLEANUP(record_query_clear)

static status filter_key(struct record_query *q, struct db *db, const char *asked, struct error *err)
{
    if (!asked)
        return OK;
    status s = key_find(db, asked, &q->key, err);
    if (s.code == CODE_NOT_FOUND)
        return error_set(err, CODE_NOT_FOUND, "key: no such signing key");
    q->filter.key_id = q->key.id;
    return s;
}

static status filter_principal(struct record_query *q, struct db *db, const char *asked, struct error *err)
{
    if (!asked)
        return OK;
    status s = principal_find_removed_too(db, asked, &q->principal, err);
    if (s.code == CODE_NOT_FOUND)
        return error_set(err, CODE_NOT_FOUND, "principal: no such user or service account");
    q->filter.principal_id = q->principal.id;
    return s;
}

static status digest_parse(struct record_query *q, const char *asked, struct error *err)
{
    cleanup_buf struct buf digest = {0};

    if (!asked)
        return OK;
    if (!is_ok(hex_decode(asked, strlen(asked), &digest, NULL)) || digest.len < DIGEST_LEAST ||
        digest.len > DIGEST_MOST)
        return error_set(err, CODE_INVALID, "digest: %d to %d bytes in hexadecimal are expected", DIGEST_LEAST,
                         DIGEST_MOST);
    hex_format(buf_slice(&digest), q->digest);
    q->filter.digest = q->digest;
    return OK;
}

static status time_query(struct request *req, const char *name, int64_t *out, struct error *err)
{
    const char *text = request_query(req, name);

    if (!text)
        return OK;
    status s = time_parse(text, out, err);
    if (!is_ok(s))
        error_prefix(err, "%s", name);
    return s;
}

static status record_query_parse(struct record_query *q, struct request *req, struct error *err)
{
    const char *order = request_query(req, "order");

    q->filter.type = request_query(req, "type");
    q->filter.outcome = request_query(req, "outcome");
    TRY(check_text("type", q->filter.type, err));
    TRY(check_text("outcome", q->filter.outcome, err));
    TRY(digest_parse(q, request_query(req, "digest"), err));
    TRY(time_query(req, "since", &q->since_ms, err));
    TRY(time_query(req, "until", &q->until_ms, err));
    if (order && strcmp(order, "newest") != 0 && strcmp(order, "oldest") != 0)
        return error_set(err, CODE_INVALID, "order: newest or oldest is expected");
    q->filter.newest_first = order && strcmp(order, "newest") == 0;
    return query_integer(req, "after", 0, INT64_MAX, &q->after, err);
}

/* From times and cursor to the bounds of seq. A page looks at SCAN_MOST records and no more, whatever it finds in them:
 * its answer comes in bounded time, however long the log is. *ends: there is nothing behind these bounds. */
static status record_query_bound(struct record_query *q, struct db *db, bool *ends, struct error *err)
{
    struct record_filter *f = &q->filter;
    uint8_t hash[32];
    int64_t low = 0, high = 0;

    TRY(record_head(db, &high, hash, err));
    high++;
    if (q->since_ms)
        TRY(record_seq_before(db, q->since_ms, &low, err));
    if (q->until_ms) {
        TRY(record_seq_before(db, q->until_ms, &high, err));
        high++;
    }
    if (f->newest_first && q->after && q->after < high)
        high = q->after;
    if (!f->newest_first && q->after > low)
        low = q->after;
    *ends = f->digest || high - low - 1 <= SCAN_MOST;
    if (!*ends && f->newest_first)
        low = high - 1 - SCAN_MOST;
    else if (!*ends)
        high = low + 1 + SCAN_MOST;
    f->after_seq = low;
    f->before_seq = high > 0 ? high : 1;
    return OK;
}

static void seq_format(int64_t seq, char out[24])
{
    (void)snprintf(out, 24, "%lld", (long long)seq);
}

static status record_item(void *arg, const struct record_row *r)
{
    struct list *list = arg;
    char cursor[24];

    seq_format(r->seq, cursor);
    if (list_take(list, cursor))
        json_add_raw(list->w, NULL, r->line);
    return OK;
}

/* Where the walk stopped, when the page is not full but the log goes on. */
static void list_go_on(struct list *list, const struct record_filter *f, bool ends)
{
    if (list->more || ends)
        return;
    list->more = true;
    seq_format(f->newest_first ? f->after_seq + 1 : f->before_seq - 1, list->cursor);
}

static status record_list_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_reader struct reader reader = {0};
    cleanup_record_query struct record_query query = {0};
    static const char *const parameters[] = {"after",  "limit", "type",  "key",   "principal", "outcome",
                                             "digest", "order", "since", "until", NULL};
    struct list list;
    bool ends = false;

    TRY(request_query_only(req, parameters, err));
    TRY(list_parse(&list, req, err));
    TRY(record_query_parse(&query, req, err));
    query.filter.limit = list.page.limit;
    TRY(reader_acquire(&reader, api->store, err));
    TRY(filter_key(&query, reader.db, request_query(req, "key"), err));
    TRY(filter_principal(&query, reader.db, request_query(req, "principal"), err));
    TRY(record_query_bound(&query, reader.db, &ends, err));
    list_begin(&list, res);
    TRY(record_list(reader.db, &query.filter, record_item, &list, err));
    list_go_on(&list, &query.filter, ends);
    return list_end(&list);
}

static status record_line(void *arg, const struct record_row *r)
{
    struct record_page *page = arg;
    char cursor[24];

    seq_format(r->seq, cursor);
    if (list_take(&page->list, cursor)) {
        buf_add_text(page->lines, r->line);
        buf_add_byte(page->lines, '\n');
    }
    return OK;
}

/* One record a line, bounded; X-Next names where the next page begins. */
static status record_export(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_reader struct reader reader = {0};
    static const char *const parameters[] = {"after", "limit", NULL};
    struct record_filter filter = {0};
    int64_t limit = EXPORT_MOST;

    TRY(request_query_only(req, parameters, err));
    TRY(query_integer(req, "limit", 1, EXPORT_MOST, &limit, err));
    TRY(query_integer(req, "after", 0, INT64_MAX, &filter.after_seq, err));
    filter.limit = (int)limit + 1;
    TRY(reader_acquire(&reader, api->store, err));

    struct record_page page = {.list.limit = (int)limit, .lines = response_body(res, "application/x-ndjson")};
    TRY(record_list(reader.db, &filter, record_line, &page, err));
    TRY(buf_check(page.lines, err));
    if (page.list.more)
        response_header(res, "X-Next", page.list.cursor);
    return OK;
}

static status record_head_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_reader struct reader reader = {0};
    int64_t seq = 0;
    uint8_t hash[32];

    TRY(query_none(req, err));
    TRY(reader_acquire(&reader, api->store, err));
    TRY(record_head(reader.db, &seq, hash, err));

    struct json_writer *w = response_json(res, 200);
    json_begin_object(w, NULL);
    json_add_integer(w, "seq", seq);
    json_add_hex(w, "record_hash", (struct slice){hash, sizeof(hash)});
    json_end_object(w);
    return OK;
}

const struct route audit_routes[] = {
    {"GET", "/v1/audit", PERMISSION_READ_ALL, record_list_get, 0},
    {"GET", "/v1/audit/export", PERMISSION_READ_ALL, record_export, 0},
    {"GET", "/v1/audit/head", PERMISSION_READ_ALL, record_head_get, 0},
    {0},
};

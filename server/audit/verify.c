/* SPDX-License-Identifier: Apache-2.0 */
/* I7: walks the whole log and finds what was changed, removed, reordered, put in, or cut off at the end. The copies in
 * the columns are compared with the line too, because searches answer from them. */
#include <string.h>

#include "common/encoding.h"
#include "common/json.h"
#include "server/audit/line.h"

enum { CHUNK = LIMIT_PAGE, LINE_MAX_BYTES = 256 * 1024, LINE_DEPTH = LIMIT_JSON_DEPTH };

struct walk {
    struct db *db;
    struct line line;
    struct record_head head; /* of the rows checked so far */
    int64_t stored_seq;      /* what the head row says */
    uint8_t stored_hash[RECORD_HASH_LEN];
    int64_t bad;
    const char *why;
    struct error *err;
};

static void found(struct walk *w, int64_t seq, const char *why)
{
    if (!w->bad) {
        w->bad = seq;
        w->why = why;
    }
}

static bool same_text(const char *column, const char *member)
{
    return column && member ? strcmp(column, member) == 0 : !column && !member;
}

static const char *columns_judge(const struct json *line, const struct record_row *r)
{
    const struct {
        const char *column, *member;
    } rows[] = {{r->type, "type"},       {r->principal_id, "principal_id"}, {r->key_id, "key_id"},
                {r->outcome, "outcome"}, {r->request_id, "request_id"},     {r->digest, "digest"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (!same_text(rows[i].column, json_get_text(line, rows[i].member, NULL)))
            return "a column differs from the record";
    }
    if (json_get_integer(line, "intent", 0) != r->intent_seq)
        return "a column differs from the record";
    return json_get_integer(line, "seq", 0) == r->seq ? NULL : "the record is of another number";
}

static bool chained(const struct json *line, const char *member, const uint8_t hash[RECORD_HASH_LEN])
{
    char hex[2 * RECORD_HASH_LEN + 1];
    hex_format((struct slice){hash, RECORD_HASH_LEN}, hex);
    return strcmp(json_get_text(line, member, ""), hex) == 0;
}

/* NULL: the record is what it was, and follows the one before. */
static const char *record_judge(struct walk *w, const struct record_row *r)
{
    if (r->seq <= w->head.seq)
        return "a record stands where none can be";
    if (r->seq > w->head.seq + 1)
        return "records are missing before this one";

    struct slice text = slice_of_text(r->line);
    uint8_t hash[RECORD_HASH_LEN];
    cleanup_json struct json *line = NULL;
    if (!line_hash(&w->line, text, hash) || !is_ok(json_parse(text, LINE_MAX_BYTES, LINE_DEPTH, &line, NULL)))
        return "the record cannot be read";
    if (!chained(line, "record_hash", hash))
        return "the record was changed";
    if (!chained(line, "previous", w->head.hash))
        return "the record does not follow the one before";

    memcpy(w->head.hash, hash, sizeof(hash));
    w->head.seq = r->seq;
    return columns_judge(line, r);
}

static status record_check(void *arg, const struct record_row *r)
{
    struct walk *w = arg;
    if (w->bad)
        return OK;

    int64_t expected = w->head.seq + 1;
    const char *why = record_judge(w, r);
    if (why)
        found(w, expected, why);
    return OK;
}

/* The log may grow meanwhile: the head is read before the rows, which then must be at least as many. */
static status chunk_check(struct walk *w, bool *more)
{
    int64_t before = w->head.seq;
    TRY(record_head(w->db, &w->stored_seq, w->stored_hash, w->err));
    /* From below the first number: nothing may stand there. */
    struct record_filter filter = {.after_seq = before ? before : INT64_MIN, .limit = CHUNK};
    TRY(record_list(w->db, &filter, record_check, w, w->err));
    *more = !w->bad && w->head.seq > before;
    return OK;
}

/* No more rows came: the head that was read just before must be that of the last one. */
static void end_check(struct walk *w)
{
    if (w->bad)
        return;
    if (w->stored_seq > w->head.seq)
        found(w, w->head.seq + 1, "records are missing at the end");
    else if (w->stored_seq < w->head.seq)
        found(w, w->stored_seq + 1, "the head of the log is behind this record");
    else if (memcmp(w->stored_hash, w->head.hash, sizeof(w->stored_hash)) != 0)
        found(w, w->stored_seq ? w->stored_seq : 1, "the head of the log has another hash");
}

static status log_walk(struct walk *w)
{
    for (bool more = true; more;)
        TRY(chunk_check(w, &more));
    end_check(w);
    return OK;
}

status audit_verify(struct db *db, int64_t *count, int64_t *first_bad, struct error *err)
{
    struct walk w = {.db = db, .err = err};
    status result = line_init(&w.line, err);
    if (is_ok(result))
        result = log_walk(&w);
    line_clear(&w.line);
    TRY(result);

    *count = w.head.seq;
    *first_bad = w.bad;
    if (w.bad)
        ignore(error_set(err, CODE_CONFLICT, "record %lld: %s", (long long)w.bad, w.why));
    return OK;
}

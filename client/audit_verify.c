/* SPDX-License-Identifier: Apache-2.0 */
/* The chain is checked record by record; a gap is only told at the end, since what is missing may still come out of
 * order. After a changed record the walk goes on with the hash the record claims, so that one change is one finding. */
#include "client/audit_verify.h"

#include <stdio.h>
#include <string.h>

#include "common/encoding.h"
#include "common/json.h"
#include "common/secret.h"

enum { HASH_TEXT = 64, RECORD_MAX = 1024 * 1024, RECORD_DEPTH = 8, GAPS_MAX = 1024 };

static const char hash_member[] = ",\"record_hash\":\"";

struct gap {
    int64_t first;
    int64_t last;
};

struct audit_verifier {
    audit_finding_fn *tell;
    void *user;
    int64_t findings;
    int64_t line;
    int64_t count;
    struct audit_head last; /* record_hash "" when the record was malformed */
    struct audit_head expected;
    struct gap gaps[GAPS_MAX];
    size_t gap_count;
};

/* One line, read. */
struct record {
    int64_t seq;
    char previous[HASH_TEXT + 1];
    char stated[HASH_TEXT + 1]; /* record_hash as it stands */
    char computed[HASH_TEXT + 1];
};

struct audit_verifier *audit_verifier_new(audit_finding_fn *tell, void *user)
{
    struct audit_verifier *v = calloc(1, sizeof(*v));
    if (!v)
        return NULL;
    v->tell = tell;
    v->user = user;
    memset(v->last.record_hash, '0', HASH_TEXT); /* what the first record is chained to */
    return v;
}

void audit_verifier_free(struct audit_verifier *v)
{
    free(v);
}

void audit_verifier_expect(struct audit_verifier *v, const struct audit_head *head)
{
    v->expected = *head;
}

static void found(struct audit_verifier *v, enum audit_fault fault, int64_t first, int64_t last)
{
    const struct audit_finding f = {.fault = fault, .seq = first, .last_seq = last, .line = v->line};
    v->findings++;
    v->tell(v->user, &f);
}

static bool hash_text_copy(char out[HASH_TEXT + 1], const char *text)
{
    if (!text || strlen(text) != HASH_TEXT || strspn(text, "0123456789abcdef") != HASH_TEXT)
        return false;
    memcpy(out, text, HASH_TEXT + 1);
    return true;
}

/* The hashed bytes are the line without its last member, which must stand exactly where the format says. */
static status record_hash_compute(struct slice line, struct record *r, bool *well_formed, struct error *err)
{
    size_t member_len = sizeof(hash_member) - 1;
    size_t tail = member_len + HASH_TEXT + 2;
    *well_formed = line.len > tail && memcmp(line.data + line.len - tail, hash_member, member_len) == 0 &&
                   memcmp(line.data + line.len - 2, "\"}", 2) == 0 &&
                   memcmp(line.data + line.len - tail + member_len, r->stated, HASH_TEXT) == 0;
    if (!*well_formed)
        return OK;

    cleanup_buf struct buf hashed = {0};
    uint8_t digest[32];
    buf_add(&hashed, line.data, line.len - tail);
    buf_add_byte(&hashed, '}');
    TRY(buf_check(&hashed, err));
    TRY(sha256(buf_slice(&hashed), digest, err));
    hex_format((struct slice){digest, sizeof(digest)}, r->computed);
    return OK;
}

static status record_read(struct slice line, struct record *r, bool *well_formed, struct error *err)
{
    cleanup_json struct json *root = NULL;
    *well_formed = false;
    status parsed = json_parse(line, RECORD_MAX, RECORD_DEPTH, &root, err);
    if (parsed.code == CODE_NO_MEMORY)
        return parsed;
    if (!is_ok(parsed))
        return OK;

    r->seq = json_get_integer(root, "seq", 0);
    if (r->seq < 1 || json_get_integer(root, "v", 0) != 1 ||
        !hash_text_copy(r->previous, json_get_text(root, "previous", NULL)) ||
        !hash_text_copy(r->stated, json_get_text(root, "record_hash", NULL)))
        return OK;
    return record_hash_compute(line, r, well_formed, err);
}

static struct gap *gap_find(struct audit_verifier *v, int64_t seq)
{
    for (size_t i = 0; i < v->gap_count; i++)
        if (seq >= v->gaps[i].first && seq <= v->gaps[i].last)
            return &v->gaps[i];
    return NULL;
}

static void gap_add(struct audit_verifier *v, int64_t first, int64_t last)
{
    if (first > last)
        return;
    if (v->gap_count == GAPS_MAX)
        found(v, AUDIT_MISSING, first, last); /* too many to wait for */
    else
        v->gaps[v->gap_count++] = (struct gap){first, last};
}

static void gap_fill(struct audit_verifier *v, struct gap *gap, int64_t seq)
{
    struct gap before = {gap->first, seq - 1};
    struct gap behind = {seq + 1, gap->last};
    *gap = v->gaps[--v->gap_count];
    gap_add(v, before.first, before.last);
    gap_add(v, behind.first, behind.last);
}

static void late_record_place(struct audit_verifier *v, int64_t seq)
{
    struct gap *gap = gap_find(v, seq);
    found(v, gap ? AUDIT_OUT_OF_ORDER : AUDIT_REPEATED, seq, seq);
    if (gap)
        gap_fill(v, gap, seq);
}

/* Where the record stands among the others, and what it is chained to. */
static void record_place(struct audit_verifier *v, const struct record *r, const char *hash)
{
    if (r->seq <= v->last.seq) {
        late_record_place(v, r->seq);
        return;
    }
    bool follows = r->seq == v->last.seq + 1;
    if (follows && *hash && *v->last.record_hash && strcmp(r->previous, v->last.record_hash) != 0)
        found(v, v->last.seq > 0 ? AUDIT_REPLACED : AUDIT_CHANGED, v->last.seq > 0 ? v->last.seq : r->seq,
              v->last.seq > 0 ? v->last.seq : r->seq);
    gap_add(v, v->last.seq + 1, r->seq - 1);
    v->last.seq = r->seq;
    (void)snprintf(v->last.record_hash, sizeof(v->last.record_hash), "%s", hash);
}

static void head_compare(struct audit_verifier *v, const struct record *r)
{
    if (v->expected.seq > 0 && r->seq == v->expected.seq && strcmp(r->stated, v->expected.record_hash) != 0)
        found(v, AUDIT_HEAD_DIFFERS, r->seq, r->seq);
}

status audit_verifier_add(struct audit_verifier *v, struct slice line, struct error *err)
{
    struct record r = {0};
    bool well_formed = false;
    v->line++;
    TRY(record_read(line, &r, &well_formed, err));
    v->count++;
    if (!well_formed) {
        found(v, AUDIT_MALFORMED, r.seq, r.seq);
        if (r.seq > 0)
            record_place(v, &r, "");
        return OK;
    }
    if (strcmp(r.stated, r.computed) != 0)
        found(v, AUDIT_CHANGED, r.seq, r.seq);
    record_place(v, &r, r.stated);
    head_compare(v, &r);
    return OK;
}

static int gap_compare(const void *a, const void *b)
{
    const struct gap *x = a;
    const struct gap *y = b;
    return (x->first > y->first) - (x->first < y->first);
}

int64_t audit_verifier_finish(struct audit_verifier *v)
{
    v->line = 0;
    qsort(v->gaps, v->gap_count, sizeof(v->gaps[0]), gap_compare);
    for (size_t i = 0; i < v->gap_count; i++)
        found(v, AUDIT_MISSING, v->gaps[i].first, v->gaps[i].last);
    v->gap_count = 0;
    if (v->last.seq < v->expected.seq)
        found(v, AUDIT_TRUNCATED, v->last.seq + 1, v->expected.seq);
    return v->findings;
}

int64_t audit_verifier_count(const struct audit_verifier *v)
{
    return v->count;
}

struct audit_head audit_verifier_last(const struct audit_verifier *v)
{
    return v->last;
}

void audit_finding_format(const struct audit_finding *f, char out[160])
{
    static const char *const one[] = {
        [AUDIT_MALFORMED] = "record %lld is malformed",
        [AUDIT_CHANGED] = "record %lld was changed",
        [AUDIT_REPLACED] = "record %lld was replaced: the next one is chained to another",
        [AUDIT_MISSING] = "record %lld is missing",
        [AUDIT_OUT_OF_ORDER] = "record %lld is out of order",
        [AUDIT_REPEATED] = "record %lld stands twice",
        [AUDIT_TRUNCATED] = "record %lld is missing at the end",
        [AUDIT_HEAD_DIFFERS] = "record %lld is not the one at the head of the server's log",
    };
    long long first = (long long)f->seq;
    long long last = (long long)f->last_seq;
    if (f->fault == AUDIT_MALFORMED && f->seq == 0)
        (void)snprintf(out, 160, "line %lld is no record", (long long)f->line);
    else if (first != last)
        (void)snprintf(out, 160, "records %lld to %lld are missing%s", first, last,
                       f->fault == AUDIT_TRUNCATED ? " at the end" : "");
    else
        (void)snprintf(out, 160, one[f->fault], first);
}

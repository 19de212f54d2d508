/* SPDX-License-Identifier: Apache-2.0 */
/* The same rules as in the signing path, over rights as they are now or over what is on record. */
#include "server/sign/explain.h"

#include <stdio.h>
#include <string.h>

#include "chancery/protocol.h"
#include "common/json.h"
#include "common/text.h"
#include "server/sign/counters.h"
#include "server/sign/record.h"

status access_explain(struct db *db, const char *principal_id, const struct sign_order *order, int64_t now_ms,
                      struct explanation *why, struct error *refusal, struct error *err)
{
    cleanup_rights struct rights *r = NULL;
    CLEANUP(records_clear) struct sign_records records = {0};
    *why = (struct explanation){0};
    *refusal = (struct error){0};
    TRY(rights_read(db, order->key, principal_id, now_ms, &r, err));
    bool allowed = is_ok(rules_judge(r, order, now_ms, why, refusal));
    if (!*r->key.id)
        return OK;

    size_t before = why->count;
    TRY(records_init(&records, &r->who, order, err));
    TRY(counters_explain(db, r, order, records.digest_hex, now_ms, why, err));
    for (size_t i = before; allowed && i < why->count; i++) {
        if (why->steps[i].verdict == VERDICT_REFUSES) {
            *refusal = why->steps[i].why;
            allowed = false;
        }
    }
    return OK;
}

/* ---- dry run */

enum { RECORD_MAX = 64 * 1024, TALLIES = 8192 };

struct key_tally {
    char key_id[ID_SIZE];
    char day[11], month[8];
    struct quota count;
};

struct dry_running {
    const struct dry_run_scope *in;
    const struct policy *policy;
    struct rights rights; /* only what the policy's rules look at */
    struct key_tally *tallies;
    struct dry_run *out;
    int64_t last_seq;
    int64_t seen;
};

/* NULL when there are more keys than there is room for: their quotas are not judged. */
static struct key_tally *tally_of(struct dry_running *d, const char *key_id)
{
    uint64_t hash = text_hash(key_id);
    for (size_t probe = 0; probe < TALLIES; probe++) {
        struct key_tally *t = &d->tallies[(hash + probe) % TALLIES];
        if (*t->key_id == '\0')
            (void)text_copy(t->key_id, sizeof(t->key_id), key_id);
        if (strcmp(t->key_id, key_id) == 0)
            return t;
    }
    return NULL;
}

static bool is_reached(int64_t count, int64_t limit)
{
    return limit > 0 && count >= limit;
}

static status quota_tally(struct dry_running *d, const char *key_id, const char *time, struct error *err)
{
    const struct policy *p = d->policy;
    struct key_tally *t = p->quota_total || p->quota_day || p->quota_month ? tally_of(d, key_id) : NULL;
    if (!t)
        return OK;
    if (strncmp(t->day, time, 10) != 0)
        t->count.day = 0;
    if (strncmp(t->month, time, 7) != 0)
        t->count.month = 0;
    (void)snprintf(t->day, sizeof(t->day), "%.10s", time);
    (void)snprintf(t->month, sizeof(t->month), "%.7s", time);
    if (is_reached(t->count.total, p->quota_total) || is_reached(t->count.day, p->quota_day) ||
        is_reached(t->count.month, p->quota_month))
        return error_set(err, CODE_QUOTA_EXCEEDED, "the quota would have been used up");
    t->count.total++;
    t->count.day++;
    t->count.month++;
    return OK;
}

static void rule_count(struct dry_run *out, const char *rule)
{
    size_t i = 0;
    while (i < out->rule_count && strcmp(out->rules[i].rule, rule) != 0)
        i++;
    if (i == out->rule_count && i < RULES_MAX) {
        (void)text_copy(out->rules[i].rule, sizeof(out->rules[i].rule), rule);
        out->rules[i].count = 0;
        out->rule_count++;
    }
    if (i < RULES_MAX)
        out->rules[i].count++;
}

static void refusal_note(struct dry_run *out, const struct record_row *row, const struct json *record, int64_t time_ms,
                         const char *rule, const struct error *why)
{
    out->refused++;
    rule_count(out, rule);
    if (out->example_count == DRY_RUN_EXAMPLES)
        return;
    struct dry_run_example *e = &out->examples[out->example_count++];
    *e = (struct dry_run_example){.seq = row->seq, .time_ms = time_ms, .why = *why};
    (void)text_copy(e->key, sizeof(e->key), json_get_text(record, "key", ""));
    (void)text_copy(e->principal, sizeof(e->principal), json_get_text(record, "principal", ""));
    (void)text_copy(e->rule, sizeof(e->rule), rule);
}

static void order_from_record(struct sign_order *order, const struct json *record)
{
    const struct json *client = json_get(record, "client");
    const struct json *context = json_get(json_get(record, "detail"), "context");
    *order = (struct sign_order){.key = json_get_text(record, "key_id", ""),
                                 .program = json_get_text(client, "program", NULL),
                                 .host = json_get_text(client, "host", NULL),
                                 .user = json_get_text(client, "user", NULL),
                                 .client_address = json_get_text(client, "address", NULL)};
    (void)mechanism_parse(json_get_text(record, "mechanism", NULL), &order->input.mechanism);
    (void)hash_parse(json_get_text(record, "hash", NULL), &order->input.hash);
    for (size_t i = 0; i < json_count(context) && i < SIGN_CONTEXT_MAX; i++)
        order->context[order->context_count++] =
            (struct sign_context){json_name_at(context, i), json_text(json_at(context, i), "")};
}

static const char *first_refusing(const struct explanation *why)
{
    for (size_t i = 0; i < why->count; i++) {
        if (why->steps[i].verdict == VERDICT_REFUSES)
            return why->steps[i].rule;
    }
    return "";
}

static status record_judge(struct dry_running *d, const struct record_row *row, const struct json *record,
                           struct error *err)
{
    struct sign_order order;
    struct explanation why = {0};
    struct error refusal = {0};
    int64_t time_ms = 0;
    const char *time = json_get_text(record, "time", "");
    const char *project = json_get_text(record, "project", "");
    TRY(time_parse(time, &time_ms, err));
    if (time_ms < d->in->from_ms || time_ms >= d->in->to_ms ||
        (d->in->project_name && strcmp(d->in->project_name, project) != 0))
        return OK;

    d->out->judged++;
    order_from_record(&order, record);
    if (!is_ok(rules_judge_policy(&d->rights, &order, time_ms, &why, &refusal)))
        refusal_note(d->out, row, record, time_ms, first_refusing(&why), &refusal);
    else if (!is_ok(quota_tally(d, order.key, time, &refusal)))
        refusal_note(d->out, row, record, time_ms, "policy.quota", &refusal);
    return OK;
}

static status on_record(void *arg, const struct record_row *row)
{
    struct dry_running *d = arg;
    cleanup_json struct json *record = NULL;
    struct error err = {0};
    d->last_seq = row->seq;
    d->seen++;
    TRY(json_parse(slice_of_text(row->line), RECORD_MAX, LIMIT_JSON_DEPTH, &record, &err));
    return record_judge(d, row, record, &err);
}

static status records_walk(struct dry_running *d, struct db *db, bool *more, struct error *err)
{
    struct record_filter filter = {
        .limit = LIMIT_PAGE, .type = "signature.outcome", .outcome = "success", .key_id = d->in->key_id};
    TRY(record_seq_before(db, d->in->from_ms, &filter.after_seq, err));
    d->last_seq = filter.after_seq;
    for (*more = true; *more && d->seen < d->in->limit;) {
        int64_t before = d->seen;
        TRY(record_list(db, &filter, on_record, d, err));
        *more = d->seen - before == LIMIT_PAGE;
        filter.after_seq = d->last_seq;
    }
    return OK;
}

status policy_dry_run(struct db *db, const struct policy *p, enum policy_scope scope, const struct dry_run_scope *in,
                      struct dry_run *out, bool *more, struct error *err)
{
    cleanup_free struct key_tally *tallies = calloc(TALLIES, sizeof(*tallies));
    struct dry_running d = {.in = in, .policy = p, .tallies = tallies, .out = out};
    if (!tallies)
        return error_set(err, CODE_NO_MEMORY, "%s", code_text(CODE_NO_MEMORY));
    *out = (struct dry_run){0};
    (void)text_copy(d.rights.key.id, sizeof(d.rights.key.id), "any");
    d.rights.policies[POLICY_OF_KEY] = (struct policy_in_force){.policy = (struct policy *)p, .scope = scope};
    return records_walk(&d, db, more, err);
}

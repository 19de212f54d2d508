/* SPDX-License-Identifier: Apache-2.0 */
/* From the request to the durable intent: rights as they are now (I4), who may sign under the idempotency key (I6), the
 * record (I2). What is named in_…_transaction runs on the thread that commits. */
#include "server/sign/signing.h"

#include <stdio.h>

#include "common/log.h"

/* What the records and the row say of the key. */
static status rights_apply(struct signing *g, const struct rights *rights, struct error *err)
{
    records_name_key(&g->records, rights, g->order);
    if (!*g->row.idempotency_key)
        return OK;
    return sign_request_hash(rights->key.id, g->order->version, &g->order->input, g->row.request_sha256, err);
}

/* Out of the transaction: what it has read again is what counts from now on. */
static void rights_settle(struct signing *g)
{
    if (!g->fresh)
        return;
    rights_release(g->rights);
    g->rights = steal(&g->fresh);
}

status signing_rights_load(struct signing *g, struct error *err)
{
    struct rights *fresh = NULL;
    struct store *store = g->signer->config.store;
    struct db *db = store_reader_acquire(store, err);
    if (!db)
        return (status){err->code};

    status found = rights_find(g->signer->rights, db, g->order->key, g->who->id, &fresh, err);
    store_reader_release(store, db);
    TRY(found);
    rights_release(g->rights);
    g->rights = fresh;
    return rights_apply(g, fresh, err);
}

static status in_refusal_transaction_after(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    const struct signing *g = arg;
    return record->key_id ? usage_add(db, g->rights->key.id, g->rights->who.id, record->time_ms, USAGE_REFUSED, err)
                          : OK;
}

/* The refusal is the answer only once it is on record, which names the key already as it was last read. */
status signing_refuse(struct signing *g, const struct error *why, struct error *err)
{
    struct error said = *why;
    struct audit_work work = {.after = in_refusal_transaction_after, .arg = g, .record = &g->records.record};
    records_set_refusal(&g->records, why);
    TRY(audit_commit(g->signer->config.audit, &work, g->deadline, err));
    *err = said;
    return (status){said.code};
}

/* Usually one comparison. May run more than once for one request, when the batch is begun anew: each time from what was
 * read before the transaction, whose memory stays until the end because the record borrows from it. The record is then
 * as it was before; the detail it borrows may have moved since. */
static status rights_judge_again(struct signing *g, struct db *db, struct error *err)
{
    int64_t generation = 0;
    g->refusal = (struct error){0};
    if (g->fresh || *g->records.grant) {
        rights_release(steal(&g->fresh));
        *g->records.grant = '\0';
        TRY(rights_apply(g, g->rights, err));
    }
    TRY(store_generation(db, &generation, err));
    int64_t now_ms = clock_now_ms();
    if (rights_are_current(g->rights, generation, now_ms))
        return OK;

    TRY(rights_read(db, g->order->key, g->who->id, now_ms, &g->fresh, err));
    TRY(rights_apply(g, g->fresh, err));
    return rules_judge(g->fresh, g->order, now_ms, NULL, &g->refusal);
}

/* Last, since it writes. A limit that is reached is policy's refusal, a database that fails is not. */
static status counters_judge(struct signing *g, struct db *db, struct error *err)
{
    const struct rights *r = g->fresh ? g->fresh : g->rights;
    struct error why = {0};
    status taken = counters_take(db, r, g->order, g->records.digest_hex, clock_now_ms(), &g->counted, &why);
    records_name_grant(&g->records, r, g->order, is_ok(taken) ? g->counted.grant.request_id : "");
    if (is_ok(taken))
        return OK;
    if (taken.code == CODE_QUOTA_EXCEEDED || taken.code == CODE_DIGEST_NOT_LISTED ||
        taken.code == CODE_APPROVAL_REQUIRED)
        g->refusal = why;
    if (err)
        *err = why;
    return taken;
}

static bool intent_is_abandoned(void *arg, int64_t intent)
{
    const struct signing *g = arg;
    return abandoned_has(g->signer->abandoned, intent);
}

/* Fails, so that nothing is written, when policy refuses now and when the same request was made before. */
static status in_intent_transaction(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    struct signing *g = arg;
    (void)record; /* is in g->records */
    TRY(rights_judge_again(g, db, err));
    if (*g->row.idempotency_key) {
        TRY(claim_judge(db, &g->row, intent_is_abandoned, g, &g->claim, err));
        if (g->claim != CLAIM_OURS)
            return error_set(err, CODE_CONFLICT, "the request is known");
    }
    return counters_judge(g, db, err);
}

static status in_intent_transaction_after(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    struct signing *g = arg;
    g->intent_seq = record->seq;
    if (!*g->row.idempotency_key)
        return OK;

    g->row.intent_seq = record->seq;
    g->row.version = g->order->version ? g->order->version : (g->fresh ? g->fresh : g->rights)->key.version;
    return idempotency_insert(db, &g->row, err);
}

/* One record when a quota reaches 80, 90 and 100 %; the signature does not wait for its success. */
static void quota_warn(struct signing *g)
{
    char detail[160];
    const struct counted *c = &g->counted;
    const struct signing_key *key = &g->rights->key;
    struct error err = {0};
    struct audit_record record = {.type = "quota.warning",
                                  .principal = g->who->name,
                                  .principal_id = g->who->id,
                                  .project = key->project_name,
                                  .key = g->records.key,
                                  .key_id = key->id,
                                  .outcome = "success",
                                  .target_type = "key",
                                  .target_id = key->id,
                                  .target_name = key->label,
                                  .detail_json = detail,
                                  .request_id = g->order->request_id};
    struct audit_work work = {.record = &record};
    (void)snprintf(detail, sizeof(detail),
                   "{\"percent\":%d,\"total\":[%lld,%lld],\"month\":[%lld,%lld],\"day\":[%lld,%lld]}", c->warning,
                   (long long)c->count.total, (long long)c->limit.total, (long long)c->count.month,
                   (long long)c->limit.month, (long long)c->count.day, (long long)c->limit.day);
    if (!is_ok(audit_commit(g->signer->config.audit, &work, g->deadline, &err)))
        log_error(LOG_LEVEL_WARNING, "quota.warning", &err);
}

status signing_intent_record(struct signing *g, struct error *err)
{
    struct audit_work work = {
        .change = in_intent_transaction, .after = in_intent_transaction_after, .arg = g, .record = &g->records.record};
    g->claim = CLAIM_OURS;
    records_set_intent(&g->records);
    status recorded = audit_commit(g->signer->config.audit, &work, g->deadline, err);
    rights_settle(g);
    if (g->refusal.code != CODE_OK)
        return signing_refuse(g, &g->refusal, err);
    if (is_ok(recorded) && g->claim == CLAIM_OURS && g->counted.warning)
        quota_warn(g);
    return g->claim == CLAIM_OURS ? recorded : OK;
}

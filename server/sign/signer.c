/* SPDX-License-Identifier: Apache-2.0 */
/* The signing path of DESIGN §3, top to bottom: find key, policy at use, INTENT durable, HSM, verify, OUTCOME and usage
 * durable, reply. The transactions' inner halves run on the committing thread and are named in_…_transaction. */
#include "server/sign/signer.h"

#include <stdlib.h>
#include <string.h>

#include "common/secret.h"
#include "common/text.h"
#include "server/sign/abandoned.h"
#include "server/sign/public_key.h"
#include "server/sign/record.h"
#include "server/sign/replay.h"
#include "server/sign/rights.h"

enum {
    RIGHTS_KEPT = 4096,
    PUBLIC_KEYS_KEPT = 4096,
    OUTCOME_GRACE_MS = 2000, /* an outcome may be written this long after the caller's deadline */
    PAUSE_MAX_MS = 50,       /* between two looks at a duplicate under way */
};

struct signer {
    struct signer_config config;
    struct cache *rights, *public_keys;
    struct abandoned *abandoned;
};

status signer_new(const struct signer_config *config, struct signer **out, struct error *err)
{
    cleanup_free struct signer *s = calloc(1, sizeof(*s));
    cleanup_cache struct cache *rights = NULL, *public_keys = NULL;
    if (!s)
        return error_set(err, CODE_NO_MEMORY, "%s", code_text(CODE_NO_MEMORY));

    TRY(cache_new(RIGHTS_KEPT, &rights, err));
    TRY(cache_new(PUBLIC_KEYS_KEPT, &public_keys, err));
    TRY(abandoned_new(&s->abandoned, err));
    s->config = *config;
    s->rights = steal(&rights);
    s->public_keys = steal(&public_keys);
    *out = steal(&s);
    return OK;
}

void signer_free(struct signer *s)
{
    if (!s)
        return;
    cache_free(s->rights);
    cache_free(s->public_keys);
    abandoned_free(s->abandoned);
    free(s);
}

void sign_result_clear(struct sign_result *r)
{
    buf_clear(&r->signature);
    *r = (struct sign_result){0};
}

/* One request on its way through. */
struct signing {
    struct signer *signer;
    const struct principal *who;
    const struct sign_order *order;
    struct deadline deadline;
    struct rights *rights; /* as read before the intent's transaction */
    struct rights *fresh;  /* as read again inside it; NULL when nothing had changed */
    struct sign_records records;
    struct idempotency row; /* idempotency_key "" when none was given */
    enum claim claim;
    struct error refusal; /* code not OK: policy said no inside the intent's transaction */
    int64_t intent_seq;
    struct slice signature; /* for the outcome's transaction; empty when there is none */
};

static void signing_clear(struct signing *g)
{
    rights_release(g->rights);
    rights_release(g->fresh);
    idempotency_clear(&g->row);
}
#define cleanup_signing CLEANUP(signing_clear)

static bool is_printable_or_absent(const char *text)
{
    return !text || text_is_printable(text, LIMIT_TEXT);
}

static status order_check(const struct sign_order *order, struct error *err)
{
    if (!order->key || !*order->key)
        return error_set(err, CODE_INVALID, "key: missing");
    if (order->idempotency_key && !idempotency_key_is_valid(order->idempotency_key))
        return error_set(err, CODE_INVALID, HEADER_IDEMPOTENCY_KEY ": 16 to 64 characters of A-Z a-z 0-9 _ -");
    if (!is_printable_or_absent(order->program) || !is_printable_or_absent(order->host) ||
        !is_printable_or_absent(order->user))
        return error_set(err, CODE_INVALID, "context: at most %d bytes of printable text each", LIMIT_TEXT);
    if (!is_printable_or_absent(order->request_id) || !is_printable_or_absent(order->client_address))
        return error_set(err, CODE_INVALID, "request id: at most %d bytes of printable text", LIMIT_TEXT);
    return OK;
}

/* ---- rights and policy (I4) */

/* What the records and the row say of the key. */
static status rights_apply(struct signing *g, const struct rights *rights, struct error *err)
{
    records_name_key(&g->records, rights, g->order->key);
    if (!*g->row.idempotency_key)
        return OK;
    return request_hash(rights->key.id, &g->order->input, g->row.request_sha256, err);
}

/* Out of the transaction: what it has read again is what counts from now on. */
static void rights_settle(struct signing *g)
{
    if (!g->fresh)
        return;
    rights_release(g->rights);
    g->rights = steal(&g->fresh);
}

static status rights_load(struct signing *g, struct error *err)
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
    return record->key_id ? usage_add(db, g->rights->key.id, record->time_ms, USAGE_REFUSED, err) : OK;
}

/* An unknown key, a forbidden one and a disabled one all cost one durable record. The refusal is the answer only once
 * it is on record. */
static status refuse(struct signing *g, const struct error *why, struct error *err)
{
    struct error said = *why;
    struct audit_work work = {.after = in_refusal_transaction_after, .arg = g, .record = &g->records.record};
    records_name_key(&g->records, g->rights, g->order->key);
    records_set_refusal(&g->records, why);
    TRY(audit_commit(g->signer->config.audit, &work, g->deadline, err));
    *err = said;
    return (status){said.code};
}

/* ---- the intent: rights as they are now (I4), who may sign under the idempotency key (I6), the record (I2) */

/* Usually one comparison. May run more than once for one request, when the batch is begun anew: each time from what was
 * read before the transaction, whose memory stays until the end because the record borrows from it. */
static status rights_judge_again(struct signing *g, struct db *db, struct error *err)
{
    int64_t generation = 0;
    g->refusal = (struct error){0};
    if (g->fresh) {
        rights_release(steal(&g->fresh));
        TRY(rights_apply(g, g->rights, err));
    }
    TRY(store_generation(db, &generation, err));
    if (generation == g->rights->generation)
        return OK;

    TRY(rights_read(db, g->order->key, g->who->id, &g->fresh, err));
    TRY(rights_apply(g, g->fresh, err));
    return rights_judge(g->fresh, &g->order->input, clock_now_ms(), &g->refusal);
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
    if (!*g->row.idempotency_key)
        return OK;

    TRY(claim_judge(db, &g->row, intent_is_abandoned, g, &g->claim, err));
    return g->claim == CLAIM_OURS ? OK : error_set(err, CODE_CONFLICT, "the request is known");
}

static status in_intent_transaction_after(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    struct signing *g = arg;
    g->intent_seq = record->seq;
    if (!*g->row.idempotency_key)
        return OK;

    g->row.intent_seq = record->seq;
    g->row.version = (g->fresh ? g->fresh : g->rights)->key.version;
    return idempotency_insert(db, &g->row, err);
}

/* CODE_OK: the intent is durable, or g->claim says that another request has it. */
static status intent_record(struct signing *g, struct error *err)
{
    struct audit_work work = {
        .change = in_intent_transaction, .after = in_intent_transaction_after, .arg = g, .record = &g->records.record};
    g->claim = CLAIM_OURS;
    records_set_intent(&g->records);
    status recorded = audit_commit(g->signer->config.audit, &work, g->deadline, err);
    rights_settle(g);
    if (g->refusal.code != CODE_OK)
        return refuse(g, &g->refusal, err);
    return g->claim == CLAIM_OURS ? recorded : OK;
}

/* ---- the signature */

/* A key that the HSM has lost must not read like one that the caller may not see. */
static status hsm_ask(struct signing *g, struct buf *signature, struct error *err)
{
    const struct signer_hsm *hsm = &g->signer->config.hsm;
    const struct signing_key *key = &g->rights->key;
    status made = hsm->sign(hsm->hsm, key->hsm_id, key->type, &g->order->input, g->deadline, signature, err);
    if (made.code == CODE_NOT_FOUND)
        return error_set(err, CODE_HSM_UNAVAILABLE, "the HSM has no key for %s-%s", key->project_name, key->label);
    return made;
}

static status signature_make(struct signing *g, struct buf *signature, struct error *err)
{
    TRY(hsm_ask(g, signature, err));
    TRY(signature_judge(g->signer->public_keys, &g->rights->key, &g->order->input, buf_slice(signature),
                        g->signer->config.verify_all, err));
    g->signature = buf_slice(signature);
    return OK;
}

/* ---- the outcome (I1): record, usage counter and idempotency row in one transaction */

static status row_close(struct signing *g, struct db *db, int64_t outcome_seq, struct error *err)
{
    if (!*g->row.idempotency_key)
        return OK;
    if (!g->signature.data) /* failed: the request may be made again */
        return idempotency_remove(db, g->row.principal_id, g->row.idempotency_key, err);

    g->row.outcome_seq = outcome_seq;
    buf_reset(&g->row.signature);
    buf_add(&g->row.signature, g->signature.data, g->signature.len);
    TRY(buf_check(&g->row.signature, err));
    return idempotency_finish(db, &g->row, err);
}

static status in_outcome_transaction_after(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    struct signing *g = arg;
    enum usage_outcome counted = g->signature.data ? USAGE_SUCCESS : USAGE_FAILED;
    TRY(usage_add(db, g->rights->key.id, record->time_ms, counted, err));
    return row_close(g, db, record->seq, err);
}

static struct deadline outcome_deadline(struct deadline d)
{
    struct deadline grace = deadline_in(OUTCOME_GRACE_MS);
    return grace.at_ms > d.at_ms ? grace : d;
}

static status outcome_record(struct signing *g, const struct error *failure, struct error *err)
{
    struct audit_work work = {.after = in_outcome_transaction_after, .arg = g, .record = &g->records.record};
    if (g->signature.data)
        TRY(records_set_success(&g->records, g->intent_seq, g->signature, err));
    else
        records_set_failure(&g->records, g->intent_seq, failure);
    return audit_commit(g->signer->config.audit, &work, outcome_deadline(g->deadline), err);
}

/* What the HSM made wrong is on record as that; the caller can do nothing about it. */
static status failure_answer(const struct error *failure, struct error *err)
{
    *err = *failure;
    if (failure->code != CODE_BAD_SIGNATURE)
        return (status){failure->code};

    status answer = error_set(err, CODE_INTERNAL, "the HSM's signature does not verify; it is withheld");
    error_detail(err, "%s", failure->text);
    return answer;
}

static status withheld(struct error *err)
{
    const struct error cause = *err;
    status answer =
        error_set(err, CODE_AUDIT_UNAVAILABLE, "the outcome could not be recorded; no signature is given out");
    error_detail(err, "%s: %.300s", code_wire(cause.code), cause.text);
    return answer;
}

/* I2: called with the intent durable. I1: out is filled with the outcome durable; a signature whose outcome could not
 * be recorded is wiped with its buffer. */
static status sign_and_record(struct signing *g, struct sign_result *out, struct error *err)
{
    cleanup_buf struct buf signature = {0};
    struct error failure = {0};
    status made = signature_make(g, &signature, &failure);
    status recorded = outcome_record(g, &failure, err);
    if (!is_ok(recorded)) {
        abandoned_add(g->signer->abandoned, g->intent_seq);
        return withheld(err);
    }
    if (!is_ok(made))
        return failure_answer(&failure, err);

    out->signature = signature;
    signature = (struct buf){0};
    out->version = g->rights->key.version;
    out->intent_seq = g->intent_seq;
    out->outcome_seq = g->records.record.seq;
    return OK;
}

/* I6: the stored answer; the HSM is not touched and nothing is recorded. Read again outside the transaction that told
 * of it: its outcome may have been made in the same batch, and only what was committed may be given out (I1). */
static status replay(struct signing *g, struct sign_result *out, bool *replayed, struct error *err)
{
    CLEANUP(idempotency_clear) struct idempotency row = {0};
    struct store *store = g->signer->config.store;
    struct db *db = store_reader_acquire(store, err);
    if (!db)
        return (status){err->code};

    status found = idempotency_find(db, g->row.principal_id, g->row.idempotency_key, &row, err);
    store_reader_release(store, db);
    *replayed = is_ok(found) && row.outcome_seq != 0;
    if (!*replayed)
        return found.code == CODE_NOT_FOUND ? OK : found;

    out->signature = row.signature;
    row.signature = (struct buf){0};
    out->version = row.version;
    out->intent_seq = row.intent_seq;
    out->outcome_seq = row.outcome_seq;
    return OK;
}

static status still_under_way(struct error *err)
{
    return error_set(err, CODE_TIMEOUT, "the same request is still under way");
}

/* I9: no longer than the deadline. */
static status duplicate_await(const struct signing *g, int64_t *pause_ms, struct error *err)
{
    int64_t left = deadline_left_ms(g->deadline);
    int64_t pause = *pause_ms < left ? *pause_ms : left;
    struct timespec ts = {.tv_sec = pause / 1000, .tv_nsec = pause % 1000 * 1000000};
    (void)nanosleep(&ts, NULL);
    *pause_ms = *pause_ms * 2 < PAUSE_MAX_MS ? *pause_ms * 2 : PAUSE_MAX_MS;
    return deadline_passed(g->deadline) ? still_under_way(err) : OK;
}

static status signing_init(struct signing *g, struct error *err)
{
    TRY(order_check(g->order, err));
    TRY(records_init(&g->records, g->who, g->order, err));
    if (!g->order->idempotency_key)
        return OK;

    (void)text_copy(g->row.principal_id, sizeof(g->row.principal_id), g->who->id);
    (void)text_copy(g->row.idempotency_key, sizeof(g->row.idempotency_key), g->order->idempotency_key);
    g->row.created_ms = clock_now_ms();
    return OK;
}

/* One attempt; *answered is false when the same request is under way elsewhere. */
static status sign_once(struct signing *g, struct sign_result *out, bool *answered, struct error *err)
{
    *answered = true;
    TRY(rights_load(g, err));
    if (!is_ok(rights_judge(g->rights, &g->order->input, clock_now_ms(), &g->refusal)))
        return refuse(g, &g->refusal, err);

    TRY(intent_record(g, err));
    if (g->claim == CLAIM_OURS)
        return sign_and_record(g, out, err);
    *answered = false;
    return g->claim == CLAIM_DONE ? replay(g, out, answered, err) : OK;
}

static status sign(struct signing *g, struct sign_result *out, struct error *err)
{
    TRY(signing_init(g, err));
    for (int64_t pause_ms = 1;;) {
        bool answered = false, waited = pause_ms > 1;
        status result = sign_once(g, out, &answered, err);
        if (waited && g->intent_seq == 0 && !is_ok(result) && deadline_passed(g->deadline))
            return still_under_way(err);
        TRY(result);
        if (answered)
            return OK;
        TRY(duplicate_await(g, &pause_ms, err));
    }
}

status signer_sign(struct signer *s, const struct principal *who, const struct sign_order *order, struct deadline d,
                   struct sign_result *out, struct error *err)
{
    struct error unread = {0};
    cleanup_signing struct signing g = {.signer = s, .who = who, .order = order, .deadline = d};
    return sign(&g, out, err ? err : &unread);
}

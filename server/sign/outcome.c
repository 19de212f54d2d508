/* SPDX-License-Identifier: Apache-2.0 */
/* From the durable intent to the durable outcome (I1, I2). */
#include "server/sign/public_key.h"
#include "server/sign/signing.h"

enum { OUTCOME_GRACE_MS = 2000 }; /* an outcome may be written this long after the caller's deadline */

/* A key that the HSM has lost must not read like one that the caller may not see. */
static status hsm_ask(struct signing *g, struct buf *signature, struct error *err)
{
    const struct signer_hsm *hsm = &g->signer->config.hsm;
    const struct signing_key *key = rights_version(g->rights, g->order->version);
    void *holder = hsm->find ? hsm->find(hsm->hsm, key->hsm) : hsm->hsm;
    if (!holder)
        return error_set(err, CODE_HSM_UNAVAILABLE, "the HSM %s, which has the key, is not configured on this server",
                         key->hsm);
    status made = hsm->sign(holder, key->hsm_id, key->type, &g->order->input, g->deadline, signature, err);
    if (made.code == CODE_NOT_FOUND)
        return error_set(err, CODE_HSM_UNAVAILABLE, "the HSM has no key for %s-%s", key->project_name, key->label);
    return made;
}

static status signature_make(struct signing *g, struct buf *signature, struct error *err)
{
    const struct signing_key *key = rights_version(g->rights, g->order->version);
    if (!key) /* the rules have judged that there is one */
        return error_set(err, CODE_INTERNAL, "the key version is gone");
    TRY(hsm_ask(g, signature, err));
    TRY(signature_judge(g->signer->public_keys, key, &g->order->input, buf_slice(signature),
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
    TRY(usage_add(db, g->rights->key.id, g->rights->who.id, record->time_ms, counted, err));
    if (!g->signature.data)
        TRY(counters_give_back(db, g->rights, g->order, g->records.digest_hex, &g->counted, err));
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

/* I1: out is filled with the outcome durable; a signature whose outcome could not be recorded is wiped with its buffer.
 */
status signing_complete(struct signing *g, struct sign_result *out, struct error *err)
{
    cleanup_buf struct buf signature = {0};
    struct error failure = {0};
    status made = signature_make(g, &signature, &failure);
    if (failure.code != made.code) /* the HSM's side said no reason */
        ignore(error_set(&failure, made.code, "%s", code_text(made.code)));
    status recorded = outcome_record(g, &failure, err);
    if (!is_ok(recorded)) {
        abandoned_add(g->signer->abandoned, g->intent_seq);
        return withheld(err);
    }
    if (!is_ok(made))
        return failure_answer(&failure, err);

    out->signature = signature;
    signature = (struct buf){0};
    out->version = rights_version(g->rights, g->order->version)->version;
    out->intent_seq = g->intent_seq;
    out->outcome_seq = g->records.record.seq;
    return OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The signing path of DESIGN §3, top to bottom: find key, policy at use, INTENT durable, HSM, verify, OUTCOME and usage
 * durable, reply. The steps are in intent.c and outcome.c. */
#include "server/sign/signer.h"

#include <stdlib.h>

#include "common/text.h"
#include "server/sign/signing.h"

enum {
    RIGHTS_KEPT = 4096,
    PUBLIC_KEYS_KEPT = 4096,
    PAUSE_MAX_MS = 50, /* between two looks at a duplicate under way */
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
    TRY(rate_limiter_new(&s->rates, err));
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
    rate_limiter_free(s->rates);
    free(s);
}

void sign_result_clear(struct sign_result *r)
{
    buf_clear(&r->signature);
    *r = (struct sign_result){0};
}

static void signing_clear(struct signing *g)
{
    rights_release(g->rights);
    rights_release(g->fresh);
    idempotency_clear(&g->row);
    records_clear(&g->records);
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
    TRY(signing_rights_load(g, err));
    int64_t now_ms = clock_now_ms();
    if (!is_ok(rules_judge(g->rights, g->order, now_ms, NULL, &g->refusal)) ||
        !is_ok(counters_rate(g->signer->rates, g->rights, now_ms, &g->refusal)))
        return signing_refuse(g, &g->refusal, err);

    TRY(signing_intent_record(g, err));
    if (g->claim == CLAIM_OURS)
        return signing_complete(g, out, err);
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

/* SPDX-License-Identifier: Apache-2.0 */
/* Who may sign under an idempotency key (I6). Judged inside the intent's transaction, where no two callers can both
 * find the row absent. */
#include "server/sign/replay.h"

#include <string.h>

#include "common/secret.h"
#include "server/sign/signer.h"

enum { ROW_LIFE_MS = 24 * 60 * 60 * 1000 };

bool idempotency_key_is_valid(const char *key)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    enum { SHORTEST = 16 };
    size_t len = strlen(key);
    return len >= SHORTEST && len <= LIMIT_IDEMPOTENCY_KEY && strspn(key, allowed) == len;
}

status sign_request_hash(const char *key_id, int version, const struct sign_input *in, uint8_t out[32],
                         struct error *err)
{
    cleanup_buf struct buf text = {0};
    buf_printf(&text, "%s/%d %d %d %d %zu ", key_id, version, (int)in->mechanism, (int)in->hash, (int)in->mgf_hash,
               in->salt_len);
    buf_add(&text, in->digest.data, in->digest.len);
    TRY(buf_check(&text, err));
    return sha256(buf_slice(&text), out, err);
}

static bool same_request(const struct idempotency *a, const struct idempotency *b)
{
    return memcmp(a->request_sha256, b->request_sha256, sizeof(a->request_sha256)) == 0;
}

status claim_judge(struct db *db, const struct idempotency *row, bool (*is_abandoned)(void *arg, int64_t intent),
                   void *arg, enum claim *claim, struct error *err)
{
    CLEANUP(idempotency_clear) struct idempotency stored = {0};
    *claim = CLAIM_OURS;
    status found = idempotency_find(db, row->principal_id, row->idempotency_key, &stored, err);
    if (found.code == CODE_NOT_FOUND)
        return OK;
    TRY(found);

    bool done = stored.outcome_seq != 0;
    bool abandoned = !done && is_abandoned(arg, stored.intent_seq);
    if (abandoned || stored.created_ms < row->created_ms - ROW_LIFE_MS)
        return idempotency_remove(db, row->principal_id, row->idempotency_key, err);

    if (!same_request(&stored, row))
        return error_set(err, CODE_IDEMPOTENCY_CONFLICT, "%s", code_text(CODE_IDEMPOTENCY_CONFLICT));
    *claim = done ? CLAIM_DONE : CLAIM_UNDER_WAY;
    return OK;
}

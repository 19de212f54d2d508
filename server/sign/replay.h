/* SPDX-License-Identifier: Apache-2.0 */
/* I6: the same idempotency key and request from the same principal give the same signature and one pair of records. A
 * row is claimed in the intent's transaction, finished or removed in the outcome's, so it is there exactly while a
 * signature is under way or made. */
#pragma once

#include "common/signature.h"
#include "server/store/store.h"

enum claim {
    CLAIM_OURS,      /* nobody has it: sign */
    CLAIM_UNDER_WAY, /* the same request is being signed: wait */
    CLAIM_DONE,      /* the same request was signed: its answer is in the row */
};

/* Same key, version named (0: none), mechanism, parameters and digest: the same request. The self-asserted context is
 * not part of it. */
status sign_request_hash(const char *key_id, int version, const struct sign_input *in, uint8_t out[32],
                         struct error *err);

/* On the committing thread. row names principal, key and request. CODE_IDEMPOTENCY_CONFLICT when the key was used for
 * another request. A row that stands for nothing any more is removed: older than a day, or is_abandoned says that
 * nobody works on its intent. (The rows of a server that crashed are removed when it closes its intents at start.) */
status claim_judge(struct db *db, const struct idempotency *row, bool (*is_abandoned)(void *arg, int64_t intent),
                   void *arg, enum claim *claim, struct error *err);

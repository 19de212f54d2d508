/* SPDX-License-Identifier: Apache-2.0 */
/* One request on its way through the signing path; shared by signer.c, intent.c and outcome.c alone. */
#pragma once

#include "server/sign/abandoned.h"
#include "server/sign/counters.h"
#include "server/sign/record.h"
#include "server/sign/replay.h"
#include "server/sign/rules.h"
#include "server/sign/signer.h"

struct signer {
    struct signer_config config;
    struct cache *rights, *public_keys;
    struct abandoned *abandoned;
    struct rate_limiter *rates;
};

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
    struct error refusal;   /* code not OK: policy said no inside the intent's transaction */
    struct counted counted; /* quotas and digests that the intent has taken */
    int64_t intent_seq;
    struct slice signature; /* for the outcome's transaction; empty when there is none */
};

/* ---- intent.c */

/* The caller's rights on the key as they are now, from the cache while the store's generation stands still. */
status signing_rights_load(struct signing *g, struct error *err);
/* Records the refusal and gives it as the answer. Unknown key, forbidden key, disabled key: each costs one durable
 * record. */
status signing_refuse(struct signing *g, const struct error *why, struct error *err);
/* CODE_OK: the intent is durable, or g->claim says that another request has it. A refusal by what has changed meanwhile
 * is recorded and returned. */
status signing_intent_record(struct signing *g, struct error *err);

/* ---- outcome.c */

/* With the intent durable: HSM, check of the signature, outcome. out is filled on success alone. */
status signing_complete(struct signing *g, struct sign_result *out, struct error *err);

/* SPDX-License-Identifier: Apache-2.0 */
/* What is counted at use: rates before anything is written, quotas, listed digests and grants inside the intent's
 * transaction, where no two uses can both take the last one. */
#pragma once

#include "server/sign/grant.h"
#include "server/sign/rate.h"
#include "server/sign/rules.h"

/* What one use has taken, so that it can be given back. */
struct counted {
    bool quota, digest;
    struct grant grant; /* request_id "": none was needed */
    int64_t taken_ms;
    int warning; /* percent of a quota that this use has reached: 80, 90, 100; 0: none */
    struct quota count, limit;
};

/* CODE_RATE_LIMITED with retry_after_s. */
status counters_rate(struct rate_limiter *l, const struct rights *r, int64_t now_ms, struct error *err);
/* CODE_QUOTA_EXCEEDED, CODE_DIGEST_NOT_LISTED, CODE_APPROVAL_REQUIRED: nothing was counted. digest_hex: of the request,
 * as in its record. */
status counters_take(struct db *db, const struct rights *r, const struct sign_order *order, const char *digest_hex,
                     int64_t now_ms, struct counted *out, struct error *err);
/* The same without counting: would it be refused now? Adds the steps "policy.quota", "policy.digests" and
 * "policy.approval" where policy says something of them. */
status counters_explain(struct db *db, const struct rights *r, const struct sign_order *order, const char *digest_hex,
                        int64_t now_ms, struct explanation *why, struct error *err);
/* In the outcome's transaction, when there is no signature. */
status counters_give_back(struct db *db, const struct rights *r, const struct sign_order *order, const char *digest_hex,
                          const struct counted *c, struct error *err);

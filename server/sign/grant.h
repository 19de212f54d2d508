/* SPDX-License-Identifier: Apache-2.0 */
/* Grants at use: an approved right to sign some times, or exactly some digests, until a time. Judged and spent inside
 * the intent's transaction, where two uses can never both take the last one. */
#pragma once

#include "server/sign/rules.h"
#include "server/store/approval.h"

/* What the policies in force ask of approvals, the stricter of two where both do. */
struct approval_limits {
    int64_t needed;    /* approvers; 0: no approval is needed */
    int64_t max_count; /* signatures of one grant; 0: any */
    int64_t max_hours; /* life of a grant; 0: any */
};
struct approval_limits approval_limits_of(const struct policy_in_force policies[POLICIES_IN_FORCE]);

/* The hash and digest a request is known by: the SHA-256 of an Ed25519 message, which is what its record names. */
const char *signed_hash(const struct sign_order *order);

/* CODE_APPROVAL_REQUIRED: no grant of this principal covers it. out->request_id "" when none is needed. Grants that
 * fewer approvers gave than policy wants now cover nothing. */
status grant_judge(struct db *db, const struct rights *r, const struct sign_order *order, const char *digest_hex,
                   int64_t now_ms, struct grant *out, struct error *err);
status grant_spend(struct db *db, const struct grant *g, const struct rights *r, const struct sign_order *order,
                   const char *digest_hex, struct error *err);
status grant_give_back(struct db *db, const struct grant *g, const struct sign_order *order, const char *digest_hex,
                       struct error *err);
/* Adds the step "policy.approval", which names the grant. */
status grant_explain(struct db *db, const struct rights *r, const struct sign_order *order, const char *digest_hex,
                     int64_t now_ms, struct explanation *why, struct error *err);

/* SPDX-License-Identifier: Apache-2.0 */
/* "Why?" and "what if?": the rules of policy asked without a signature being made. */
#pragma once

#include "server/sign/rules.h"

/* May this principal use the key like that at that time? Every rule tells its verdict; *refusal is the first one, as
 * the signer would get it, CODE_OK when it may. order->key: an id or "project:label". */
status access_explain(struct db *db, const char *principal_id, const struct sign_order *order, int64_t now_ms,
                      struct explanation *why, struct error *refusal, struct error *err);

enum { DRY_RUN_EXAMPLES = 20 };
struct dry_run_example {
    int64_t seq, time_ms;
    char key[2 * NAME_SIZE], principal[NAME_SIZE];
    char rule[32];
    struct error why;
};
struct dry_run {
    int64_t judged, refused;
    struct dry_run_count {
        char rule[32];
        int64_t count;
    } rules[RULES_MAX];
    size_t rule_count;
    struct dry_run_example examples[DRY_RUN_EXAMPLES]; /* the first ones */
    size_t example_count;
};
/* Which of the signatures on record from from_ms to to_ms would this policy have refused? key_id NULL: of all keys of
 * the Project; project NULL: of all. Judged are mechanism, hash, network, windows, context, and quotas counted anew
 * from the first record on; rates and certificates are not. At most `limit` records are looked at; *more when there
 * were more. */
struct dry_run_scope {
    const char *key_id, *project_name;
    int64_t from_ms, to_ms, limit;
};
status policy_dry_run(struct db *db, const struct policy *p, enum policy_scope scope, const struct dry_run_scope *in,
                      struct dry_run *out, bool *more, struct error *err);

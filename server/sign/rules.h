/* SPDX-License-Identifier: Apache-2.0 */
/* Policy at use (I4, I5): a table of rules, judged in order over what the store says now. The same table answers a
 * signature request, where the first refusal ends it, and "why?", where every rule tells its verdict. */
#pragma once

#include "server/sign/rights.h"
#include "server/sign/signer.h"

enum { RULES_MAX = 24 };

enum verdict { VERDICT_ALLOWS, VERDICT_REFUSES, VERDICT_NOTES };

struct rule_step {
    const char *rule; /* "role", "mechanism", … */
    enum verdict verdict;
    struct error why; /* code CODE_OK and the reason in text where it does not refuse */
};
struct explanation {
    struct rule_step steps[RULES_MAX];
    size_t count;
};

void explanation_add(struct explanation *why, const char *rule, status judged, const struct error *said);

/* The first refusal; OK when there is none. An unknown key and one the principal is no signer of answer alike: err's
 * detail, for record and log, tells them apart. why NULL: nobody asks for reasons. With why, all rules are judged that
 * can be: behind an unknown principal or key there is nothing to judge. */
status rules_judge(const struct rights *r, const struct sign_order *order, int64_t now_ms, struct explanation *why,
                   struct error *err);
/* What policy notes without refusing: false when there is nothing. */
bool rules_note(const struct rights *r, const struct sign_order *order, struct error *out);
/* The rules of the policy documents alone: what would this policy have said of that use? */
status rules_judge_policy(const struct rights *r, const struct sign_order *order, int64_t now_ms,
                          struct explanation *why, struct error *err);

/* SPDX-License-Identifier: Apache-2.0 */
/* See grant.h. */
#include "server/sign/grant.h"

#include <stdio.h>

static int64_t lower(int64_t a, int64_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

struct approval_limits approval_limits_of(const struct policy_in_force policies[POLICIES_IN_FORCE])
{
    struct approval_limits limits = {0};
    for (size_t i = 0; i < POLICIES_IN_FORCE; i++) {
        const struct policy *p = policies[i].policy;
        if (!p)
            continue;
        if (p->approval.needed > limits.needed)
            limits.needed = p->approval.needed;
        limits.max_count = lower(limits.max_count, p->approval.max_count);
        limits.max_hours = lower(limits.max_hours, p->approval.max_hours);
    }
    return limits;
}

const char *signed_hash(const struct sign_order *order)
{
    return hash_name(order->input.hash != HASH_NONE ? order->input.hash : HASH_SHA256);
}

static status refuse(const struct rights *r, int64_t needed, struct error *err)
{
    const char *team = *r->who.team_id ? "; members of the team that manages the account do not count" : "";
    return error_set(err, CODE_APPROVAL_REQUIRED, "the use of %s-%s needs %lld approval%s, and no grant covers it%s",
                     r->key.project_name, r->key.label, (long long)needed, needed == 1 ? "" : "s", team);
}

static status grant_search(struct db *db, const struct rights *r, const struct sign_order *order,
                           const char *digest_hex, int64_t needed, int64_t now_ms, struct grant *out, struct error *err)
{
    const struct grant_use use = {.key_id = r->key.id,
                                  .principal_id = r->who.id,
                                  .hash = signed_hash(order),
                                  .digest = digest_hex,
                                  .needed = needed,
                                  .now_ms = now_ms};
    return grant_find(db, &use, out, err);
}

status grant_judge(struct db *db, const struct rights *r, const struct sign_order *order, const char *digest_hex,
                   int64_t now_ms, struct grant *out, struct error *err)
{
    struct approval_limits limits = approval_limits_of(r->policies);
    *out = (struct grant){0};
    if (limits.needed == 0)
        return OK;
    TRY(grant_search(db, r, order, digest_hex, limits.needed, now_ms, out, err));
    return *out->request_id ? OK : refuse(r, limits.needed, err);
}

status grant_spend(struct db *db, const struct grant *g, const struct rights *r, const struct sign_order *order,
                   const char *digest_hex, struct error *err)
{
    if (!*g->request_id)
        return OK;
    status spent = grant_add(db, g, signed_hash(order), digest_hex, -1, err);
    return spent.code == CODE_CONFLICT ? refuse(r, approval_limits_of(r->policies).needed, err) : spent;
}

status grant_give_back(struct db *db, const struct grant *g, const struct sign_order *order, const char *digest_hex,
                       struct error *err)
{
    return *g->request_id ? grant_add(db, g, signed_hash(order), digest_hex, +1, err) : OK;
}

/* A grant that would cover the use if policy had not become stricter since is named. */
static status refuse_at_length(struct db *db, const struct rights *r, const struct sign_order *order,
                               const char *digest_hex, int64_t now_ms, struct error *said, struct error *err)
{
    struct grant outdated;
    TRY(grant_search(db, r, order, digest_hex, 0, now_ms, &outdated, err));
    if (*outdated.request_id)
        error_suffix(said, ": that of %s was approved by fewer", outdated.request_id);
    return OK;
}

status grant_explain(struct db *db, const struct rights *r, const struct sign_order *order, const char *digest_hex,
                     int64_t now_ms, struct explanation *why, struct error *err)
{
    struct grant found;
    struct error said = {0};
    if (approval_limits_of(r->policies).needed == 0)
        return OK;
    status judged = grant_judge(db, r, order, digest_hex, now_ms, &found, &said);
    if (judged.code == CODE_APPROVAL_REQUIRED)
        TRY(refuse_at_length(db, r, order, digest_hex, now_ms, &said, err));
    else if (!is_ok(judged))
        return error_set(err, judged.code, "%s", said.text);
    else
        (void)snprintf(said.text, sizeof(said.text), "the grant of %s covers it", found.request_id);
    explanation_add(why, "policy.approval", judged, &said);
    return OK;
}

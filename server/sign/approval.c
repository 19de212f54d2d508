/* SPDX-License-Identifier: Apache-2.0 */
/* See approval.h. */
#include "server/sign/approval.h"

#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/text.h"

enum { HOUR_MS = 60 * 60 * 1000, VOTERS_MAX = 1024 };

/* ---- asking */

static int64_t break_glass_hours(const struct approval_asker *asker)
{
    return asker->break_glass_hours > 0 ? asker->break_glass_hours : BREAK_GLASS_HOURS;
}

static status limits_check(const struct approval_limits *limits, const struct signing_key *key,
                           const struct approval *a, struct error *err)
{
    int64_t asked = a->signatures ? a->signatures : a->digests;
    if (limits->needed == 0)
        return error_set(err, CODE_CONFLICT, "policy asks for no approval of the use of %s-%s", key->project_name,
                         key->label);
    if (limits->max_count && asked > limits->max_count)
        return error_set(err, CODE_INVALID, "%s: policy allows at most %lld signatures in one request",
                         a->signatures ? "count" : "digests", (long long)limits->max_count);
    if (limits->max_hours && a->hours > limits->max_hours)
        return error_set(err, CODE_INVALID, "hours: policy allows at most %lld", (long long)limits->max_hours);
    return OK;
}

static status pending_check(struct db *db, const struct approval *a, int64_t now_ms, struct error *err)
{
    int64_t pending = 0;
    TRY(approval_count_pending(db, a->key_id, a->requester_id, now_ms, &pending, err));
    if (pending < APPROVAL_PENDING_MAX)
        return OK;
    return error_set(err, CODE_CONFLICT, "%lld requests for this key wait for a decision; cancel some",
                     (long long)pending);
}

static int64_t hours_default(const struct approval_limits *limits, int64_t hours)
{
    return limits->max_hours && limits->max_hours < hours ? limits->max_hours : hours;
}

static void policies_clear(struct policy_in_force (*policies)[POLICIES_IN_FORCE])
{
    policies_release(*policies);
}

status approval_ask(struct db *db, const struct signing_key *key, const struct approval_asker *asker,
                    struct approval *a, int64_t now_ms, struct error *err)
{
    int64_t glass_hours = break_glass_hours(asker);
    CLEANUP(policies_clear) struct policy_in_force policies[POLICIES_IN_FORCE] = {0};
    if (!(asker->roles & MEMBER_SIGNER))
        return error_set(err, CODE_FORBIDDEN, "only signers of the project ask for the use of its keys");
    TRY(policies_in_force(db, NULL, key, policies, err));
    struct approval_limits limits = approval_limits_of(policies);
    if (a->hours == 0)
        a->hours = hours_default(&limits, a->break_glass ? glass_hours : APPROVAL_HOURS);
    TRY(limits_check(&limits, key, a, err));
    if (a->break_glass && a->hours > glass_hours)
        return error_set(err, CODE_INVALID, "hours: at most %lld for broken glass", (long long)glass_hours);
    (void)text_copy(a->requester_id, sizeof(a->requester_id), asker->who->id);
    (void)text_copy(a->key_id, sizeof(a->key_id), key->id);
    TRY(pending_check(db, a, now_ms, err));
    a->needed = a->break_glass ? BREAK_GLASS_APPROVERS : limits.needed;
    a->created_ms = now_ms;
    a->expires_ms = now_ms + (a->break_glass ? glass_hours : APPROVAL_PENDING_HOURS) * HOUR_MS;
    return OK;
}

/* ---- deciding */

static bool may_decide(const struct approval *a, const struct principal *who, unsigned roles, int64_t now_ms)
{
    if (who->disabled || (who->expires_ms != 0 && now_ms >= who->expires_ms) || strcmp(who->id, a->requester_id) == 0)
        return false;
    if (a->break_glass)
        return who->role == ROLE_ADMINISTRATOR || (roles & MEMBER_OWNER);
    return roles & MEMBER_APPROVER;
}

/* Whoever can give the requesting service account a key of his own asks for himself. */
static status manages_requester(struct db *db, const struct approval *a, const char *who_id, bool *out,
                                struct error *err)
{
    struct principal requester;
    *out = false;
    status found = principal_find(db, a->requester_id, &requester, err);
    if (found.code == CODE_NOT_FOUND)
        return OK;
    TRY(found);
    return *requester.team_id ? team_has(db, requester.team_id, who_id, out, err) : OK;
}

/* As they are in the transaction, not as they were when the request came in. */
static status voter_judge(struct db *db, const struct approval *a, const char *id, int64_t now_ms, bool *may,
                          struct error *err)
{
    struct principal who;
    unsigned roles = 0;
    *may = false;
    status found = principal_find(db, id, &who, err);
    if (found.code == CODE_NOT_FOUND)
        return OK;
    TRY(found);
    TRY(member_roles(db, a->project_id, who.id, &roles, err));
    bool manages = false;
    TRY(manages_requester(db, a, who.id, &manages, err));
    *may = !manages && may_decide(a, &who, roles, now_ms);
    return OK;
}

struct voters {
    char ids[VOTERS_MAX][ID_SIZE];
    size_t count;
};

static status voter_take(void *arg, const struct approval_decision *d)
{
    struct voters *v = arg;
    if (d->is_yes && v->count < VOTERS_MAX) /* those beyond count for nothing */
        (void)text_copy(v->ids[v->count++], ID_SIZE, d->approver_id);
    return OK;
}

/* Whoever was removed or disabled since has lost his vote. */
static status votes_count(struct db *db, const struct approval *a, int64_t now_ms, int64_t *out, struct error *err)
{
    cleanup_free struct voters *voters = calloc(1, sizeof(*voters));
    *out = 0;
    if (!voters)
        return error_set(err, CODE_NO_MEMORY, "%s", code_text(CODE_NO_MEMORY));
    TRY(approval_decision_list(db, a->id, voter_take, voters, err));
    for (size_t i = 0; i < voters->count; i++) {
        bool may = false;
        TRY(voter_judge(db, a, voters->ids[i], now_ms, &may, err));
        *out += may;
    }
    return OK;
}

static status refuse_decision(struct db *db, const struct approval *a, const char *approver_id, struct error *err)
{
    bool manages = false;
    if (strcmp(approver_id, a->requester_id) == 0)
        return error_set(err, CODE_FORBIDDEN, "nobody decides on his own request");
    TRY(manages_requester(db, a, approver_id, &manages, err));
    if (manages)
        return error_set(err, CODE_FORBIDDEN,
                         "nobody decides on a request of a service account that his own team manages");
    return error_set(err, CODE_FORBIDDEN, "only %s may decide on this request",
                     a->break_glass ? "administrators and owners" : "approvers of the project");
}

static status grant_make(struct db *db, struct approval *a, int64_t votes, int64_t now_ms, struct error *err)
{
    a->approvals = votes;
    a->remaining = a->signatures ? a->signatures : a->digests;
    a->not_before_ms = now_ms;
    a->not_after_ms = now_ms + a->hours * HOUR_MS;
    TRY(grant_insert(db, a, err));
    return approval_set_state(db, a->id, APPROVAL_APPROVED, err);
}

status approval_decide(struct db *db, struct approval *a, const struct approval_decision *d, int64_t now_ms,
                       struct error *err)
{
    bool may = false;
    int64_t votes = 0;
    TRY(voter_judge(db, a, d->approver_id, now_ms, &may, err));
    if (!may)
        return refuse_decision(db, a, d->approver_id, err);
    if (a->state != APPROVAL_PENDING)
        return error_set(err, CODE_CONFLICT, "the request is %s; there is nothing to decide",
                         approval_state_name(a->state));
    TRY(approval_decision_insert(db, a->id, d, err));
    TRY(votes_count(db, a, now_ms, &votes, err));
    if (!d->is_yes)
        TRY(approval_set_state(db, a->id, APPROVAL_DENIED, err));
    else if (votes >= a->needed)
        TRY(grant_make(db, a, votes, now_ms, err));
    else
        TRY(approval_set_state(db, a->id, APPROVAL_PENDING, err));
    return approval_find(db, a->id, now_ms, a, err);
}

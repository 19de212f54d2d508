/* SPDX-License-Identifier: Apache-2.0 */
/* The rules. Each answers OK, with the reason in err's text if it has something to say, or its refusal. */
#include "server/sign/rules.h"

#include <stdio.h>
#include <string.h>

struct use {
    const struct rights *rights;
    const struct sign_order *order;
    int64_t now_ms;
    bool is_explained; /* somebody reads the reasons of what is allowed, too */
};

/* The caller gets the code's own text; the reason is for the record and the log. */
static status refuse_silently(enum code code, const char *reason, struct error *err)
{
    status refusal = error_set(err, code, "%s", code_text(code));
    error_detail(err, "%s", reason);
    return refusal;
}

static status judge_principal(const struct use *u, struct error *err)
{
    const struct principal *p = &u->rights->who;
    if (p->disabled || (p->expires_ms != 0 && u->now_ms >= p->expires_ms))
        return refuse_silently(CODE_NOT_AUTHENTICATED, "the principal is disabled or expired", err);
    return OK;
}

static status judge_key(const struct use *u, struct error *err)
{
    return *u->rights->key.id ? OK : refuse_silently(CODE_NOT_FOUND, "no such key", err);
}

/* How somebody is a signer, for who asks. */
static void role_explain(const struct use *u, struct error *err)
{
    const struct role_reason *why = &u->rights->held.signer;
    char until[TIME_TEXT_SIZE];
    if (why->not_after_ms != 0)
        time_format(why->not_after_ms, until);
    (void)snprintf(err->detail, sizeof(err->detail), "signer of %s%s%s%s%s", u->rights->key.project_name,
                   *why->team ? " by team " : "", why->team, why->not_after_ms ? " until " : "",
                   why->not_after_ms ? until : "");
}

static status refuse_role(const struct use *u, const char *what, int64_t when_ms, struct error *err)
{
    char reason[160], when[TIME_TEXT_SIZE];
    const char *team = u->rights->held.signer.team;
    time_format(when_ms, when);
    (void)snprintf(reason, sizeof(reason), "the principal's time as a signer of the project%s%s %s %s",
                   *team ? " by team " : "", team, what, when);
    return refuse_silently(CODE_NOT_FOUND, reason, err);
}

static status judge_role(const struct use *u, struct error *err)
{
    const struct held_roles *held = &u->rights->held;
    if (held->roles & MEMBER_SIGNER) {
        if (u->is_explained)
            role_explain(u, err);
        return OK;
    }
    if (held->signer.time == ROLE_ENDED)
        return refuse_role(u, "ended at", held->signer.not_after_ms, err);
    if (held->signer.time == ROLE_NOT_YET)
        return refuse_role(u, "begins at", held->signer.not_before_ms, err);
    return refuse_silently(CODE_NOT_FOUND, "the principal is not a signer of the project", err);
}

static status refuse_frozen(const char *what, const struct freeze *f, struct error *err)
{
    return error_set(err, CODE_FROZEN, "signing is frozen for %s%s%s", what, *f->reason ? ": " : "", f->reason);
}

static status judge_freeze(const struct use *u, struct error *err)
{
    if (u->rights->frozen_platform.is_frozen)
        return refuse_frozen("the platform", &u->rights->frozen_platform, err);
    if (u->rights->frozen_project.is_frozen)
        return refuse_frozen("the project", &u->rights->frozen_project, err);
    return OK;
}

static status judge_state(const struct use *u, struct error *err)
{
    const struct signing_key *key = &u->rights->key;
    if (key->state == KEY_ACTIVE)
        return OK;
    return error_set(err, CODE_KEY_DISABLED, "the signing key %s-%s is %s%s%s", key->project_name, key->label,
                     key_state_name(key->state), *key->disabled_reason ? ": " : "", key->disabled_reason);
}

/* After a rotation the version before signs on for who names it, until its grace ends. */
static status judge_version(const struct use *u, struct error *err)
{
    const struct signing_key *key = rights_version(u->rights, u->order->version);
    if (key && (key->version == u->rights->key.version || u->now_ms < key->grace_until_ms))
        return OK;
    return error_set(err, CODE_KEY_DISABLED, "version %d of the signing key %s-%s is not in use any more",
                     u->order->version, u->rights->key.project_name, u->rights->key.label);
}

static status judge_mechanism(const struct use *u, struct error *err)
{
    const struct signing_key *key = &u->rights->key;
    enum mechanism m = u->order->input.mechanism;
    if (m <= MECHANISM_NONE || m >= MECHANISM_COUNT)
        return error_set(err, CODE_INVALID, "no such mechanism or hash");
    if (!(key->mechanisms & 1u << m))
        return error_set(err, CODE_MECHANISM_DENIED, "the key %s-%s does not allow the mechanism %s", key->project_name,
                         key->label, mechanism_name(m));
    return OK;
}

static status judge_hash(const struct use *u, struct error *err)
{
    const struct signing_key *key = &u->rights->key;
    const enum hash used[] = {u->order->input.hash, u->order->input.mgf_hash};
    for (size_t i = 0; i < COUNT_OF(used); i++) {
        if (used[i] >= HASH_COUNT)
            return error_set(err, CODE_INVALID, "no such mechanism or hash");
        if (used[i] != HASH_NONE && !(key->hashes & hash_bit(used[i])))
            return error_set(err, CODE_MECHANISM_DENIED, "the key %s-%s does not allow the hash %s", key->project_name,
                             key->label, hash_name(used[i]));
    }
    return OK;
}

/* ---- rules of the policies in force: each is asked of the platform's, then of the key's or Project's */

typedef status (*policy_judge)(const struct policy *p, const struct use *u, struct error *err);

static status judge_policies(const struct use *u, policy_judge judge, struct error *err)
{
    for (size_t i = 0; i < POLICIES_IN_FORCE; i++) {
        const struct policy_in_force *in_force = &u->rights->policies[i];
        if (!in_force->policy)
            continue;
        status s = judge(in_force->policy, u, err);
        if (is_ok(s) && !*err->text)
            continue;
        error_prefix(err, "policy of the %s", policy_scope_name(in_force->scope));
        TRY(s);
    }
    return OK;
}

static status policy_mechanism(const struct policy *p, const struct use *u, struct error *err)
{
    enum mechanism m = u->order->input.mechanism;
    if (!p->has_mechanisms || (p->mechanisms & 1u << m))
        return OK;
    return error_set(err, CODE_MECHANISM_DENIED, "the mechanism %s is not allowed", mechanism_name(m));
}

static status policy_hash(const struct policy *p, const struct use *u, struct error *err)
{
    const enum hash used[] = {u->order->input.hash, u->order->input.mgf_hash};
    for (size_t i = 0; p->has_hashes && i < COUNT_OF(used); i++) {
        if (used[i] != HASH_NONE && !(p->hashes & hash_bit(used[i])))
            return error_set(err, CODE_MECHANISM_DENIED, "the hash %s is not allowed", hash_name(used[i]));
    }
    return OK;
}

static status policy_certificate(const struct policy *p, const struct use *u, struct error *err)
{
    enum { DAY_MS = 24 * 60 * 60 * 1000 };
    int64_t left_ms = u->rights->not_after_ms - u->now_ms;
    if (!u->rights->has_certificate || (!p->refuse_expired && p->min_days_left == 0))
        return OK;
    if (left_ms <= 0)
        return error_set(err, CODE_KEY_EXPIRED, "the certificate has expired");
    if (left_ms < p->min_days_left * DAY_MS)
        return error_set(err, CODE_KEY_EXPIRED, "the certificate ends in %lld days, %lld are needed",
                         (long long)(left_ms / DAY_MS), (long long)p->min_days_left);
    return OK;
}

/* Of the version that signs. Without a policy that says otherwise nobody signs with a key whose certificate was taken
 * back. */
static status judge_revoked(const struct use *u, struct error *err)
{
    enum { SERVERS_DIFFER_MS = 60 * 60 * 1000 }; /* earlier than that it is a use of the past, in a dry run */
    const struct signing_key *key = rights_version(u->rights, u->order->version);
    char when[TIME_TEXT_SIZE];
    bool is_allowed = false;

    if (!key || key->revoked_ms == 0 || u->now_ms < key->revoked_ms - SERVERS_DIFFER_MS)
        return OK;
    time_format(key->revoked_ms, when);
    for (size_t i = 0; i < POLICIES_IN_FORCE; i++) {
        const struct policy_in_force *in_force = &u->rights->policies[i];
        if (in_force->policy && in_force->policy->refuse_revoked)
            return error_set(err, CODE_KEY_EXPIRED, "policy of the %s: the certificate was revoked at %s",
                             policy_scope_name(in_force->scope), when);
        is_allowed |= in_force->policy != NULL;
    }
    if (is_allowed) {
        (void)snprintf(err->text, sizeof(err->text), "the certificate was revoked at %s; the policy allows it", when);
        return OK;
    }
    return error_set(err, CODE_KEY_EXPIRED, "the certificate was revoked at %s", when);
}

static status policy_network(const struct policy *p, const struct use *u, struct error *err)
{
    for (size_t i = 0; i < p->network_count; i++) {
        if (network_has(&p->networks[i], u->order->client_address))
            return OK;
    }
    if (p->network_count == 0)
        return OK;
    return error_set(err, CODE_NETWORK_DENIED, "the address %s is in none of the allowed networks",
                     u->order->client_address ? u->order->client_address : "(unknown)");
}

static bool window_is_open(const struct policy *p, int64_t now_ms)
{
    for (size_t i = 0; i < p->window_count; i++) {
        if (window_has(&p->windows[i], now_ms))
            return true;
    }
    return p->window_count == 0;
}

static bool release_is_open(const struct policy *p, int64_t now_ms)
{
    for (size_t i = 0; i < p->release_count; i++) {
        if (now_ms >= p->releases[i].from_ms && now_ms < p->releases[i].to_ms)
            return true;
    }
    return p->release_count == 0;
}

static status policy_window(const struct policy *p, const struct use *u, struct error *err)
{
    if (!window_is_open(p, u->now_ms))
        return error_set(err, CODE_WINDOW_CLOSED, "it is outside of the weekly windows");
    if (!release_is_open(p, u->now_ms))
        return error_set(err, CODE_WINDOW_CLOSED, "it is outside of the release windows");
    return OK;
}

static bool context_has(const struct sign_order *order, const char *name)
{
    for (size_t i = 0; i < order->context_count; i++) {
        if (strcmp(order->context[i].name, name) == 0 && *order->context[i].value)
            return true;
    }
    return (strcmp(name, "program") == 0 && order->program) || (strcmp(name, "host") == 0 && order->host) ||
           (strcmp(name, "user") == 0 && order->user);
}

static status policy_context(const struct policy *p, const struct use *u, struct error *err)
{
    for (size_t i = 0; i < p->context_count; i++) {
        if (!context_has(u->order, p->context[i]))
            return error_set(err, CODE_CONTEXT_REQUIRED, "the context field %s is missing", p->context[i]);
    }
    return OK;
}

/* Never a refusal: a client that lies about its program would pass. Said in the record and to who asks. */
static status policy_program(const struct policy *p, const struct use *u, struct error *err)
{
    for (size_t i = 0; i < p->program_count; i++) {
        if (u->order->program && strcmp(p->programs[i], u->order->program) == 0)
            return OK;
    }
    if (p->program_count > 0)
        (void)snprintf(err->text, sizeof(err->text), "the program %s is not a listed one (self-asserted, advisory)",
                       u->order->program ? u->order->program : "(unknown)");
    return OK;
}

/* What a use needs; whether a grant covers it is counters.c's to say. */
static status policy_approval(const struct policy *p, const struct use *u, struct error *err)
{
    (void)u;
    if (p->approval.needed == 0)
        return OK;
    return error_set(err, CODE_APPROVAL_REQUIRED, "the use of the key needs %lld approvals",
                     (long long)p->approval.needed);
}

#define POLICY_RULE(name)                                                                                              \
    static status judge_policy_##name(const struct use *u, struct error *err)                                          \
    {                                                                                                                  \
        return judge_policies(u, policy_##name, err);                                                                  \
    }
POLICY_RULE(mechanism)
POLICY_RULE(hash)
POLICY_RULE(certificate)
POLICY_RULE(network)
POLICY_RULE(window)
POLICY_RULE(context)
POLICY_RULE(program)
POLICY_RULE(approval)
#undef POLICY_RULE

/* I5 */
static status judge_digest(const struct use *u, struct error *err)
{
    const struct signing_key *key = rights_version(u->rights, u->order->version);
    return sign_input_check(&u->order->input, key ? key->type : u->rights->key.type, err);
}

static const struct rule {
    const char *name;
    status (*judge)(const struct use *u, struct error *err);
    bool needs_key;  /* without a key there is nothing to judge */
    bool is_policy;  /* is what a policy document says, and nothing else */
    bool is_counted; /* at use it is judged where it is counted, in the intent's transaction */
} rules[] = {
    {"principal", judge_principal, false, false, false},
    {"key", judge_key, false, false, false},
    {"role", judge_role, true, false, false},
    {"freeze", judge_freeze, true, false, false},
    {"state", judge_state, true, false, false},
    {"version", judge_version, true, false, false},
    {"mechanism", judge_mechanism, true, false, false},
    {"hash", judge_hash, true, false, false},
    {"policy.mechanism", judge_policy_mechanism, true, true, false},
    {"policy.hash", judge_policy_hash, true, true, false},
    {"policy.certificate", judge_policy_certificate, true, true, false},
    {"policy.revoked", judge_revoked, true, true, false},
    {"policy.network", judge_policy_network, true, true, false},
    {"policy.window", judge_policy_window, true, true, false},
    {"policy.context", judge_policy_context, true, true, false},
    {"policy.program", judge_policy_program, true, true, false},
    {"policy.approval", judge_policy_approval, true, true, true},
    {"digest", judge_digest, true, false, false},
};
_Static_assert(COUNT_OF(rules) + 3 <= RULES_MAX, "an explanation has room for every rule");

void explanation_add(struct explanation *why, const char *rule, status judged, const struct error *said)
{
    enum verdict verdict = !is_ok(judged) ? VERDICT_REFUSES : *said->text ? VERDICT_NOTES : VERDICT_ALLOWS;
    if (why->count < RULES_MAX)
        why->steps[why->count++] = (struct rule_step){rule, verdict, *said};
}

static status judge(const struct use *u, bool only_policy, struct explanation *why, struct error *err)
{
    status refusal = OK;
    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        struct error said = {0};
        if ((rules[i].needs_key && !*u->rights->key.id) || (only_policy ? !rules[i].is_policy : rules[i].is_counted))
            continue;
        status judged = rules[i].judge(u, &said);
        if (why)
            explanation_add(why, rules[i].name, judged, &said);
        if (is_ok(judged) || !is_ok(refusal))
            continue;
        refusal = judged;
        if (err)
            *err = said;
        if (!why)
            break;
    }
    return refusal;
}

status rules_judge(const struct rights *r, const struct sign_order *order, int64_t now_ms, struct explanation *why,
                   struct error *err)
{
    const struct use u = {r, order, now_ms, why != NULL};
    return judge(&u, false, why, err);
}

status rules_judge_policy(const struct rights *r, const struct sign_order *order, int64_t now_ms,
                          struct explanation *why, struct error *err)
{
    const struct use u = {r, order, now_ms, why != NULL};
    return judge(&u, true, why, err);
}

bool rules_note(const struct rights *r, const struct sign_order *order, struct error *out)
{
    const struct use u = {r, order, 0, false};
    *out = (struct error){0};
    return is_ok(judge_policy_program(&u, out)) && *out->text;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The rules. Each answers OK, with the reason in err's text if it has something to say, or its refusal. */
#include "server/sign/rules.h"

struct use {
    const struct rights *rights;
    const struct sign_order *order;
    int64_t now_ms;
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

static status judge_role(const struct use *u, struct error *err)
{
    if (u->rights->roles & MEMBER_SIGNER)
        return OK;
    return refuse_silently(CODE_NOT_FOUND, "the principal is not a signer of the project", err);
}

static status judge_state(const struct use *u, struct error *err)
{
    const struct signing_key *key = &u->rights->key;
    if (key->state == KEY_ACTIVE)
        return OK;
    return error_set(err, CODE_KEY_DISABLED, "the signing key %s-%s is disabled%s%s", key->project_name, key->label,
                     *key->disabled_reason ? ": " : "", key->disabled_reason);
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

/* I5 */
static status judge_digest(const struct use *u, struct error *err)
{
    return sign_input_check(&u->order->input, u->rights->key.type, err);
}

static const struct rule {
    const char *name;
    status (*judge)(const struct use *u, struct error *err);
    bool needs_key; /* without a key there is nothing to judge */
} rules[] = {
    {"principal", judge_principal, false},
    {"key", judge_key, false},
    {"role", judge_role, true},
    {"state", judge_state, true},
    {"mechanism", judge_mechanism, true},
    {"hash", judge_hash, true},
    {"digest", judge_digest, true},
};
_Static_assert(COUNT_OF(rules) <= RULES_MAX, "an explanation has room for every rule");

static void step_add(struct explanation *why, const struct rule *rule, status judged, const struct error *err)
{
    enum verdict verdict = !is_ok(judged) ? VERDICT_REFUSES : *err->text ? VERDICT_NOTES : VERDICT_ALLOWS;
    why->steps[why->count++] = (struct rule_step){rule->name, verdict, *err};
}

status rules_judge(const struct rights *r, const struct sign_order *order, int64_t now_ms, struct explanation *why,
                   struct error *err)
{
    const struct use u = {r, order, now_ms};
    status refusal = OK;
    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        struct error said = {0};
        if (rules[i].needs_key && !*r->key.id)
            break;
        status judged = rules[i].judge(&u, &said);
        if (why)
            step_add(why, &rules[i], judged, &said);
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

/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of the policies in force, the lower of two where both have one. */
#include "server/sign/counters.h"

#include <stdio.h>
#include <string.h>

enum { MARK_SIZE = 64, NAME_MAX_LEN = 2 * ID_SIZE };

static int64_t lower(int64_t a, int64_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

static struct quota quota_in_force(const struct rights *r)
{
    struct quota q = {0};
    for (size_t i = 0; i < POLICIES_IN_FORCE; i++) {
        const struct policy *p = r->policies[i].policy;
        if (!p)
            continue;
        q.total = lower(q.total, p->quota_total);
        q.day = lower(q.day, p->quota_day);
        q.month = lower(q.month, p->quota_month);
    }
    return q;
}

static bool digests_are_listed(const struct rights *r)
{
    bool listed = false;
    for (size_t i = 0; i < POLICIES_IN_FORCE; i++)
        listed |= r->policies[i].policy && r->policies[i].policy->digests_listed;
    return listed;
}

/* ---- rates */

static status rate_judge(struct rate_limiter *l, const char *name, const struct rate *limit, int64_t now_ms,
                         struct error *err)
{
    if (limit->count == 0)
        return OK;
    int64_t wait_ms = rate_limiter_take(l, name, limit, now_ms);
    if (wait_ms == 0)
        return OK;
    status refusal = error_set(err, CODE_RATE_LIMITED, "more than %lld signatures in %lld seconds",
                               (long long)limit->count, (long long)limit->seconds);
    err->retry_after_s = (int)((wait_ms + 999) / 1000);
    return refusal;
}

status counters_rate(struct rate_limiter *l, const struct rights *r, int64_t now_ms, struct error *err)
{
    char name[NAME_MAX_LEN];
    for (size_t i = 0; i < POLICIES_IN_FORCE; i++) {
        const struct policy *p = r->policies[i].policy;
        if (!p)
            continue;
        (void)snprintf(name, sizeof(name), "%zu %s %s", i, r->key.id, r->who.id);
        TRY(rate_judge(l, name, &p->per_principal, now_ms, err));
        (void)snprintf(name, sizeof(name), "%zu %s", i, r->key.id);
        TRY(rate_judge(l, name, &p->per_key, now_ms, err));
    }
    return OK;
}

/* ---- quotas */

static int percent_reached(int64_t count, int64_t limit)
{
    static const int marks[] = {100, 90, 80};
    for (size_t i = 0; limit > 0 && i < COUNT_OF(marks); i++) {
        int64_t at = (limit * marks[i] + 99) / 100;
        if (count == at)
            return marks[i];
    }
    return 0;
}

static int warning_of(const struct quota *count, const struct quota *limit)
{
    int most = percent_reached(count->total, limit->total);
    int day = percent_reached(count->day, limit->day), month = percent_reached(count->month, limit->month);
    most = day > most ? day : most;
    return month > most ? month : most;
}

static status quota_refuse(const struct quota *count, const struct quota *limit, struct error *err)
{
    if (limit->total && count->total >= limit->total)
        return error_set(err, CODE_QUOTA_EXCEEDED, "the quota of %lld signatures is used up", (long long)limit->total);
    if (limit->month && count->month >= limit->month)
        return error_set(err, CODE_QUOTA_EXCEEDED, "the quota of %lld signatures a month (UTC) is used up",
                         (long long)limit->month);
    return error_set(err, CODE_QUOTA_EXCEEDED, "the quota of %lld signatures a day (UTC) is used up",
                     (long long)limit->day);
}

static status quota_judge(struct db *db, const struct rights *r, int64_t now_ms, struct counted *out, struct error *err)
{
    char mark[MARK_SIZE];
    struct quota limit = quota_in_force(r);
    struct quota_use use;
    if (!limit.total && !limit.day && !limit.month)
        return OK;
    (void)snprintf(mark, sizeof(mark), "%lld.%d.%lld", (long long)r->policies[POLICY_OF_PLATFORM].version,
                   (int)r->policies[POLICY_OF_KEY].scope, (long long)r->policies[POLICY_OF_KEY].version);
    TRY(quota_take(db, r->key.id, mark, &limit, now_ms, &use, err));
    if (!use.is_taken)
        return quota_refuse(&use.count, &limit, err);
    out->quota = true;
    out->taken_ms = now_ms;
    out->count = use.count;
    out->limit = limit;
    out->warning = warning_of(&use.count, &limit);
    return OK;
}

/* ---- listed digests */

static status digest_judge(struct db *db, const struct rights *r, const char *hash, const char *digest_hex,
                           int64_t now_ms, struct counted *out, struct error *err)
{
    struct listed_digest listed;
    status found = listed_digest_find(db, r->key.id, hash, digest_hex, &listed, err);
    if (found.code == CODE_NOT_FOUND)
        return error_set(err, CODE_DIGEST_NOT_LISTED, "this digest is not on the list of %s-%s", r->key.project_name,
                         r->key.label);
    TRY(found);
    if (listed.expires_ms != 0 && now_ms >= listed.expires_ms)
        return error_set(err, CODE_DIGEST_NOT_LISTED, "this digest's place on the list of %s-%s has expired",
                         r->key.project_name, r->key.label);
    if (listed.remaining == 0)
        return error_set(err, CODE_DIGEST_NOT_LISTED, "this digest was signed as often as the list of %s-%s allows",
                         r->key.project_name, r->key.label);
    out->digest = listed.remaining > 0;
    return OK;
}

status counters_take(struct db *db, const struct rights *r, const struct sign_order *order, const char *digest_hex,
                     int64_t now_ms, struct counted *out, struct error *err)
{
    *out = (struct counted){0};
    if (digests_are_listed(r))
        TRY(digest_judge(db, r, signed_hash(order), digest_hex, now_ms, out, err));
    TRY(grant_judge(db, r, order, digest_hex, now_ms, &out->grant, err));
    TRY(quota_judge(db, r, now_ms, out, err));
    TRY(grant_spend(db, &out->grant, r, order, digest_hex, err));
    return out->digest ? listed_digest_add(db, r->key.id, signed_hash(order), digest_hex, -1, err) : OK;
}

status counters_explain(struct db *db, const struct rights *r, const struct sign_order *order, const char *digest_hex,
                        int64_t now_ms, struct explanation *why, struct error *err)
{
    struct quota limit = quota_in_force(r), count;
    struct counted ignored = {0};
    if (limit.total || limit.day || limit.month) {
        struct error said = {0};
        TRY(quota_find(db, r->key.id, now_ms, &count, err));
        bool is_used_up = (limit.total && count.total >= limit.total) || (limit.day && count.day >= limit.day) ||
                          (limit.month && count.month >= limit.month);
        explanation_add(why, "policy.quota", is_used_up ? quota_refuse(&count, &limit, &said) : OK, &said);
    }
    if (digests_are_listed(r)) {
        struct error said = {0};
        status judged = digest_judge(db, r, signed_hash(order), digest_hex, now_ms, &ignored, &said);
        if (judged.code != CODE_OK && judged.code != CODE_DIGEST_NOT_LISTED)
            return error_set(err, judged.code, "%s", said.text);
        explanation_add(why, "policy.digests", judged, &said);
    }
    return grant_explain(db, r, order, digest_hex, now_ms, why, err);
}

status counters_give_back(struct db *db, const struct rights *r, const struct sign_order *order, const char *digest_hex,
                          const struct counted *c, struct error *err)
{
    if (c->quota)
        TRY(quota_give_back(db, r->key.id, c->taken_ms, err));
    TRY(grant_give_back(db, &c->grant, order, digest_hex, err));
    return c->digest ? listed_digest_add(db, r->key.id, signed_hash(order), digest_hex, +1, err) : OK;
}

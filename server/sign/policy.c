/* SPDX-License-Identifier: Apache-2.0 */
/* From JSON to a policy: strict, every refusal names the member. */
#include "server/sign/policy.h"

#include <stdio.h>
#include <string.h>

#include "chancery/protocol.h"
#include "common/clock.h"
#include "common/text.h"

struct policy *policy_ref(struct policy *p)
{
    if (p)
        atomic_fetch_add(&p->references, 1);
    return p;
}

void policy_unref(struct policy *p)
{
    if (!p || atomic_fetch_sub(&p->references, 1) != 1)
        return;
    free(p->networks);
    for (size_t i = 0; i < p->window_count; i++)
        window_clear(&p->windows[i]);
    free(p->windows);
    free(p->releases);
    free(p->context);
    free(p->programs);
    free(p);
}

/* ---- lists */

struct list_kind {
    const char *name;
    enum json_type item;
    size_t most;
    const char *expected;
    bool (*take)(struct policy *p, size_t i, const struct json *item);
    status (*take_object)(struct policy *p, size_t i, const struct json *item, struct error *err);
    size_t items_offset, item_size, count_offset;
};

static status list_parse(const struct list_kind *kind, const struct json *list, struct policy *p, struct error *err)
{
    void **items = (void **)(void *)((char *)p + kind->items_offset);
    size_t *count = (size_t *)(void *)((char *)p + kind->count_offset);
    if (!list)
        return OK;
    if (json_count(list) == 0)
        return error_set(err, CODE_INVALID, "%s: an empty list would refuse everything; leave the member out",
                         kind->name);
    if (json_count(list) > kind->most)
        return error_set(err, CODE_INVALID, "%s: at most %zu", kind->name, kind->most);
    *items = calloc(json_count(list), kind->item_size);
    if (!*items)
        return error_set(err, CODE_NO_MEMORY, "%s", code_text(CODE_NO_MEMORY));
    for (size_t i = 0; i < json_count(list); i++, (*count)++) {
        const struct json *item = json_at(list, i);
        bool fits = json_type(item) == kind->item;
        if (fits && kind->take_object) {
            status s = kind->take_object(p, i, item, err);
            if (!is_ok(s)) {
                error_prefix(err, "%s[%zu]", kind->name, i);
                return s;
            }
        } else if (!fits || !kind->take(p, i, item)) {
            return error_set(err, CODE_INVALID, "%s[%zu]: %s is expected", kind->name, i, kind->expected);
        }
    }
    return OK;
}

static bool take_mechanism(struct policy *p, size_t i, const struct json *item)
{
    enum mechanism m = MECHANISM_NONE;
    (void)i;
    if (!mechanism_parse(json_text(item, ""), &m))
        return false;
    p->mechanisms |= 1u << m;
    return true;
}

static bool take_hash(struct policy *p, size_t i, const struct json *item)
{
    enum hash h = HASH_NONE;
    (void)i;
    if (!hash_parse(json_text(item, ""), &h))
        return false;
    p->hashes |= hash_bit(h);
    return true;
}

static bool take_network(struct policy *p, size_t i, const struct json *item)
{
    return network_parse(json_text(item, ""), &p->networks[i]);
}

static bool take_text(char out[POLICY_FIELD], const struct json *item)
{
    const char *text = json_text(item, "");
    return *text && text_is_printable(text, POLICY_FIELD - 1) && text_copy(out, POLICY_FIELD, text);
}

static bool take_context(struct policy *p, size_t i, const struct json *item)
{
    return text_is_name(json_text(item, "")) && take_text(p->context[i], item);
}

static bool take_program(struct policy *p, size_t i, const struct json *item)
{
    return take_text(p->programs[i], item);
}

/* ---- windows and releases */

/* "08:30" to minutes; 24:00 is the end of a day. */
static bool minute_parse(const char *text, int *out)
{
    if (!text || strlen(text) != 5 || text[2] != ':' || strspn(text, "0123456789") != 2 ||
        strspn(text + 3, "0123456789") != 2)
        return false;
    int hour = (text[0] - '0') * 10 + text[1] - '0', minute = (text[3] - '0') * 10 + text[4] - '0';
    *out = hour * 60 + minute;
    return minute < 60 && *out <= 24 * 60;
}

static bool day_parse(const char *text, unsigned *days)
{
    static const char *const names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (strcmp(names[i], text) == 0) {
            *days |= 1u << i;
            return true;
        }
    }
    return false;
}

static status days_parse(const struct json *days, struct window *w, struct error *err)
{
    if (!days)
        w->days = 0x7f;
    else if (json_count(days) == 0)
        return error_set(err, CODE_INVALID, "days: mon to sun is expected");
    for (size_t i = 0; i < json_count(days); i++) {
        if (!day_parse(json_text(json_at(days, i), ""), &w->days))
            return error_set(err, CODE_INVALID, "days[%zu]: mon, tue, wed, thu, fri, sat or sun is expected", i);
    }
    return OK;
}

static status take_window(struct policy *p, size_t i, const struct json *item, struct error *err)
{
    struct window *w = &p->windows[i];
    const char *from = "00:00", *to = "24:00", *zone = "UTC";
    const struct json *days = NULL;
    const struct json_field fields[] = {{"days", JSON_ARRAY, 0, &days},
                                        {"from", JSON_STRING, 0, &from},
                                        {"to", JSON_STRING, 0, &to},
                                        {"zone", JSON_STRING, 0, &zone}};
    TRY(json_read_object(item, fields, COUNT_OF(fields), err));
    TRY(days_parse(days, w, err));
    if (!minute_parse(from, &w->from_minute))
        return error_set(err, CODE_INVALID, "from: a time of day like 08:30 is expected");
    if (!minute_parse(to, &w->to_minute))
        return error_set(err, CODE_INVALID, "to: a time of day like 18:00 is expected");
    if (w->to_minute <= w->from_minute)
        return error_set(err, CODE_INVALID, "to: later than from is expected; what goes over midnight is two windows");
    if (!window_set_zone(w, zone))
        return error_set(err, CODE_INVALID, "zone: a time zone like Europe/Berlin is expected");
    return OK;
}

static status time_field(const char *name, const char *text, int64_t *out, struct error *err)
{
    if (!text || !is_ok(time_parse(text, out, NULL)))
        return error_set(err, CODE_INVALID, "%s: a time like 2026-01-31T12:00:00Z is expected", name);
    return OK;
}

static status take_release(struct policy *p, size_t i, const struct json *item, struct error *err)
{
    struct release *r = &p->releases[i];
    const char *from = NULL, *to = NULL, *name = "";
    const struct json_field fields[] = {{"from", JSON_STRING, JSON_REQUIRED, &from},
                                        {"to", JSON_STRING, JSON_REQUIRED, &to},
                                        {"name", JSON_STRING, 0, &name}};
    TRY(json_read_object(item, fields, COUNT_OF(fields), err));
    TRY(time_field("from", from, &r->from_ms, err));
    TRY(time_field("to", to, &r->to_ms, err));
    if (r->to_ms <= r->from_ms)
        return error_set(err, CODE_INVALID, "to: later than from is expected");
    if (!text_is_printable(name, POLICY_FIELD - 1) || !text_copy(r->name, sizeof(r->name), name))
        return error_set(err, CODE_INVALID, "name: at most %d bytes of printable text", POLICY_FIELD - 1);
    return OK;
}

/* ---- numbers */

static status count_check(const char *name, int64_t value, int64_t most, struct error *err)
{
    return value >= 0 && value <= most
               ? OK
               : error_set(err, CODE_INVALID, "%s: 0 to %lld is expected", name, (long long)most);
}

static status certificate_parse(const struct json *v, struct policy *p, struct error *err)
{
    const struct json_field fields[] = {{"refuse_expired", JSON_BOOL, 0, &p->refuse_expired},
                                        {"refuse_revoked", JSON_BOOL, 0, &p->refuse_revoked},
                                        {"min_days_left", JSON_INTEGER, 0, &p->min_days_left}};
    TRY(json_read_object(v, fields, COUNT_OF(fields), err));
    return count_check("min_days_left", p->min_days_left, 3650, err);
}

static status quota_parse(const struct json *v, struct policy *p, struct error *err)
{
    const struct json_field fields[] = {{"total", JSON_INTEGER, 0, &p->quota_total},
                                        {"day", JSON_INTEGER, 0, &p->quota_day},
                                        {"month", JSON_INTEGER, 0, &p->quota_month}};
    TRY(json_read_object(v, fields, COUNT_OF(fields), err));
    TRY(count_check("total", p->quota_total, POLICY_COUNT_MAX, err));
    TRY(count_check("day", p->quota_day, POLICY_COUNT_MAX, err));
    return count_check("month", p->quota_month, POLICY_COUNT_MAX, err);
}

static status one_rate_parse(const char *name, const struct json *v, struct rate *out, struct error *err)
{
    const struct json_field fields[] = {{"count", JSON_INTEGER, JSON_REQUIRED, &out->count},
                                        {"seconds", JSON_INTEGER, JSON_REQUIRED, &out->seconds}};
    if (!v)
        return OK;
    status s = json_read_object(v, fields, COUNT_OF(fields), err);
    if (is_ok(s) && (out->count < 1 || out->count > POLICY_COUNT_MAX || out->seconds < 1 || out->seconds > 86400))
        s = error_set(err, CODE_INVALID, "count of 1 or more in 1 to 86400 seconds is expected");
    if (!is_ok(s))
        error_prefix(err, "%s", name);
    return s;
}

static status rate_parse(const struct json *v, struct policy *p, struct error *err)
{
    const struct json *principal = NULL, *key = NULL;
    const struct json_field fields[] = {{"per_principal", JSON_OBJECT, 0, &principal},
                                        {"per_key", JSON_OBJECT, 0, &key}};
    TRY(json_read_object(v, fields, COUNT_OF(fields), err));
    TRY(one_rate_parse("per_principal", principal, &p->per_principal, err));
    return one_rate_parse("per_key", key, &p->per_key, err);
}

static status approval_parse(const struct json *v, struct policy *p, struct error *err)
{
    const struct json_field fields[] = {{"needed", JSON_INTEGER, JSON_REQUIRED, &p->approval.needed},
                                        {"max_count", JSON_INTEGER, 0, &p->approval.max_count},
                                        {"max_hours", JSON_INTEGER, 0, &p->approval.max_hours}};
    TRY(json_read_object(v, fields, COUNT_OF(fields), err));
    TRY(count_check("needed", p->approval.needed, 16, err));
    TRY(count_check("max_count", p->approval.max_count, POLICY_COUNT_MAX, err));
    return count_check("max_hours", p->approval.max_hours, 24LL * 366, err);
}

static status member_parse(const char *name, const struct json *v, struct policy *p,
                           status (*parse)(const struct json *v, struct policy *p, struct error *err),
                           struct error *err)
{
    status s = v ? parse(v, p, err) : OK;
    if (!is_ok(s))
        error_prefix(err, "%s", name);
    return s;
}

/* ---- the document */

struct document {
    const struct json *mechanisms, *hashes, *certificate, *quota, *rate, *networks, *windows, *releases, *context,
        *programs, *approval;
    const char *digests;
};

static status lists_parse(const struct document *d, struct policy *p, struct error *err)
{
#define LIST(name, item, most, expected, take, take_object, items, count)                                              \
    {                                                                                                                  \
        name, item, most, expected, take, take_object, offsetof(struct policy, items),                                 \
            sizeof(*((struct policy *)NULL)->items), offsetof(struct policy, count)                                    \
    }
    static const struct list_kind kinds[] = {
        LIST("networks", JSON_STRING, POLICY_NETWORKS, "a network like 10.0.0.0/8 or an address", take_network, NULL,
             networks, network_count),
        LIST("windows", JSON_OBJECT, POLICY_WINDOWS, "an object", NULL, take_window, windows, window_count),
        LIST("releases", JSON_OBJECT, POLICY_RELEASES, "an object", NULL, take_release, releases, release_count),
        LIST("context", JSON_STRING, POLICY_CONTEXT, "a name like build_id", take_context, NULL, context,
             context_count),
        LIST("programs", JSON_STRING, POLICY_PROGRAMS, "a program's name", take_program, NULL, programs,
             program_count)};
#undef LIST
    const struct json *const lists[] = {d->networks, d->windows, d->releases, d->context, d->programs};
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        TRY(list_parse(&kinds[i], lists[i], p, err));
    return OK;
}

static status set_parse(const char *name, const char *expected, const struct json *list, struct policy *p, bool *has,
                        bool (*take)(struct policy *p, size_t i, const struct json *item), struct error *err)
{
    if (!list)
        return OK;
    *has = true;
    if (json_count(list) == 0)
        return error_set(err, CODE_INVALID, "%s: an empty list would refuse everything; leave the member out", name);
    for (size_t i = 0; i < json_count(list); i++) {
        if (!take(p, i, json_at(list, i)))
            return error_set(err, CODE_INVALID, "%s[%zu]: %s is expected", name, i, expected);
    }
    return OK;
}

static status sets_parse(const struct document *d, struct policy *p, struct error *err)
{
    TRY(set_parse("mechanisms", "rsa_pkcs1, rsa_pss, ecdsa or eddsa", d->mechanisms, p, &p->has_mechanisms,
                  take_mechanism, err));
    return set_parse("hashes", "a hash like sha256", d->hashes, p, &p->has_hashes, take_hash, err);
}

static status document_parse(const struct document *d, struct policy *p, struct error *err)
{
    TRY(sets_parse(d, p, err));
    TRY(lists_parse(d, p, err));
    TRY(member_parse("certificate", d->certificate, p, certificate_parse, err));
    TRY(member_parse("quota", d->quota, p, quota_parse, err));
    TRY(member_parse("rate", d->rate, p, rate_parse, err));
    TRY(member_parse("approval", d->approval, p, approval_parse, err));
    p->digests_listed = strcmp(d->digests, "listed") == 0;
    if (!p->digests_listed && strcmp(d->digests, "any") != 0)
        return error_set(err, CODE_INVALID, "digests: any or listed is expected");
    return OK;
}

status policy_parse(const struct json *document, struct policy **out, struct error *err)
{
    struct document d = {.digests = "any"};
    const struct json_field fields[] = {{"mechanisms", JSON_ARRAY, 0, &d.mechanisms},
                                        {"hashes", JSON_ARRAY, 0, &d.hashes},
                                        {"certificate", JSON_OBJECT, 0, &d.certificate},
                                        {"quota", JSON_OBJECT, 0, &d.quota},
                                        {"rate", JSON_OBJECT, 0, &d.rate},
                                        {"networks", JSON_ARRAY, 0, &d.networks},
                                        {"windows", JSON_ARRAY, 0, &d.windows},
                                        {"releases", JSON_ARRAY, 0, &d.releases},
                                        {"context", JSON_ARRAY, 0, &d.context},
                                        {"programs", JSON_ARRAY, 0, &d.programs},
                                        {"digests", JSON_STRING, 0, &d.digests},
                                        {"approval", JSON_OBJECT, 0, &d.approval}};
    TRY(json_read_object(document, fields, COUNT_OF(fields), err));
    cleanup_policy struct policy *p = calloc(1, sizeof(*p));
    if (!p)
        return error_set(err, CODE_NO_MEMORY, "%s", code_text(CODE_NO_MEMORY));
    atomic_init(&p->references, 1);
    p->refuse_revoked = true;
    TRY(document_parse(&d, p, err));
    *out = steal(&p);
    return OK;
}

status policy_parse_text(struct slice text, struct policy **out, struct error *err)
{
    cleanup_json struct json *root = NULL;
    TRY(json_parse(text, POLICY_DOCUMENT, LIMIT_JSON_DEPTH, &root, err));
    return policy_parse(root, out, err);
}

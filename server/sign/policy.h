/* SPDX-License-Identifier: Apache-2.0 */
/* A policy: what a key may be used for, as a JSON document turned into a value that never changes. A key has at most
 * two that count: the platform's, which is a limit for everybody, and its own or else its Project's. Absent members
 * restrict nothing. */
#pragma once

#include <stdatomic.h>

#include "common/algorithm.h"
#include "common/json.h"
#include "common/network.h"

enum policy_limit {
    POLICY_DOCUMENT = 32 * 1024, /* bytes */
    POLICY_NETWORKS = 64,
    POLICY_WINDOWS = 32,
    POLICY_RELEASES = 64,
    POLICY_CONTEXT = 16,
    POLICY_PROGRAMS = 32,
    POLICY_FIELD = 64, /* with NUL */
    POLICY_COUNT_MAX = 1000000000,
};

struct window {    /* minutes from 00:00, to_minute above from_minute; in the zone's own time */
    unsigned days; /* 1u << 0 is Monday */
    int from_minute, to_minute;
    char zone[POLICY_FIELD]; /* IANA name or "UTC" */
    void *zone_data;         /* of policy_time.c, read once: the file would cost each signature more than all rules */
};
/* False for a name that is none, and for a zone this machine does not know. */
bool window_set_zone(struct window *w, const char *zone);
void window_clear(struct window *w);
bool window_has(const struct window *w, int64_t when_ms);

struct release {
    int64_t from_ms, to_ms;
    char name[POLICY_FIELD];
};
struct rate { /* count 0: no limit */
    int64_t count, seconds;
};

struct policy {
    atomic_int references;
    bool has_mechanisms, has_hashes;
    unsigned mechanisms; /* 1u << enum mechanism */
    unsigned hashes;     /* hash_bit set */
    bool refuse_expired;
    bool refuse_revoked;                         /* true unless the document says otherwise */
    int64_t min_days_left;                       /* of the certificate; 0: none */
    int64_t quota_total, quota_day, quota_month; /* 0: none */
    struct rate per_principal, per_key;
    struct network *networks;
    size_t network_count;
    struct window *windows;
    size_t window_count;
    struct release *releases;
    size_t release_count;
    char (*context)[POLICY_FIELD]; /* required fields of the request's context */
    size_t context_count;
    char (*programs)[POLICY_FIELD]; /* advisory: the client says what it is */
    size_t program_count;
    bool digests_listed; /* only digests that were put on the key's list */
    struct {
        int64_t needed;    /* approvers; 0: no approval is needed */
        int64_t max_count; /* signatures of one grant; 0: any */
        int64_t max_hours; /* life of a grant; 0: any */
    } approval;
};

/* CODE_INVALID names the member: "windows[2].from: a time of day like 08:30 is expected". Unknown members are refused.
 */
status policy_parse(const struct json *document, struct policy **out, struct error *err);
status policy_parse_text(struct slice text, struct policy **out, struct error *err);
struct policy *policy_ref(struct policy *p);
void policy_unref(struct policy *p); /* NULL is fine */
DEFINE_CLEANUP_PTR(struct policy, policy_unref)
#define cleanup_policy CLEANUP(policy_unref_cleanup)

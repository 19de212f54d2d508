/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of approvals: requests with their digests, decisions, grants. Who may decide and when a request is granted is
 * server/sign's. */
#pragma once

#include "server/store/store.h"

/* EXPIRED and USED are never stored: they follow from the time and from what the grant has left. */
enum approval_state {
    APPROVAL_PENDING,
    APPROVAL_APPROVED,
    APPROVAL_DENIED,
    APPROVAL_CANCELLED,
    APPROVAL_REVOKED,
    APPROVAL_EXPIRED,
    APPROVAL_USED,
    APPROVAL_STATES,
};
const char *approval_state_name(enum approval_state s); /* "pending", … */
bool approval_state_parse(const char *name, enum approval_state *out);

enum { APPROVAL_DIGESTS_MAX = 100 }; /* of one request */

struct approval {
    char id[ID_SIZE], key_id[ID_SIZE], key_label[NAME_SIZE], project_id[ID_SIZE], project_name[NAME_SIZE];
    char requester_id[ID_SIZE], requester_name[NAME_SIZE], reason[TEXT_SIZE];
    int64_t signatures; /* 0: digests are named */
    int64_t digests;    /* how many */
    int64_t hours;      /* life of the grant */
    int64_t needed;     /* approvals, as policy had it when it was asked for */
    bool break_glass;
    enum approval_state state;
    int64_t revision, created_ms, expires_ms; /* expires: of the wish; nobody can decide afterwards */
    int64_t approvals;                        /* yes so far; of a grant, those it was made by */
    /* of the grant; all 0 when there is none */
    int64_t remaining, not_before_ms, not_after_ms;
};
/* The row alone; its digests are put in one by one. */
status approval_insert(struct db *db, const struct approval *a, struct error *err);
/* State as it is at now_ms. CODE_NOT_FOUND. */
status approval_find(struct db *db, const char *id, int64_t now_ms, struct approval *out, struct error *err);
/* The newest one of this principal for this key and exactly this digest, whatever its state; CODE_NOT_FOUND. */
status approval_find_digest(struct db *db, const char *key_id, const char *requester_id, const char *hash,
                            const char *digest, int64_t now_ms, struct approval *out, struct error *err);
/* Those that wait for a decision. */
status approval_count_pending(struct db *db, const char *key_id, const char *requester_id, int64_t now_ms, int64_t *out,
                              struct error *err);
/* One of the stored states; the revision grows. */
status approval_set_state(struct db *db, const char *id, enum approval_state state, struct error *err);

struct approval_filter { /* NULL: any */
    const char *project_id, *key_id, *requester_id;
    enum approval_state state; /* APPROVAL_STATES: any */
    int break_glass;           /* 0, 1; -1: any */
    /* What this principal may see: his own, and those of Projects where he is owner or approver. NULL: all. */
    const char *viewer_id;
    /* What waits for this principal: pending, not his own, not decided by him yet, in Projects where he is approver;
     * broken glass where he is owner, or anywhere for an administrator. */
    const char *decider_id;
    bool decider_is_administrator;
    int64_t now_ms;
};
/* Newest first. A page's cursor is "<created_ms>.<id>" (approval_cursor); CODE_INVALID for another. */
enum { APPROVAL_CURSOR_SIZE = 24 + ID_SIZE };
void approval_cursor(const struct approval *a, char out[APPROVAL_CURSOR_SIZE]);
status approval_list(struct db *db, const struct approval_filter *filter, struct page page,
                     status (*each)(void *arg, const struct approval *a), void *arg, struct error *err);
/* How many that list has. */
status approval_count(struct db *db, const struct approval_filter *filter, int64_t *out, struct error *err);

/* ---- digests of a request */
struct approval_digest {
    char hash[16], digest[2 * 64 + 1]; /* hex */
    int64_t remaining;
};
status approval_digest_insert(struct db *db, const char *id, const struct approval_digest *d,
                              struct error *err); /* CODE_CONFLICT: it is named twice */
status approval_digest_list(struct db *db, const char *id, status (*each)(void *arg, const struct approval_digest *d),
                            void *arg, struct error *err);

/* ---- decisions */
struct approval_decision {
    char approver_id[ID_SIZE], approver_name[NAME_SIZE], comment[TEXT_SIZE];
    bool is_yes;
    int64_t created_ms;
};
status approval_decision_insert(struct db *db, const char *id, const struct approval_decision *d,
                                struct error *err); /* CODE_CONFLICT: he has decided already */
/* In the order of time. */
status approval_decision_list(struct db *db, const char *id,
                              status (*each)(void *arg, const struct approval_decision *d), void *arg,
                              struct error *err);

/* ---- grants (grant.c) */
status grant_insert(struct db *db, const struct approval *a, struct error *err);
status grant_revoke(struct db *db, const char *id, struct error *err);
struct grant {
    char request_id[ID_SIZE]; /* "": none */
    bool by_digest;
};
/* What this principal could use for this digest now: one for exactly it before one by count, the one that ends first.
 * needed: approvals that policy wants now; grants of fewer do not count, but for broken glass. */
struct grant_use {
    const char *key_id, *principal_id, *hash, *digest;
    int64_t needed, now_ms;
};
status grant_find(struct db *db, const struct grant_use *use, struct grant *out, struct error *err);
/* by: -1 takes one, +1 gives it back. CODE_CONFLICT when there is none left to take. */
status grant_add(struct db *db, const struct grant *g, const char *hash, const char *digest, int by, struct error *err);

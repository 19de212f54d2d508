/* SPDX-License-Identifier: Apache-2.0 */
/* Requests for approval: what may be asked for, who may decide, and when a request is granted. All of it runs inside
 * the transaction of the change, where nothing else changes: two decisions at once are made one after the other. */
#pragma once

#include "server/sign/grant.h"

enum approval_limit {
    APPROVAL_PENDING_HOURS = 7 * 24, /* life of a request that nobody decides on */
    APPROVAL_HOURS = 24,             /* life of a grant when the request names none */
    APPROVAL_HOURS_MAX = 366 * 24,
    APPROVAL_PENDING_MAX = 100, /* that wait, of one principal for one key */
    BREAK_GLASS_APPROVERS = 2,  /* administrators or owners */
    BREAK_GLASS_HOURS = 1,      /* of the request, and of its grant, where nothing is configured */
};
struct approval_asker {
    const struct principal *who;
    unsigned roles;            /* in the key's Project */
    int64_t break_glass_hours; /* configured; 0: BREAK_GLASS_HOURS */
};

/* a: with signatures or digests, hours (0: none named), break_glass. Fills needed, hours, created and expires.
 * CODE_NOT_FOUND or CODE_FORBIDDEN: not a signer of the key. CODE_CONFLICT: policy asks for no approval, or too many
 * requests wait already. CODE_INVALID: more than policy allows. */
status approval_ask(struct db *db, const struct signing_key *key, const struct approval_asker *asker,
                    struct approval *a, int64_t now_ms, struct error *err);
/* Records the decision. Never the requester's, nor of one who is in the team that manages the service account that
 * asks: he can sign as it. A no ends the request; the last yes that is needed makes its grant. Counted are the
 * decisions of those alone who may decide now. *a is as it stands afterwards. */
status approval_decide(struct db *db, struct approval *a, const struct approval_decision *d, int64_t now_ms,
                       struct error *err);

/* SPDX-License-Identifier: Apache-2.0 */
/* What a known principal asked for and may not have: on record as access.denied; failed sign-ins: as session.denied. */
#pragma once

#include "server/api/caller.h"

enum { DENIED_PROBES = 8 };

/* One principal's denials on one route within the present second. */
struct denied_slot {
    uint64_t key; /* 0: never used */
    int64_t second, suppressed;
};
/* Whether this denial is to be recorded: at most one in a second for a key, and never more than there are slots.
 * *suppressed: how many of the key were not recorded since its last record. */
bool denied_take(struct denied_slot *slots, size_t count, uint64_t key, int64_t second, int64_t *suppressed);

/* Records it unless there was one of this principal and route in the same second. The answer is err's in any case. */
void denied_record(struct api *api, struct request *req, const struct caller *caller, const struct error *err);

/* A sign-in that failed. user NULL: there is none of that name, which is not recorded, because people type passwords
 * into the wrong field. method: "password", "api_key". At most one of an address in ten seconds, and eight in all. */
void denied_sign_in_record(struct api *api, struct request *req, const struct principal *user, const char *method,
                           const struct error *err);

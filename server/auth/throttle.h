/* SPDX-License-Identifier: Apache-2.0 */
/* How often a sign-in may fail: some are free, then each must be waited for, twice as long as the one before up to a
 * bound, so that guessing is slow and nobody is locked out for good. An attempt is counted before it is judged, and
 * forgiven when it was good, so that many at once are not many free ones. */
#pragma once

#include "common/clock.h"
#include "server/store/sign_in.h"

struct throttle_rule {
    int64_t free;
    int64_t wait_max_ms;
    int64_t forget_ms; /* without a failure */
};
extern const struct throttle_rule throttle_user, throttle_address;

/* Milliseconds to wait before the next attempt; 0: it may be made. */
int64_t throttle_wait_ms(const struct throttle_rule *rule, const struct sign_in_failures *f, int64_t now_ms);
/* Counts one, or CODE_RATE_LIMITED with the time to wait and nothing counted. */
status throttle_take(const struct throttle_rule *rule, struct sign_in_failures *f, int64_t now_ms, struct error *err);

/* Whom to count: the user's id, or for a name that is no user's one of a fixed number of others. */
enum { THROTTLE_WHO_SIZE = ID_SIZE };
void throttle_who(const char *user_id, const char *name, char out[THROTTLE_WHO_SIZE]);

/* By client address, in memory: an IPv6 address counts with its /64. The oldest of a few places gives way, so that the
 * memory is bounded whoever asks. */
enum { THROTTLE_ADDRESSES = 4096, THROTTLE_PROBES = 8 };
struct throttle_slot {
    uint64_t key; /* 0: free */
    struct sign_in_failures failures;
};
status throttle_address_take(struct throttle_slot *slots, size_t count, const char *address, int64_t now_ms,
                             struct error *err);
void throttle_address_forgive(struct throttle_slot *slots, size_t count, const char *address);

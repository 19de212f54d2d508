/* SPDX-License-Identifier: Apache-2.0 */
/* Arithmetic alone: where the counts are kept, and under which lock, is the caller's. */
#include "server/auth/throttle.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "common/text.h"

enum { SECOND_MS = 1000, MINUTE_MS = 60 * SECOND_MS, HOUR_MS = 60 * MINUTE_MS, NO_USERS = 4096 };

const struct throttle_rule throttle_user = {.free = 10, .wait_max_ms = 15LL * MINUTE_MS, .forget_ms = 24LL * HOUR_MS};
/* Many people may share an address. */
const struct throttle_rule throttle_address = {.free = 50, .wait_max_ms = MINUTE_MS, .forget_ms = 15LL * MINUTE_MS};

int64_t throttle_wait_ms(const struct throttle_rule *rule, const struct sign_in_failures *f, int64_t now_ms)
{
    enum { DOUBLINGS_MAX = 30 };
    int64_t passed = now_ms > f->last_ms ? now_ms - f->last_ms : 0;
    if (f->count < rule->free || passed >= rule->forget_ms)
        return 0;

    int64_t doublings = f->count - rule->free;
    int64_t wait = doublings < DOUBLINGS_MAX ? (int64_t)SECOND_MS << doublings : rule->wait_max_ms;
    if (wait > rule->wait_max_ms)
        wait = rule->wait_max_ms;
    return wait > passed ? wait - passed : 0;
}

status throttle_take(const struct throttle_rule *rule, struct sign_in_failures *f, int64_t now_ms, struct error *err)
{
    int64_t wait = throttle_wait_ms(rule, f, now_ms);
    if (wait > 0) {
        status refusal = error_set(err, CODE_RATE_LIMITED, "too many failed sign-ins; try again later");
        if (err)
            err->retry_after_s = (int)((wait + SECOND_MS - 1) / SECOND_MS);
        return refusal;
    }
    if (now_ms - f->last_ms >= rule->forget_ms)
        f->count = 0;
    f->count++;
    f->last_ms = now_ms;
    return OK;
}

void throttle_who(const char *user_id, const char *name, char out[THROTTLE_WHO_SIZE])
{
    if (user_id)
        (void)text_copy(out, THROTTLE_WHO_SIZE, user_id);
    else
        (void)snprintf(out, THROTTLE_WHO_SIZE, "nobody_%u", (unsigned)(text_hash(name) % NO_USERS));
}

static uint64_t address_key(const char *address)
{
    struct in6_addr six;
    char network[INET6_ADDRSTRLEN];
    if (inet_pton(AF_INET6, address, &six) != 1)
        return text_hash(address) | 1u;
    if (!IN6_IS_ADDR_V4MAPPED(&six))
        memset(&six.s6_addr[8], 0, 8);
    return text_hash(inet_ntop(AF_INET6, &six, network, sizeof(network))) | 1u;
}

static struct throttle_slot *slot_find(struct throttle_slot *slots, size_t count, uint64_t key)
{
    for (size_t i = 0; i < THROTTLE_PROBES; i++) {
        if (slots[(key + i) % count].key == key)
            return &slots[(key + i) % count];
    }
    return NULL;
}

static struct throttle_slot *slot_oldest(struct throttle_slot *slots, size_t count, uint64_t key)
{
    struct throttle_slot *oldest = &slots[key % count];
    for (size_t i = 1; i < THROTTLE_PROBES; i++) {
        struct throttle_slot *slot = &slots[(key + i) % count];
        if (slot->failures.last_ms < oldest->failures.last_ms)
            oldest = slot;
    }
    *oldest = (struct throttle_slot){.key = key};
    return oldest;
}

status throttle_address_take(struct throttle_slot *slots, size_t count, const char *address, int64_t now_ms,
                             struct error *err)
{
    uint64_t key = address_key(address);
    struct throttle_slot *slot = slot_find(slots, count, key);
    if (!slot)
        slot = slot_oldest(slots, count, key);
    return throttle_take(&throttle_address, &slot->failures, now_ms, err);
}

void throttle_address_forgive(struct throttle_slot *slots, size_t count, const char *address)
{
    struct throttle_slot *slot = slot_find(slots, count, address_key(address));
    if (slot && slot->failures.count > 0)
        slot->failures.count--;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "client/breaker.h"

enum breaker_state breaker_state(const struct breaker *b, int64_t now_ms)
{
    if (b->pause_ms == 0)
        return BREAKER_CLOSED;
    return now_ms >= b->open_until_ms && now_ms >= b->probe_until_ms ? BREAKER_HALF_OPEN : BREAKER_OPEN;
}

void breaker_probe(struct breaker *b, int64_t until_ms)
{
    b->probe_until_ms = until_ms;
}

void breaker_succeed(struct breaker *b)
{
    *b = (struct breaker){0};
}

void breaker_fail(struct breaker *b, int64_t now_ms, int64_t at_least_ms)
{
    b->failed_at_ms = now_ms;
    b->probe_until_ms = 0;
    if (now_ms >= b->open_until_ms) {
        int64_t grown = b->pause_ms == 0 ? BREAKER_PAUSE_FIRST_MS : 2 * b->pause_ms;
        b->pause_ms = grown < BREAKER_PAUSE_MAX_MS ? grown : BREAKER_PAUSE_MAX_MS;
        b->open_until_ms = now_ms + b->pause_ms;
    }
    if (b->open_until_ms < now_ms + at_least_ms)
        b->open_until_ms = now_ms + at_least_ms;
}

void breaker_release(struct breaker *b)
{
    b->probe_until_ms = 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Circuit breaker of one server: after a failure the server is left alone for a pause that doubles from one second to
 * thirty; then one caller tries it, the probe, while the others still go elsewhere. No clock and no lock of its own. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { BREAKER_PAUSE_FIRST_MS = 1000, BREAKER_PAUSE_MAX_MS = 30000 };

/* The zero value is closed. Times are monotonic. */
struct breaker {
    int64_t pause_ms; /* 0: closed */
    int64_t open_until_ms;
    int64_t failed_at_ms;
    int64_t probe_until_ms; /* a caller tries it until then */
};

enum breaker_state {
    BREAKER_CLOSED,
    BREAKER_HALF_OPEN, /* the pause is over and nobody tries it yet */
    BREAKER_OPEN,
};
enum breaker_state breaker_state(const struct breaker *b, int64_t now_ms);
/* This caller is the probe; its claim ends at until_ms even if it never reports. */
void breaker_probe(struct breaker *b, int64_t until_ms);
void breaker_succeed(struct breaker *b);
/* at_least_ms: what the server asked for itself (Retry-After), 0 for nothing. Failures of calls that were under way
 * when it opened do not prolong the pause. */
void breaker_fail(struct breaker *b, int64_t now_ms, int64_t at_least_ms);
/* The attempt said nothing about the server. */
void breaker_release(struct breaker *b);

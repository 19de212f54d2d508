/* SPDX-License-Identifier: Apache-2.0 */
/* Wall clock in Unix milliseconds, monotonic milliseconds, deadlines, RFC 3339 text in UTC. */
#pragma once

#include <pthread.h>
#include <stdint.h>
#include <time.h>

#include "common/status.h"

int64_t clock_now_ms(void); /* wall clock */
int64_t clock_monotonic_ms(void);

/* A point of monotonic time by which a call must have ended. */
struct deadline {
    int64_t at_ms;
};
struct deadline deadline_in(int64_t timeout_ms);
int64_t deadline_left_ms(struct deadline d); /* 0 when passed */
bool deadline_passed(struct deadline d);
struct timespec deadline_timespec(struct deadline d); /* CLOCK_MONOTONIC, for pthread_cond_clockwait and its kind */
bool deadline_lock(pthread_mutex_t *mutex, struct deadline d); /* false: it was taken by others until then */

enum { TIME_TEXT_SIZE = 32 };
void time_format(int64_t unix_ms, char out[TIME_TEXT_SIZE]);     /* 2026-01-31T12:34:56.789Z */
void time_format_day(int64_t unix_ms, char out[TIME_TEXT_SIZE]); /* 2026-01-31 */
status time_parse(const char *text, int64_t *unix_ms,
                  struct error *err); /* RFC 3339 with Z or offset; 0–9 fraction digits */

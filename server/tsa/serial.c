/* SPDX-License-Identifier: Apache-2.0 */
/* Serial numbers. The high half counts: ranges of it are taken in a transaction, so that it is unique over threads,
 * servers and restarts, and what a crash leaves of a range is never used. The low half is random: should an older state
 * of the store be brought back, the counter begins again where it was, and the numbers still differ. A range lives for
 * a minute, so that the time that was reached is in the store at most that much later. */
#include <string.h>

#include "common/log.h"
#include "common/secret.h"
#include "server/tsa/internal.h"

enum { RANGE_COUNT = 1000, RANGE_MS = 60 * 1000 };

struct range_work {
    int64_t now_ms, tolerance_ms;
    int64_t first;
};

static int64_t ms_of(struct timespec t)
{
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static status range_rows(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    struct range_work *w = arg;

    (void)record;
    return timestamp_serials_take(db, RANGE_COUNT, w->now_ms, w->tolerance_ms, &w->first, err);
}

static bool range_take(struct tsa *t, struct timespec now, struct deadline d, struct refusal *r)
{
    struct error err = {0};
    /* Servers that share a store may differ by what each claims for itself. */
    struct range_work w = {.now_ms = ms_of(now), .tolerance_ms = t->config.accuracy_ms};
    struct audit_work work = {.change = range_rows, .arg = &w, .needs_savepoint = true};

    status s = audit_commit(t->config.audit, &work, d, &err);
    if (s.code == CODE_CONFLICT)
        return refuse(r, TS_INFO_TIME_NOT_AVAILABLE, "%s", err.text);
    if (!is_ok(s)) {
        log_error(LOG_LEVEL_ERROR, "timestamp.serial", &err);
        return refuse(r, TS_INFO_SYSTEM_FAILURE, "no serial number can be had from the store");
    }
    t->serials.next = w.first;
    t->serials.end = w.first + RANGE_COUNT;
    t->serials.until_ms = clock_monotonic_ms() + RANGE_MS;
    return true;
}

/* Positive, without a leading zero byte: the counter stays far below 2^62. */
static bool serial_format(int64_t number, uint8_t out[SERIAL_LEN], struct refusal *r)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)((uint64_t)number >> (56 - 8 * i));
    out[0] |= 0x40;
    if (is_ok(secret_random(out + 8, SERIAL_LEN - 8, NULL)))
        return true;
    return refuse(r, TS_INFO_SYSTEM_FAILURE, "no random bytes can be had");
}

bool serial_take(struct tsa *t, struct timespec now, struct deadline d, uint8_t out[SERIAL_LEN], struct refusal *r)
{
    struct serial_range *s = &t->serials;
    int64_t number = 0;

    (void)pthread_mutex_lock(&s->lock);
    bool has = s->next < s->end && clock_monotonic_ms() < s->until_ms;
    if (!has)
        has = range_take(t, now, d, r);
    if (has)
        number = s->next++;
    (void)pthread_mutex_unlock(&s->lock);
    return has && serial_format(number, out, r);
}

void serial_drop(struct tsa *t)
{
    (void)pthread_mutex_lock(&t->serials.lock);
    t->serials.end = t->serials.next;
    (void)pthread_mutex_unlock(&t->serials.lock);
}

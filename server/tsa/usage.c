/* SPDX-License-Identifier: Apache-2.0 */
/* Counters, kept in memory and brought into the store about once a minute: a crash loses no more than that. */
#include "common/log.h"
#include "server/tsa/internal.h"

enum { FLUSH_MS = 60 * 1000, FLUSH_TIMEOUT_MS = 5000 };

struct timestamp_usage tsa_uncounted(struct tsa *t)
{
    return (struct timestamp_usage){atomic_load(&t->granted), atomic_load(&t->refused)};
}

struct usage_work {
    int64_t now_ms;
    struct timestamp_usage usage;
};

static status usage_rows(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    const struct usage_work *w = arg;

    (void)record;
    return timestamp_usage_add(db, w->now_ms, &w->usage, err);
}

void usage_flush(struct tsa *t)
{
    struct error err = {0};
    struct usage_work w = {clock_now_ms(), {atomic_exchange(&t->granted, 0), atomic_exchange(&t->refused, 0)}};
    struct audit_work work = {.change = usage_rows, .arg = &w};

    if ((!w.usage.granted && !w.usage.refused) ||
        is_ok(audit_commit(t->config.audit, &work, deadline_in(FLUSH_TIMEOUT_MS), &err)))
        return;
    atomic_fetch_add(&t->granted, w.usage.granted);
    atomic_fetch_add(&t->refused, w.usage.refused);
    log_error(LOG_LEVEL_WARNING, "timestamp.usage", &err);
}

void usage_count(struct tsa *t, bool granted)
{
    int64_t now = clock_monotonic_ms(), due = atomic_load(&t->flush_at_ms);

    atomic_fetch_add(granted ? &t->granted : &t->refused, 1);
    if (now >= due && atomic_compare_exchange_strong(&t->flush_at_ms, &due, now + FLUSH_MS))
        usage_flush(t);
}

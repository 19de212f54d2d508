/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/worker.h"

#include "common/log.h"

enum { LOOK_MS = 1000, AFTER_FAILURE_MS = 5000, SCAN_MS = 6 * 60 * 60 * 1000, SCAN_AGAIN_MS = 60 * 1000 };

/* The time of the next one. */
static int64_t scan(struct runner *r)
{
    struct error err = {0};
    bool more = false;
    status s = runner_scan(r, &more, &err);

    if (!is_ok(s))
        log_error(LOG_LEVEL_ERROR, "certificate.scan", &err);
    return clock_monotonic_ms() + (is_ok(s) && !more ? SCAN_MS : SCAN_AGAIN_MS);
}

static void *work(void *arg)
{
    struct runner *r = arg;
    int64_t scan_at_ms = 0, wait_ms = 0;

    while (runner_wait(r, wait_ms)) {
        struct error err = {0};
        bool did = false;
        if (clock_monotonic_ms() >= scan_at_ms)
            scan_at_ms = scan(r);
        status s = runner_step(r, &did, &err);
        if (!is_ok(s))
            log_error(LOG_LEVEL_ERROR, "job.runner", &err);
        wait_ms = !is_ok(s) ? AFTER_FAILURE_MS : did ? 0 : LOOK_MS;
    }
    return NULL;
}

status worker_start(struct worker *w, struct runner *r, struct error *err)
{
    w->runner = r;
    if (pthread_create(&w->thread, NULL, work, r) != 0)
        return error_set(err, CODE_NO_MEMORY, "the thread for jobs cannot be started");
    w->is_started = true;
    return OK;
}

void worker_stop(struct worker *w)
{
    if (!w->is_started)
        return;
    runner_stop(w->runner);
    (void)pthread_join(w->thread, NULL);
    w->is_started = false;
}

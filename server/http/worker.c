/* SPDX-License-Identifier: Apache-2.0 */
/* Bounded queue of jobs: a ring under one lock; a thread is woken only when one sleeps. */
#include "server/http/worker.h"

#include <pthread.h>
#include <signal.h>

#include "common/cleanup.h"

struct workers {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    void (*run)(void *job);
    void **ring;
    size_t size, head, count;
    size_t reserved; /* places given out and not yet pushed */
    size_t sleeping;
    bool stopping;
    int threads;
    pthread_t ids[];
};

/* NULL: stopping, and nothing is left to do. */
static void *job_take(struct workers *w)
{
    void *job = NULL;
    pthread_mutex_lock(&w->lock);
    while (w->count == 0 && !(w->stopping && w->reserved == 0)) {
        w->sleeping++;
        pthread_cond_wait(&w->filled, &w->lock);
        w->sleeping--;
    }
    if (w->count > 0) {
        job = w->ring[w->head];
        w->head = w->head + 1 == w->size ? 0 : w->head + 1;
        w->count--;
    }
    pthread_mutex_unlock(&w->lock);
    return job;
}

static void *worker_main(void *arg)
{
    struct workers *w = arg;
    for (void *job = job_take(w); job; job = job_take(w))
        w->run(job);
    return NULL;
}

/* Signals are for the main thread. */
static status threads_start(struct workers *w, int threads, struct error *err)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = 0;
    while (rc == 0 && w->threads < threads) {
        rc = pthread_create(&w->ids[w->threads], NULL, worker_main, w);
        w->threads += rc == 0;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc == 0 ? OK : error_set(err, CODE_NO_MEMORY, "a worker thread cannot be started");
}

static void workers_free(struct workers *w)
{
    pthread_cond_destroy(&w->filled);
    pthread_mutex_destroy(&w->lock);
    free(w->ring);
    free(w);
}

status workers_start(int threads, int queue, void (*run)(void *job), struct workers **out, struct error *err)
{
    struct workers *w = calloc(1, sizeof *w + (size_t)threads * sizeof w->ids[0]);
    void **ring = calloc((size_t)queue, sizeof *ring);
    if (!w || !ring) {
        free(w);
        free(ring);
        return error_set(err, CODE_NO_MEMORY, "worker queue");
    }
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->filled, NULL);
    w->ring = ring;
    w->size = (size_t)queue;
    w->run = run;
    status s = threads_start(w, threads, err);
    if (!is_ok(s)) {
        (void)workers_stop(w, deadline_in(10000));
        return s;
    }
    *out = w;
    return OK;
}

bool workers_reserve(struct workers *w)
{
    pthread_mutex_lock(&w->lock);
    bool granted = !w->stopping && w->count + w->reserved < w->size;
    w->reserved += granted;
    pthread_mutex_unlock(&w->lock);
    return granted;
}

void workers_push(struct workers *w, void *job)
{
    pthread_mutex_lock(&w->lock);
    size_t at = w->head + w->count;
    w->ring[at >= w->size ? at - w->size : at] = job;
    w->count++;
    w->reserved--;
    bool wake = w->sleeping > 0;
    bool wake_all = w->stopping; /* those that waited for the last reservation end now */
    pthread_mutex_unlock(&w->lock);
    if (wake_all)
        pthread_cond_broadcast(&w->filled);
    else if (wake)
        pthread_cond_signal(&w->filled);
}

bool workers_stop(struct workers *w, struct deadline d)
{
    pthread_mutex_lock(&w->lock);
    w->stopping = true;
    pthread_cond_broadcast(&w->filled);
    pthread_mutex_unlock(&w->lock);
    struct timespec until = deadline_timespec(d);
    while (w->threads > 0) {
        if (pthread_clockjoin_np(w->ids[w->threads - 1], NULL, CLOCK_MONOTONIC, &until) != 0)
            return false;
        w->threads--;
    }
    workers_free(w);
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Bounded queue of jobs: a ring under one lock. Of the sleeping threads the last one to fall asleep is woken first, and
 * only one is on its way at a time: it wakes the next when it finds more to do. So a short job costs one hand-over, and
 * a job that blocks keeps nobody waiting. */
#include "server/http/worker.h"

#include <pthread.h>
#include <signal.h>

#include "common/cleanup.h"

struct worker {
    struct workers *workers;
    struct worker *next; /* in the stack of sleepers */
    pthread_cond_t wake;
    bool asleep;
    pthread_t id;
};

struct workers {
    pthread_mutex_t lock;
    void (*run)(void *job);
    void **ring;
    size_t size, head, count;
    size_t reserved; /* places given out and not yet pushed */
    struct worker *sleepers;
    bool waking; /* one was woken and has not yet looked */
    bool stopping;
    int threads;
    struct worker list[];
};

/* Lock held. */
static void sleeper_wake(struct workers *w)
{
    struct worker *top = w->sleepers;
    if (!top || w->waking)
        return;
    w->sleepers = top->next;
    w->waking = true;
    top->asleep = false;
    pthread_cond_signal(&top->wake);
}

/* Lock held. */
static void sleepers_wake_all(struct workers *w)
{
    while (w->sleepers) {
        w->waking = false;
        sleeper_wake(w);
    }
}

/* Lock held. */
static void worker_sleep(struct workers *w, struct worker *self)
{
    self->asleep = true;
    self->next = w->sleepers;
    w->sleepers = self;
    while (self->asleep)
        pthread_cond_wait(&self->wake, &w->lock);
    w->waking = false;
}

/* NULL: stopping, and nothing is left to do. */
static void *job_take(struct workers *w, struct worker *self)
{
    void *job = NULL;
    pthread_mutex_lock(&w->lock);
    while (w->count == 0 && !(w->stopping && w->reserved == 0))
        worker_sleep(w, self);
    if (w->count > 0) {
        job = w->ring[w->head];
        w->head = w->head + 1 == w->size ? 0 : w->head + 1;
        if (--w->count > 0)
            sleeper_wake(w);
    }
    pthread_mutex_unlock(&w->lock);
    return job;
}

static void *worker_main(void *arg)
{
    struct worker *self = arg;
    struct workers *w = self->workers;
    for (void *job = job_take(w, self); job; job = job_take(w, self))
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
        struct worker *self = &w->list[w->threads];
        self->workers = w;
        pthread_cond_init(&self->wake, NULL);
        rc = pthread_create(&self->id, NULL, worker_main, self);
        w->threads += rc == 0;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc == 0 ? OK : error_set(err, CODE_NO_MEMORY, "a worker thread cannot be started");
}

static void workers_free(struct workers *w)
{
    pthread_mutex_destroy(&w->lock);
    free(w->ring);
    free(w);
}

status workers_start(int threads, int queue, void (*run)(void *job), struct workers **out, struct error *err)
{
    struct workers *w = calloc(1, sizeof *w + (size_t)threads * sizeof w->list[0]);
    void **ring = calloc((size_t)queue, sizeof *ring);
    if (!w || !ring) {
        free(w);
        free(ring);
        return error_set(err, CODE_NO_MEMORY, "worker queue");
    }
    pthread_mutex_init(&w->lock, NULL);
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
    if (w->stopping)
        sleepers_wake_all(w); /* those that waited for the last reservation end now */
    else
        sleeper_wake(w);
    pthread_mutex_unlock(&w->lock);
}

bool workers_stop(struct workers *w, struct deadline d)
{
    pthread_mutex_lock(&w->lock);
    w->stopping = true;
    sleepers_wake_all(w);
    pthread_mutex_unlock(&w->lock);
    struct timespec until = deadline_timespec(d);
    while (w->threads > 0) {
        struct worker *last = &w->list[w->threads - 1];
        if (pthread_clockjoin_np(last->id, NULL, CLOCK_MONOTONIC, &until) != 0)
            return false;
        pthread_cond_destroy(&last->wake);
        w->threads--;
    }
    workers_free(w);
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Every connection has a point in time at which it is cut: the library knows only inactivity, so a header or a body
 * that drips byte by byte would live for ever (I9). Requests set an atomic; only opening and closing take the lock. */
#include "server/http/server.h"

#include <signal.h>
#include <sys/socket.h>

static void connections_cut(struct sweeper *w, int64_t now)
{
    for (struct connection *c = w->connections; c; c = c->next) {
        if (atomic_load_explicit(&c->cut_at_ms, memory_order_relaxed) > now)
            continue;
        atomic_store_explicit(&c->cut_at_ms, INT64_MAX, memory_order_relaxed);
        (void)shutdown(c->fd, SHUT_RDWR);
    }
}

static void lingering_close(struct sweeper *w, int64_t now)
{
    size_t kept = 0;
    for (size_t i = 0; i < w->linger_count; i++) {
        if (w->lingering[i].until_ms > now)
            w->lingering[kept++] = w->lingering[i];
        else
            (void)close(w->lingering[i].fd);
    }
    w->linger_count = kept;
}

static void *sweeper_main(void *arg)
{
    struct sweeper *w = arg;
    pthread_mutex_lock(&w->lock);
    while (!w->stopping) {
        struct timespec next = deadline_timespec(deadline_in(w->period_ms));
        (void)pthread_cond_clockwait(&w->stop_signal, &w->lock, CLOCK_MONOTONIC, &next);
        int64_t now = clock_monotonic_ms();
        connections_cut(w, now);
        lingering_close(w, now);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

status sweeper_start(struct http_server *s, struct error *err)
{
    struct sweeper *w = &s->sweeper;
    int64_t period = s->config.request_timeout_ms / 8;
    w->period_ms = period < 20 ? 20 : period > 500 ? 500 : period;
    if (pthread_create(&w->thread, NULL, sweeper_main, w) != 0)
        return error_set(err, CODE_NO_MEMORY, "the sweeper thread cannot be started");
    w->started = true;
    return OK;
}

void sweeper_stop(struct sweeper *w)
{
    pthread_mutex_lock(&w->lock);
    w->stopping = true;
    pthread_cond_signal(&w->stop_signal);
    pthread_mutex_unlock(&w->lock);
    if (w->started)
        pthread_join(w->thread, NULL);
    w->started = false;
    lingering_close(w, INT64_MAX);
}

void sweeper_add(struct sweeper *w, struct connection *c)
{
    pthread_mutex_lock(&w->lock);
    c->next = w->connections;
    if (c->next)
        c->next->previous = c;
    w->connections = c;
    pthread_mutex_unlock(&w->lock);
}

void sweeper_remove(struct sweeper *w, struct connection *c)
{
    int kept = c->linger ? dup(c->fd) : -1;
    if (kept >= 0)
        (void)shutdown(kept, SHUT_WR);
    pthread_mutex_lock(&w->lock);
    if (c->next)
        c->next->previous = c->previous;
    if (c->previous)
        c->previous->next = c->next;
    else
        w->connections = c->next;
    if (kept >= 0 && w->linger_count < LINGER_SOCKETS) {
        w->lingering[w->linger_count++] = (struct lingering){kept, clock_monotonic_ms() + LINGER_MS};
        kept = -1;
    }
    pthread_mutex_unlock(&w->lock);
    if (kept >= 0)
        (void)close(kept);
}

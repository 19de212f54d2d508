/* SPDX-License-Identifier: Apache-2.0 */
/* A counting gate with a bounded queue in front. */
#include "server/http/gate.h"

#include <pthread.h>

#include "common/cleanup.h"

struct gate {
    pthread_mutex_t lock;
    pthread_cond_t freed; /* a place, or the gate is closed */
    pthread_cond_t empty; /* the last one has left a closed gate */
    int places, inside;
    int queue, waiting;
    bool closed;
};

status gate_new(int places, int queue, struct gate **out, struct error *err)
{
    pthread_mutexattr_t attributes;
    struct gate *g = calloc(1, sizeof *g);
    if (!g)
        return error_set(err, CODE_NO_MEMORY, "gate");
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_ADAPTIVE_NP); /* held for some instructions only */
    pthread_mutex_init(&g->lock, &attributes);
    pthread_mutexattr_destroy(&attributes);
    pthread_cond_init(&g->freed, NULL);
    pthread_cond_init(&g->empty, NULL);
    g->places = places;
    g->queue = queue;
    *out = g;
    return OK;
}

void gate_free(struct gate *g)
{
    if (!g)
        return;
    pthread_cond_destroy(&g->empty);
    pthread_cond_destroy(&g->freed);
    pthread_mutex_destroy(&g->lock);
    free(g);
}

/* Lock held. */
static enum gate_result place_wait(struct gate *g, struct deadline d)
{
    struct timespec until = deadline_timespec(d);
    int rc = 0;
    if (g->waiting == g->queue)
        return GATE_FULL;
    g->waiting++;
    while (g->inside == g->places && !g->closed && rc == 0)
        rc = pthread_cond_clockwait(&g->freed, &g->lock, CLOCK_MONOTONIC, &until);
    g->waiting--;
    return g->inside < g->places ? GATE_ENTERED : GATE_LATE;
}

enum gate_result gate_enter(struct gate *g, struct deadline d)
{
    enum gate_result result = GATE_ENTERED;
    pthread_mutex_lock(&g->lock);
    if (g->inside == g->places && !g->closed)
        result = place_wait(g, d);
    if (g->closed)
        result = GATE_FULL;
    if (result == GATE_ENTERED)
        g->inside++;
    pthread_mutex_unlock(&g->lock);
    return result;
}

void gate_leave(struct gate *g)
{
    pthread_mutex_lock(&g->lock);
    g->inside--;
    bool someone_waits = g->waiting > 0;
    if (g->closed && g->inside == 0)
        pthread_cond_signal(&g->empty);
    pthread_mutex_unlock(&g->lock);
    if (someone_waits)
        pthread_cond_signal(&g->freed);
}

bool gate_close(struct gate *g, struct deadline d)
{
    struct timespec until = deadline_timespec(d);
    int rc = 0;
    pthread_mutex_lock(&g->lock);
    g->closed = true;
    pthread_cond_broadcast(&g->freed);
    while (g->inside > 0 && rc == 0)
        rc = pthread_cond_clockwait(&g->empty, &g->lock, CLOCK_MONOTONIC, &until);
    bool is_empty = g->inside == 0;
    pthread_mutex_unlock(&g->lock);
    return is_empty;
}

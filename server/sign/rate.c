/* SPDX-License-Identifier: Apache-2.0 */
/* The generic cell rate algorithm (ITU-T I.371): one time a name, the moment at which its bucket would be empty again.
 * Names are kept as hashes in a table of fixed size; where there is no room the one that is nearest to empty goes. */
#include "server/sign/rate.h"

#include <pthread.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "common/text.h"

enum { CELLS = 16384, PROBES = 8 };

struct cell {
    uint64_t name; /* hash; 0: free */
    int64_t empty_us;
};
struct rate_limiter {
    pthread_mutex_t lock; /* held for a few instructions */
    struct cell cells[CELLS];
};

status rate_limiter_new(struct rate_limiter **out, struct error *err)
{
    struct rate_limiter *l = calloc(1, sizeof(*l));
    if (!l || pthread_mutex_init(&l->lock, NULL) != 0) {
        free(l);
        return error_set(err, CODE_NO_MEMORY, "%s", code_text(CODE_NO_MEMORY));
    }
    *out = l;
    return OK;
}

void rate_limiter_free(struct rate_limiter *l)
{
    if (!l)
        return;
    (void)pthread_mutex_destroy(&l->lock);
    free(l);
}

static struct cell *cell_find(struct rate_limiter *l, uint64_t name)
{
    struct cell *best = NULL;
    for (size_t probe = 0; probe < PROBES; probe++) {
        struct cell *c = &l->cells[(name + probe) % CELLS];
        if (c->name == name)
            return c;
        if (!best || c->empty_us < best->empty_us)
            best = c;
    }
    *best = (struct cell){.name = name};
    return best;
}

int64_t rate_limiter_take(struct rate_limiter *l, const char *name, const struct rate *limit, int64_t now_ms)
{
    int64_t now_us = now_ms * 1000, window_us = limit->seconds * 1000000, each_us = window_us / limit->count;
    uint64_t hash = text_hash(name) | 1u;
    int64_t wait_us = 0;
    (void)pthread_mutex_lock(&l->lock);
    struct cell *c = cell_find(l, hash);
    int64_t empty_us = c->empty_us > now_us ? c->empty_us : now_us;
    if (empty_us + each_us - now_us > window_us)
        wait_us = empty_us + each_us - now_us - window_us;
    else
        c->empty_us = empty_us + each_us;
    (void)pthread_mutex_unlock(&l->lock);
    return wait_us > 0 ? (wait_us + 999) / 1000 : 0;
}

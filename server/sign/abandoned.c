/* SPDX-License-Identifier: Apache-2.0 */
/* A ring under a lock; empty as long as all is well. */
#include "server/sign/abandoned.h"

#include <pthread.h>
#include <stdlib.h>

enum { INTENTS_KEPT = 1024 };

struct abandoned {
    pthread_mutex_t lock;
    size_t next;
    int64_t intents[INTENTS_KEPT]; /* 0: free */
};

status abandoned_new(struct abandoned **out, struct error *err)
{
    struct abandoned *a = calloc(1, sizeof(*a));
    if (!a || pthread_mutex_init(&a->lock, NULL) != 0) {
        free(a);
        return error_set(err, CODE_NO_MEMORY, "%s", code_text(CODE_NO_MEMORY));
    }
    *out = a;
    return OK;
}

void abandoned_free(struct abandoned *a)
{
    if (!a)
        return;
    (void)pthread_mutex_destroy(&a->lock);
    free(a);
}

void abandoned_add(struct abandoned *a, int64_t intent)
{
    (void)pthread_mutex_lock(&a->lock);
    a->intents[a->next++ % INTENTS_KEPT] = intent;
    (void)pthread_mutex_unlock(&a->lock);
}

bool abandoned_has(struct abandoned *a, int64_t intent)
{
    bool found = false;
    (void)pthread_mutex_lock(&a->lock);
    for (size_t i = 0; i < INTENTS_KEPT && !found; i++)
        found = a->intents[i] == intent;
    (void)pthread_mutex_unlock(&a->lock);
    return found;
}

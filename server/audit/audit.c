/* SPDX-License-Identifier: Apache-2.0 */
/* Group commit without a thread of its own. Callers gather in the forming group; its first one leads: it waits for its
 * turn, closes the group, runs the batch for all, passes the turn on and wakes the others with one call. So one caller
 * alone pays no switch of threads, and while a batch is on its way to the disk the next one gathers. */
#include "server/audit/audit.h"

#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/syscall.h>

#include "server/audit/batch.h"

struct group {
    struct node *first, **last; /* under the lock while it forms */
    _Atomic(struct node *) leader;
    _Atomic uint32_t turn;   /* 1: the leader may begin; it waits on this word */
    _Atomic uint32_t events; /* the others wait on this word: done, or another leader */
    atomic_bool begun, done;
    int users;               /* under the lock; callers that still look at it */
    struct group *next_free; /* groups are kept until audit_close, so a late wake never meets freed memory */
};

struct audit {
    struct log_writer writer; /* of the thread whose turn it is */
    pthread_mutex_t lock;
    struct group *forming; /* NULL: nobody waits */
    bool busy;             /* somebody has the turn */
    struct group *free_groups;
};

static void futex_wait(_Atomic uint32_t *word, uint32_t seen, struct deadline d)
{
    struct timespec until = deadline_timespec(d);
    (void)syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, seen, &until, NULL, FUTEX_BITSET_MATCH_ANY);
}

static void futex_wake(_Atomic uint32_t *word, int count)
{
    (void)syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}

/* Lock held. */
static struct group *group_new(struct audit *a)
{
    struct group *g = a->free_groups;
    if (g)
        a->free_groups = g->next_free;
    else
        g = malloc(sizeof(*g));
    if (!g)
        return NULL;

    memset(g, 0, sizeof(*g));
    g->last = &g->first;
    return g;
}

/* Lock held. */
static void group_leave(struct audit *a, struct group *g)
{
    if (--g->users > 0)
        return;
    g->next_free = a->free_groups;
    a->free_groups = g;
}

/* Lock held. Joins the group that forms, or begins one as its leader. NULL: no memory. */
static struct group *group_join(struct audit *a, struct node *n)
{
    if (!a->forming) {
        a->forming = group_new(a);
        if (!a->forming)
            return NULL;
        atomic_store(&a->forming->leader, n);
        if (!a->busy) {
            a->busy = true;
            atomic_store(&a->forming->turn, 1);
        }
    }
    struct group *g = a->forming;
    g->users++;
    n->next = NULL;
    *g->last = n;
    g->last = &n->next;
    return g;
}

/* Lock held. The caller's deadline has passed before its group began. */
static void group_abandon(struct audit *a, struct group *g, struct node *n)
{
    struct node **link = &g->first;
    while (*link != n)
        link = &(*link)->next;
    *link = n->next;
    if (!n->next)
        g->last = link;

    if (!g->first) {
        a->forming = NULL;
    } else if (atomic_load(&g->leader) == n) {
        atomic_store(&g->leader, g->first);
        atomic_fetch_add(&g->events, 1);
        futex_wake(&g->events, INT_MAX);
    }
    group_leave(a, g);
}

static status abandoned(struct error *err)
{
    return error_set(err, CODE_AUDIT_UNAVAILABLE, "%s: the deadline has passed", code_text(CODE_AUDIT_UNAVAILABLE));
}

/* The leader, when its turn has come. crowded: it had to wait for it, so others are about to come too; those that can
 * run now get to join, which costs nothing when there are none. */
static void group_lead(struct audit *a, struct group *g, bool crowded)
{
    if (crowded)
        (void)sched_yield();
    (void)pthread_mutex_lock(&a->lock);
    atomic_store(&g->begun, true);
    a->forming = NULL;
    (void)pthread_mutex_unlock(&a->lock);

    batch_run(&a->writer, g->first);

    (void)pthread_mutex_lock(&a->lock);
    struct group *following = a->forming;
    if (following)
        atomic_store(&following->turn, 1);
    a->busy = following != NULL;
    (void)pthread_mutex_unlock(&a->lock);

    if (following)
        futex_wake(&following->turn, 1);
    atomic_store(&g->done, true);
    atomic_fetch_add(&g->events, 1);
    if (g->first->next)
        futex_wake(&g->events, INT_MAX);
}

/* Waits until the group is done, leading it when that falls to this caller. False: the deadline passed before it began.
 */
static bool group_wait(struct audit *a, struct group *g, struct node *n, struct deadline d)
{
    bool waited = false;
    while (!atomic_load(&g->done)) {
        bool leads = atomic_load(&g->leader) == n;
        uint32_t seen = atomic_load(&g->events);
        if (leads && atomic_load(&g->turn)) {
            group_lead(a, g, waited);
            return true;
        }
        if (!atomic_load(&g->begun) && deadline_passed(d)) {
            (void)pthread_mutex_lock(&a->lock);
            bool gone = !atomic_load(&g->begun) && !(atomic_load(&g->leader) == n && atomic_load(&g->turn));
            if (gone)
                group_abandon(a, g, n);
            (void)pthread_mutex_unlock(&a->lock);
            if (gone)
                return false;
            continue;
        }
        waited = true;
        /* Once begun, the batch ends by the store's own time-outs. */
        if (leads)
            futex_wait(&g->turn, 0, d);
        else if (!atomic_load(&g->done) && atomic_load(&g->leader) != n)
            futex_wait(&g->events, seen, atomic_load(&g->begun) ? deadline_in(1000) : d);
    }
    return true;
}

status audit_commit(struct audit *a, struct audit_work *work, struct deadline d, struct error *err)
{
    if (deadline_passed(d))
        return abandoned(err);

    struct node n = {.work = work, .err = err};
    (void)pthread_mutex_lock(&a->lock);
    struct group *g = group_join(a, &n);
    (void)pthread_mutex_unlock(&a->lock);
    if (!g)
        return error_set(err, CODE_NO_MEMORY, "%s", code_text(CODE_NO_MEMORY));

    if (!group_wait(a, g, &n, d))
        return abandoned(err);

    (void)pthread_mutex_lock(&a->lock);
    group_leave(a, g);
    (void)pthread_mutex_unlock(&a->lock);
    return n.result;
}

status audit_open(struct store *s, int64_t (*now_ms)(void), struct audit **out, struct error *err)
{
    TRY(store_claim(s, err));
    cleanup_audit struct audit *a = calloc(1, sizeof(*a));
    if (!a)
        return error_set(err, CODE_NO_MEMORY, "%s", code_text(CODE_NO_MEMORY));
    a->writer.store = s;
    a->writer.now_ms = now_ms ? now_ms : clock_now_ms;
    (void)pthread_mutex_init(&a->lock, NULL);
    TRY(line_init(&a->writer.line, err));

    TRY(open_intents_settle(a, &a->writer, err));

    *out = steal(&a);
    return OK;
}

void audit_close(struct audit *a)
{
    while (a->free_groups) {
        struct group *g = a->free_groups;
        a->free_groups = g->next_free;
        free(g);
    }
    line_clear(&a->writer.line);
    open_intents_clear(&a->writer.open);
    open_intents_clear(&a->writer.open_next);
    (void)pthread_mutex_destroy(&a->lock);
    free(a);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions, one for each operation under way. Taking a free one is a compare-and-swap, first on the one this thread had
 * last; only a thread that finds none waits, and never behind its deadline (I9).
 * A call into a module cannot be cancelled. So each session says when its operation is overdue, and while one is,
 * nobody else is let in: callers fail at once instead of piling up behind a dead HSM. The stuck caller itself stays
 * stuck. */
#include <string.h>

#include "server/hsm/internal.h"

enum { LOOK_EVERY_MS = 16 };

static _Thread_local int last_taken;

status pool_init(struct pool *p, int count, struct error *err)
{
    pthread_condattr_t attributes;
    size_t size = (size_t)(count + 1) * sizeof *p->sessions;

    p->sessions = aligned_alloc(_Alignof(struct session), size);
    if (!p->sessions)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    memset(p->sessions, 0, size);
    p->count = count;
    p->anchor = &p->sessions[count];
    (void)pthread_mutex_init(&p->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&p->freed, &attributes);
    (void)pthread_cond_init(&p->recovered, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    return OK;
}

void pool_clear(struct pool *p)
{
    if (!p->sessions)
        return;
    (void)pthread_cond_destroy(&p->freed);
    (void)pthread_cond_destroy(&p->recovered);
    (void)pthread_mutex_destroy(&p->lock);
    free(p->sessions);
    *p = (struct pool){0};
}

static bool pool_look(struct pool *p, int64_t now)
{
    bool stuck = false;

    for (int i = 0; i <= p->count && !stuck; i++) {
        int64_t due = atomic_load_explicit(&p->sessions[i].due_ms, memory_order_relaxed);
        stuck = due != 0 && now > due;
    }
    atomic_store_explicit(&p->stuck, stuck, memory_order_relaxed);
    return stuck;
}

/* The look at all sessions costs a cache line each: a few dozen times a second is enough while all is well. */
static bool pool_is_stuck_at(struct pool *p, int64_t now)
{
    int64_t looked = atomic_load_explicit(&p->looked_ms, memory_order_relaxed);

    if (atomic_load_explicit(&p->stuck, memory_order_relaxed))
        return pool_look(p, now);
    if (now - looked < LOOK_EVERY_MS || !atomic_compare_exchange_strong(&p->looked_ms, &looked, now))
        return false;
    return pool_look(p, now);
}

bool pool_is_stuck(struct pool *p)
{
    return pool_look(p, clock_monotonic_ms());
}

static void pool_put(struct pool *p, struct session *s, bool locked)
{
    atomic_store(&s->busy, false);
    if (atomic_load(&p->waiting) == 0)
        return;
    cleanup_unlock pthread_mutex_t *held = NULL;
    if (!locked) {
        held = &p->lock;
        (void)pthread_mutex_lock(held);
    }
    p->freed_ms = clock_monotonic_ms();
    if (atomic_load(&p->draining))
        (void)pthread_cond_broadcast(&p->freed);
    else
        (void)pthread_cond_signal(&p->freed);
}

static bool session_take(struct session *s)
{
    bool expected = false;

    return !atomic_load_explicit(&s->busy, memory_order_relaxed) &&
           atomic_compare_exchange_strong(&s->busy, &expected, true);
}

/* locked: the caller holds p->lock. */
static struct session *pool_take(struct pool *p, bool locked)
{
    if (atomic_load(&p->draining))
        return NULL;
    for (int i = 0; i < p->count; i++) {
        int at = (last_taken + i) % p->count;
        if (!session_take(&p->sessions[at]))
            continue;
        last_taken = at;
        if (!atomic_load(&p->draining))
            return &p->sessions[at];
        pool_put(p, &p->sessions[at], locked); /* the recoverer came in between and waits for this one */
        return NULL;
    }
    return NULL;
}

/* d, or earlier when none has come free for long: who waits for a dead HSM keeps a place that others need. */
static struct deadline stall_deadline(const struct pool *p, int64_t since_ms, struct deadline d)
{
    int64_t at_ms = (p->freed_ms > since_ms ? p->freed_ms : since_ms) + STALL_MS;

    return at_ms < d.at_ms ? (struct deadline){at_ms} : d;
}

static status pool_wait(struct pool *p, struct deadline d, struct session **out, struct error *err)
{
    int64_t since_ms = clock_monotonic_ms();
    cleanup_unlock pthread_mutex_t *held = &p->lock;

    (void)pthread_mutex_lock(held);
    atomic_fetch_add(&p->waiting, 1);
    while (!(*out = pool_take(p, true))) {
        struct deadline until = stall_deadline(p, since_ms, d);
        struct timespec until_ts = deadline_timespec(until);
        if (deadline_passed(until))
            break;
        (void)pthread_cond_timedwait(&p->freed, held, &until_ts);
    }
    atomic_fetch_sub(&p->waiting, 1);
    if (!*out)
        return error_set(err, CODE_HSM_UNAVAILABLE, "all %d sessions of the HSM are busy", p->count);
    return OK;
}

static CK_RV session_open(struct hsm *h, struct session *s)
{
    if (s->open)
        return CKR_OK;
    CK_RV rv = CALL(h, s, C_OpenSession)(h->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &s->handle);
    s->open = rv == CKR_OK;
    return rv;
}

/* Opens it where it is not. When the token was lost it is brought back, and *entered stays false. */
static status session_enter(struct hsm *h, struct session *s, int64_t due_ms, bool *entered, struct error *err)
{
    atomic_store_explicit(&s->due_ms, due_ms, memory_order_relaxed);
    uint64_t epoch = atomic_load(&h->pool.epoch);
    CK_RV rv = session_open(h, s);
    *entered = rv == CKR_OK;
    if (*entered)
        return OK;

    pool_release(&h->pool, s);
    if (rv_loss(rv) == LOSS_NONE)
        return rv_status(rv, "C_OpenSession", err);
    return login_recover(h, epoch, deadline_in(h->timeout_ms), err);
}

status pool_acquire(struct hsm *h, struct deadline d, int64_t limit_ms, struct session **out, struct error *err)
{
    struct pool *p = &h->pool;
    struct session *s = NULL;

    for (int attempt = 0; attempt < 3; attempt++) {
        int64_t now = clock_monotonic_ms();
        if (pool_is_stuck_at(p, now))
            return error_set(err, CODE_HSM_UNAVAILABLE, "the HSM does not answer: an operation in it is overdue");
        if (atomic_load(&p->lost))
            TRY(login_recover(h, atomic_load(&p->epoch), d, err));
        s = pool_take(p, false);
        if (!s) {
            TRY(pool_wait(p, d, &s, err));
            now = clock_monotonic_ms(); /* waiting for its turn makes no operation overdue */
        }
        if (atomic_load(&p->lost)) { /* since we looked: the module may have been started anew */
            pool_release(p, s);
            continue;
        }
        bool entered;
        TRY(session_enter(h, s, now + limit_ms, &entered, err));
        if (entered) {
            *out = s;
            return OK;
        }
    }
    return error_set(err, CODE_HSM_UNAVAILABLE, "the HSM gives no session");
}

void pool_release(struct pool *p, struct session *s)
{
    atomic_store_explicit(&s->due_ms, 0, memory_order_relaxed);
    pool_put(p, s, false);
}

bool pool_is_idle(struct pool *p)
{
    for (int i = 0; i < p->count; i++) {
        if (atomic_load(&p->sessions[i].busy))
            return false;
    }
    return true;
}

bool pool_bar(struct pool *p, struct deadline d)
{
    enum { PAUSE_NS = 5000000 };

    atomic_store(&p->lost, true);
    while (!pool_is_idle(p)) {
        if (deadline_passed(d))
            return false;
        (void)nanosleep(&(struct timespec){0, PAUSE_NS}, NULL);
    }
    return true;
}

bool pool_drain(struct pool *p, struct deadline d)
{
    struct timespec until = deadline_timespec(d);
    int rc = 0;
    cleanup_unlock pthread_mutex_t *held = &p->lock;

    (void)pthread_mutex_lock(held);
    atomic_fetch_add(&p->waiting, 1);
    atomic_store(&p->draining, true);
    while (!pool_is_idle(p) && rc == 0)
        rc = pthread_cond_timedwait(&p->freed, held, &until);
    atomic_fetch_sub(&p->waiting, 1);
    return pool_is_idle(p);
}

void pool_resume(struct pool *p)
{
    (void)pthread_mutex_lock(&p->lock);
    atomic_store(&p->draining, false);
    (void)pthread_cond_broadcast(&p->freed);
    (void)pthread_mutex_unlock(&p->lock);
}

bool pool_recovery_begin(struct pool *p, struct deadline d)
{
    struct timespec until = deadline_timespec(d);
    int rc = 0;
    cleanup_unlock pthread_mutex_t *held = &p->lock;

    (void)pthread_mutex_lock(held);
    while (p->recovering && !atomic_load(&p->lost) && rc == 0)
        rc = pthread_cond_timedwait(&p->recovered, held, &until);
    if (p->recovering)
        return false;
    p->recovering = true;
    return true;
}

void pool_recovery_end(struct pool *p)
{
    (void)pthread_mutex_lock(&p->lock);
    p->recovering = false;
    (void)pthread_cond_signal(&p->recovered);
    (void)pthread_mutex_unlock(&p->lock);
}

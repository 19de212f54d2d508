/* SPDX-License-Identifier: Apache-2.0 */
/* Several threads at once, after CKF_OS_LOCKING_OK (base §5.4.1): each in a session of its own, and all in one. */
#include <pthread.h>
#include <time.h>

#include "group.h"
#include "search.h"
#include "signature.h"

enum { THREADS = 6, ROUNDS = 8 };

struct worker {
    pthread_t thread;
    const struct rig *rig;
    CK_SESSION_HANDLE session;
    struct order *order;
    unsigned good, odd;
};

static bool work_once(struct rig *r, struct order *o)
{
    CK_BYTE out[SIGNATURE_MAX];
    CK_ULONG len = sizeof out, count = 0;
    CK_OBJECT_HANDLE found[4];
    return r->f->C_FindObjectsInit(r->session, NULL, 0) == CKR_OK &&
           r->f->C_FindObjects(r->session, found, 4, &count) == CKR_OK && count > 0 &&
           r->f->C_FindObjectsFinal(r->session) == CKR_OK &&
           r->f->C_SignInit(r->session, &o->mechanism, r->key.private_key) == CKR_OK &&
           r->f->C_Sign(r->session, o->data, o->len, out, &len) == CKR_OK && signature_is_good(&r->key, o, out, len);
}

static void *work(void *argument)
{
    struct worker *w = argument;
    struct rig rig = *w->rig;
    rig.session = w->session;
    for (int i = 0; i < ROUNDS; i++)
        w->good += work_once(&rig, w->order);
    return NULL;
}

/* Whatever the others do, an answer is one of the standard's and a signature that comes is good. */
static void *meddle(void *argument)
{
    struct worker *w = argument;
    const struct rig *r = w->rig;
    for (int i = 0; i < ROUNDS; i++) {
        CK_BYTE out[SIGNATURE_MAX];
        CK_ULONG len = sizeof out;
        CK_RV init = r->f->C_SignInit(w->session, &w->order->mechanism, r->key.private_key);
        CK_RV rv = r->f->C_Sign(w->session, w->order->data, w->order->len, out, &len);
        w->odd += init != CKR_OK && init != CKR_OPERATION_ACTIVE;
        w->odd += rv != CKR_OK && rv != CKR_OPERATION_ACTIVE && rv != CKR_OPERATION_NOT_INITIALIZED;
        w->odd += rv == CKR_OK && !signature_is_good(&r->key, w->order, out, len);
    }
    return NULL;
}

static void start(struct rig *r, struct order *o, void *(*body)(void *), bool shared, struct worker *workers)
{
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.rig = r, .session = shared ? r->session : session_new(r, i & 1), .order = o};
        check("set-up", "pthread_create", pthread_create(&workers[i].thread, NULL, body, &workers[i]) == 0);
    }
}

static void run(struct rig *r, struct order *o, void *(*body)(void *), bool shared, struct worker *workers)
{
    start(r, o, body, shared, workers);
    for (int i = 0; i < THREADS; i++)
        (void)pthread_join(workers[i].thread, NULL);
}

void thread_own_group(struct rig *r)
{
    const struct scheme_row *row = row_any(r);
    struct worker workers[THREADS];
    struct order o;
    if (!row)
        return;
    order_make(&o, row, "SHA256");
    run(r, &o, work, false, workers);
    for (int i = 0; i < THREADS; i++)
        check_number("base §5.4.1", "good rounds of a thread in a session of its own", workers[i].good, ROUNDS);
}

void thread_shared_group(struct rig *r)
{
    const struct scheme_row *row = row_any(r);
    struct worker workers[THREADS];
    struct order o;
    if (!row)
        return;
    order_make(&o, row, "SHA256");
    run(r, &o, meddle, true, workers);
    for (int i = 0; i < THREADS; i++)
        check_number("base §5.4.1", "odd answers to a thread in a session shared by all", workers[i].odd, 0);
}

static void *sign_until_closed(void *argument)
{
    struct worker *w = argument;
    const struct rig *r = w->rig;
    CK_RV rv = CKR_OK;
    for (int i = 0; i < 100 * ROUNDS && rv == CKR_OK; i++) {
        CK_BYTE out[SIGNATURE_MAX];
        CK_ULONG len = sizeof out;
        rv = r->f->C_SignInit(w->session, &w->order->mechanism, r->key.private_key);
        if (rv == CKR_OK)
            rv = r->f->C_Sign(w->session, w->order->data, w->order->len, out, &len);
        w->good += rv == CKR_OK;
    }
    w->odd = rv != CKR_SESSION_HANDLE_INVALID && rv != CKR_SESSION_CLOSED;
    return NULL;
}

/* "CKR_SESSION_CLOSED: The session was closed during the execution of the function" (base §5.1.2). */
void thread_close_group(struct rig *r)
{
    const struct scheme_row *row = row_any(r);
    struct worker workers[THREADS];
    struct order o;
    if (!row)
        return;
    order_make(&o, row, "SHA256");
    start(r, &o, sign_until_closed, false, workers);
    for (int i = 0; i < THREADS; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
        EXPECT("base §5.6.2", "C_CloseSession while another thread signs in it",
               r->f->C_CloseSession(workers[i].session), CKR_OK);
    }
    for (int i = 0; i < THREADS; i++) {
        (void)pthread_join(workers[i].thread, NULL);
        check("base §5.1.2", "the thread is told that its session is closed", !workers[i].odd);
    }
}

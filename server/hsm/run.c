/* SPDX-License-Identifier: Apache-2.0 */
/* Runs an operation in a session of its own. When the code it ends with says that a handle, the session or the login
 * was lost, what was lost is renewed and the operation is tried once more. */
#include "server/hsm/internal.h"

enum { USER_SESSION_RO = 1, USER_SESSION_RW = 3 }; /* CKS_RO_USER_FUNCTIONS, CKS_RW_USER_FUNCTIONS */

bool session_is_alive(struct hsm *h, const struct session *s)
{
    CK_SESSION_INFO info;

    return h->f->C_GetSessionInfo(s->handle, &info) == CKR_OK &&
           (info.state == USER_SESSION_RO || info.state == USER_SESSION_RW);
}

/* After a failure the session may still hold half an operation: SoftHSM keeps one that failed. It is opened anew. A
 * dead session's handle is not closed, because the module may have given the number to another. */
static bool session_retire(struct hsm *h, struct session *s)
{
    bool alive = session_is_alive(h, s);

    if (alive)
        (void)h->f->C_CloseSession(s->handle);
    s->open = false;
    return alive;
}

/* OK: try again. A session opened after the login was lost is sound but sees no private key, so a search that found
 * nothing means little before the session's state is known. */
static status run_failed(struct hsm *h, struct session *s, CK_RV rv, bool again, struct deadline d, struct error *err)
{
    enum loss loss = rv_loss(rv);
    const char *call = s->call;
    uint64_t epoch = atomic_load(&h->pool.epoch);
    bool alive = session_retire(h, s);

    pool_release(&h->pool, s);
    if (loss == LOSS_NONE && alive)
        return rv_status(rv, call, err);
    handles_forget_all(&h->handles);
    if (!again)
        return rv_status(rv, call, err);
    if (!alive)
        TRY(login_recover(h, epoch, d, err));
    return OK;
}

status hsm_run(struct hsm *h, struct deadline d, int64_t limit_ms, hsm_operation op, void *arg, struct error *err)
{
    struct deadline ours = deadline_in(h->timeout_ms);

    if (deadline_passed(d))
        return error_set(err, CODE_HSM_UNAVAILABLE, "the deadline passed before the HSM was asked");
    if (ours.at_ms < d.at_ms)
        d = ours;
    for (bool again = true;; again = false) {
        struct session *s;
        TRY(pool_acquire(h, d, limit_ms, &s, err));
        CK_RV rv = op(h, s, arg);
        if (rv == CKR_OK) {
            pool_release(&h->pool, s);
            return OK;
        }
        TRY(run_failed(h, s, rv, again, d, err));
    }
}

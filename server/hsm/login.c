/* SPDX-License-Identifier: Apache-2.0 */
/* The login, and how a lost token is brought back. Login state is the token's, not a session's, so it is done once, by
 * the anchor session. Recovery is done by one thread, alone: it closes every session (handles of the old ones must not
 * live on), logs in again, and if that is not enough starts the module anew. A PIN once refused is never tried again. A
 * token that was not there at the start is one that was lost. */
#include <string.h>

#include "common/log.h"
#include "server/hsm/internal.h"

/* A wrong PIN in a service that restarts by itself would lock the token: the last try is left to a person. */
static CK_RV pin_tries_check(struct hsm *h, struct error *err)
{
    CK_TOKEN_INFO info = {0};
    CK_RV rv = CALL(h, h->pool.anchor, C_GetTokenInfo)(h->slot, &info);

    if (rv != CKR_OK)
        return rv;
    if (info.flags & CKF_USER_PIN_LOCKED) {
        ignore(error_set(err, CODE_CREDENTIAL, "the user PIN of token \"%s\" is locked", h->label));
        return CKR_PIN_LOCKED;
    }
    if (info.flags & CKF_USER_PIN_FINAL_TRY) {
        ignore(error_set(err, CODE_CREDENTIAL,
                         "the user PIN of token \"%s\" has one try left; not used: log in by hand once", h->label));
        return CKR_PIN_LOCKED;
    }
    return CKR_OK;
}

static CK_RV anchor_login(struct hsm *h, struct error *err)
{
    struct session *a = h->pool.anchor;

    CK_RV rv = CALL(h, a, C_OpenSession)(h->slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &a->handle);
    if (rv != CKR_OK)
        return rv;
    a->open = true;
    rv = pin_tries_check(h, err);
    if (rv != CKR_OK)
        return rv;
    rv = CALL(h, a, C_Login)(a->handle, CKU_USER, h->pin.data, h->pin.len);
    if (rv_is_pin(rv))
        ignore(error_set(err, CODE_CREDENTIAL, "the HSM refuses the user PIN of token \"%s\" (%s)", h->label,
                         rv_name(rv)));
    return rv == CKR_USER_ALREADY_LOGGED_IN ? CKR_OK : rv;
}

static void sessions_close(struct hsm *h)
{
    if (h->has_slot)
        (void)h->f->C_CloseAllSessions(h->slot);
    for (int i = 0; i <= h->pool.count; i++)
        h->pool.sessions[i].open = false;
}

static status login_result(struct hsm *h, CK_RV rv, struct error *err)
{
    if (rv == CKR_OK)
        return OK;
    if (rv_is_pin(rv)) {
        h->pool.pin_refused = true;
        return (status){CODE_CREDENTIAL}; /* err is set */
    }
    return rv_status(rv, h->pool.anchor->call, err);
}

static status token_locate(struct hsm *h, struct error *err)
{
    CK_SLOT_ID slot = 0;
    status s = slot_find_token(h->f, h->wanted, &slot, err);
    const struct hsm *owner = is_ok(s) ? module_slot_owner(h->module, h, slot) : NULL;

    if (owner)
        s = error_set(err, CODE_CONFIGURATION, "it is the token of the HSM %s already", owner->name);
    if (!is_ok(s)) {
        error_prefix(err, "token \"%s\"", h->label);
        return s;
    }
    h->slot = slot;
    h->has_slot = true;
    return OK;
}

static status token_enter(struct hsm *h, struct error *err)
{
    TRY(token_locate(h, err));
    CK_RV rv = anchor_login(h, err);
    if (rv == CKR_OK)
        rv = ability_read(h);
    status s = login_result(h, rv, err);
    if (!is_ok(s))
        sessions_close(h);
    return s;
}

static status token_open(struct hsm *h, struct error *err)
{
    CK_RV rv = module_start(h->module);

    module_join(h->module, h);
    if (rv == CKR_OK)
        return token_enter(h, err);
    status s = rv_status(rv, "C_Initialize", err);
    return rv_loss(rv) == LOSS_NONE ? (status){CODE_CONFIGURATION} : s;
}

status login_open(struct hsm *h, struct error *err)
{
    if (!module_turn_take(h->module, deadline_in(h->timeout_ms)))
        return error_set(err, CODE_HSM_UNAVAILABLE, "another HSM of the same module does not answer");
    status s = token_open(h, err);
    module_turn_give(h->module);
    return s;
}

void login_postpone(struct hsm *h, const struct error *why)
{
    struct pool *p = &h->pool;

    p->failure = *why;
    p->failed_ms = clock_monotonic_ms();
    p->pause_ms = RECOVER_PAUSE_MS;
    atomic_store(&p->lost, true);
}

void login_close(struct hsm *h)
{
    bool is_turn = module_turn_take(h->module, deadline_in(h->timeout_ms));

    module_leave(h->module, h);
    sessions_close(h); /* the last one gone, the token is logged out */
    if (is_turn)
        module_turn_give(h->module);
}

static status login_again(struct hsm *h, struct deadline d, struct error *err)
{
    sessions_close(h);
    status s = token_enter(h, err);
    if (is_ok(s) || h->pool.pin_refused || module_restart(h->module, h, d) != CKR_OK)
        return s;
    return token_enter(h, err);
}

static status login_in_turn(struct hsm *h, struct deadline d, struct error *err)
{
    struct session *a = h->pool.anchor;

    if (!module_turn_take(h->module, d))
        return error_set(err, CODE_HSM_UNAVAILABLE, "another HSM of the same module is being opened again");
    atomic_store(&a->due_ms, clock_monotonic_ms() + h->timeout_ms);
    status s = login_again(h, d, err);
    atomic_store(&a->due_ms, 0);
    module_turn_give(h->module);
    return s;
}

/* Longer with each failure: a token that is away for long costs its callers little. */
static void pause_lengthen(struct pool *p)
{
    bool was_lost = atomic_load(&p->lost);
    int64_t doubled = was_lost ? p->pause_ms * 2 : 0;

    p->pause_ms = doubled < RECOVER_PAUSE_MS ? RECOVER_PAUSE_MS : doubled;
    if (p->pause_ms > RECOVER_PAUSE_MAX_MS)
        p->pause_ms = RECOVER_PAUSE_MAX_MS;
}

static status recover_alone(struct hsm *h, struct deadline d, struct error *err)
{
    struct pool *p = &h->pool;
    struct error why = {0};
    status s = login_in_turn(h, d, &why);

    if (is_ok(s)) {
        handles_forget_all(&h->handles);
        atomic_fetch_add(&p->epoch, 1);
        p->pause_ms = 0;
        atomic_store(&p->lost, false);
        log_event(LOG_LEVEL_WARNING, "hsm_recovered", "hsm", h->name, "token", h->label, NULL);
        return OK;
    }
    error_prefix(&why, "HSM %s", h->name);
    log_error(LOG_LEVEL_ERROR, "hsm_lost", &why);
    why.code = CODE_HSM_UNAVAILABLE;
    pause_lengthen(p);
    p->failure = why;
    p->failed_ms = clock_monotonic_ms();
    atomic_store(&p->lost, true);
    return error_set(err, CODE_HSM_UNAVAILABLE, "%s", why.text);
}

static status recover_held(struct hsm *h, uint64_t epoch, struct deadline d, struct error *err)
{
    struct pool *p = &h->pool;
    bool lost = atomic_load(&p->lost);

    if (!lost && atomic_load(&p->epoch) != epoch)
        return OK;
    if (lost && (p->pin_refused || clock_monotonic_ms() - p->failed_ms < p->pause_ms))
        return error_set(err, CODE_HSM_UNAVAILABLE, "%s", p->failure.text);

    status s = pool_drain(p, d) ? recover_alone(h, d, err)
                                : error_set(err, CODE_HSM_UNAVAILABLE,
                                            "the HSM lost its session while another operation in it does not end");
    pool_resume(p);
    return s;
}

status login_recover(struct hsm *h, uint64_t epoch, struct deadline d, struct error *err)
{
    if (!pool_recovery_begin(&h->pool, d))
        return error_set(err, CODE_HSM_UNAVAILABLE, "the HSM %s is being opened again", h->name);
    status s = recover_held(h, epoch, d, err);
    pool_recovery_end(&h->pool);
    return s;
}

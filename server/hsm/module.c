/* SPDX-License-Identifier: Apache-2.0 */
/* Loads HSM modules through p11-kit, unmanaged: the module's own functions are called, without a wrapper in between.
 * C_Initialize and C_Finalize are the process's and not a caller's: HSMs that share a module share them, and one takes
 * them again only when no other works. A module stays mapped until the process ends: unmapping one that shares OpenSSL
 * with us leaves its exit handlers dangling. */
#include "server/hsm/internal.h"

#include <p11-kit/p11-kit.h>
#include <string.h>

struct module {
    CK_FUNCTION_LIST *f;
    int users;
    pthread_mutex_t turn_lock; /* of turn_taken; who has the turn has all of the rest */
    pthread_cond_t turn_given;
    bool turn_taken;
    bool started;
    bool foreign; /* somebody else had initialised it: not ours to finalise */
    struct hsm *hsms;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the table: f and users */
static struct module modules[HSM_SET_MAX];

static void turn_init(struct module *m)
{
    pthread_condattr_t attributes;

    (void)pthread_mutex_init(&m->turn_lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&m->turn_given, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

/* A row once taken keeps its module, since that stays mapped. */
static struct module *module_row(CK_FUNCTION_LIST *f)
{
    for (size_t i = 0; i < COUNT_OF(modules); i++) {
        if (modules[i].f == f)
            return &modules[i];
        if (modules[i].f)
            continue;
        modules[i].f = f;
        turn_init(&modules[i]);
        return &modules[i];
    }
    return NULL;
}

status module_acquire(const char *path, struct module **out, struct error *err)
{
    if (!path || path[0] != '/')
        return error_set(err, CODE_CONFIGURATION, "the HSM module needs an absolute path, not \"%s\"",
                         path ? path : "");
    if (access(path, R_OK) != 0)
        return error_set(err, CODE_CONFIGURATION, "%s: no such HSM module, or not readable", path);

    cleanup_unlock pthread_mutex_t *held = &lock;
    (void)pthread_mutex_lock(held);

    CK_FUNCTION_LIST *f = p11_kit_module_load(path, P11_KIT_MODULE_UNMANAGED | P11_KIT_MODULE_CRITICAL);
    if (!f) {
        const char *why = p11_kit_message();
        return error_set(err, CODE_CONFIGURATION, "%s: cannot load the HSM module: %s", path, why ? why : "");
    }
    struct module *m = module_row(f);
    if (!m)
        return error_set(err, CODE_CONFIGURATION, "%s: too many HSM modules in one process", path);
    m->users++;
    *out = m;
    return OK;
}

CK_FUNCTION_LIST *module_functions(struct module *m)
{
    return m->f;
}

bool module_turn_take(struct module *m, struct deadline d)
{
    struct timespec until = deadline_timespec(d);
    int rc = 0;
    cleanup_unlock pthread_mutex_t *held = &m->turn_lock;

    (void)pthread_mutex_lock(held);
    while (m->turn_taken && rc == 0)
        rc = pthread_cond_timedwait(&m->turn_given, held, &until);
    if (m->turn_taken)
        return false;
    m->turn_taken = true;
    return true;
}

void module_turn_give(struct module *m)
{
    cleanup_unlock pthread_mutex_t *held = &m->turn_lock;

    (void)pthread_mutex_lock(held);
    m->turn_taken = false;
    (void)pthread_cond_signal(&m->turn_given);
}

void module_join(struct module *m, struct hsm *h)
{
    h->next_of_module = m->hsms;
    m->hsms = h;
}

void module_leave(struct module *m, struct hsm *h)
{
    for (struct hsm **at = &m->hsms; *at; at = &(*at)->next_of_module) {
        if (*at != h)
            continue;
        *at = h->next_of_module;
        return;
    }
}

CK_RV module_start(struct module *m)
{
    CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};

    if (m->started)
        return CKR_OK;
    CK_RV rv = m->f->C_Initialize(&args);
    if (rv != CKR_OK && rv != CKR_CRYPTOKI_ALREADY_INITIALIZED)
        return rv;
    m->foreign = rv != CKR_OK;
    m->started = true;
    return CKR_OK;
}

void module_release(struct module *m)
{
    cleanup_unlock pthread_mutex_t *held = &lock;
    (void)pthread_mutex_lock(held);

    if (--m->users > 0 || !module_turn_take(m, deadline_in(TIMEOUT_DEFAULT_MS)))
        return;
    if (m->started && !m->foreign)
        (void)m->f->C_Finalize(NULL);
    m->started = false;
    module_turn_give(m);
}

/* A new start makes all handles of the others invalid, and may give their numbers to us: nobody may be under way with
 * one. */
static bool others_bar(struct module *m, const struct hsm *h, struct deadline d)
{
    for (struct hsm *other = m->hsms; other; other = other->next_of_module) {
        if (other != h && !pool_bar(&other->pool, d))
            return false;
    }
    return true;
}

/* Slots are numbered anew. */
static void slots_forget(struct module *m)
{
    for (struct hsm *h = m->hsms; h; h = h->next_of_module)
        h->has_slot = false;
}

static bool others_work(const struct module *m, const struct hsm *h)
{
    for (struct hsm *other = m->hsms; other; other = other->next_of_module) {
        if (other != h && (!atomic_load(&other->pool.lost) || !pool_is_idle(&other->pool)))
            return true;
    }
    return false;
}

CK_RV module_restart(struct module *m, const struct hsm *h, struct deadline d)
{
    CK_INFO info;

    /* Finalised behind our back, then: for all of us. */
    if (m->started && m->f->C_GetInfo(&info) == CKR_CRYPTOKI_NOT_INITIALIZED) {
        if (!others_bar(m, h, d))
            return CKR_DEVICE_ERROR;
        m->started = false;
    }
    if (m->started) {
        if (m->foreign || others_work(m, h))
            return CKR_DEVICE_ERROR;
        (void)m->f->C_Finalize(NULL);
        m->started = false;
    }
    slots_forget(m);
    return module_start(m);
}

const struct hsm *module_slot_owner(const struct module *m, const struct hsm *h, CK_SLOT_ID slot)
{
    for (const struct hsm *other = m->hsms; other; other = other->next_of_module) {
        if (other != h && other->has_slot && other->slot == slot)
            return other;
    }
    return NULL;
}

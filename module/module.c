/* SPDX-License-Identifier: Apache-2.0 */
/* Initialise, finalise, and the state of the process. The fork handler bumps one counter; every entry compares it with
 * the counter under which the state was made. A child therefore never touches a lock or socket of its parent: it finds
 * nothing initialised, and C_Initialize makes fresh state beside the old one (I10). */
#include "module/module.h"

#include <string.h>

#include "chancery/version.h"
#include "client/libctx.h"
#include "module/ckr.h"
#include "module/padded.h"
#include "module/session.h"

/* One per process, never freed: the lock must outlive every call. */
struct process {
    unsigned generation;
    pthread_mutex_t lock;    /* guards module, for a few instructions */
    struct module *module;   /* NULL: not initialised */
    struct process *parents; /* what came over a fork: left alone, but not lost */
};

static atomic_uint fork_count;
static _Atomic(struct process *) current;
static atomic_bool exiting;
static struct module *left_behind; /* finalised during exit: reachable, and freed by the system */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void after_fork_in_child(void)
{
    atomic_fetch_add(&fork_count, 1);
}

static void at_exit(void)
{
    atomic_store(&exiting, true);
}

/* libctx_get came first, so OpenSSL's own exit handler is older than ours and runs later: while `exiting` is false,
 * libcrypto is whole. */
static void register_handlers(void)
{
    (void)pthread_atfork(NULL, NULL, after_fork_in_child);
    (void)atexit(at_exit);
}

/* NULL when C_Initialize was never called in this process. */
static struct process *process_find(void)
{
    struct process *p = atomic_load(&current);
    return p && p->generation == atomic_load(&fork_count) ? p : NULL;
}

static struct process *process_make(void)
{
    struct process *p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    p->generation = atomic_load(&fork_count);
    if (pthread_mutex_init(&p->lock, NULL) == 0)
        return p;
    free(p);
    return NULL;
}

/* Closes what came over the fork, without a byte sent and without a lock that another thread may have held. */
static void process_abandon(const struct process *inherited)
{
    if (inherited && inherited->module && inherited->module->client)
        client_abandon_after_fork(inherited->module->client);
}

/* The state of this process, made at the first C_Initialize; of several threads one wins. The parent's OpenSSL context
 * is given up before the new state can be seen, so that nobody works in it. */
static struct process *process_get(void)
{
    struct process *seen = atomic_load(&current);
    while (!seen || seen->generation != atomic_load(&fork_count)) {
        struct process *made = process_make();
        if (!made)
            return NULL;
        made->parents = seen;
        if (seen)
            libctx_abandon_after_fork();
        if (atomic_compare_exchange_strong(&current, &seen, made)) {
            process_abandon(seen);
            return made;
        }
        (void)pthread_mutex_destroy(&made->lock);
        free(made);
    }
    return seen;
}

static void module_free(struct module *m)
{
    if (atomic_load(&exiting)) { /* libcrypto may be half gone: no clean-up, no network */
        left_behind = m;
        return;
    }
    sessions_clear(m);
    slots_clear(m);
    if (m->client)
        client_free(m->client);
    (void)pthread_mutex_destroy(&m->lock);
    free(m);
}

void module_release(struct module **m)
{
    if (*m && atomic_fetch_sub(&(*m)->users, 1) == 1)
        module_free(*m);
    *m = NULL;
}

CK_RV module_acquire(struct module **out)
{
    struct process *p = process_find();
    if (!p)
        return CKR_CRYPTOKI_NOT_INITIALIZED;

    (void)pthread_mutex_lock(&p->lock);
    struct module *m = p->module;
    if (m)
        atomic_fetch_add(&m->users, 1);
    (void)pthread_mutex_unlock(&p->lock);

    *out = m;
    return m ? CKR_OK : CKR_CRYPTOKI_NOT_INITIALIZED;
}

void module_lock_acquire(struct module *m)
{
    (void)pthread_mutex_lock(&m->lock);
}

void module_lock_release(struct module **m)
{
    (void)pthread_mutex_unlock(&(*m)->lock);
}

/* The locking modes of PKCS#11 3.0 §5.4.1: we use the system's mutexes, so an application that allows only its own is
 * told so. No thread is ever started. */
static CK_RV args_check(const CK_C_INITIALIZE_ARGS *args)
{
    if (!args)
        return CKR_OK;
    if (args->pReserved)
        return CKR_ARGUMENTS_BAD;

    int given = !!args->CreateMutex + !!args->DestroyMutex + !!args->LockMutex + !!args->UnlockMutex;
    if (given != 0 && given != 4)
        return CKR_ARGUMENTS_BAD;
    return given == 4 && !(args->flags & CKF_OS_LOCKING_OK) ? CKR_CANT_LOCK : CKR_OK;
}

/* Without a configuration the module shows no slot, so that a machine on which it is registered for everybody is not
 * disturbed; a wrong configuration is an error. */
static status client_open(struct module *m, struct error *err)
{
    cleanup_client_config struct client_config *config = NULL;
    status s = client_config_load(NULL, &config, err);
    if (s.code == CODE_NOT_FOUND)
        return OK;
    TRY(s);

    if (config->log_path) /* a log that cannot be written stops no signature: the record is the server's */
        ignore(log_open(config->log_path, config->log_level, LOG_FORMAT_TEXT, NULL));
    m->timeout_ms = config->timeout_ms;
    TRY(client_new(steal(&config), &m->client, err));
    return slots_init(m, client_config_of(m->client), err);
}

static CK_RV module_open(struct module **out)
{
    cleanup_module struct module *m = calloc(1, sizeof *m);
    if (!m || pthread_mutex_init(&m->lock, NULL) != 0) {
        free(steal(&m));
        return CKR_HOST_MEMORY;
    }
    atomic_init(&m->users, 1);

    struct error err = {0};
    status s = client_open(m, &err);
    if (!is_ok(s))
        return ckr_report("initialize", s, &err);
    *out = steal(&m);
    return CKR_OK;
}

static bool process_is_initialized(struct process *p)
{
    (void)pthread_mutex_lock(&p->lock);
    bool is = p->module != NULL;
    (void)pthread_mutex_unlock(&p->lock);
    return is;
}

/* OpenSSL's configuration and ours are read with no lock held; whoever publishes first, another thread or the host's
 * openssl.cnf that led back to us, wins. */
CK_RV module_initialize(const CK_C_INITIALIZE_ARGS *args)
{
    CK_RV rv = args_check(args);
    if (rv != CKR_OK)
        return rv;
    struct process *p = process_get();
    if (!p)
        return CKR_HOST_MEMORY;

    OSSL_LIB_CTX *ctx = NULL;
    struct error err = {0};
    status s = libctx_get(&ctx, &err);
    if (!is_ok(s))
        return ckr_report("initialize", s, &err);
    (void)pthread_once(&once, register_handlers);
    if (process_is_initialized(p))
        return CKR_CRYPTOKI_ALREADY_INITIALIZED;

    cleanup_module struct module *m = NULL;
    rv = module_open(&m);
    if (rv != CKR_OK)
        return rv;

    (void)pthread_mutex_lock(&p->lock);
    bool is_first = p->module == NULL;
    if (is_first)
        p->module = steal(&m);
    (void)pthread_mutex_unlock(&p->lock);
    return is_first ? CKR_OK : CKR_CRYPTOKI_ALREADY_INITIALIZED;
}

CK_RV module_finalize(void *reserved)
{
    struct process *p = process_find();
    if (!p)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (reserved)
        return CKR_ARGUMENTS_BAD;

    (void)pthread_mutex_lock(&p->lock);
    cleanup_module struct module *m = steal(&p->module);
    (void)pthread_mutex_unlock(&p->lock);
    return m ? CKR_OK : CKR_CRYPTOKI_NOT_INITIALIZED;
}

CK_RV module_info(CK_INFO *info)
{
    if (!info)
        return CKR_ARGUMENTS_BAD;
    *info = (CK_INFO){.cryptokiVersion = {2, 40}, .libraryVersion = {CHANCERY_VERSION_MAJOR, CHANCERY_VERSION_MINOR}};
    padded_copy(info->manufacturerID, sizeof info->manufacturerID, "Chancery");
    padded_copy(info->libraryDescription, sizeof info->libraryDescription, "Chancery code signing");
    return CKR_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Initialise, finalise, and what stands between them. */
#include "module/module.h"

#include "chancery/version.h"
#include "client/libctx.h"
#include "module/ckr.h"
#include "module/padded.h"
#include "module/process.h"
#include "module/session.h"

static struct module *left_behind; /* finalised during exit: reachable, and freed by the system */

static void module_free(struct module *m)
{
    if (process_is_exiting()) { /* libcrypto may be half gone: no clean-up, no network */
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
    *out = p ? process_module(p) : NULL;
    return *out ? CKR_OK : CKR_CRYPTOKI_NOT_INITIALIZED;
}

/* Acquired before it is asked: whoever sees no exit is waited for. */
CK_RV module_acquire_for_work(struct module **out)
{
    CK_RV rv = module_acquire(out);
    if (rv != CKR_OK || !process_is_exiting())
        return rv;
    module_release(out);
    return CKR_CRYPTOKI_NOT_INITIALIZED;
}

void module_lock_acquire(struct module *m)
{
    (void)pthread_mutex_lock(&m->lock);
}

void module_lock_release(struct module **m)
{
    (void)pthread_mutex_unlock(&(*m)->lock);
}

void module_fork_lock(struct module *m)
{
    module_lock_acquire(m);
    if (m->client)
        client_fork_lock(m->client);
}

void module_fork_unlock(struct module *m)
{
    if (m->client)
        client_fork_unlock(m->client);
    module_lock_release(&m);
}

/* Only the thread that forked lives on here, and it is in no call. */
void module_fork_child(struct module *m)
{
    atomic_store(&m->users, 1);
    sessions_fork_child(m);
    if (m->client)
        client_fork_child(m->client);
    module_lock_release(&m);
}

/* The locking modes of PKCS#11 3.0 §5.4.1: we use the system's mutexes, so an application that allows only its own is
 * told so. CKF_LIBRARY_CANT_CREATE_OS_THREADS costs the deadline while a server's name is looked up, see
 * client/transport.c. */
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
    config->no_threads = m->no_threads;
    config->is_ending = process_is_exiting;
    TRY(client_new(steal(&config), &m->client, err));
    return slots_init(m, client_config_of(m->client), err);
}

static CK_RV module_open(CK_FLAGS flags, bool fork_safe, struct module **out)
{
    cleanup_module struct module *m = calloc(1, sizeof *m);
    if (!m || pthread_mutex_init(&m->lock, NULL) != 0) {
        free(steal(&m));
        return CKR_HOST_MEMORY;
    }
    atomic_init(&m->users, 1);
    m->fork_safe = fork_safe;
    m->no_threads = flags & CKF_LIBRARY_CANT_CREATE_OS_THREADS;

    struct error err = {0};
    status s = client_open(m, &err);
    if (!is_ok(s))
        return ckr_report("initialize", s, &err);
    *out = steal(&m);
    return CKR_OK;
}

static bool process_is_initialized(struct process *p)
{
    cleanup_module struct module *m = process_module(p);
    return m != NULL;
}

/* OpenSSL's configuration and ours are read with no lock held; whoever publishes first, another thread or the host's
 * openssl.cnf that led back to us, wins. */
CK_RV module_initialize(const CK_C_INITIALIZE_ARGS *args, bool fork_safe)
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
    process_watch();
    if (process_is_initialized(p))
        return CKR_CRYPTOKI_ALREADY_INITIALIZED;

    cleanup_module struct module *m = NULL;
    rv = module_open(args ? args->flags : 0, fork_safe, &m);
    if (rv != CKR_OK)
        return rv;
    if (!process_put(p, m))
        return CKR_CRYPTOKI_ALREADY_INITIALIZED;
    m = NULL;
    return CKR_OK;
}

CK_RV module_finalize(void *reserved)
{
    struct process *p = process_find();
    if (!p)
        return CKR_CRYPTOKI_NOT_INITIALIZED;
    if (reserved)
        return CKR_ARGUMENTS_BAD;
    cleanup_module struct module *m = process_take(p);
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

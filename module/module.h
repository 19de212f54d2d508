/* SPDX-License-Identifier: Apache-2.0 */
/* The library between C_Initialize and C_Finalize, one per process. Every C_ function acquires it first: C_Finalize
 * then never pulls it away from a call that runs, and a forked child finds it not initialised (I10). */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "chancery/pkcs11.h"
#include "client/client.h"
#include "module/slot.h"

struct session;

struct module {
    atomic_uint users;
    bool fork_safe;        /* both processes go on after fork() */
    bool no_threads;       /* the host forbids them */
    struct client *client; /* NULL when no configuration exists: there are no slots then */
    int64_t timeout_ms;    /* of one call */
    pthread_mutex_t lock;  /* guards everything below; never held across I/O */
    struct slot slots[2];
    size_t slot_count;
    struct session **sessions; /* by rising handle */
    size_t session_count;
    size_t session_room;
};

/* PKCS#11 3.0 §5.4.1. Reads the configuration files; no network. fork_safe: by the interface that promises it. */
CK_RV module_initialize(const CK_C_INITIALIZE_ARGS *args, bool fork_safe);
/* No network. Secrets are wiped; after the process has begun to exit, memory is left to the system. */
CK_RV module_finalize(void *reserved);
CK_RV module_info(CK_INFO *info);
/* CKR_CRYPTOKI_NOT_INITIALIZED before C_Initialize, after C_Finalize and, unless fork_safe, in a forked child. */
CK_RV module_acquire(struct module **out);
/* The same for calls that use OpenSSL or the network: refused as well when the process has begun to exit, since
 * libcrypto is being taken apart. */
CK_RV module_acquire_for_work(struct module **out);
void module_release(struct module **m); /* NULL inside is fine */
#define cleanup_module CLEANUP(module_release)

void module_lock_acquire(struct module *m);
void module_lock_release(struct module **m);
/* Around fork(): lock before it, unlock in the parent; in the child what other threads had in hand is given back. */
void module_fork_lock(struct module *m);
void module_fork_unlock(struct module *m);
void module_fork_child(struct module *m);
/* Holds the lock until the end of the scope. */
#define module_lock_scope(m)                                                                                           \
    __attribute__((cleanup(module_lock_release), unused)) struct module *lock_scope_ = (module_lock_acquire(m), (m))

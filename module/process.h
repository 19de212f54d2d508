/* SPDX-License-Identifier: Apache-2.0 */
/* The module's place in its process: one state a process, and what fork() and exit() do to it. */
#pragma once

#include <pthread.h>

#include "module/module.h"

/* One per process, never freed: the lock must outlive every call. */
struct process {
    unsigned generation;
    pthread_mutex_t lock;    /* guards module, for a few instructions; taken before the module's and the client's */
    struct module *module;   /* NULL: not initialised */
    struct process *parents; /* what came over a fork: left alone, but not lost */
};

/* NULL when C_Initialize was never called in this process. */
struct process *process_find(void);
/* The same, made at the first call. NULL when memory is short. */
struct process *process_get(void);
/* Handlers of fork and exit, registered once. After libctx_get: OpenSSL's own exit handler is then older than ours and
 * runs later, so that libcrypto is whole while process_is_exiting is false. */
void process_watch(void);
bool process_is_exiting(void);

/* The module, referenced, or NULL. */
struct module *process_module(struct process *p);
/* Publishes the module unless there is one; true when it was taken. */
bool process_put(struct process *p, struct module *m);
/* Takes it out; the caller has its reference. */
struct module *process_take(struct process *p);

/* SPDX-License-Identifier: Apache-2.0 */
/* What fork() does depends on how the module was initialised.
 *
 * Classic (C_Initialize of the default interfaces): the handler in the child bumps one counter and does nothing else;
 * every entry compares it with the counter under which the state was made. The child never touches a lock or socket of
 * its parent: it finds nothing initialised, and C_Initialize makes fresh state beside the old one (I10).
 *
 * Fork tolerant (PKCS#11 3.0 §5.4.6, CKF_INTERFACE_FORK_SAFE): the forking thread takes the module's locks, none of
 * which is ever held across I/O, so that the copy in the child is consistent, and the child adopts it. */
#include "module/process.h"

#include <stdatomic.h>
#include <unistd.h>

#include "client/libctx.h"

enum { EXIT_WAIT_MS = 1000 };

static atomic_uint fork_count;
static _Atomic(struct process *) current;
static atomic_bool exiting;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static _Thread_local struct process *held; /* by this thread, which is forking */

struct process *process_find(void)
{
    struct process *p = atomic_load(&current);
    return p && p->generation == atomic_load(&fork_count) ? p : NULL;
}

static void before_fork(void)
{
    struct process *p = process_find();
    if (!p)
        return;
    (void)pthread_mutex_lock(&p->lock);
    if (!p->module || !p->module->fork_safe) {
        (void)pthread_mutex_unlock(&p->lock);
        return;
    }
    module_fork_lock(p->module);
    held = p;
}

static void after_fork_in_parent(void)
{
    struct process *p = steal(&held);
    if (!p)
        return;
    module_fork_unlock(p->module);
    (void)pthread_mutex_unlock(&p->lock);
}

static void after_fork_in_child(void)
{
    unsigned generation = atomic_fetch_add(&fork_count, 1) + 1;
    struct process *p = steal(&held);
    if (!p)
        return;
    p->generation = generation;
    module_fork_child(p->module);
    (void)pthread_mutex_unlock(&p->lock);
}

/* Another thread's call must not be inside libcrypto while OPENSSL_cleanup takes it apart: none begins any more, and
 * the ones under way get a moment to end. */
static void at_exit(void)
{
    atomic_store(&exiting, true);
    struct process *p = process_find();
    cleanup_module struct module *m = p ? process_module(p) : NULL;
    for (int ms = 0; m && atomic_load(&m->users) > 2 && ms < EXIT_WAIT_MS; ms++)
        (void)usleep(1000); /* two: the process's reference and this one */
}

static void register_handlers(void)
{
    (void)pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
    (void)atexit(at_exit);
}

void process_watch(void)
{
    (void)pthread_once(&once, register_handlers);
}

bool process_is_exiting(void)
{
    return atomic_load(&exiting);
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

/* Of several threads one wins. The parent's OpenSSL context is given up before the new state can be seen, so that
 * nobody works in it. */
struct process *process_get(void)
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

struct module *process_module(struct process *p)
{
    (void)pthread_mutex_lock(&p->lock);
    struct module *m = p->module;
    if (m)
        atomic_fetch_add(&m->users, 1);
    (void)pthread_mutex_unlock(&p->lock);
    return m;
}

bool process_put(struct process *p, struct module *m)
{
    (void)pthread_mutex_lock(&p->lock);
    bool is_first = p->module == NULL;
    if (is_first)
        p->module = m;
    (void)pthread_mutex_unlock(&p->lock);
    return is_first;
}

struct module *process_take(struct process *p)
{
    (void)pthread_mutex_lock(&p->lock);
    struct module *m = steal(&p->module);
    (void)pthread_mutex_unlock(&p->lock);
    return m;
}

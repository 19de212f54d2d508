/* SPDX-License-Identifier: Apache-2.0 */
/* fork() with and without exec. */
#include <fcntl.h>
#include <spawn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"

extern char **environ;

enum { CHILDREN = 4, THREADS = 4, FORKS = 25 };

static void begin_anew(const struct signer *inherited)
{
    CK_SESSION_INFO info;
    must_rv(p11->C_GetSessionInfo(inherited->session, &info), CKR_CRYPTOKI_NOT_INITIALIZED);
    must_rv(p11_try_sign(inherited, "a"), CKR_CRYPTOKI_NOT_INITIALIZED);
    must_rv(p11->C_Initialize(NULL), CKR_OK);
    struct signer own = p11_signer();
    p11_sign(&own, "in the child");
    must_rv(p11->C_Finalize(NULL), CKR_OK);
}

static void run_children(void (*run)(const struct signer *s), const struct signer *s)
{
    pid_t children[CHILDREN];
    for (int i = 0; i < CHILDREN; i++)
        children[i] = child_start(run, s);
    p11_sign(s, "in the parent, meanwhile");
    for (int i = 0; i < CHILDREN; i++)
        child_join(children[i]);
    p11_sign(s, "in the parent, afterwards");
}

static void classic(void)
{
    (void)p11_load();
    must_rv(p11->C_Initialize(NULL), CKR_OK);
    struct signer s = p11_signer();
    p11_sign(&s, "before");
    run_children(begin_anew, &s);
    must_rv(p11->C_Finalize(NULL), CKR_OK);
}

static void go_on(const struct signer *s)
{
    p11_sign(s, "in the child");
    struct signer another = p11_signer();
    p11_sign(&another, "with a session of its own");
    must_rv(p11->C_Finalize(NULL), CKR_OK);
}

static void fork_safe(void)
{
    p11_load_fork_safe();
    must_rv(p11->C_Initialize(NULL), CKR_OK);
    struct signer s = p11_signer();
    run_children(go_on, &s); /* nothing was sent yet */
    run_children(go_on, &s); /* connection and token are inherited */
    must_rv(p11->C_Finalize(NULL), CKR_OK);
}

static CK_SESSION_HANDLE searching;

static void end_both(const struct signer *s, const char *rest, const char *whole)
{
    CK_OBJECT_HANDLE found[64];
    CK_BYTE signature[64];
    CK_ULONG count = 0, len = sizeof signature;
    must_rv(p11->C_FindObjects(searching, found, 64, &count), CKR_OK);
    must(count > 0);
    must_rv(p11->C_FindObjectsFinal(searching), CKR_OK);
    must_rv(p11->C_SignUpdate(s->session, (CK_BYTE_PTR)(uintptr_t)rest, strlen(rest)), CKR_OK);
    must_rv(p11->C_SignFinal(s->session, signature, &len), CKR_OK);
    must(len == 64 && p11_verify(whole, signature));
}

static void end_in_child(const struct signer *s)
{
    end_both(s, "child", "begun for the child");
}

static void fork_safe_operations(void)
{
    p11_load_fork_safe();
    must_rv(p11->C_Initialize(NULL), CKR_OK);
    struct signer s = p11_signer();
    CK_MECHANISM mechanism = {CKM_ECDSA_SHA256, NULL, 0};
    CK_OBJECT_HANDLE first = 0;
    CK_ULONG count = 0;
    searching = p11_open();
    must_rv(p11->C_FindObjectsInit(searching, NULL, 0), CKR_OK);
    must_rv(p11->C_FindObjects(searching, &first, 1, &count), CKR_OK);
    must_rv(p11->C_SignInit(s.session, &mechanism, s.key), CKR_OK);
    must_rv(p11->C_SignUpdate(s.session, (CK_BYTE_PTR) "begun for the ", 14), CKR_OK);
    pid_t children[] = {child_start(end_in_child, &s), child_start(end_in_child, &s)};
    end_both(&s, "parent", "begun for the parent");
    child_join(children[0]);
    child_join(children[1]);
    must_rv(p11->C_Finalize(NULL), CKR_OK);
}

static atomic_bool stopping;
static int to_parent[2];

/* Nothing of the host's own libcrypto or locks is used: other threads may have had them in hand. The parent checks. */
static void sign_for_parent(const struct signer *s)
{
    CK_BYTE signature[64];
    must_rv(p11_sign_only(s, "in the child", signature), CKR_OK);
    must(write(to_parent[1], signature, sizeof signature) == sizeof signature);
    must_rv(p11->C_CloseSession(p11_open()), CKR_OK);
    must_rv(p11->C_Finalize(NULL), CKR_OK);
}

static void child_sign(const struct signer *s)
{
    CK_BYTE signature[64];
    child_join(child_start(sign_for_parent, s));
    must(read(to_parent[0], signature, sizeof signature) == sizeof signature);
    must(p11_verify("in the child", signature));
}

static void *sign_until_stopped(void *argument)
{
    (void)argument;
    while (!stopping) {
        struct signer s = p11_signer();
        p11_sign(&s, "in a thread");
        must_rv(p11->C_CloseSession(s.session), CKR_OK);
        (void)usleep(5000);
    }
    return NULL;
}

static void fork_safe_threads(void)
{
    pthread_t threads[THREADS];
    p11_load_fork_safe();
    must_rv(p11->C_Initialize(NULL), CKR_OK);
    struct signer s = p11_signer();
    must(pipe2(to_parent, O_CLOEXEC) == 0);
    for (int i = 0; i < THREADS; i++)
        must(pthread_create(&threads[i], NULL, sign_until_stopped, NULL) == 0);
    for (int i = 0; i < FORKS; i++)
        child_sign(&s);
    stopping = true;
    for (int i = 0; i < THREADS; i++)
        must(pthread_join(threads[i], NULL) == 0);
    must_rv(p11->C_Finalize(NULL), CKR_OK);
}

/* A program that is started finds no socket of ours. */
static const char *const look[] = {"sh", "-c", "! ls -l /proc/self/fd | grep -q socket:", NULL};

static void spawn(bool by_vfork)
{
    pid_t child = -1;
    if (by_vfork) {
        child = vfork(); /* NOLINT: that is the case */
        if (child == 0) {
            (void)execv("/bin/sh", (char *const *)look);
            _exit(127);
        }
    } else {
        must(posix_spawn(&child, "/bin/sh", NULL, NULL, (char *const *)look, environ) == 0);
    }
    child_join(child);
}

static void exec_in_child(const struct signer *s)
{
    (void)s;
    (void)execv("/bin/sh", (char *const *)look);
    _exit(127);
}

static void started_programs(void)
{
    (void)p11_load();
    must_rv(p11->C_Initialize(NULL), CKR_OK);
    struct signer s = p11_signer();
    p11_sign(&s, "before");
    child_join(child_start(exec_in_child, &s));
    spawn(false);
    p11_sign(&s, "after posix_spawn");
    spawn(true);
    p11_sign(&s, "after vfork");
    must_rv(p11->C_Finalize(NULL), CKR_OK);
}

const struct host_case fork_cases[] = {
    {"fork-classic", classic},
    {"fork-safe", fork_safe},
    {"fork-safe-operations", fork_safe_operations},
    {"fork-safe-threads", fork_safe_threads},
    {"started-programs", started_programs},
    {NULL, NULL},
};

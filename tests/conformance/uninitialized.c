/* SPDX-License-Identifier: Apache-2.0 */
/* Every function in every state in which the module is not initialised (base §5.4.1, §5.4.2). */
#include <sys/wait.h>
#include <unistd.h>

#include "function.h"
#include "group.h"

/* A stub of a function that is not supported may say so at once (base §5.1.6). */
static void all_refused(struct rig *r, const char *when)
{
    for (size_t i = 0; i < function_count; i++) {
        if (!function_exists(r, &functions[i]))
            continue;
        struct arguments a = arguments_make(r);
        EXPECT("base §5.4.1", text("%s %s", functions[i].name, when), functions[i].call(r, &a),
               CKR_CRYPTOKI_NOT_INITIALIZED, CKR_FUNCTION_NOT_SUPPORTED);
    }
    EXPECT("base §5.4.2", text("C_Finalize %s", when), r->f->C_Finalize(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
}

void before_initialize_group(struct rig *r)
{
    r->session = 1;
    all_refused(r, "before C_Initialize");
}

void after_finalize_group(struct rig *r)
{
    check("base §5.6.1", "C_OpenSession", session_new(r, true) != CK_INVALID_HANDLE);
    EXPECT("base §5.4.2", "C_Finalize", r->f->C_Finalize(NULL), CKR_OK);
    all_refused(r, "after C_Finalize");
    if (!rig_initialize(r))
        return;
    CK_SESSION_INFO info;
    EXPECT("base §5.6.4", "a session of before C_Finalize after the next C_Initialize",
           r->f->C_GetSessionInfo(r->session, &info), CKR_SESSION_HANDLE_INVALID);
}

static bool is_fork_safe(struct rig *r)
{
    CK_INTERFACE *found = NULL;
    return r->get_interface &&
           r->get_interface((CK_UTF8CHAR *)"PKCS 11", NULL, &found, CKF_INTERFACE_FORK_SAFE) == CKR_OK;
}

/* Waits for a child that is to exit 0. */
static void child_join(pid_t child)
{
    int status = 0;
    check("base §5.4.1", text("the forked child ends well; last: %s", checks_last()),
          child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void session_is_usable(struct rig *r, const char *who)
{
    CK_SESSION_INFO info;
    CK_BYTE random[8];
    EXPECT("base §5.6.4", text("C_GetSessionInfo %s", who), r->f->C_GetSessionInfo(r->session, &info), CKR_OK);
    check("base §5.6.4", text("%s is still logged in", who), info.state == CKS_RO_USER_FUNCTIONS);
    EXPECT("base §5.19.2", text("C_GenerateRandom %s", who), r->f->C_GenerateRandom(r->session, random, sizeof random),
           CKR_OK, CKR_RANDOM_NO_RNG);
}

static void child_life(struct rig *r)
{
    CK_SESSION_HANDLE inherited = r->session;
    all_refused(r, "in a forked child");
    if (!rig_initialize(r) || !slot_by_label(r, r->token->label, &r->slot, &r->info))
        return;
    CK_SESSION_INFO info;
    EXPECT("base §5.6.4", "the parent's session in a child that initialised", r->f->C_GetSessionInfo(inherited, &info),
           CKR_SESSION_HANDLE_INVALID);
    r->session = session_new(r, false);
    EXPECT("base §5.6.8", "C_Login in the child", login(r, r->session), CKR_OK);
    session_is_usable(r, "in the child");
    EXPECT("base §5.4.2", "C_Finalize in the child", r->f->C_Finalize(NULL), CKR_OK);
}

/* A child "needs to perform its own C_Initialize call"; "ideally", a call before that gives
 * CKR_CRYPTOKI_NOT_INITIALIZED (applications and processes, usage guide 2.40). */
void forked_child_group(struct rig *r)
{
    pid_t child = fork();
    if (child == 0) {
        alarm(60);
        child_life(r);
        _exit(0);
    }
    child_join(child);
    session_is_usable(r, "in the parent after the child's end");
}

/* "When the application forks, each process will get its own copy of all session objects, session states, login states
 * …" (base §3.1, CKF_INTERFACE_FORK_SAFE). */
void fork_safe_group(struct rig *r)
{
    CK_INTERFACE *found = NULL;
    if (!is_fork_safe(r)) {
        checks_note("the module has no fork-safe interface");
        return;
    }
    EXPECT("base §5.4.6", "C_GetInterface with CKF_INTERFACE_FORK_SAFE",
           r->get_interface((CK_UTF8CHAR *)"PKCS 11", NULL, &found, CKF_INTERFACE_FORK_SAFE), CKR_OK);
    check("base §3.1", "the interface given is marked fork-safe", found->flags & CKF_INTERFACE_FORK_SAFE);
    (void)r->f->C_Finalize(NULL);
    r->f = found->pFunctionList; /* both lists begin alike */
    if (!rig_initialize(r))
        return;
    r->session = session_new(r, false);
    EXPECT("base §5.6.8", "C_Login through the fork-safe interface", login(r, r->session), CKR_OK);
    pid_t child = fork();
    if (child == 0) {
        alarm(60);
        session_is_usable(r, "in a forked child of a fork-safe interface");
        EXPECT("base §3.1", "C_Logout in the child", r->f->C_Logout(r->session), CKR_OK);
        _exit(0);
    }
    child_join(child);
    session_is_usable(r, "in the parent, whose child logged out");
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions. A session owns one search and one cryptographic operation. session_acquire takes a session for one thread;
 * a second thread on the same session is refused (CKR_OPERATION_ACTIVE), so that nobody waits for another's request
 * (I10). */
#pragma once

#include "module/module.h"
#include "module/operation.h"

struct session {
    CK_SESSION_HANDLE handle;
    struct module *module;
    struct slot *slot;
    bool read_write;
    bool busy;   /* acquired; guarded by the module's lock */
    bool closed; /* while busy: whoever holds it frees it */
    /* Touched only by the thread that acquired the session. */
    struct search search;
    struct operation operation;
};

CK_RV session_open(struct module *m, CK_SLOT_ID slot, CK_FLAGS flags, CK_SESSION_HANDLE *out);
CK_RV session_close(struct module *m, CK_SESSION_HANDLE handle);
CK_RV session_close_all(struct module *m, CK_SLOT_ID slot);
/* C_GetFunctionStatus, C_CancelFunction: nothing runs in parallel (PKCS#11 3.0 §5.20). */
CK_RV session_parallel(struct module *m, CK_SESSION_HANDLE handle);
CK_RV session_info(struct module *m, CK_SESSION_HANDLE handle, CK_SESSION_INFO *info);
/* In a forked child: sessions that another thread of the parent had in hand are free, and their operation is gone,
 * since it may have been in the middle of a change; what it held is lost. Lock held. */
void sessions_fork_child(struct module *m);
void sessions_clear(struct module *m); /* nobody uses the module any more */

/* For operations: exclusive, and holds the module too. */
CK_RV session_acquire(CK_SESSION_HANDLE handle, struct session **out);
void session_release(struct session **s);
/* C_SessionCancel: flags as in CK_MECHANISM_INFO. */
CK_RV session_cancel(struct session *s, CK_FLAGS flags);
#define cleanup_session CLEANUP(session_release)

/* For calls that touch no operation: what the session stands on. */
struct session_view {
    struct slot *slot;
    bool read_write;
};
CK_RV session_view(struct module *m, CK_SESSION_HANDLE handle, struct session_view *out);
/* Puts the session object under the token, for as long as the session lives. */
CK_RV session_object_add(struct module *m, CK_SESSION_HANDLE handle, struct object_set *set);

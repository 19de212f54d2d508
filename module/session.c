/* SPDX-License-Identifier: Apache-2.0 */
/* The table of sessions, by rising handle. Handles are not used twice. */
#include "module/session.h"

#include <stdatomic.h>
#include <string.h>

static atomic_ulong last_handle;

enum { ENTRY_SIZE = sizeof(struct session *) }; /* NOLINT(bugprone-sizeof-expression): the table holds pointers */

static int compare_handle(const void *wanted, const void *item)
{
    CK_SESSION_HANDLE left = *(const CK_SESSION_HANDLE *)wanted, right = (*(struct session *const *)item)->handle;
    return (left > right) - (left < right);
}

/* Lock held. */
static struct session **table_find(struct module *m, CK_SESSION_HANDLE handle)
{
    if (m->session_count == 0)
        return NULL;
    return bsearch(&handle, m->sessions, m->session_count, ENTRY_SIZE, compare_handle);
}

static bool table_grow(struct module *m)
{
    if (m->session_count < m->session_room)
        return true;
    size_t room = m->session_room ? m->session_room * 2 : 16;
    struct session **table = reallocarray(m->sessions, room, ENTRY_SIZE);
    if (!table)
        return false;
    m->sessions = table;
    m->session_room = room;
    return true;
}

static void session_free(struct session *s)
{
    search_end(&s->search);
    operation_end(&s->operation);
    free(s);
}

/* Takes the session out of the table; the last one of a token ends its login (PKCS#11 3.0 §5.6.3). True when the caller
 * must free it: it is not in anybody's hands. Lock held. */
static bool table_remove(struct module *m, struct session **at)
{
    struct session *s = *at;
    size_t behind = (size_t)(m->sessions + m->session_count - (at + 1));
    memmove(at, at + 1, behind * ENTRY_SIZE);
    m->session_count--;

    s->closed = true;
    s->slot->session_count--;
    s->slot->rw_session_count -= s->read_write;
    session_objects_end(&s->slot->session_objects, s->handle);
    if (s->slot->session_count == 0)
        slot_logout(s->slot);
    return !s->busy;
}

CK_RV session_open(struct module *m, CK_SLOT_ID slot_id, CK_FLAGS flags, CK_SESSION_HANDLE *out)
{
    struct slot *slot = slot_find(m, slot_id);
    if (!slot)
        return CKR_SLOT_ID_INVALID;
    if (!(flags & CKF_SERIAL_SESSION))
        return CKR_SESSION_PARALLEL_NOT_SUPPORTED;
    if (!out)
        return CKR_ARGUMENTS_BAD;

    cleanup_free struct session *s = calloc(1, sizeof *s);
    if (!s)
        return CKR_HOST_MEMORY;
    *s = (struct session){.module = m, .slot = slot, .read_write = flags & CKF_RW_SESSION};

    module_lock_scope(m);
    if (!table_grow(m))
        return CKR_HOST_MEMORY;
    s->handle = atomic_fetch_add(&last_handle, 1) + 1;
    slot->session_count++;
    slot->rw_session_count += s->read_write;
    *out = s->handle;
    m->sessions[m->session_count++] = steal(&s);
    return CKR_OK;
}

CK_RV session_close(struct module *m, CK_SESSION_HANDLE handle)
{
    struct session *s = NULL;
    bool is_free = false;
    module_lock_acquire(m);
    struct session **at = table_find(m, handle);
    if (at) {
        s = *at;
        is_free = table_remove(m, at);
    }
    module_lock_release(&m);

    if (is_free)
        session_free(s);
    return s ? CKR_OK : CKR_SESSION_HANDLE_INVALID;
}

CK_RV session_close_all(struct module *m, CK_SLOT_ID slot_id)
{
    struct slot *slot = slot_find(m, slot_id);
    if (!slot)
        return CKR_SLOT_ID_INVALID;

    module_lock_scope(m);
    for (size_t i = m->session_count; i-- > 0;) {
        struct session *s = m->sessions[i];
        if (s->slot == slot && table_remove(m, &m->sessions[i]))
            session_free(s);
    }
    return CKR_OK;
}

void sessions_clear(struct module *m)
{
    for (size_t i = 0; i < m->session_count; i++)
        session_free(m->sessions[i]);
    free(m->sessions);
    m->sessions = NULL;
    m->session_count = m->session_room = 0;
}

void sessions_fork_child(struct module *m)
{
    for (size_t i = 0; i < m->session_count; i++) {
        struct session *s = m->sessions[i];
        if (s->busy) {
            s->search = (struct search){0};
            s->operation = (struct operation){0};
        }
        s->busy = false;
    }
}

static CK_STATE session_state(const struct session *s)
{
    if (s->slot->logged_in)
        return s->read_write ? CKS_RW_USER_FUNCTIONS : CKS_RO_USER_FUNCTIONS;
    return s->read_write ? CKS_RW_PUBLIC_SESSION : CKS_RO_PUBLIC_SESSION;
}

CK_RV session_info(struct module *m, CK_SESSION_HANDLE handle, CK_SESSION_INFO *info)
{
    module_lock_scope(m);
    struct session **at = table_find(m, handle);
    if (!at)
        return CKR_SESSION_HANDLE_INVALID;
    if (!info)
        return CKR_ARGUMENTS_BAD;
    *info = (CK_SESSION_INFO){.slotID = (*at)->slot->id,
                              .state = session_state(*at),
                              .flags = CKF_SERIAL_SESSION | ((*at)->read_write ? CKF_RW_SESSION : 0)};
    return CKR_OK;
}

CK_RV session_view(struct module *m, CK_SESSION_HANDLE handle, struct session_view *out)
{
    module_lock_scope(m);
    struct session **at = table_find(m, handle);
    if (!at)
        return CKR_SESSION_HANDLE_INVALID;
    *out = (struct session_view){(*at)->slot, (*at)->read_write};
    return CKR_OK;
}

CK_RV session_object_add(struct module *m, CK_SESSION_HANDLE handle, struct object_set *set)
{
    module_lock_scope(m);
    struct session **at = table_find(m, handle);
    return at ? session_objects_add(&(*at)->slot->session_objects, handle, set) : CKR_SESSION_HANDLE_INVALID;
}

CK_RV session_parallel(struct module *m, CK_SESSION_HANDLE handle)
{
    struct session_view view;
    CK_RV rv = session_view(m, handle, &view);
    return rv == CKR_OK ? CKR_FUNCTION_NOT_PARALLEL : rv;
}

CK_RV session_cancel(struct session *s, CK_FLAGS flags)
{
    static const CK_FLAGS flag_of[] = {
        [OPERATION_DIGEST] = CKF_DIGEST, [OPERATION_SIGN] = CKF_SIGN, [OPERATION_VERIFY] = CKF_VERIFY};
    if (flags & CKF_FIND_OBJECTS)
        search_end(&s->search);
    if (flags & flag_of[s->operation.kind])
        operation_end(&s->operation);
    return CKR_OK;
}

static CK_RV session_take(struct module *m, CK_SESSION_HANDLE handle, struct session **out)
{
    module_lock_scope(m);
    struct session **at = table_find(m, handle);
    if (!at)
        return CKR_SESSION_HANDLE_INVALID;
    if ((*at)->busy)
        return CKR_OPERATION_ACTIVE;
    (*at)->busy = true;
    *out = *at;
    return CKR_OK;
}

CK_RV session_acquire(CK_SESSION_HANDLE handle, struct session **out)
{
    cleanup_module struct module *m = NULL;
    CK_RV rv = module_acquire_for_work(&m);
    if (rv == CKR_OK)
        rv = session_take(m, handle, out);
    if (rv == CKR_OK)
        m = NULL; /* held by the session until session_release */
    return rv;
}

void session_release(struct session **held)
{
    struct session *s = *held;
    if (!s)
        return;
    cleanup_module struct module *m = s->module;
    module_lock_acquire(m);
    s->busy = false;
    bool closed = s->closed;
    module_lock_release(&(struct module *){m});

    if (closed)
        session_free(s);
    *held = NULL;
}

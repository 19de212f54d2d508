/* SPDX-License-Identifier: Apache-2.0 */
/* The calls on one object. Reading is answered from memory; writing to the token is refused, with the code the standard
 * has for the session and the object at hand. */
#include "module/object.h"

#include "module/session.h"

struct lookup {
    struct session_view view;
    struct object_set *set; /* keeps the object alive */
    const struct object *object;
};

static void lookup_clear(struct lookup *l)
{
    object_set_unref(l->set);
}
#define cleanup_lookup CLEANUP(lookup_clear)

/* The object in the set that was seen last: never a request. */
static CK_RV lookup_find(struct module *m, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE handle, struct lookup *out)
{
    CK_RV rv = session_view(m, session, &out->view);
    if (rv != CKR_OK)
        return rv;
    out->set = slot_objects_seen(out->view.slot);
    out->object = out->set ? slot_object_find(out->view.slot, out->set, handle) : NULL;
    return out->object ? CKR_OK : CKR_OBJECT_HANDLE_INVALID;
}

CK_RV object_read(struct module *m, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE handle, CK_ATTRIBUTE *wanted,
                  CK_ULONG count)
{
    cleanup_lookup struct lookup found = {0};
    CK_RV rv = lookup_find(m, session, handle, &found);
    if (rv != CKR_OK)
        return rv;
    if (!wanted && count > 0)
        return CKR_ARGUMENTS_BAD;
    return attributes_read(&found.object->attributes, wanted, count);
}

CK_RV object_size(struct module *m, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE handle, CK_ULONG *size)
{
    cleanup_lookup struct lookup found = {0};
    CK_RV rv = lookup_find(m, session, handle, &found);
    if (rv != CKR_OK)
        return rv;
    if (!size)
        return CKR_ARGUMENTS_BAD;
    *size = attributes_size(&found.object->attributes);
    return CKR_OK;
}

static bool template_says(struct template t, CK_ATTRIBUTE_TYPE type, bool otherwise)
{
    for (CK_ULONG i = 0; i < t.count; i++) {
        const CK_ATTRIBUTE *a = &t.attributes[i];
        if (a->type == type && a->pValue && a->ulValueLen == sizeof(CK_BBOOL))
            return *(const CK_BBOOL *)a->pValue != CK_FALSE;
    }
    return otherwise;
}

/* The token holds what the server lists and nothing else. */
CK_RV object_create(struct module *m, CK_SESSION_HANDLE session, struct template wanted, CK_OBJECT_HANDLE *out)
{
    struct session_view view;
    CK_RV rv = session_view(m, session, &view);
    if (rv != CKR_OK)
        return rv;
    if (!out || attributes_template_check(wanted.attributes, wanted.count) != CKR_OK)
        return CKR_ARGUMENTS_BAD;
    if (!template_says(wanted, CKA_TOKEN, false))
        return CKR_FUNCTION_NOT_SUPPORTED;
    return view.read_write ? CKR_TOKEN_WRITE_PROTECTED : CKR_SESSION_READ_ONLY;
}

/* Every object says CKA_MODIFIABLE, CKA_COPYABLE and CKA_DESTROYABLE false (PKCS#11 3.0 §4.4). */
static CK_RV refuse(struct module *m, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE handle, bool writes_to_token)
{
    cleanup_lookup struct lookup found = {0};
    CK_RV rv = lookup_find(m, session, handle, &found);
    if (rv != CKR_OK)
        return rv;
    return writes_to_token && !found.view.read_write ? CKR_SESSION_READ_ONLY : CKR_ACTION_PROHIBITED;
}

CK_RV object_change(struct module *m, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE handle, struct template wanted)
{
    CK_RV rv = refuse(m, session, handle, true);
    bool is_judged = rv == CKR_SESSION_READ_ONLY || rv == CKR_ACTION_PROHIBITED;
    if (is_judged && attributes_template_check(wanted.attributes, wanted.count) != CKR_OK)
        return CKR_ARGUMENTS_BAD;
    return rv;
}

/* A copy that is to be a session object writes nothing to the token: then only CKA_COPYABLE stands in its way. */
CK_RV object_copy(struct module *m, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE handle, struct template wanted,
                  CK_OBJECT_HANDLE *out)
{
    bool is_template = out && attributes_template_check(wanted.attributes, wanted.count) == CKR_OK;
    CK_RV rv = refuse(m, session, handle, is_template && template_says(wanted, CKA_TOKEN, true));
    bool is_judged = rv == CKR_SESSION_READ_ONLY || rv == CKR_ACTION_PROHIBITED;
    return is_judged && !is_template ? CKR_ARGUMENTS_BAD : rv;
}

CK_RV object_destroy(struct module *m, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE handle)
{
    return refuse(m, session, handle, true);
}

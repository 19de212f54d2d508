/* SPDX-License-Identifier: Apache-2.0 */
/* The calls on one object. Reading is answered from memory; writing to the token is refused, with the code the standard
 * has for the session and the object at hand; session objects are made, changed and destroyed here. */
#include "module/object.h"

#include <string.h>

#include "module/session.h"
#include "module/session_key.h"

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

/* Never a request. */
static CK_RV lookup_find(struct module *m, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE handle, struct lookup *out)
{
    CK_RV rv = session_view(m, session, &out->view);
    if (rv != CKR_OK)
        return rv;
    out->object = slot_object_acquire(out->view.slot, handle, &out->set);
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

CK_RV object_use_check(const struct object *o, CK_MECHANISM_TYPE mechanism)
{
    if (o->class == CKO_PUBLIC_KEY && !attribute_is_true(&o->attributes, CKA_VERIFY))
        return CKR_KEY_FUNCTION_NOT_PERMITTED;
    struct slice allowed = {0};
    (void)attribute_get(&o->attributes, CKA_ALLOWED_MECHANISMS, &allowed);
    for (size_t at = 0; at + sizeof mechanism <= allowed.len; at += sizeof mechanism) {
        if (memcmp(allowed.data + at, &mechanism, sizeof mechanism) == 0)
            return CKR_OK;
    }
    return CKR_MECHANISM_INVALID;
}

/* A new object that is to stand on the token is refused as such; the token holds what the server lists. A session
 * object is public: a private one needs a login (PKCS#11 3.0 §5.7.1), and then there is still none of this kind. */
static CK_RV place_judge(struct session_view view, struct template t, bool on_token)
{
    if (on_token)
        return view.read_write ? CKR_TOKEN_WRITE_PROTECTED : CKR_SESSION_READ_ONLY;
    if (!template_says(t, CKA_PRIVATE, false))
        return CKR_OK;
    return slot_is_open(view.slot) ? CKR_TEMPLATE_INCONSISTENT : CKR_USER_NOT_LOGGED_IN;
}

/* Of the classes of the standard only public keys can be session objects here. */
static CK_RV class_judge(struct template t)
{
    CK_OBJECT_CLASS class = 0;
    if (!template_find(t, CKA_CLASS))
        return CKR_TEMPLATE_INCOMPLETE;
    if (!template_ulong(t, CKA_CLASS, &class) || class > CKO_PROFILE)
        return CKR_ATTRIBUTE_VALUE_INVALID;
    return class == CKO_PUBLIC_KEY ? CKR_OK : CKR_TEMPLATE_INCONSISTENT;
}

static CK_RV object_add(struct module *m, CK_SESSION_HANDLE session, struct object_set *set, CK_OBJECT_HANDLE *out)
{
    CK_RV rv = session_object_add(m, session, set);
    if (rv == CKR_OK)
        *out = object_set_at(set, 0)->handle;
    return rv;
}

CK_RV object_create(struct module *m, CK_SESSION_HANDLE session, struct template wanted, CK_OBJECT_HANDLE *out)
{
    struct session_view view;
    CK_RV rv = session_view(m, session, &view);
    if (rv != CKR_OK)
        return rv;
    if (!out || attributes_template_check(wanted.attributes, wanted.count) != CKR_OK)
        return CKR_ARGUMENTS_BAD;

    cleanup_object_set struct object_set *set = NULL;
    rv = place_judge(view, wanted, template_says(wanted, CKA_TOKEN, false));
    if (rv == CKR_OK)
        rv = class_judge(wanted);
    if (rv == CKR_OK)
        rv = session_key_create(view.slot, wanted, &set);
    return rv == CKR_OK ? object_add(m, session, set, out) : rv;
}

static bool is_on_token(const struct object *o)
{
    return attribute_is_true(&o->attributes, CKA_TOKEN);
}

/* Every object of the token says CKA_MODIFIABLE, CKA_COPYABLE and CKA_DESTROYABLE false; one of a session says what its
 * maker said (PKCS#11 3.0 §4.4). */
static CK_RV lookup_judge(const struct lookup *found, CK_ATTRIBUTE_TYPE permission, bool writes_to_token)
{
    if (writes_to_token && !found->view.read_write)
        return CKR_SESSION_READ_ONLY;
    bool is_permitted = !is_on_token(found->object) && attribute_is_true(&found->object->attributes, permission);
    return is_permitted ? CKR_OK : CKR_ACTION_PROHIBITED;
}

/* True when the object is what it was, and now is what set has; NULL: is no more. */
static bool lookup_replace(const struct lookup *found, struct object_set *set)
{
    struct slot *slot = found->view.slot;
    module_lock_scope(slot->module);
    return session_objects_replace(&slot->session_objects, found->set, set);
}

static CK_RV change_once(const struct lookup *found, struct template wanted, bool *is_done)
{
    CK_RV rv = lookup_judge(found, CKA_MODIFIABLE, is_on_token(found->object));
    if (rv != CKR_OK)
        return rv;
    cleanup_object_set struct object_set *set = NULL;
    rv = session_key_set(found->object, wanted, &set);
    if (rv == CKR_OK)
        *is_done = lookup_replace(found, set);
    return rv;
}

/* Again, when another thread changed the object meanwhile. */
CK_RV object_change(struct module *m, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE handle, struct template wanted)
{
    bool is_done = false;
    CK_RV rv = CKR_OK;
    while (rv == CKR_OK && !is_done) {
        cleanup_lookup struct lookup found = {0};
        rv = lookup_find(m, session, handle, &found);
        if (rv == CKR_OK)
            rv = attributes_template_check(wanted.attributes, wanted.count);
        if (rv == CKR_OK)
            rv = change_once(&found, wanted, &is_done);
    }
    return rv;
}

/* A copy stands where its original does, unless the template says otherwise. One that is to be a session object writes
 * nothing to the token: then only CKA_COPYABLE stands in its way. */
CK_RV object_copy(struct module *m, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE handle, struct template wanted,
                  CK_OBJECT_HANDLE *out)
{
    cleanup_lookup struct lookup found = {0};
    CK_RV rv = lookup_find(m, session, handle, &found);
    if (rv != CKR_OK)
        return rv;
    if (!out || attributes_template_check(wanted.attributes, wanted.count) != CKR_OK)
        return CKR_ARGUMENTS_BAD;

    cleanup_object_set struct object_set *set = NULL;
    bool on_token = template_says(wanted, CKA_TOKEN, is_on_token(found.object));
    rv = lookup_judge(&found, CKA_COPYABLE, on_token);
    if (rv == CKR_OK)
        rv = place_judge(found.view, wanted, on_token);
    if (rv == CKR_OK)
        rv = session_key_copy(found.object, wanted, &set);
    return rv == CKR_OK ? object_add(m, session, set, out) : rv;
}

CK_RV object_destroy(struct module *m, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE handle)
{
    bool is_done = false;
    CK_RV rv = CKR_OK;
    while (rv == CKR_OK && !is_done) {
        cleanup_lookup struct lookup found = {0};
        rv = lookup_find(m, session, handle, &found);
        if (rv == CKR_OK)
            rv = lookup_judge(&found, CKA_DESTROYABLE, is_on_token(found.object));
        if (rv == CKR_OK)
            is_done = lookup_replace(&found, NULL);
    }
    return rv;
}

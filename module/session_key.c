/* SPDX-License-Identifier: Apache-2.0 */
/* Session public keys. Numbers are read by key_import.c; everything else is the caller's word, over the defaults of the
 * attribute tables. An object is never changed in place: whoever verifies with it keeps what they began with. */
#include "module/session_key.h"

#include <stdio.h>
#include <string.h>

#include "client/client.h"
#include "client/libctx.h"
#include "module/ckr.h"
#include "module/key_import.h"

static bool slot_takes(const struct slot *slot, CK_KEY_TYPE type)
{
    if (type == CKK_EC_EDWARDS)
        return slot->has_edwards;
    return slot->has_others && (type == CKK_RSA || type == CKK_EC);
}

/* The form of these is ours: minimal numbers, the point in its OCTET STRING. */
static bool is_normalized(CK_ATTRIBUTE_TYPE type)
{
    return type == CKA_MODULUS || type == CKA_PUBLIC_EXPONENT || type == CKA_EC_POINT || type == CKA_PUBLIC_KEY_INFO;
}

static void apply(struct attributes *a, struct template t)
{
    for (CK_ULONG i = 0; i < t.count; i++) {
        const CK_ATTRIBUTE *given = &t.attributes[i];
        if (!is_normalized(given->type))
            attribute_set(a, given->type, (struct slice){given->pValue, given->ulValueLen});
    }
}

static void unique_id_set(struct attributes *a, CK_OBJECT_HANDLE handle)
{
    char text[40];
    int len = snprintf(text, sizeof text, "session/%lu", handle);
    attribute_set(a, CKA_UNIQUE_ID, (struct slice){(const uint8_t *)text, (size_t)len});
}

/* PKCS#11 3.0 §4.8: CKA_PUBLIC_KEY_INFO may be left out or empty; else it is that of this key. */
static CK_RV info_judge(const struct client_key *key, struct template t)
{
    struct slice info = {0};
    if (!template_slice(t, CKA_PUBLIC_KEY_INFO, &info) || info.len == 0)
        return CKR_OK;
    return slice_equal(info, buf_slice(&key->spki)) ? CKR_OK : CKR_TEMPLATE_INCONSISTENT;
}

/* Takes the attributes and the key. */
static CK_RV object_wrap(struct object *o, struct client_key *key, struct object_set **out)
{
    struct error err = {0};
    o->key = key;
    return ckr_report("session object", object_set_of(o, 1, key, out, &err), &err);
}

static CK_RV created(struct client_key *key, struct template t, struct object_set **out)
{
    struct object o = {.handle = object_handle_new(), .class = CKO_PUBLIC_KEY};
    bool is_filled = object_fill_session_key(&o.attributes, key);
    unique_id_set(&o.attributes, o.handle);
    apply(&o.attributes, t);
    CK_RV rv = object_wrap(&o, key, out);
    return rv == CKR_OK && !is_filled ? CKR_GENERAL_ERROR : rv;
}

CK_RV session_key_create(const struct slot *slot, struct template t, struct object_set **out)
{
    CK_KEY_TYPE type = 0;
    if (!template_find(t, CKA_KEY_TYPE))
        return CKR_TEMPLATE_INCOMPLETE;
    if (!template_ulong(t, CKA_KEY_TYPE, &type) || !slot_takes(slot, type))
        return CKR_ATTRIBUTE_VALUE_INVALID;
    CK_RV rv = template_judge(t, TEMPLATE_CREATE, type);
    if (rv != CKR_OK)
        return rv;

    cleanup_libctx struct libctx_scope scope = {0};
    cleanup_imported_key struct client_key *key = NULL;
    if (!is_ok(libctx_enter(&scope, NULL)))
        return CKR_GENERAL_ERROR;
    rv = key_import(type, t, &key);
    if (rv == CKR_OK)
        rv = info_judge(key, t);
    return rv == CKR_OK ? created(steal(&key), t, out) : rv;
}

static CK_RV changed(const struct object *from, CK_OBJECT_HANDLE handle, struct template t, struct object_set **out)
{
    struct client_key *key = imported_key_dup(from->key);
    if (!key)
        return CKR_HOST_MEMORY;
    struct object o = {.handle = handle ? handle : object_handle_new(), .class = from->class};
    attributes_copy(&from->attributes, &o.attributes);
    if (!handle)
        unique_id_set(&o.attributes, o.handle);
    apply(&o.attributes, t);
    return object_wrap(&o, key, out);
}

static CK_KEY_TYPE key_type_of_object(const struct object *o)
{
    CK_KEY_TYPE type = 0;
    struct slice value;
    if (attribute_get(&o->attributes, CKA_KEY_TYPE, &value) && value.len == sizeof type)
        memcpy(&type, value.data, sizeof type);
    return type;
}

CK_RV session_key_copy(const struct object *from, struct template t, struct object_set **out)
{
    CK_RV rv = template_judge(t, TEMPLATE_COPY, key_type_of_object(from));
    return rv == CKR_OK ? changed(from, 0, t, out) : rv;
}

CK_RV session_key_set(const struct object *from, struct template t, struct object_set **out)
{
    CK_RV rv = template_judge(t, TEMPLATE_SET, key_type_of_object(from));
    /* Once false, CKA_COPYABLE stays so (PKCS#11 3.0 §4.4). */
    if (rv == CKR_OK && template_says(t, CKA_COPYABLE, false) && !attribute_is_true(&from->attributes, CKA_COPYABLE))
        rv = CKR_ATTRIBUTE_READ_ONLY;
    return rv == CKR_OK ? changed(from, from->handle, t, out) : rv;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The beginning and the parts of an operation with a key. */
#include "module/key_operation.h"

#include "module/object.h"

CK_RV key_operation_find(struct session *s, CK_OBJECT_HANDLE handle, CK_OBJECT_CLASS wanted, struct operation *op)
{
    const struct object *o = slot_object_acquire(s->slot, handle, &op->objects);
    if (!o || !o->key || (o->class != CKO_PUBLIC_KEY && o->class != CKO_PRIVATE_KEY))
        return CKR_KEY_HANDLE_INVALID;
    if (o->class != wanted)
        return CKR_KEY_FUNCTION_NOT_PERMITTED;
    op->key = o->key;
    return CKR_OK;
}

/* Finds the key and what the mechanism makes of it; on success the operation is complete but for its kind. */
static CK_RV key_operation_begin(struct session *s, const CK_MECHANISM *mechanism, CK_OBJECT_HANDLE handle,
                                 CK_OBJECT_CLASS wanted)
{
    struct operation *op = &s->operation;
    CK_RV rv = key_operation_find(s, handle, wanted, op);
    if (rv == CKR_KEY_HANDLE_INVALID)
        return rv;
    if (!mechanism_find_sign(mechanism->mechanism))
        return CKR_MECHANISM_INVALID;
    if (rv == CKR_OK)
        rv = message_init(&op->message, mechanism, op->key);
    return rv == CKR_OK ? object_use_check(object_set_find(op->objects, handle), mechanism->mechanism) : rv;
}

static CK_RV key_operation_cancel(struct operation *op, enum operation_kind kind)
{
    if (op->kind != kind)
        return CKR_ARGUMENTS_BAD;
    operation_end(op);
    return CKR_OK;
}

CK_RV key_operation_init(struct session *s, const CK_MECHANISM *mechanism, CK_OBJECT_HANDLE handle,
                         enum operation_kind kind, CK_OBJECT_CLASS wanted)
{
    struct operation *op = &s->operation;
    if (!mechanism)
        return key_operation_cancel(op, kind);
    if (op->kind != OPERATION_NONE)
        return CKR_OPERATION_ACTIVE;

    CK_RV rv = key_operation_begin(s, mechanism, handle, wanted);
    if (rv == CKR_OK)
        op->kind = kind;
    else
        operation_end(op);
    return rv;
}

static CK_RV key_operation_add(struct operation *op, struct slice part)
{
    if (!message_takes_parts(&op->message))
        return CKR_FUNCTION_NOT_SUPPORTED;
    if (!part.data && part.len > 0)
        return CKR_ARGUMENTS_BAD;
    op->in_parts = true;
    return message_add(&op->message, part);
}

CK_RV key_operation_update(struct session *s, enum operation_kind kind, struct slice part)
{
    struct operation *op = &s->operation;
    if (op->kind != kind)
        return CKR_OPERATION_NOT_INITIALIZED;
    CK_RV rv = key_operation_add(op, part);
    if (rv != CKR_OK)
        operation_end(op);
    return rv;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* C_Verify*. */
#include "module/verify.h"

#include "client/client.h"
#include "client/libctx.h"
#include "module/ckr.h"
#include "module/key_operation.h"

CK_RV verify_init(struct session *s, const CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    return key_operation_init(s, mechanism, key, OPERATION_VERIFY, CKO_PUBLIC_KEY);
}

static status signature_check(const struct operation *op, const struct sign_input *in, struct slice signature,
                              struct error *err)
{
    cleanup_libctx struct libctx_scope scope = {0};
    TRY(libctx_enter(&scope, err));
    return signature_verify(scope.ctx, client_key_public(op->key), in, signature, err);
}

/* whole NULL: the end of a series of parts. */
static CK_RV verify_end(struct operation *op, const struct slice *whole, struct slice signature)
{
    if (!signature.data)
        return CKR_ARGUMENTS_BAD;
    struct sign_input in;
    CK_RV rv = message_finish(&op->message, whole, &in);
    if (rv != CKR_OK)
        return rv;
    if (signature.len != key_type_signature_len(op->key->type))
        return CKR_SIGNATURE_LEN_RANGE;

    struct error err = {0};
    status s = signature_check(op, &in, signature, &err);
    return s.code == CODE_BAD_SIGNATURE ? CKR_SIGNATURE_INVALID : ckr_report("verify", s, &err);
}

static CK_RV verify_whole(struct operation *op, struct slice data, struct slice signature)
{
    if (!data.data && data.len > 0)
        return CKR_ARGUMENTS_BAD;
    return op->in_parts ? CKR_OPERATION_ACTIVE : verify_end(op, &data, signature);
}

CK_RV verify_oneshot(struct session *s, const CK_BYTE *data, CK_ULONG data_len, const CK_BYTE *signature, CK_ULONG len)
{
    struct operation *op = &s->operation;
    if (op->kind != OPERATION_VERIFY)
        return CKR_OPERATION_NOT_INITIALIZED;
    CK_RV rv = verify_whole(op, (struct slice){data, data_len}, (struct slice){signature, len});
    operation_end(op);
    return rv;
}

CK_RV verify_update(struct session *s, const CK_BYTE *part, CK_ULONG part_len)
{
    return key_operation_update(s, OPERATION_VERIFY, (struct slice){part, part_len});
}

CK_RV verify_final(struct session *s, const CK_BYTE *signature, CK_ULONG len)
{
    struct operation *op = &s->operation;
    if (op->kind != OPERATION_VERIFY)
        return CKR_OPERATION_NOT_INITIALIZED;
    CK_RV rv = CKR_FUNCTION_NOT_SUPPORTED;
    if (message_takes_parts(&op->message))
        rv = verify_end(op, NULL, (struct slice){signature, len});
    operation_end(op);
    return rv;
}

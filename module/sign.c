/* SPDX-License-Identifier: Apache-2.0 */
/* C_Sign*. */
#include "module/sign.h"

#include <string.h>

#include "module/ckr.h"
#include "module/key_operation.h"
#include "module/object.h"

CK_RV sign_init(struct session *s, const CK_MECHANISM *mechanism, CK_OBJECT_HANDLE key)
{
    return key_operation_init(s, mechanism, key, OPERATION_SIGN, CKO_PRIVATE_KEY);
}

static CK_RV sign_send(struct session *s, const struct sign_input *in, CK_BYTE *signature, CK_ULONG *len)
{
    struct client *client = s->module->client;
    cleanup_buf struct buf made = {0};
    struct error err = {0};
    status st = client_sign(client, s->operation.key, in, deadline_in(s->module->timeout_ms), &made, &err);
    if (is_ok(st) && made.len > *len)
        st = error_set(&err, CODE_BAD_SIGNATURE, "the signature has %zu bytes", made.len);
    if (!is_ok(st)) {
        error_prefix(&err, "%s", s->operation.key->token_label);
        return ckr_report("sign", st, &err);
    }
    memcpy(signature, made.data, made.len);
    *len = made.len;
    return CKR_OK;
}

/* whole NULL: the end of a series of parts. */
static CK_RV sign_end(struct session *s, const struct slice *whole, CK_BYTE *signature, CK_ULONG *len)
{
    struct operation *op = &s->operation;
    enum output output = output_judge(signature, len, key_type_signature_len(op->key->type));
    if (output != OUTPUT_WRITE)
        return output_answer(output);
    if (!slot_shows_private(s->slot, op->objects))
        return CKR_USER_NOT_LOGGED_IN;
    struct sign_input in;
    CK_RV rv = message_finish(&op->message, whole, &in);
    return rv == CKR_OK ? sign_send(s, &in, signature, len) : rv;
}

static CK_RV sign_whole(struct session *s, struct slice data, CK_BYTE *signature, CK_ULONG *len)
{
    if (!len || (!data.data && data.len > 0))
        return CKR_ARGUMENTS_BAD;
    if (s->operation.in_parts)
        return CKR_OPERATION_ACTIVE;
    return sign_end(s, &data, signature, len);
}

CK_RV sign_oneshot(struct session *s, const CK_BYTE *data, CK_ULONG data_len, CK_BYTE *signature, CK_ULONG *len)
{
    if (s->operation.kind != OPERATION_SIGN)
        return CKR_OPERATION_NOT_INITIALIZED;
    CK_RV rv = sign_whole(s, (struct slice){data, data_len}, signature, len);
    return operation_settle(&s->operation, rv, signature);
}

CK_RV sign_update(struct session *s, const CK_BYTE *part, CK_ULONG part_len)
{
    return key_operation_update(s, OPERATION_SIGN, (struct slice){part, part_len});
}

CK_RV sign_final(struct session *s, CK_BYTE *signature, CK_ULONG *len)
{
    struct operation *op = &s->operation;
    if (op->kind != OPERATION_SIGN)
        return CKR_OPERATION_NOT_INITIALIZED;
    CK_RV rv = CKR_FUNCTION_NOT_SUPPORTED;
    if (message_takes_parts(&op->message))
        rv = len ? sign_end(s, NULL, signature, len) : CKR_ARGUMENTS_BAD;
    return operation_settle(op, rv, signature);
}

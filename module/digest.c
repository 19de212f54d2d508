/* SPDX-License-Identifier: Apache-2.0 */
/* C_Digest*. */
#include "module/digest.h"

CK_RV digest_init(struct session *s, const CK_MECHANISM *mechanism)
{
    struct operation *op = &s->operation;
    if (!mechanism)
        return CKR_ARGUMENTS_BAD;
    if (op->kind != OPERATION_NONE)
        return CKR_OPERATION_ACTIVE;
    const struct mechanism_row *row = mechanism_find_digest(mechanism->mechanism);
    if (!row)
        return CKR_MECHANISM_INVALID;
    if (mechanism->ulParameterLen > 0)
        return CKR_MECHANISM_PARAM_INVALID;

    hasher_begin(&op->digest, row->hash);
    op->kind = OPERATION_DIGEST;
    return CKR_OK;
}

/* Hashes data (if any) and hands the digest out, if there is room for it. */
static CK_RV digest_end(struct operation *op, struct slice data, CK_BYTE *digest, CK_ULONG *len)
{
    size_t needed = hash_len(op->digest.hash);
    enum output output = output_judge(digest, len, needed);
    if (output != OUTPUT_WRITE)
        return output_answer(output);
    if (!hasher_add(&op->digest, data))
        return CKR_ARGUMENTS_BAD;
    hasher_end(&op->digest, digest);
    *len = needed;
    return CKR_OK;
}

static CK_RV digest_whole(struct operation *op, struct slice data, CK_BYTE *digest, CK_ULONG *len)
{
    if (!len || (!data.data && data.len > 0))
        return CKR_ARGUMENTS_BAD;
    if (op->in_parts)
        return CKR_OPERATION_ACTIVE;
    return digest_end(op, data, digest, len);
}

CK_RV digest_oneshot(struct session *s, const CK_BYTE *data, CK_ULONG data_len, CK_BYTE *digest, CK_ULONG *len)
{
    struct operation *op = &s->operation;
    if (op->kind != OPERATION_DIGEST)
        return CKR_OPERATION_NOT_INITIALIZED;
    return operation_settle(op, digest_whole(op, (struct slice){data, data_len}, digest, len), digest);
}

CK_RV digest_update(struct session *s, const CK_BYTE *part, CK_ULONG part_len)
{
    struct operation *op = &s->operation;
    if (op->kind != OPERATION_DIGEST)
        return CKR_OPERATION_NOT_INITIALIZED;
    op->in_parts = true;
    if ((part || part_len == 0) && hasher_add(&op->digest, (struct slice){part, part_len}))
        return CKR_OK;
    operation_end(op);
    return CKR_ARGUMENTS_BAD;
}

CK_RV digest_final(struct session *s, CK_BYTE *digest, CK_ULONG *len)
{
    struct operation *op = &s->operation;
    if (op->kind != OPERATION_DIGEST)
        return CKR_OPERATION_NOT_INITIALIZED;
    return operation_settle(op, len ? digest_end(op, (struct slice){0}, digest, len) : CKR_ARGUMENTS_BAD, digest);
}

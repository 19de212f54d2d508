/* SPDX-License-Identifier: Apache-2.0 */
/* The ends of searches and operations, and the judgement of output buffers. */
#include "module/operation.h"

#include "module/object.h"

void search_end(struct search *search)
{
    free(search->found);
    *search = (struct search){0};
}

void operation_end(struct operation *op)
{
    message_clear(&op->message);
    object_set_unref(op->objects);
    *op = (struct operation){0};
}

enum output output_judge(const void *out, CK_ULONG *len, size_t needed)
{
    CK_ULONG room = *len;
    if (out && room >= needed)
        return OUTPUT_WRITE;
    *len = needed;
    return out ? OUTPUT_SHORT : OUTPUT_ASKED;
}

CK_RV output_answer(enum output output)
{
    return output == OUTPUT_SHORT ? CKR_BUFFER_TOO_SMALL : CKR_OK;
}

CK_RV operation_settle(struct operation *op, CK_RV rv, const void *out)
{
    bool keeps = rv == CKR_BUFFER_TOO_SMALL || (rv == CKR_OK && !out);
    if (!keeps)
        operation_end(op);
    return rv;
}

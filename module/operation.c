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

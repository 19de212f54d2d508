/* SPDX-License-Identifier: Apache-2.0 */
/* See open_intents.h. */
#include "server/audit/open_intents.h"

#include <string.h>

void open_intents_clear(struct open_intents *o)
{
    free(o->seqs);
    *o = (struct open_intents){0};
}

static status reserve(struct open_intents *o, size_t needed, struct error *err)
{
    if (needed <= o->cap)
        return OK;

    size_t cap = o->cap ? o->cap : 64;
    while (cap < needed)
        cap *= 2;
    int64_t *seqs = realloc(o->seqs, cap * sizeof(*seqs));
    if (!seqs)
        return error_set(err, CODE_NO_MEMORY, "%s", code_text(CODE_NO_MEMORY));
    o->seqs = seqs;
    o->cap = cap;
    return OK;
}

status open_intents_copy(struct open_intents *to, const struct open_intents *from, struct error *err)
{
    TRY(reserve(to, from->count, err));
    if (from->count)
        memcpy(to->seqs, from->seqs, from->count * sizeof(*to->seqs));
    to->count = from->count;
    return OK;
}

status open_intents_add(struct open_intents *o, int64_t seq, struct error *err)
{
    TRY(reserve(o, o->count + 1, err));
    o->seqs[o->count++] = seq;
    return OK;
}

bool open_intents_remove(struct open_intents *o, int64_t seq)
{
    for (size_t i = 0; i < o->count; i++) {
        if (o->seqs[i] == seq) {
            o->seqs[i] = o->seqs[--o->count];
            return true;
        }
    }
    return false;
}

int64_t open_intents_first(const struct open_intents *o, int64_t otherwise)
{
    int64_t first = otherwise;
    for (size_t i = 0; i < o->count; i++)
        first = o->seqs[i] < first ? o->seqs[i] : first;
    return first;
}

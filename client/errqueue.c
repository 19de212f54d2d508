/* SPDX-License-Identifier: Apache-2.0 */
/* Entry by entry, as OpenSSL offers no other way; almost always there is none. */
#include "client/errqueue.h"

#include <openssl/err.h>
#include <stdlib.h>

#include "common/cleanup.h"
#include "common/text.h"

enum { ENTRIES_MAX = 16 }; /* OpenSSL keeps no more */

struct entry {
    unsigned long code;
    int line;
    char file[128];
    char function[64];
    char data[256];
};

struct errqueue {
    size_t count;
    struct entry entries[ENTRIES_MAX];
};

struct errqueue *errqueue_take(void)
{
    if (ERR_peek_error() == 0)
        return NULL;
    struct errqueue *q = calloc(1, sizeof(*q));
    while (q && q->count < ENTRIES_MAX) {
        struct entry *e = &q->entries[q->count];
        const char *file = "";
        const char *function = "";
        const char *data = "";
        int flags = 0;
        e->code = ERR_get_error_all(&file, &e->line, &function, &data, &flags);
        if (e->code == 0)
            break;
        (void)text_copy(e->file, sizeof(e->file), file ? file : "");
        (void)text_copy(e->function, sizeof(e->function), function ? function : "");
        if (data && (flags & ERR_TXT_STRING))
            (void)text_copy(e->data, sizeof(e->data), data);
        q->count++;
    }
    return q;
}

void errqueue_put_back(struct errqueue *q)
{
    ERR_clear_error();
    for (size_t i = 0; q && i < q->count; i++) {
        const struct entry *e = &q->entries[i];
        ERR_new();
        ERR_set_debug(e->file, e->line, e->function);
        if (*e->data)
            ERR_set_error(ERR_GET_LIB(e->code), ERR_GET_REASON(e->code), "%s", e->data);
        else
            ERR_set_error(ERR_GET_LIB(e->code), ERR_GET_REASON(e->code), NULL);
    }
    free(q);
}

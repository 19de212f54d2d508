/* SPDX-License-Identifier: Apache-2.0 */
/* Growth never uses realloc: the old block may hold a secret and must be wiped before it is freed.
 * Invariant: data is NULL, or cap > len and data[len] is NUL. */
#include "common/buf.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

enum { SMALLEST = 64 };

void buf_clear(struct buf *b)
{
    if (b->data) {
        OPENSSL_cleanse(b->data, b->cap);
        free(b->data);
    }
    *b = (struct buf){0};
}

void buf_reset(struct buf *b)
{
    if (b->data)
        OPENSSL_cleanse(b->data, b->cap);
    b->len = 0;
    b->failed = false;
}

static bool grow(struct buf *b, size_t needed)
{
    size_t cap = b->cap ? b->cap : SMALLEST;
    while (cap < needed) {
        if (cap > SIZE_MAX / 2)
            return false;
        cap *= 2;
    }

    uint8_t *data = malloc(cap);
    if (!data)
        return false;
    if (b->data) {
        memcpy(data, b->data, b->len);
        OPENSSL_cleanse(b->data, b->cap);
        free(b->data);
    }
    data[b->len] = '\0';
    b->data = data;
    b->cap = cap;
    return true;
}

/* Room for len bytes and the NUL behind them. */
static bool make_room(struct buf *b, size_t len)
{
    if (b->failed)
        return false;

    if (len >= SIZE_MAX - b->len || (b->len + len + 1 > b->cap && !grow(b, b->len + len + 1))) {
        b->failed = true;
        return false;
    }
    return true;
}

uint8_t *buf_reserve(struct buf *b, size_t len)
{
    if (!make_room(b, len))
        return NULL;

    /* Zeros, so that the NUL stands behind however much of it the caller uses. */
    memset(b->data + b->len, 0, len + 1);
    return b->data + b->len;
}

void buf_add(struct buf *b, const void *data, size_t len)
{
    if (len == 0 || !make_room(b, len))
        return;

    memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = '\0';
}

void buf_add_text(struct buf *b, const char *text)
{
    buf_add(b, text, strlen(text));
}

void buf_add_byte(struct buf *b, uint8_t byte)
{
    buf_add(b, &byte, 1);
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);

    if (len < 0)
        b->failed = true;
    if (len < 0 || !make_room(b, (size_t)len))
        return;

    va_start(args, format);
    (void)vsnprintf((char *)b->data + b->len, (size_t)len + 1, format, args);
    va_end(args);
    b->len += (size_t)len;
}

status buf_check(const struct buf *b, struct error *err)
{
    return b->failed ? error_set(err, CODE_NO_MEMORY, "%s", code_text(CODE_NO_MEMORY)) : OK;
}

const char *buf_text(const struct buf *b)
{
    return b->data ? (const char *)b->data : "";
}

struct slice slice_of_text(const char *text)
{
    return (struct slice){(const uint8_t *)text, text ? strlen(text) : 0};
}

bool slice_equal(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A growing byte buffer. Always NUL-terminated behind len, so text can be printed; wiped when cleared, so it may hold
 * secrets. A struct slice borrows bytes. */
#pragma once

#include <stdint.h>

#include "common/cleanup.h"
#include "common/status.h"

struct slice {
    const uint8_t *data;
    size_t len;
};

struct buf {
    uint8_t *data; /* NULL when nothing was ever put in */
    size_t len;
    size_t cap;
    bool failed; /* an append ran out of memory: everything after it is dropped; ask with buf_check */
};

void buf_clear(struct buf *b); /* wipes and frees; zero value again */
void buf_reset(struct buf *b); /* wipes, keeps the memory */
#define cleanup_buf CLEANUP(buf_clear)

/* Appends never return: a failure is remembered, buf_check tells. */
void buf_add(struct buf *b, const void *data, size_t len);
void buf_add_text(struct buf *b, const char *text);
void buf_add_byte(struct buf *b, uint8_t byte);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Room for len more bytes; returns where they go, NULL when out of memory. The caller adds to b->len. */
uint8_t *buf_reserve(struct buf *b, size_t len);
status buf_check(const struct buf *b, struct error *err); /* CODE_NO_MEMORY when an append failed */

const char *buf_text(const struct buf *b); /* "" for an empty one */

static inline struct slice buf_slice(const struct buf *b)
{
    return (struct slice){b->data, b->len};
}
struct slice slice_of_text(const char *text);
bool slice_equal(struct slice a, struct slice b);

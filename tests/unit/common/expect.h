/* SPDX-License-Identifier: Apache-2.0 */
/* cmocka and what the tests of common/ add to it. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/buf.h"

/* The wire name is compared, so that a failure shows it. */
#define assert_code(expr, expected) assert_string_equal(code_wire((expr).code), code_wire(expected))
#define assert_ok(expr) assert_code(expr, CODE_OK)

/* Text with bytes in it that a C string would end at. */
#define SLICE(literal) ((struct slice){(const uint8_t *)(literal), sizeof(literal) - 1})

static inline void assert_buf(const struct buf *b, const char *expected)
{
    assert_false(b->failed);
    assert_string_equal(buf_text(b), expected);
    assert_int_equal(b->len, strlen(expected));
}

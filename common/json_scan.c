/* SPDX-License-Identifier: Apache-2.0 */
/* What yajl lets pass and must not: overlong and surrogate UTF-8, lone surrogate escapes (it writes '?' or invalid
 * UTF-8 for them), U+0000. A backslash is legal inside strings only, so no state is kept of where a string begins. */
#include "common/json_tree.h"
#include "common/utf8.h"

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The value of \uXXXX at the begin of text, -1 when it is not one. */
static int unicode_escape(struct slice text)
{
    if (text.len < 6 || text.data[0] != '\\' || text.data[1] != 'u')
        return -1;

    int value = 0;
    for (int i = 2; i < 6; i++) {
        int digit = hex_digit(text.data[i]);
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

static struct slice slice_from(struct slice text, size_t at)
{
    return (struct slice){text.data + at, text.len - at};
}

/* Moves *at behind the escape. */
static const char *scan_escape(struct slice text, size_t *at)
{
    if (*at + 1 >= text.len || text.data[*at + 1] != 'u') {
        *at += 2;
        return NULL;
    }
    int value = unicode_escape(slice_from(text, *at));
    if (value < 0)
        return "four hex digits are expected behind \\u";
    if (value == 0)
        return "NUL in a string";
    if (value < 0xD800 || value > 0xDFFF) {
        *at += 6;
        return NULL;
    }
    int low = unicode_escape(slice_from(text, *at + 6));
    if (value > 0xDBFF || low < 0xDC00 || low > 0xDFFF)
        return "a lone surrogate";
    *at += 12;
    return NULL;
}

const char *json_scan(struct slice text, size_t *at)
{
    *at = 0;
    while (*at < text.len) {
        uint8_t byte = text.data[*at];
        uint32_t character = 0;
        if (byte == '\\') {
            const char *reason = scan_escape(text, at);
            if (reason)
                return reason;
        } else if (byte < 0x80) {
            ++*at;
        } else {
            size_t size = utf8_decode(text.data + *at, text.len - *at, &character);
            if (size == 0)
                return "invalid UTF-8";
            *at += size;
        }
    }
    return NULL;
}

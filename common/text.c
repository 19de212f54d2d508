/* SPDX-License-Identifier: Apache-2.0 */
/* Text rules shared by both sides. No locale: isalnum and its kind are not used. */
#include "common/text.h"

#include <string.h>

#include "chancery/protocol.h"
#include "common/utf8.h"

static bool is_lower_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool text_is_name(const char *text)
{
    if (!text || !is_lower_or_digit(text[0]))
        return false;

    size_t len = 1;
    for (; text[len] != '\0'; len++) {
        char c = text[len];
        if (len >= LIMIT_NAME || !(is_lower_or_digit(c) || c == '.' || c == '_' || c == '-'))
            return false;
    }
    return true;
}

bool text_is_printable(const char *text, size_t max_bytes)
{
    if (!text)
        return false;

    size_t len = strlen(text);
    if (len > max_bytes)
        return false;

    for (size_t i = 0; i < len;) {
        uint32_t c = 0;
        size_t size = utf8_decode((const uint8_t *)text + i, len - i, &c);
        if (size == 0 || utf8_is_control(c))
            return false;
        i += size;
    }
    return true;
}

bool text_copy(char *out, size_t size, const char *text)
{
    if (size == 0)
        return false;

    size_t len = strlen(text);
    size_t copied = len < size ? len : size - 1;
    memcpy(out, text, copied);
    out[copied] = '\0';
    return copied == len;
}

bool text_to_int64(const char *text, int64_t *out)
{
    bool negative = text && text[0] == '-';
    const char *digit = negative ? text + 1 : text;
    if (!digit || *digit == '\0')
        return false;

    /* Counted downwards: INT64_MIN has no positive twin. */
    int64_t value = 0;
    for (; *digit != '\0'; digit++) {
        if (*digit < '0' || *digit > '9')
            return false;
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_sub_overflow(value, *digit - '0', &value))
            return false;
    }
    if (!negative && value == INT64_MIN)
        return false;

    *out = negative ? value : -value;
    return true;
}

uint64_t text_hash(const char *text)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * 0x100000001b3u;
    return hash;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 for the JSON reader and writer, the log and the text rules. */
#include "common/utf8.h"

/* Length by first byte, the bits of the character in it, and the smallest character allowed at this length. */
static size_t first_byte(uint8_t byte, uint32_t *bits, uint32_t *smallest)
{
    static const struct {
        uint8_t mask, value;
        uint32_t smallest;
    } forms[] = {{0x80, 0x00, 0}, {0xE0, 0xC0, 0x80}, {0xF0, 0xE0, 0x800}, {0xF8, 0xF0, 0x10000}};

    for (size_t i = 0; i < 4; i++) {
        if ((byte & forms[i].mask) == forms[i].value) {
            *bits = byte & (uint8_t)~forms[i].mask;
            *smallest = forms[i].smallest;
            return i + 1;
        }
    }
    return 0;
}

size_t utf8_decode(const uint8_t *text, size_t len, uint32_t *character)
{
    uint32_t c = 0, smallest = 0;
    size_t size = len ? first_byte(text[0], &c, &smallest) : 0;
    if (size == 0 || size > len)
        return 0;

    for (size_t i = 1; i < size; i++) {
        if ((text[i] & 0xC0) != 0x80)
            return 0;
        c = c << 6 | (text[i] & 0x3F);
    }
    if (c < smallest || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF))
        return 0;

    *character = c;
    return size;
}

bool utf8_is_bidi_control(uint32_t c)
{
    return (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

bool utf8_is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x2028 || c == 0x2029 || utf8_is_bidi_control(c);
}

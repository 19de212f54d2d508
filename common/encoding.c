/* SPDX-License-Identifier: Apache-2.0 */
/* One base64 codec for both alphabets of RFC 4648; decoding refuses every text that encoding would not have made. */
#include "common/encoding.h"

#include <string.h>

struct alphabet {
    const char *name;
    const char *digits;
    bool padded;
};

static const struct alphabet standard = {"base64", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
                                         true};
static const struct alphabet url = {"base64url", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
                                    false};

static void encode(const struct alphabet *a, struct slice in, struct buf *out)
{
    if (in.len > SIZE_MAX / 4 * 3 - 3) {
        out->failed = true;
        return;
    }
    uint8_t *text = buf_reserve(out, (in.len + 2) / 3 * 4);
    if (!text)
        return;

    size_t n = 0;
    for (size_t i = 0; i < in.len; i += 3) {
        size_t left = in.len - i;
        uint32_t bits = (uint32_t)in.data[i] << 16;
        bits |= left > 1 ? (uint32_t)in.data[i + 1] << 8 : 0;
        bits |= left > 2 ? in.data[i + 2] : 0;
        size_t digits = left > 2 ? 4 : left + 1;
        for (size_t k = 0; k < digits; k++)
            text[n++] = (uint8_t)a->digits[bits >> (18 - 6 * k) & 63];
        for (size_t k = digits; a->padded && k < 4; k++)
            text[n++] = '=';
    }
    out->len += n;
}

/* The value of a digit, -1 when it is none. By ranges and not by table, for no look-up by a byte of a secret. */
static int digit_value(const struct alphabet *a, unsigned char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == (unsigned char)a->digits[62])
        return 62;
    return c == (unsigned char)a->digits[63] ? 63 : -1;
}

/* Takes the padding off: what is left must be whole groups of 4 digits and a rest of 0, 2 or 3. */
static bool unpad(const struct alphabet *a, const char *text, size_t *len)
{
    if (a->padded) {
        if (*len % 4 != 0)
            return false;
        for (int i = 0; i < 2 && *len > 0 && text[*len - 1] == '='; i++)
            --*len;
    }
    return *len % 4 != 1;
}

/* Decodes one group of 2 to 4 digits; false for a foreign character or bits left over that are not zero. */
static bool decode_group(const struct alphabet *a, const char *text, size_t digits, uint8_t bytes[3])
{
    uint32_t bits = 0;
    for (size_t i = 0; i < 4; i++) {
        int value = i < digits ? digit_value(a, (unsigned char)text[i]) : 0;
        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
    }
    for (size_t i = 0; i < 3; i++)
        bytes[i] = (uint8_t)(bits >> (16 - 8 * i));
    return digits == 4 || bytes[digits - 1] == 0;
}

static status decode(const struct alphabet *a, const char *text, size_t len, struct buf *out, struct error *err)
{
    if (!unpad(a, text, &len))
        return error_set(err, CODE_INVALID, "%s: the length or the padding is wrong", a->name);

    uint8_t *bytes = buf_reserve(out, len / 4 * 3 + 3);
    TRY(buf_check(out, err));

    size_t n = 0;
    for (size_t i = 0; i < len; i += 4) {
        size_t digits = len - i < 4 ? len - i : 4;
        if (!decode_group(a, text + i, digits, bytes + n)) {
            memset(bytes, 0, n + 3);
            return error_set(err, CODE_INVALID, "%s: wrong character or stray bits near character %zu", a->name, i + 1);
        }
        n += digits - 1;
    }
    out->len += n;
    return OK;
}

void base64_encode(struct slice in, struct buf *out)
{
    encode(&standard, in, out);
}

status base64_decode(const char *text, size_t len, struct buf *out, struct error *err)
{
    return decode(&standard, text, len, out, err);
}

void base64url_encode(struct slice in, struct buf *out)
{
    encode(&url, in, out);
}

status base64url_decode(const char *text, size_t len, struct buf *out, struct error *err)
{
    return decode(&url, text, len, out, err);
}

void hex_format(struct slice in, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < in.len; i++) {
        *out++ = digits[in.data[i] >> 4];
        *out++ = digits[in.data[i] & 15];
    }
    *out = '\0';
}

void hex_encode(struct slice in, struct buf *out)
{
    if (in.len > SIZE_MAX / 2 - 1) {
        out->failed = true;
        return;
    }
    uint8_t *text = buf_reserve(out, 2 * in.len);
    if (!text)
        return;

    hex_format(in, (char *)text);
    out->len += 2 * in.len;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

status hex_decode(const char *text, size_t len, struct buf *out, struct error *err)
{
    if (len % 2 != 0)
        return error_set(err, CODE_INVALID, "hex: the number of digits is odd");

    uint8_t *bytes = buf_reserve(out, len / 2);
    TRY(buf_check(out, err));

    for (size_t i = 0; i < len; i += 2) {
        int high = hex_value(text[i]), low = hex_value(text[i + 1]);
        if (high < 0 || low < 0) {
            memset(bytes, 0, len / 2);
            return error_set(err, CODE_INVALID, "hex: wrong character near character %zu", i + 1);
        }
        bytes[i / 2] = (uint8_t)(high << 4 | low);
    }
    out->len += len / 2;
    return OK;
}

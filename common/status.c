/* SPDX-License-Identifier: Apache-2.0 */
/* The table behind enum code, and the text that travels with a failure. */
#include "common/status.h"

#include <stdio.h>
#include <string.h>

#include "common/utf8.h"

struct code_row {
    const char *wire;
    int http;
    const char *text;
};

static const struct code_row rows[CODE_COUNT] = {
    [CODE_OK] = {"ok", 200, "success"},
#define ERROR(name, wire, http, ckr, text) [CODE_##name] = {wire, http, text},
#include "chancery/errors.def"
#undef ERROR
};

/* A value from outside the enum is answered as an internal error, never as success. */
static const struct code_row *row_of(enum code code)
{
    return (unsigned)code < CODE_COUNT ? &rows[code] : &rows[CODE_INTERNAL];
}

const char *code_wire(enum code code)
{
    return row_of(code)->wire;
}

int code_http(enum code code)
{
    return row_of(code)->http;
}

const char *code_text(enum code code)
{
    return row_of(code)->text;
}

bool code_from_wire(const char *wire, enum code *out)
{
    /* "ok" is not found: what arrives on the wire as an error must not become success. */
    for (int code = CODE_OK + 1; wire && code < CODE_COUNT; code++) {
        if (strcmp(rows[code].wire, wire) == 0) {
            *out = (enum code)code;
            return true;
        }
    }
    return false;
}

/* What vsnprintf cut, in the middle of a character maybe, ends with a whole one. wanted is what it returned. */
static void end_whole(char *text, size_t size, int wanted)
{
    if (wanted < 0 || (size_t)wanted < size)
        return;
    size_t len = strlen(text), at = len;
    uint32_t character = 0;
    while (at > 0 && len - at < 4 && ((uint8_t)text[--at] & 0xC0) == 0x80)
        ;
    if (utf8_decode((const uint8_t *)text + at, len - at, &character) != len - at)
        text[at] = '\0';
}

status(error_set)(struct error *err, enum code code, const char *format, ...)
{
    if (!err)
        return (status){code};

    /* The arguments may point into err itself, so format aside first. */
    char text[sizeof(err->text)];
    va_list args;
    va_start(args, format);
    int wanted = vsnprintf(text, sizeof(text), format, args);
    end_whole(text, sizeof(text), wanted);
    va_end(args);

    err->code = code;
    memcpy(err->text, text, sizeof(text));
    err->detail[0] = '\0';
    err->retry_after_s = 0;
    return (status){code};
}

void error_detail(struct error *err, const char *format, ...)
{
    if (!err)
        return;

    char detail[sizeof(err->detail)];
    va_list args;
    va_start(args, format);
    int wanted = vsnprintf(detail, sizeof(detail), format, args);
    end_whole(detail, sizeof(detail), wanted);
    va_end(args);
    memcpy(err->detail, detail, sizeof(detail));
}

void error_prefix(struct error *err, const char *format, ...)
{
    if (!err)
        return;

    char prefix[sizeof(err->text)];
    va_list args;
    va_start(args, format);
    int wanted = vsnprintf(prefix, sizeof(prefix), format, args);
    end_whole(prefix, sizeof(prefix), wanted);
    va_end(args);

    char rest[sizeof(err->text)];
    memcpy(rest, err->text, sizeof(rest));
    size_t used = strnlen(prefix, sizeof(prefix) - 1);
    memcpy(err->text, prefix, used);
    size_t room = sizeof(err->text) - used;
    wanted = snprintf(err->text + used, room, ": %s", rest);
    end_whole(err->text + used, room, wanted);
}

void error_suffix(struct error *err, const char *format, ...)
{
    if (!err)
        return;

    size_t used = strnlen(err->text, sizeof(err->text) - 1), room = sizeof(err->text) - used;
    va_list args;
    va_start(args, format);
    int wanted = vsnprintf(err->text + used, room, format, args);
    end_whole(err->text + used, room, wanted);
    va_end(args);
}

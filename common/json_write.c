/* SPDX-License-Identifier: Apache-2.0 */
/* The stream writer. Failures (memory, nesting, a bad text for a raw value) are kept in the buffer's failed flag. */
#include "common/json_tree.h"

#include "common/clock.h"
#include "common/encoding.h"
#include "common/utf8.h"

#include <inttypes.h>
#include <string.h>

struct json_writer json_writer_on(struct buf *out)
{
    return (struct json_writer){.out = out};
}

static void escape_character(struct buf *out, const uint8_t *text, size_t size, uint32_t c)
{
    static const char shorts[] = "\"\"\\\\\bb\ff\nn\rr\tt"; /* pairs: character, letter behind the backslash */

    for (const char *pair = shorts; *pair != '\0'; pair += 2) {
        if (c == (uint8_t)*pair) {
            buf_add_byte(out, '\\');
            buf_add_byte(out, (uint8_t)pair[1]);
            return;
        }
    }
    if (utf8_is_control(c)) /* C1 and bidi controls too: log lines are read on terminals */
        buf_printf(out, "\\u%04x", (unsigned)c);
    else
        buf_add(out, text, size);
}

static bool is_plain(uint8_t byte)
{
    return byte >= 0x20 && byte < 0x7F && byte != '"' && byte != '\\';
}

void json_escape(struct buf *out, const char *text)
{
    const uint8_t *p = (const uint8_t *)text, *end = p + strlen(text);

    buf_add_byte(out, '"');
    while (p < end) {
        size_t size = 0;
        uint32_t c = 0;
        while (p + size < end && is_plain(p[size]))
            size++;
        if (size > 0) {
            buf_add(out, p, size);
        } else if ((size = utf8_decode(p, (size_t)(end - p), &c)) > 0) {
            escape_character(out, p, size, c);
        } else {
            buf_add_text(out, "\xEF\xBF\xBD"); /* U+FFFD */
            size = 1;
        }
        p += size;
    }
    buf_add_byte(out, '"');
}

/* The comma and the name before a value. */
static void begin_value(struct json_writer *w, const char *name)
{
    uint64_t bit = UINT64_C(1) << (w->depth & (JSON_DEPTH_MAX - 1));
    if (w->depth > 0 && (w->has_member & bit))
        buf_add_byte(w->out, ',');
    w->has_member |= bit;
    if (name) {
        json_escape(w->out, name);
        buf_add_byte(w->out, ':');
    }
}

static void begin(struct json_writer *w, const char *name, uint8_t bracket)
{
    begin_value(w, name);
    buf_add_byte(w->out, bracket);
    w->depth++;
    if (w->depth >= JSON_DEPTH_MAX) /* no bit left to count with; only a fault of ours goes so deep */
        w->out->failed = true;
    w->has_member &= ~(UINT64_C(1) << (w->depth & (JSON_DEPTH_MAX - 1)));
}

static void end(struct json_writer *w, uint8_t bracket)
{
    w->depth--;
    buf_add_byte(w->out, bracket);
}

void json_begin_object(struct json_writer *w, const char *name)
{
    begin(w, name, '{');
}

void json_end_object(struct json_writer *w)
{
    end(w, '}');
}

void json_begin_array(struct json_writer *w, const char *name)
{
    begin(w, name, '[');
}

void json_end_array(struct json_writer *w)
{
    end(w, ']');
}

void json_add_raw(struct json_writer *w, const char *name, const char *json)
{
    begin_value(w, name);
    buf_add_text(w->out, json);
}

void json_add_null(struct json_writer *w, const char *name)
{
    json_add_raw(w, name, "null");
}

void json_add_bool(struct json_writer *w, const char *name, bool value)
{
    json_add_raw(w, name, value ? "true" : "false");
}

void json_add_integer(struct json_writer *w, const char *name, int64_t value)
{
    begin_value(w, name);
    buf_printf(w->out, "%" PRId64, value);
}

void json_add_text(struct json_writer *w, const char *name, const char *text)
{
    if (!text) {
        json_add_null(w, name);
        return;
    }
    begin_value(w, name);
    json_escape(w->out, text);
}

void json_add_base64(struct json_writer *w, const char *name, struct slice bytes)
{
    begin_value(w, name);
    buf_add_byte(w->out, '"');
    base64_encode(bytes, w->out);
    buf_add_byte(w->out, '"');
}

void json_add_hex(struct json_writer *w, const char *name, struct slice bytes)
{
    begin_value(w, name);
    buf_add_byte(w->out, '"');
    hex_encode(bytes, w->out);
    buf_add_byte(w->out, '"');
}

void json_add_time(struct json_writer *w, const char *name, int64_t unix_ms)
{
    char text[TIME_TEXT_SIZE];
    time_format(unix_ms, text);
    json_add_text(w, name, unix_ms == 0 ? NULL : text);
}

static void add_container(struct json_writer *w, const char *name, const struct json *v)
{
    begin(w, name, v->type == JSON_OBJECT ? '{' : '[');
    for (size_t i = 0; i < v->count; i++)
        json_add_value(w, v->items[i].name, &v->items[i]);
    end(w, v->type == JSON_OBJECT ? '}' : ']');
}

void json_add_value(struct json_writer *w, const char *name, const struct json *v)
{
    switch (json_type(v)) {
    case JSON_NULL:
        json_add_null(w, name);
        break;
    case JSON_BOOL:
        json_add_bool(w, name, v->boolean);
        break;
    case JSON_INTEGER:
        json_add_integer(w, name, v->integer);
        break;
    case JSON_NUMBER:
        json_add_raw(w, name, v->text);
        break;
    case JSON_STRING:
        json_add_text(w, name, v->text);
        break;
    case JSON_ARRAY:
    case JSON_OBJECT:
        add_container(w, name, v);
        break;
    }
}

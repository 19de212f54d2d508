/* SPDX-License-Identifier: Apache-2.0 */
/* Takes a copy of the text apart in place, line by line. */
#include "common/ini.h"

#include <string.h>

#include "common/text.h"

enum { LINE_MAX_BYTES = 8192 };

struct reader {
    status (*each)(void *arg, const struct ini_entry *entry, struct error *err);
    void *arg;
    const char *section;
    int line;
};

static char *blanks_cut(char *text)
{
    text += strspn(text, " \t");
    size_t len = strlen(text);
    while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\t'))
        len--;
    text[len] = '\0';
    return text;
}

/* Control characters are not shown: the message goes to terminals. */
static status line_refuse(const char *expected, const char *line, struct error *err)
{
    bool shown = text_is_printable(line, LINE_MAX_BYTES);
    return error_set(err, CODE_CONFIGURATION, "%s is expected%s%.60s", expected, shown ? ", not " : "",
                     shown ? line : "");
}

static status section_read(struct reader *r, char *line, struct error *err)
{
    char *end = strchr(line, ']');
    if (!end || end == line + 1 || end[1] != '\0' || !text_is_printable(line, LINE_MAX_BYTES))
        return line_refuse("key = value or [section]", line, err);

    *end = '\0';
    r->section = line + 1;
    const struct ini_entry entry = {.section = r->section, .line = r->line};
    return r->each(r->arg, &entry, err);
}

static status key_read(struct reader *r, char *line, struct error *err)
{
    char *equals = strchr(line, '=');
    if (!equals || equals == line)
        return line_refuse("key = value", line, err);

    *equals = '\0';
    const struct ini_entry entry = {r->section, blanks_cut(line), blanks_cut(equals + 1), r->line};
    if (!text_is_printable(entry.key, LINE_MAX_BYTES))
        return error_set(err, CODE_CONFIGURATION, "the key is not printable text");
    if (!text_is_printable(entry.value, LINE_MAX_BYTES))
        return error_set(err, CODE_CONFIGURATION, "%.60s: the value is not printable text", entry.key);
    return r->each(r->arg, &entry, err);
}

static status line_read(struct reader *r, char *line, size_t len, struct error *err)
{
    if (len > 0 && line[len - 1] == '\r')
        len--;
    line[len] = '\0';

    if (len > LINE_MAX_BYTES)
        return error_set(err, CODE_CONFIGURATION, "the line is longer than %d bytes", LINE_MAX_BYTES);
    if (memchr(line, '\0', len))
        return error_set(err, CODE_CONFIGURATION, "the line has a NUL byte in it");
    /* Or all lines of a file whose lines end so would be one, perhaps a comment. */
    if (memchr(line, '\r', len))
        return error_set(err, CODE_CONFIGURATION, "the line has a carriage return in it");

    line = blanks_cut(line);
    if (*line == '\0' || *line == '#' || *line == ';')
        return OK;
    return *line == '[' ? section_read(r, line, err) : key_read(r, line, err);
}

status ini_read(const char *name, struct slice text,
                status (*each)(void *arg, const struct ini_entry *entry, struct error *err), void *arg,
                struct error *err)
{
    static const char mark[] = "\xef\xbb\xbf";
    cleanup_buf struct buf copy = {0};
    buf_add(&copy, text.data, text.len);
    TRY(buf_check(&copy, err));

    struct reader r = {.each = each, .arg = arg, .section = ""};
    char *line = (char *)copy.data;
    size_t left = copy.len;
    if (left >= sizeof(mark) - 1 && memcmp(line, mark, sizeof(mark) - 1) == 0) {
        line += sizeof(mark) - 1;
        left -= sizeof(mark) - 1;
    }
    while (left > 0) {
        const char *end = memchr(line, '\n', left);
        size_t len = end ? (size_t)(end - line) : left;
        r.line++;
        status s = line_read(&r, line, len, err);
        if (!is_ok(s)) {
            error_prefix(err, "%s:%d", name, r.line);
            return s;
        }
        line += len + (end != NULL);
        left -= len + (end != NULL);
    }
    return OK;
}

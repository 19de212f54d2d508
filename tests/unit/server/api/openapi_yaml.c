/* SPDX-License-Identifier: Apache-2.0 */
/* The YAML of docs/openapi.yaml to JSON text, line by line, then through the project's own JSON reader. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/file.h"
#include "openapi.h"

enum { LINES_MOST = 8000, LINE_SIZE = 512, DEPTH = 40 };

struct line {
    int indent;
    char text[LINE_SIZE]; /* without indentation and line end */
};
struct yaml {
    struct line *lines;
    size_t count, at;
    struct json_writer w;
};

static void block_read(struct yaml *y, const char *name, int indent);

static void lines_split(struct yaml *y, char *text)
{
    char *rest = text;
    for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
        size_t indent = strspn(line, " ");
        if (line[indent] == '\0' || line[indent] == '#')
            continue;
        assert_true(y->count < LINES_MOST);
        struct line *out = &y->lines[y->count++];
        out->indent = (int)indent;
        assert_true((size_t)snprintf(out->text, LINE_SIZE, "%s", line + indent) < LINE_SIZE);
    }
}

/* ---- scalars and flow collections: `at` moves behind what was read */
static void scalar_write(struct yaml *y, const char *name, const char *text)
{
    char *end = NULL;
    long long number = strtoll(text, &end, 10);

    if (*text && *end == '\0')
        json_add_integer(&y->w, name, number);
    else if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
        json_add_bool(&y->w, name, text[0] == 't');
    else if (strcmp(text, "null") == 0)
        json_add_null(&y->w, name);
    else
        json_add_text(&y->w, name, text);
}

/* A quoted or plain word up to one of the stops; true when it was quoted. */
static bool word_read(const char **at, const char *stops, char out[LINE_SIZE])
{
    char quote = **at;
    bool quoted = quote == '\'' || quote == '"';
    size_t len = 0;

    if (quoted) {
        const char *end = strchr(*at + 1, quote);
        assert_non_null(end);
        len = (size_t)(end - *at - 1);
        memcpy(out, *at + 1, len);
        *at = end + 1;
    } else {
        len = strcspn(*at, stops);
        memcpy(out, *at, len);
        *at += len;
        while (len > 0 && out[len - 1] == ' ')
            len--;
    }
    out[len] = '\0';
    return quoted;
}

static void spaces_skip(const char **at)
{
    *at += strspn(*at, " ");
}

static void flow_read(struct yaml *y, const char *name, const char **at);

static void flow_members_read(struct yaml *y, const char **at, char end, bool named)
{
    char key[LINE_SIZE];

    for (spaces_skip(at); **at != end; spaces_skip(at)) {
        if (named) {
            (void)word_read(at, ":", key);
            assert_int_equal(**at, ':');
            ++*at;
            spaces_skip(at);
        }
        flow_read(y, named ? key : NULL, at);
        spaces_skip(at);
        if (**at == ',')
            ++*at;
        else
            assert_int_equal(**at, end);
    }
    ++*at;
}

static void flow_read(struct yaml *y, const char *name, const char **at)
{
    char word[LINE_SIZE];

    if (**at == '[') {
        ++*at;
        json_begin_array(&y->w, name);
        flow_members_read(y, at, ']', false);
        json_end_array(&y->w);
    } else if (**at == '{') {
        ++*at;
        json_begin_object(&y->w, name);
        flow_members_read(y, at, '}', true);
        json_end_object(&y->w);
    } else if (word_read(at, ",]}", word)) {
        json_add_text(&y->w, name, word);
    } else {
        scalar_write(y, name, word);
    }
}

/* ---- block collections */
static void folded_read(struct yaml *y, const char *name, int indent)
{
    cleanup_buf struct buf text = {0};

    for (; y->at < y->count && y->lines[y->at].indent > indent; y->at++)
        buf_printf(&text, "%s%s", text.len ? " " : "", y->lines[y->at].text);
    json_add_text(&y->w, name, buf_text(&text));
}

/* A flow collection may go on in deeper lines. */
static void flow_lines_read(struct yaml *y, const char *name, const char *first, int indent)
{
    cleanup_buf struct buf text = {0};

    buf_add_text(&text, first);
    for (; y->at < y->count && y->lines[y->at].indent > indent; y->at++)
        buf_printf(&text, " %s", y->lines[y->at].text);
    const char *at = buf_text(&text);
    flow_read(y, name, &at);
    assert_string_equal(at, "");
}

/* What stands behind "key:" or "- "; the line itself has been left. */
static void value_read(struct yaml *y, const char *name, const char *text, int indent)
{
    char word[LINE_SIZE];

    if (*text == '\0') {
        assert_true(y->at < y->count && y->lines[y->at].indent > indent);
        block_read(y, name, y->lines[y->at].indent);
    } else if (strcmp(text, ">-") == 0) {
        folded_read(y, name, indent);
    } else if (*text == '[' || *text == '{') {
        flow_lines_read(y, name, text, indent);
    } else if (word_read(&text, "", word)) {
        json_add_text(&y->w, name, word);
    } else {
        scalar_write(y, name, word);
    }
}

static void member_read(struct yaml *y, int indent)
{
    char key[LINE_SIZE];
    struct line *line = &y->lines[y->at++];
    const char *at = line->text;

    (void)word_read(&at, ":", key);
    if (*at != ':')
        fail_msg("no key in: %s", line->text);
    ++at;
    spaces_skip(&at);
    value_read(y, key, at, indent);
}

static void sequence_read(struct yaml *y, const char *name, int indent)
{
    json_begin_array(&y->w, name);
    while (y->at < y->count && y->lines[y->at].indent == indent && strncmp(y->lines[y->at].text, "- ", 2) == 0) {
        struct line *line = &y->lines[y->at];
        bool is_mapping = strchr("'\"", line->text[2]) == NULL && strstr(line->text, ": ") != NULL;
        if (is_mapping) {
            memmove(line->text, line->text + 2, strlen(line->text + 2) + 1);
            line->indent += 2;
            block_read(y, NULL, line->indent);
        } else {
            y->at++;
            value_read(y, NULL, line->text + 2, indent);
        }
    }
    json_end_array(&y->w);
}

static void block_read(struct yaml *y, const char *name, int indent)
{
    if (strncmp(y->lines[y->at].text, "- ", 2) == 0) {
        sequence_read(y, name, indent);
        return;
    }
    json_begin_object(&y->w, name);
    while (y->at < y->count && y->lines[y->at].indent == indent)
        member_read(y, indent);
    json_end_object(&y->w);
}

struct json *openapi_load(const char *path)
{
    cleanup_buf struct buf text = {0}, out = {0};
    struct error err = {0};
    struct json *document = NULL;
    struct yaml y = {.lines = calloc(LINES_MOST, sizeof(struct line)), .w = json_writer_on(&out)};

    assert_non_null(y.lines);
    if (!is_ok(file_read(path, 1 << 20, FILE_ANY, &text, &err)))
        fail_msg("%s", err.text);
    lines_split(&y, (char *)text.data);
    block_read(&y, NULL, 0);
    if (y.at != y.count)
        fail_msg("not understood: %s", y.lines[y.at].text);
    free(y.lines);
    if (!is_ok(json_parse(buf_slice(&out), 1 << 20, DEPTH, &document, &err)))
        fail_msg("%s", err.text);
    return document;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The page is parsed strictly first; then its records are cut out of the text by a scan that only has to know strings
 * and brackets, because hashes are over bytes and a parsed value has none. */
#include "client/audit_page.h"

#include <stdio.h>
#include <string.h>

#include "chancery/protocol.h"
#include "common/json.h"

enum { PAGE_MAX = 64 * 1024 * 1024 };

static bool is_space(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static size_t skip_space(struct slice text, size_t at)
{
    while (at < text.len && is_space(text.data[at]))
        at++;
    return at;
}

/* Behind the string that begins at `at`. */
static size_t skip_string(struct slice text, size_t at)
{
    for (at++; at < text.len && text.data[at] != '"'; at++)
        if (text.data[at] == '\\')
            at++;
    return at + 1;
}

/* Behind the value that begins at `at`. */
static size_t skip_value(struct slice text, size_t at)
{
    int depth = 0;
    while (at < text.len) {
        uint8_t c = text.data[at];
        if (depth == 0 && (c == ',' || c == ']' || c == '}'))
            return at;
        if (c == '"') {
            at = skip_string(text, at);
            continue;
        }
        depth += c == '{' || c == '[';
        depth -= c == '}' || c == ']';
        at++;
    }
    return at;
}

/* The text of "items" in the top object; the text is known to be valid JSON. */
static struct slice items_find(struct slice text)
{
    static const char name[] = "\"items\"";
    size_t at = skip_space(text, 0) + 1;
    for (;;) {
        at = skip_space(text, at);
        if (at >= text.len || text.data[at] != '"')
            return (struct slice){0};
        size_t name_at = at;
        at = skip_string(text, at);
        bool is_items = at - name_at == sizeof(name) - 1 && memcmp(text.data + name_at, name, sizeof(name) - 1) == 0;
        at = skip_space(text, skip_space(text, at) + 1); /* the colon */
        size_t end = skip_value(text, at);
        if (is_items)
            return (struct slice){text.data + at, end - at};
        at = end + 1;
    }
}

static status items_walk(struct slice items, audit_line_fn *each, void *user, struct error *err)
{
    size_t at = skip_space(items, 1);
    while (at < items.len && items.data[at] != ']') {
        size_t end = skip_value(items, at);
        size_t len = end - at;
        while (len > 0 && is_space(items.data[at + len - 1]))
            len--;
        TRY(each(user, (struct slice){items.data + at, len}, err));
        if (end < items.len && items.data[end] == ',')
            end++;
        at = skip_space(items, end);
    }
    return OK;
}

status audit_page_split(struct slice page, audit_line_fn *each, void *user, struct buf *next, struct error *err)
{
    cleanup_json struct json *root = NULL;
    struct error reason = {0};
    if (!is_ok(json_parse(page, PAGE_MAX, LIMIT_JSON_DEPTH, &root, &reason)))
        return error_set(err, CODE_INTERNAL, "the server's answer is not understood: %s", reason.text);

    struct slice items = items_find(page);
    if (json_type(root) != JSON_OBJECT || json_type(json_get(root, "items")) != JSON_ARRAY || items.len == 0)
        return error_set(err, CODE_INTERNAL, "the server's answer holds no list of records");
    buf_reset(next);
    buf_add_text(next, json_get_text(root, "next", ""));
    TRY(buf_check(next, err));
    return items_walk(items, each, user, err);
}

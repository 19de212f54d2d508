/* SPDX-License-Identifier: Apache-2.0 */
/* All rows are kept until the widths are known. */
#include "cli/table.h"

#include <string.h>

#include "common/text.h"

enum { COLUMNS_MAX = 12, GAP = 2 };

struct table {
    size_t columns;
    char **cells;
    size_t count;
    size_t cap;
    size_t widths[COLUMNS_MAX];
    bool failed;
};

void text_print_safe(struct buf *out, const char *text)
{
    if (text_is_printable(text, strlen(text))) {
        buf_add_text(out, text);
        return;
    }
    for (; *text; text++)
        buf_add_byte(out, *text >= ' ' && *text < 0x7f ? (uint8_t)*text : '?');
}

/* Characters, not bytes. */
static size_t width_of(const char *text)
{
    size_t width = 0;
    for (; *text; text++)
        width += ((uint8_t)*text & 0xC0) != 0x80;
    return width;
}

struct table *table_new(const char *const titles[], size_t columns)
{
    struct table *t = columns <= COLUMNS_MAX ? calloc(1, sizeof(*t)) : NULL;
    if (!t)
        return NULL;
    t->columns = columns;
    for (size_t i = 0; i < columns; i++)
        table_add(t, titles[i]);
    return t;
}

void table_free(struct table *t)
{
    for (size_t i = 0; i < t->count; i++)
        free(t->cells[i]);
    free(t->cells);
    free(t);
}

static bool table_grow(struct table *t)
{
    if (t->count < t->cap)
        return true;
    size_t cap = t->cap ? t->cap * 2 : 64;
    char **cells = reallocarray(t->cells, cap, sizeof(*cells));
    if (!cells)
        return false;
    t->cells = cells;
    t->cap = cap;
    return true;
}

void table_add(struct table *t, const char *cell)
{
    cleanup_buf struct buf safe = {0};
    text_print_safe(&safe, cell && *cell ? cell : "-");
    char *copy = safe.failed ? NULL : strdup(buf_text(&safe));
    if (!copy || !table_grow(t)) {
        free(copy);
        t->failed = true;
        return;
    }
    size_t column = t->count % t->columns;
    size_t width = width_of(copy);
    if (width > t->widths[column])
        t->widths[column] = width;
    t->cells[t->count++] = copy;
}

status table_print(struct table *t, FILE *out, struct error *err)
{
    if (t->failed)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < t->count; i++) {
        size_t column = i % t->columns;
        bool last = column + 1 == t->columns;
        size_t pad = last ? 0 : t->widths[column] - width_of(t->cells[i]) + GAP;
        fprintf(out, "%s%*s%s", t->cells[i], (int)pad, "", last ? "\n" : "");
    }
    return OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of the administration commands, and lists over all their pages. */
#include "cli/api.h"

#include <stdarg.h>
#include <string.h>

#include "cli/table.h"
#include "common/text.h"

enum { COLUMNS_MAX = 12, PAGES_MAX = 100000 };

static void percent_encode(struct buf *out, const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:";
    for (; *text; text++) {
        if (strchr(plain, *text))
            buf_add_byte(out, (uint8_t)*text);
        else
            buf_printf(out, "%%%02X", (unsigned)(uint8_t)*text);
    }
}

void api_path(struct buf *out, const char *pattern, ...)
{
    va_list args;
    va_start(args, pattern);
    for (; *pattern; pattern++) {
        if (*pattern == '%')
            percent_encode(out, va_arg(args, const char *));
        else
            buf_add_byte(out, (uint8_t)*pattern);
    }
    va_end(args);
}

void api_query(struct buf *path, const char *name, const char *value)
{
    if (!value)
        return;
    buf_printf(path, "%c%s=", strchr(buf_text(path), '?') ? '&' : '?', name);
    percent_encode(path, value);
}

status api_request(struct cli *cli, const char *method, const struct buf *path, const struct buf *body,
                   struct json **answer, struct error *err)
{
    struct client *c = NULL;
    TRY(buf_check(path, err));
    if (body)
        TRY(buf_check(body, err));
    TRY(cli_client(cli, &c, err));
    return client_request(c, method, buf_text(path), body, cli_deadline(cli), answer, err);
}

status api_show(struct cli *cli, const char *method, const struct buf *path, const struct buf *body, struct error *err)
{
    cleanup_json struct json *answer = NULL;
    TRY(api_request(cli, method, path, body, &answer, err));
    return api_print_object(cli, answer, err);
}

void api_add_option(struct cli *cli, struct json_writer *w, const char *member, const char *option)
{
    if (cli_has(cli, option))
        json_add_text(w, member, cli_option(cli, option));
}

status api_add_number(struct cli *cli, struct json_writer *w, const char *member, const char *option, struct error *err)
{
    int64_t number = 0;
    if (!cli_has(cli, option))
        return OK;
    if (!text_to_int64(cli_option(cli, option), &number))
        return cli_usage(cli, err, "--%s: a number is expected", option);
    json_add_integer(w, member, number);
    return OK;
}

status api_create_named(struct cli *cli, const char *route, const char *option, struct error *err)
{
    cleanup_buf struct buf path = {0}, body = {0};
    struct json_writer w = json_writer_on(&body);
    json_begin_object(&w, NULL);
    json_add_text(&w, "name", cli_argument(cli, 0));
    api_add_option(cli, &w, option, option);
    json_end_object(&w);
    api_path(&path, route);
    return api_show(cli, "POST", &path, &body, err);
}

status api_do(struct cli *cli, const char *method, const struct buf *path, const char *done, struct error *err)
{
    TRY(api_request(cli, method, path, NULL, NULL, err));
    if (!cli_is_json(cli))
        fprintf(cli->out, "%s\n", done);
    return OK;
}

status api_change(struct cli *cli, const struct client_call *call, struct error *err)
{
    struct client *c = NULL;
    TRY(cli_client(cli, &c, err));
    return client_request_at(c, call, cli_deadline(cli), NULL, err);
}

static status page_each(const struct json *page, api_item each, void *arg, struct error *err)
{
    const struct json *items = json_get(page, "items");
    if (json_type(items) != JSON_ARRAY)
        return error_set(err, CODE_INTERNAL, "the server's answer holds no list");
    for (size_t i = 0; i < json_count(items); i++)
        TRY(each(arg, json_at(items, i), err));
    return OK;
}

/* The cursor of the next page; empty when there is none. */
static status cursor_take(const struct json *page, struct buf *cursor, struct error *err)
{
    const char *next = json_get_text(page, "next", "");
    if (*next && strcmp(next, buf_text(cursor)) == 0)
        return error_set(err, CODE_INTERNAL, "the server gives the same page again");
    buf_reset(cursor);
    buf_add_text(cursor, next);
    return buf_check(cursor, err);
}

status api_each(struct cli *cli, const struct buf *path, api_item each, void *arg, struct error *err)
{
    cleanup_buf struct buf cursor = {0};
    for (int pages = 0; pages < PAGES_MAX; pages++) {
        cleanup_buf struct buf page_path = {0};
        cleanup_json struct json *page = NULL;
        buf_add(&page_path, path->data, path->len);
        api_query(&page_path, "after", cursor.len ? buf_text(&cursor) : NULL);
        TRY(api_request(cli, "GET", &page_path, NULL, &page, err));
        TRY(page_each(page, each, arg, err));
        TRY(cursor_take(page, &cursor, err));
        if (cursor.len == 0)
            break;
    }
    return OK;
}

struct listing {
    struct cli *cli;
    struct table *table;
    const struct api_column *columns;
    size_t count;
};

static status listing_add(void *arg, const struct json *item, struct error *err)
{
    const struct listing *l = arg;
    if (cli_is_json(l->cli))
        return api_print_json(l->cli, item, err);
    for (size_t i = 0; i < l->count; i++) {
        cleanup_buf struct buf cell = {0};
        api_cell(item, l->columns[i].member, &cell);
        table_add(l->table, buf_text(&cell));
    }
    return OK;
}

status api_list(struct cli *cli, const struct buf *path, const struct api_column *columns, size_t count,
                struct error *err)
{
    const char *titles[COLUMNS_MAX];
    for (size_t i = 0; i < count && i < COLUMNS_MAX; i++)
        titles[i] = columns[i].title;
    cleanup_table struct table *table = table_new(titles, count);
    if (!table)
        return error_set(err, CODE_NO_MEMORY, "out of memory");

    struct listing l = {cli, table, columns, count};
    TRY(api_each(cli, path, listing_add, &l, err));
    return cli_is_json(cli) ? OK : table_print(table, cli->out, err);
}

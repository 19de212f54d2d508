/* SPDX-License-Identifier: Apache-2.0 */
/* Cursor paging. A cursor is the order value of the last row shown, and opaque to clients. */
#include "server/api/list.h"

#include <string.h>

#include "common/text.h"
#include "server/api/parse.h"

enum { FILTERS_MAX = 6, EXTRA_MAX = 4 };

status list_parse(struct list *l, struct request *req, struct error *err)
{
    const char *after = request_query(req, "after");
    int64_t limit = LIST_DEFAULT;

    TRY(query_integer(req, "limit", 1, LIMIT_PAGE, &limit, err));
    if (after && (!*after || !text_is_printable(after, LIST_CURSOR_SIZE - 1)))
        return error_set(err, CODE_INVALID, "after: not a cursor of this list");

    *l = (struct list){.limit = (int)limit, .page = {.after = after, .limit = (int)limit + 1}};
    return OK;
}

status list_open(struct list *l, struct reader *r, struct api *api, struct request *req, struct error *err)
{
    static const char *const parameters[] = {"limit", "after", NULL};

    TRY(request_query_only(req, parameters, err));
    TRY(list_parse(l, req, err));
    return reader_acquire(r, api->store, err);
}

const char *const list_principal_states[] = {"active", "disabled", NULL};

static bool is_name_beginning(const char *text)
{
    return *text && strlen(text) <= LIMIT_NAME &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789._-") == strlen(text);
}

static status filter_check(const struct list_filter *f, const char *value, struct error *err)
{
    if (!f->words && !is_name_beginning(value))
        return error_set(err, CODE_INVALID, "%s: the beginning of a name is expected", f->parameter);
    for (size_t i = 0; f->words; i++) {
        if (!f->words[i])
            return error_set(err, CODE_INVALID, "%s: there is no %.40s", f->parameter, value);
        if (strcmp(f->words[i], value) == 0)
            break;
    }
    return OK;
}

status list_parse_filtered(struct list *l, struct request *req, const struct list_filter *filters,
                           const char *const *extra, struct error *err)
{
    const char *parameters[2 + FILTERS_MAX + EXTRA_MAX + 1] = {"limit", "after"};
    size_t known = 2;

    for (size_t i = 0; i < FILTERS_MAX && filters[i].parameter; i++)
        parameters[known++] = filters[i].parameter;
    for (size_t i = 0; i < EXTRA_MAX && extra && extra[i]; i++)
        parameters[known++] = extra[i];
    TRY(request_query_only(req, parameters, err));
    TRY(list_parse(l, req, err));
    for (size_t i = 0; filters[i].parameter; i++) {
        const char *value = request_query(req, filters[i].parameter);
        if (!value)
            continue;
        TRY(filter_check(&filters[i], value, err));
        *(const char **)(void *)((char *)&l->page + filters[i].member) = value;
    }
    return OK;
}

status list_open_filtered(struct list *l, struct reader *r, struct api *api, struct request *req,
                          const struct list_filter *filters, struct error *err)
{
    TRY(list_parse_filtered(l, req, filters, NULL, err));
    return reader_acquire(r, api->store, err);
}

void list_begin(struct list *l, struct response *res)
{
    l->w = response_json(res, 200);
    json_begin_object(l->w, NULL);
    json_begin_array(l->w, "items");
}

bool list_take(struct list *l, const char *cursor)
{
    if (l->shown == l->limit) {
        l->more = true;
        return false;
    }
    l->shown++;
    (void)text_copy(l->cursor, sizeof(l->cursor), cursor);
    return true;
}

bool list_take_after(struct list *l, const char *cursor)
{
    if (l->page.after && strcmp(cursor, l->page.after) <= 0)
        return false;
    return list_take(l, cursor);
}

void list_end_rows(struct list *l)
{
    json_end_array(l->w);
    json_add_text(l->w, "next", l->more ? l->cursor : NULL);
}

status list_end(struct list *l)
{
    list_end_rows(l);
    json_end_object(l->w);
    return OK;
}

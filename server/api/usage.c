/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures a day or month by key, project or signer: all of them for administrators and auditors, those of their
 * projects for owners. */
#include <stdio.h>
#include <string.h>

#include "server/api/caller.h"
#include "server/api/list.h"
#include "server/api/parse.h"
#include "server/api/routes.h"

struct usage_query {
    struct usage_filter filter;
    char from_period[NAME_SIZE]; /* that of the row after which the page begins: earlier ones need not be read */
    struct project project;
    struct signing_key key;
};

static void usage_query_clear(struct usage_query *q)
{
    signing_key_clear(&q->key);
}
#define cleanup_usage_query CLEANUP(usage_query_clear)

struct usage_page {
    struct list list;
    bool is_paged;
    int64_t total;
};

static void text_or_null(struct json_writer *w, const char *name, const char *text)
{
    json_add_text(w, name, *text ? text : NULL);
}

static status usage_row(void *arg, const struct usage *u)
{
    struct usage_page *page = arg;
    struct list *list = &page->list;
    char cursor[LIST_CURSOR_SIZE];

    page->total = u->total;
    /* '!' sorts before every character of a name, so that the text orders as the rows do. */
    (void)snprintf(cursor, sizeof(cursor), "%s!%s!%s!%s", u->day, u->project_name, u->label, u->principal_name);
    if (!list_take_after(list, cursor))
        return OK;
    json_begin_object(list->w, NULL);
    text_or_null(list->w, "day", u->day);
    text_or_null(list->w, "project", u->project_name);
    text_or_null(list->w, "label", u->label);
    text_or_null(list->w, "key", u->key_id);
    text_or_null(list->w, "signer", u->principal_name);
    text_or_null(list->w, "signer_id", u->principal_id);
    json_add_integer(list->w, "success", u->success);
    json_add_integer(list->w, "refused", u->refused);
    json_add_integer(list->w, "failed", u->failed);
    json_end_object(list->w);
    return OK;
}

/* A project or key that is named must be one whose usage the caller may see. */
static status usage_check_project(struct usage_query *q, struct db *db, struct request *req, const char *project,
                                  struct error *err)
{
    unsigned roles = 0;

    TRY(caller_project_find(db, caller_principal(req), project, &q->project, &roles, err));
    if (!caller_reads_all(req) && !(roles & MEMBER_OWNER))
        return error_set(err, CODE_FORBIDDEN, "the usage of a project is for its owners");
    return OK;
}

static status usage_query_resolve(struct usage_query *q, struct db *db, struct request *req, struct error *err)
{
    const char *key = request_query(req, "key"), *project = request_query(req, "project");

    if (key) {
        status s = key_find(db, key, &q->key, err);
        if (is_ok(s))
            s = usage_check_project(q, db, req, q->key.project_id, err);
        if (s.code == CODE_NOT_FOUND)
            return error_set(err, CODE_NOT_FOUND, "key: no such signing key, or no right to see it");
        TRY(s);
        q->filter.key_id = q->key.id;
    }
    if (project) {
        TRY(usage_check_project(q, db, req, project, err));
        q->filter.project_id = q->project.id;
    }
    if (!caller_reads_all(req))
        q->filter.owner_id = caller_principal(req)->id;
    return OK;
}

/* The value's place among the words, 0 when it is not given. */
static status query_word(struct request *req, const char *name, const char *const words[], const char *expected,
                         int *out, struct error *err)
{
    const char *given = request_query(req, name);

    *out = 0;
    for (int i = 0; given && words[i]; i++) {
        if (strcmp(given, words[i]) == 0) {
            *out = i;
            return OK;
        }
    }
    return given ? error_set(err, CODE_INVALID, "%s: %s is expected", name, expected) : OK;
}

static status usage_query_shape(struct usage_query *q, struct request *req, struct error *err)
{
    static const char *const groups[] = {[USAGE_BY_KEY] = "key",
                                         [USAGE_BY_PROJECT] = "project",
                                         [USAGE_BY_SIGNER] = "signer",
                                         [USAGE_IN_ALL] = "none",
                                         NULL};
    static const char *const periods[] = {
        [USAGE_A_DAY] = "day", [USAGE_A_MONTH] = "month", [USAGE_ALL_TIME] = "all", NULL};
    static const char *const orders[] = {
        [USAGE_OLDEST_FIRST] = "oldest", [USAGE_NEWEST_FIRST] = "newest", [USAGE_MOST_FIRST] = "most", NULL};
    int group = 0, period = 0, order = 0;

    TRY(query_word(req, "group", groups, "key, project, signer or none", &group, err));
    TRY(query_word(req, "period", periods, "day, month or all", &period, err));
    TRY(query_word(req, "order", orders, "oldest, newest or most", &order, err));
    q->filter.group = (enum usage_group)group;
    q->filter.period = (enum usage_period)period;
    q->filter.order = (enum usage_order)order;
    q->filter.principal = request_query(req, "principal");
    return OK;
}

/* Where the rows are in the order of cursors, there are pages; otherwise the first rows, and how many there are. */
static status usage_query_page(struct usage_query *q, struct usage_page *page, struct error *err)
{
    const char *after = page->list.page.after;

    page->is_paged = q->filter.order == USAGE_OLDEST_FIRST;
    if (!page->is_paged) {
        q->filter.limit = page->list.limit;
        return after ? error_set(err, CODE_INVALID, "after: the list has pages with order oldest only") : OK;
    }
    size_t len = after ? strcspn(after, "!") : 0;
    if (len >= sizeof(q->from_period))
        return error_set(err, CODE_INVALID, "after: not a cursor of this list");
    if (after)
        memcpy(q->from_period, after, len);
    if (!q->filter.from_day || strcmp(q->from_period, q->filter.from_day) > 0)
        q->filter.from_day = q->from_period;
    return OK;
}

static status usage_page_end(struct usage_page *page)
{
    struct json_writer *w = page->list.w;

    list_end_rows(&page->list);
    if (page->is_paged)
        json_add_null(w, "total");
    else
        json_add_integer(w, "total", page->total);
    json_end_object(w);
    return OK;
}

static status usage_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_reader struct reader reader = {0};
    cleanup_usage_query struct usage_query query = {0};
    static const char *const parameters[] = {"key",    "project", "principal", "from",  "to", "group",
                                             "period", "order",   "limit",     "after", NULL};
    struct usage_page page = {0};

    TRY(request_query_only(req, parameters, err));
    TRY(list_parse(&page.list, req, err));
    TRY(query_day(req, "from", &query.filter.from_day, err));
    TRY(query_day(req, "to", &query.filter.to_day, err));
    TRY(usage_query_shape(&query, req, err));
    TRY(usage_query_page(&query, &page, err));
    TRY(reader_acquire(&reader, api->store, err));
    TRY(usage_query_resolve(&query, reader.db, req, err));
    list_begin(&page.list, res);
    TRY(usage_list(reader.db, &query.filter, usage_row, &page, err));
    return usage_page_end(&page);
}

const struct route usage_routes[] = {
    {"GET", "/v1/usage", PERMISSION_ANY, usage_get, 0},
    {0},
};

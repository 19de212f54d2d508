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
    struct project project;
    struct signing_key key;
};

static void usage_query_clear(struct usage_query *q)
{
    signing_key_clear(&q->key);
}
#define cleanup_usage_query CLEANUP(usage_query_clear)

static void text_or_null(struct json_writer *w, const char *name, const char *text)
{
    json_add_text(w, name, *text ? text : NULL);
}

static status usage_row(void *arg, const struct usage *u)
{
    struct list *list = arg;
    char cursor[LIST_CURSOR_SIZE];

    /* '!' sorts before every character of a name, so that the text orders as the rows do. */
    (void)snprintf(cursor, sizeof(cursor), "%s!%s!%s!%s", u->day, u->project_name, u->label, u->principal_name);
    if (!list_take_after(list, cursor))
        return OK;
    json_begin_object(list->w, NULL);
    json_add_text(list->w, "day", u->day);
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
    static const char *const periods[] = {"day", "month", NULL};
    int group = 0, period = 0;

    TRY(query_word(req, "group", groups, "key, project, signer or none", &group, err));
    TRY(query_word(req, "period", periods, "day or month", &period, err));
    q->filter.group = (enum usage_group)group;
    q->filter.by_month = period == 1;
    q->filter.principal = request_query(req, "principal");
    return OK;
}

static status usage_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_reader struct reader reader = {0};
    cleanup_usage_query struct usage_query query = {0};
    static const char *const parameters[] = {"key",   "project", "principal", "from",  "to",
                                             "group", "period",  "limit",     "after", NULL};
    struct list list;

    TRY(request_query_only(req, parameters, err));
    TRY(list_parse(&list, req, err));
    TRY(query_day(req, "from", &query.filter.from_day, err));
    TRY(query_day(req, "to", &query.filter.to_day, err));
    TRY(usage_query_shape(&query, req, err));
    TRY(reader_acquire(&reader, api->store, err));
    TRY(usage_query_resolve(&query, reader.db, req, err));
    list_begin(&list, res);
    TRY(usage_list(reader.db, &query.filter, usage_row, &list, err));
    return list_end(&list);
}

const struct route usage_routes[] = {
    {"GET", "/v1/usage", PERMISSION_ANY, usage_get, 0},
    {0},
};

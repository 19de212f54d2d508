/* SPDX-License-Identifier: Apache-2.0 */
/* In which projects a user, service account or team has which role, and by what. */
#include <stdio.h>

#include "server/api/list.h"
#include "server/api/principals.h"
#include "server/api/render.h"
#include "server/api/routes.h"

static void project_role_render(struct json_writer *w, const struct project_role *r)
{
    json_begin_object(w, NULL);
    json_add_text(w, "project", r->project_name);
    json_add_text(w, "role", member_role_name(r->role));
    json_add_text(w, "team", *r->team_name ? r->team_name : NULL);
    json_add_time(w, "since", r->since_ms);
    json_add_time(w, "not_before", r->not_before_ms);
    json_add_time(w, "not_after", r->not_after_ms);
    json_end_object(w);
}

static status project_role_row(void *arg, const struct project_role *r)
{
    struct list *list = arg;
    char cursor[LIST_CURSOR_SIZE];

    (void)snprintf(cursor, sizeof(cursor), "%s %d %s", r->project_name, (int)r->role, r->team_name);
    if (list_take(list, cursor))
        project_role_render(list->w, r);
    return OK;
}

static status roles_answer(struct list *list, struct db *db, const char *id, struct response *res, struct error *err)
{
    list_begin(list, res);
    TRY(project_role_list(db, id, list->page, project_role_row, list, err));
    return list_end(list);
}

static status principal_roles(struct api *api, struct request *req, struct response *res, enum principal_type type,
                              const char *asked, struct error *err)
{
    cleanup_reader struct reader reader = {0};
    struct principal who;
    struct list list;

    TRY(list_open(&list, &reader, api, req, err));
    TRY(principal_find_typed(reader.db, type, asked, &who, err));
    return roles_answer(&list, reader.db, who.id, res, err);
}

static status user_roles(void *arg, struct request *req, struct response *res, struct error *err)
{
    return principal_roles(arg, req, res, PRINCIPAL_USER, request_param(req, "user"), err);
}

static status account_roles(void *arg, struct request *req, struct response *res, struct error *err)
{
    return principal_roles(arg, req, res, PRINCIPAL_SERVICE_ACCOUNT, request_param(req, "account"), err);
}

static status team_roles(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_reader struct reader reader = {0};
    struct team team;
    struct list list;

    TRY(list_open(&list, &reader, arg, req, err));
    status found = team_find(reader.db, request_param(req, "team"), &team, err);
    if (found.code == CODE_NOT_FOUND)
        return error_set(err, CODE_NOT_FOUND, "no such team");
    TRY(found);
    return roles_answer(&list, reader.db, team.id, res, err);
}

const struct route project_role_routes[] = {
    {"GET", "/v1/users/{user}/roles", PERMISSION_SELF_OR_READ_ALL, user_roles, 0},
    {"GET", "/v1/service-accounts/{account}/roles", PERMISSION_SELF_OR_READ_ALL, account_roles, 0},
    {"GET", "/v1/teams/{team}/roles", PERMISSION_SELF_OR_READ_ALL, team_roles, 0},
    {0},
};

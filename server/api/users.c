/* SPDX-License-Identifier: Apache-2.0 */
/* Users: managed by administrators, of whom one always stays active. */
#include <string.h>

#include "common/secret.h"
#include "common/text.h"
#include "server/api/caller.h"
#include "server/api/list.h"
#include "server/api/parse.h"
#include "server/api/principals.h"
#include "server/api/render.h"
#include "server/api/routes.h"

static void user_render(struct json_writer *w, const struct principal *p)
{
    json_begin_object(w, NULL);
    json_add_text(w, "id", p->id);
    json_add_text(w, "name", p->name);
    json_add_text(w, "role", platform_role_name(p->role));
    json_add_text(w, "state", principal_state_name(p));
    json_add_time(w, "created", p->created_ms);
    json_add_integer(w, "revision", p->revision);
    json_end_object(w);
}

static void user_answer(struct response *res, const struct principal *p)
{
    response_revision(res, p->revision);
    user_render(response_json(res, 200), p);
}

static status role_read(const char *role, enum platform_role *out, struct error *err)
{
    if (!platform_role_parse(role, out))
        return error_set(err, CODE_INVALID, "role: administrator, auditor or user is expected");
    return OK;
}

static status user_insert_rows(struct db *db, struct change *change, struct error *err)
{
    struct principal_change *c = (struct principal_change *)change;

    return principal_insert(db, &c->principal, err);
}

static void user_create_render(struct json_writer *w, const struct change *change)
{
    const struct principal_change *c = (const struct principal_change *)change;

    user_render(w, &c->principal);
}

static const struct change_creation user_creation = {user_insert_rows, user_create_render, false};

static status user_create(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_principal_change struct principal_change c = {.principal = {.created_ms = clock_now_ms(), .revision = 1}};
    const char *name = NULL, *role = "user";
    const struct json_field fields[] = {
        {"name", JSON_STRING, JSON_REQUIRED, &name},
        {"role", JSON_STRING, 0, &role},
    };

    TRY(query_none(req, err));
    TRY(body_read(req, fields, COUNT_OF(fields), err));
    TRY(check_name("name", name, err));
    TRY(role_read(role, &c.principal.role, err));
    c.principal.type = PRINCIPAL_USER;
    (void)text_copy(c.principal.name, sizeof(c.principal.name), name);
    TRY(id_new("usr", c.principal.id, err));

    change_begin(&c.change, req, "user.create");
    change_target(&c.change, "user", c.principal.id, c.principal.name);
    json_add_text(&c.change.detail, "role", role);
    TRY(change_create(&c.change, arg, req, res, &user_creation, err));

    response_revision(res, c.principal.revision);
    return OK;
}

static status user_row(void *arg, const struct principal *p)
{
    struct list *list = arg;

    if (list_take(list, p->name))
        user_render(list->w, p);
    return OK;
}

static status user_list_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_reader struct reader reader = {0};
    struct list list;
    static const char *const roles[] = {"administrator", "auditor", "user", NULL};
    static const struct list_filter filters[] = {{"name", offsetof(struct page, name), NULL},
                                                 {"state", offsetof(struct page, state), list_principal_states},
                                                 {"role", offsetof(struct page, role), roles},
                                                 {0}};

    TRY(list_open_filtered(&list, &reader, arg, req, filters, err));
    list_begin(&list, res);
    TRY(principal_list(reader.db, PRINCIPAL_USER, list.page, user_row, &list, err));
    return list_end(&list);
}

static status user_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_reader struct reader reader = {0};
    struct principal user;

    TRY(query_none(req, err));
    TRY(reader_acquire(&reader, api->store, err));
    TRY(principal_find_typed(reader.db, PRINCIPAL_USER, request_param(req, "user"), &user, err));
    user_answer(res, &user);
    return OK;
}

static status user_update_rows(struct db *db, struct change *change, struct error *err)
{
    struct principal_change *c = (struct principal_change *)change;

    TRY(principal_load(db, c, err));
    if (c->role != ROLE_ADMINISTRATOR)
        TRY(principal_check_not_last(db, &c->principal, err));

    json_add_text(&change->detail, "role_before", platform_role_name(c->principal.role));
    c->principal.role = c->role;
    c->principal.revision++;
    return principal_update(db, &c->principal, err);
}

static status user_patch(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_principal_change struct principal_change c = {.asked = request_param(req, "user")};
    const char *role = NULL;
    const struct json_field fields[] = {{"role", JSON_STRING, JSON_REQUIRED, &role}};

    TRY(query_none(req, err));
    TRY(body_read(req, fields, COUNT_OF(fields), err));
    TRY(role_read(role, &c.role, err));

    change_begin(&c.change, req, "user.update");
    json_add_text(&c.change.detail, "role", role);
    TRY(change_commit(&c.change, arg, req, user_update_rows, err));

    user_answer(res, &c.principal);
    return OK;
}

static status user_set_disabled(void *arg, struct request *req, struct response *res, bool disabled, struct error *err)
{
    cleanup_principal_change struct principal_change c = {0};

    TRY(principal_set_disabled(&c, arg, req, PRINCIPAL_USER, disabled, err));
    user_answer(res, &c.principal);
    return OK;
}

static status user_remove(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_principal_change struct principal_change c = {0};

    TRY(principal_delete(&c, arg, req, PRINCIPAL_USER, err));
    response_status(res, 204);
    return OK;
}

static status user_disable(void *arg, struct request *req, struct response *res, struct error *err)
{
    return user_set_disabled(arg, req, res, true, err);
}

static status user_enable(void *arg, struct request *req, struct response *res, struct error *err)
{
    return user_set_disabled(arg, req, res, false, err);
}

const struct route user_routes[] = {
    {"POST", "/v1/users", PERMISSION_ADMINISTER, user_create, 0},
    {"GET", "/v1/users", PERMISSION_READ_ALL, user_list_get, 0},
    {"GET", "/v1/users/{user}", PERMISSION_SELF_OR_READ_ALL, user_get, 0},
    {"PATCH", "/v1/users/{user}", PERMISSION_ADMINISTER, user_patch, 0},
    {"DELETE", "/v1/users/{user}", PERMISSION_ADMINISTER, user_remove, 0},
    {"POST", "/v1/users/{user}/disable", PERMISSION_ADMINISTER, user_disable, 0},
    {"POST", "/v1/users/{user}/enable", PERMISSION_ADMINISTER, user_enable, 0},
    {0},
};

/* SPDX-License-Identifier: Apache-2.0 */
/* The freeze switch: from the moment the change is durable nothing of the platform or Project signs (I4). */
#include "server/api/caller.h"
#include "server/api/parse.h"
#include "server/api/policy_scope.h"
#include "server/api/routes.h"

struct freeze_change {
    struct change change;
    enum policy_scope scope;
    const char *scope_id, *reason, *author_id;
};

static void freeze_change_clear(struct freeze_change *c)
{
    change_clear(&c->change);
}
#define cleanup_freeze_change CLEANUP(freeze_change_clear)

static void freeze_render(struct json_writer *w, const struct freeze *f)
{
    json_begin_object(w, NULL);
    json_add_bool(w, "frozen", f->is_frozen);
    json_add_text(w, "reason", f->is_frozen ? f->reason : NULL);
    json_add_text(w, "author", f->is_frozen ? f->author_name : NULL);
    json_add_time(w, "since", f->since_ms);
    json_end_object(w);
}

static status freeze_get(struct api *api, struct request *req, struct response *res, enum policy_scope scope,
                         struct error *err)
{
    cleanup_reader struct reader reader = {0};
    struct freeze f;

    TRY(query_none(req, err));
    TRY(reader_acquire(&reader, api->store, err));
    TRY(freeze_find(reader.db, scope, policy_scope_id(req, scope), &f, err));
    freeze_render(response_json(res, 200), &f);
    return OK;
}

static status freeze_rows(struct db *db, struct change *change, struct error *err)
{
    struct freeze_change *c = (struct freeze_change *)change;
    status s = freeze_insert(db, c->scope, c->scope_id, c->reason, c->author_id, clock_now_ms(), err);
    if (s.code == CODE_CONFLICT)
        return error_set(err, CODE_CONFLICT, "the %s is frozen already", policy_scope_name(c->scope));
    return s;
}

static status unfreeze_rows(struct db *db, struct change *change, struct error *err)
{
    struct freeze_change *c = (struct freeze_change *)change;
    status s = freeze_delete(db, c->scope, c->scope_id, err);
    if (s.code == CODE_NOT_FOUND)
        return error_set(err, CODE_CONFLICT, "the %s is not frozen", policy_scope_name(c->scope));
    return s;
}

static status freeze_set(struct api *api, struct request *req, struct response *res, enum policy_scope scope,
                         bool freeze, struct error *err)
{
    cleanup_freeze_change struct freeze_change c = {.scope = scope, .reason = ""};
    const struct json_field fields[] = {{"reason", JSON_STRING, JSON_REQUIRED, &c.reason}};

    TRY(query_none(req, err));
    TRY(body_read(req, fields, COUNT_OF(fields), err));
    TRY(check_text("reason", c.reason, err));
    if (!*c.reason)
        return error_set(err, CODE_INVALID, "reason: must not be empty");
    c.scope_id = policy_scope_id(req, scope);
    c.author_id = caller_principal(req)->id;
    change_begin(&c.change, req, freeze ? "signing.freeze" : "signing.unfreeze");
    policy_scope_target(&c.change, req, scope);
    json_add_text(&c.change.detail, "reason", c.reason);
    TRY(change_commit(&c.change, api, req, freeze ? freeze_rows : unfreeze_rows, err));
    return freeze_get(api, req, res, scope, err);
}

static status freeze_get_platform(void *arg, struct request *req, struct response *res, struct error *err)
{
    return freeze_get(arg, req, res, SCOPE_PLATFORM, err);
}

static status freeze_get_project(void *arg, struct request *req, struct response *res, struct error *err)
{
    return freeze_get(arg, req, res, SCOPE_PROJECT, err);
}

static status freeze_platform(void *arg, struct request *req, struct response *res, struct error *err)
{
    return freeze_set(arg, req, res, SCOPE_PLATFORM, true, err);
}

static status unfreeze_platform(void *arg, struct request *req, struct response *res, struct error *err)
{
    return freeze_set(arg, req, res, SCOPE_PLATFORM, false, err);
}

static status freeze_project(void *arg, struct request *req, struct response *res, struct error *err)
{
    return freeze_set(arg, req, res, SCOPE_PROJECT, true, err);
}

static status unfreeze_project(void *arg, struct request *req, struct response *res, struct error *err)
{
    return freeze_set(arg, req, res, SCOPE_PROJECT, false, err);
}

const struct route freeze_routes[] = {
    {"GET", "/v1/freeze", PERMISSION_ANY, freeze_get_platform, 0},
    {"POST", "/v1/freeze", PERMISSION_ADMINISTER, freeze_platform, 0},
    {"POST", "/v1/unfreeze", PERMISSION_ADMINISTER, unfreeze_platform, 0},
    {"GET", "/v1/projects/{project}/freeze", PERMISSION_PROJECT_READ, freeze_get_project, 0},
    {"POST", "/v1/projects/{project}/freeze", PERMISSION_PROJECT_MANAGE, freeze_project, 0},
    {"POST", "/v1/projects/{project}/unfreeze", PERMISSION_PROJECT_MANAGE, unfreeze_project, 0},
    {0},
};

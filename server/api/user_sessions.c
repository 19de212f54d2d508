/* SPDX-License-Identifier: Apache-2.0 */
/* The sessions of a user: listed and ended by himself and by administrators, one or all. */
#include "server/api/sessions.h"

#include <string.h>

#include "common/text.h"
#include "server/api/caller.h"
#include "server/api/list.h"
#include "server/api/parse.h"
#include "server/api/principals.h"
#include "server/api/routes.h"

void session_change_clear(struct session_change *c)
{
    change_clear(&c->change);
}

static status session_delete_rows(struct db *db, struct change *change, struct error *err)
{
    struct session_change *c = (struct session_change *)change;

    status s = web_session_delete(db, c->user_id, c->id, err);
    return s.code == CODE_NOT_FOUND ? error_set(err, CODE_NOT_FOUND, "no such session of this user") : s;
}

status session_end(struct session_change *c, struct api *api, struct request *req, const char *user_name,
                   struct error *err)
{
    change_begin(&c->change, req, "session.revoke");
    change_target(&c->change, "session", c->id, user_name);
    json_add_text(&c->change.detail, "user_id", c->user_id);
    return change_commit(&c->change, api, req, session_delete_rows, err);
}

static status session_row(void *arg, const struct web_session *s)
{
    struct list *list = arg;

    if (!list_take(list, s->id))
        return OK;
    json_begin_object(list->w, NULL);
    json_add_text(list->w, "id", s->id);
    json_add_text(list->w, "api_key", *s->api_key_id ? s->api_key_id : NULL);
    json_add_text(list->w, "address", s->address);
    json_add_time(list->w, "created", s->created_ms);
    json_add_time(list->w, "last_used", s->last_used_ms);
    json_add_time(list->w, "expires", s->expires_ms);
    json_end_object(list->w);
    return OK;
}

static status session_list_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_reader struct reader reader = {0};
    struct principal user;
    struct list list;

    TRY(list_open(&list, &reader, arg, req, err));
    TRY(principal_find_typed(reader.db, PRINCIPAL_USER, request_param(req, "user"), &user, err));
    list_begin(&list, res);
    TRY(web_session_list(reader.db, user.id, list.page, session_row, &list, err));
    return list_end(&list);
}

static status user_find(struct api *api, struct request *req, struct principal *user, struct error *err)
{
    cleanup_reader struct reader reader = {0};

    TRY(query_none(req, err));
    TRY(reader_acquire(&reader, api->store, err));
    return principal_find_typed(reader.db, PRINCIPAL_USER, request_param(req, "user"), user, err);
}

static status session_revoke(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_session_change struct session_change c = {0};
    struct principal user;

    TRY(user_find(arg, req, &user, err));
    if (!text_copy(c.id, sizeof(c.id), request_param(req, "id")))
        return error_set(err, CODE_NOT_FOUND, "no such session of this user");
    (void)text_copy(c.user_id, sizeof(c.user_id), user.id);
    TRY(session_end(&c, arg, req, user.name, err));
    response_status(res, 204);
    return OK;
}

static status revoke_all_rows(struct db *db, struct change *change, struct error *err)
{
    struct session_change *c = (struct session_change *)change;
    int64_t count = 0;

    TRY(web_session_delete_all(db, c->user_id, &count, err));
    json_add_integer(&change->detail, "sessions", count);
    return OK;
}

/* Also the session that asks for it. */
static status session_revoke_all(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_session_change struct session_change c = {0};
    struct principal user;

    TRY(user_find(arg, req, &user, err));
    (void)text_copy(c.user_id, sizeof(c.user_id), user.id);
    change_begin(&c.change, req, "session.revoke_all");
    change_target(&c.change, "user", user.id, user.name);
    TRY(change_commit(&c.change, arg, req, revoke_all_rows, err));
    if (*caller_of(req)->identity.session_id && strcmp(user.id, caller_principal(req)->id) == 0)
        response_header(res, "Set-Cookie", SESSION_COOKIE_GONE);
    response_status(res, 204);
    return OK;
}

const struct route user_session_routes[] = {
    {"GET", "/v1/users/{user}/sessions", PERMISSION_SELF_OR_ADMINISTER, session_list_get, 0},
    {"DELETE", "/v1/users/{user}/sessions", PERMISSION_SELF_OR_ADMINISTER, session_revoke_all, 0},
    {"DELETE", "/v1/users/{user}/sessions/{id}", PERMISSION_SELF_OR_ADMINISTER, session_revoke, 0},
    {0},
};

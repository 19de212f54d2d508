/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions of browsers: opened with an API key, which then need not stay in the page; listed and revoked by the user
 * and by administrators. */
#include <string.h>

#include "common/secret.h"
#include "common/text.h"
#include "server/api/caller.h"
#include "server/api/change.h"
#include "server/api/list.h"
#include "server/api/parse.h"
#include "server/api/principals.h"
#include "server/api/render.h"
#include "server/api/routes.h"

#define COOKIE_END "; Path=/; Secure; HttpOnly; SameSite=Strict"

struct session_change {
    struct change change;
    struct web_session session;
    char user_id[ID_SIZE], id[ID_SIZE]; /* to be ended */
};

static void session_change_clear(struct session_change *c)
{
    change_clear(&c->change);
}
#define cleanup_session_change CLEANUP(session_change_clear)

static void session_render(struct response *res, int http_status, const char *id, const struct principal *user,
                           int64_t created_ms, int64_t expires_ms, const char *csrf)
{
    struct json_writer *w = response_json(res, http_status);

    response_header(res, "Cache-Control", "no-store");
    json_begin_object(w, NULL);
    json_add_text(w, "id", id);
    json_add_text(w, "user", user->name);
    json_add_text(w, "role", platform_role_name(user->role));
    json_add_time(w, "created", created_ms);
    json_add_time(w, "expires", expires_ms);
    json_add_text(w, "csrf_token", csrf);
    json_end_object(w);
}

/* ---- one's own */

static status session_insert_rows(struct db *db, struct change *change, struct error *err)
{
    return web_session_insert(db, &((struct session_change *)change)->session, err);
}

/* The API key in the body is judged like one in the header, with the same refusal. */
static status login_judge(struct api *api, struct request *req, struct caller *caller, struct error *err)
{
    cleanup_reader struct reader reader = {0};
    cleanup_buf struct buf bearer = {0};
    const char *key = NULL;
    const struct json_field fields[] = {{"api_key", JSON_STRING, JSON_REQUIRED, &key}};

    TRY(query_none(req, err));
    TRY(body_read(req, fields, COUNT_OF(fields), err));
    if (!text_is_printable(key, LIMIT_TEXT))
        return error_set(err, CODE_INVALID, "api_key: an API key is expected");
    buf_printf(&bearer, "Bearer %s", key);
    TRY(buf_check(&bearer, err));
    TRY(reader_acquire(&reader, api->store, err));
    status judged = auth_bearer(reader.db, buf_text(&bearer), clock_now_ms(), &caller->identity, err);
    secret_wipe(bearer.data, bearer.len);
    TRY(judged);
    if (!*caller->identity.credential_id)
        return error_set(err, CODE_NOT_AUTHENTICATED, "%s", code_text(CODE_NOT_AUTHENTICATED));
    if (!(caller->identity.scopes & SESSION_SCOPES))
        return error_set(err, CODE_FORBIDDEN, "the API key has neither the scope read nor admin");
    return OK;
}

static status session_create(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_session_change struct session_change c = {0};
    cleanup_buf struct buf secret = {0}, cookie = {0};
    char csrf[SESSION_CSRF_SIZE];
    struct caller *caller = calloc(1, sizeof(*caller));

    if (!caller)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    request_set_context(req, caller, free); /* the record's principal is who logs in */
    TRY(login_judge(arg, req, caller, err));
    TRY(web_session_make(&caller->identity, clock_now_ms(), &secret, csrf, &c.session, err));
    (void)text_copy(c.session.address, sizeof(c.session.address), request_client_address(req));

    change_begin(&c.change, req, "session.create");
    change_target(&c.change, "session", c.session.id, caller->identity.principal.name);
    json_add_text(&c.change.detail, "api_key", c.session.api_key_id);
    json_add_time(&c.change.detail, "expires", c.session.expires_ms);
    TRY(change_commit(&c.change, arg, req, session_insert_rows, err));

    buf_printf(&cookie, SESSION_COOKIE "=%s" COOKIE_END, buf_text(&secret));
    TRY(buf_check(&cookie, err));
    response_header(res, "Set-Cookie", buf_text(&cookie));
    secret_wipe(cookie.data, cookie.len);
    session_render(res, 201, c.session.id, &caller->identity.principal, c.session.created_ms, c.session.expires_ms,
                   csrf);
    return OK;
}

static status own_session(const struct request *req, const struct caller **out, struct error *err)
{
    *out = caller_of(req);
    return *(*out)->identity.session_id ? OK : error_set(err, CODE_NOT_FOUND, "the request does not come in a session");
}

static status session_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    const struct caller *caller = NULL;
    (void)arg;

    TRY(query_none(req, err));
    TRY(own_session(req, &caller, err));
    session_render(res, 200, caller->identity.session_id, &caller->identity.principal,
                   caller->identity.session_created_ms, caller->identity.credential_expires_ms, caller->csrf);
    return OK;
}

static status session_delete_rows(struct db *db, struct change *change, struct error *err)
{
    struct session_change *c = (struct session_change *)change;

    status s = web_session_delete(db, c->user_id, c->id, err);
    return s.code == CODE_NOT_FOUND ? error_set(err, CODE_NOT_FOUND, "no such session of this user") : s;
}

static status session_end(struct session_change *c, struct api *api, struct request *req, const char *user_name,
                          struct error *err)
{
    change_begin(&c->change, req, "session.revoke");
    change_target(&c->change, "session", c->id, user_name);
    json_add_text(&c->change.detail, "user_id", c->user_id);
    return change_commit(&c->change, api, req, session_delete_rows, err);
}

static status session_close(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_session_change struct session_change c = {0};
    const struct caller *caller = NULL;

    TRY(query_none(req, err));
    TRY(own_session(req, &caller, err));
    (void)text_copy(c.user_id, sizeof(c.user_id), caller->identity.principal.id);
    (void)text_copy(c.id, sizeof(c.id), caller->identity.session_id);
    TRY(session_end(&c, arg, req, caller->identity.principal.name, err));
    response_header(res, "Set-Cookie", SESSION_COOKIE "=; Max-Age=0" COOKIE_END);
    response_status(res, 204);
    return OK;
}

/* ---- a user's */

static status session_row(void *arg, const struct web_session *s)
{
    struct list *list = arg;

    if (!list_take(list, s->id))
        return OK;
    json_begin_object(list->w, NULL);
    json_add_text(list->w, "id", s->id);
    json_add_text(list->w, "api_key", s->api_key_id);
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

static status session_revoke(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_session_change struct session_change c = {0};
    cleanup_reader struct reader reader = {0};
    struct principal user;

    TRY(query_none(req, err));
    TRY(reader_acquire(&reader, api->store, err));
    TRY(principal_find_typed(reader.db, PRINCIPAL_USER, request_param(req, "user"), &user, err));
    reader_release(&reader);
    if (!text_copy(c.id, sizeof(c.id), request_param(req, "id")))
        return error_set(err, CODE_NOT_FOUND, "no such session of this user");
    (void)text_copy(c.user_id, sizeof(c.user_id), user.id);
    TRY(session_end(&c, arg, req, user.name, err));
    response_status(res, 204);
    return OK;
}

const struct route session_routes[] = {
    {"POST", ROUTE_SESSION, PERMISSION_PUBLIC, session_create, 0},
    {"GET", ROUTE_SESSION, PERMISSION_ANY, session_get, 0},
    {"DELETE", ROUTE_SESSION, PERMISSION_ANY, session_close, 0},
    {"GET", "/v1/users/{user}/sessions", PERMISSION_SELF_OR_ADMINISTER, session_list_get, 0},
    {"DELETE", "/v1/users/{user}/sessions/{id}", PERMISSION_SELF_OR_ADMINISTER, session_revoke, 0},
    {0},
};

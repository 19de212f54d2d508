/* SPDX-License-Identifier: Apache-2.0 */
/* The session a browser is in: opened with an API key or a password, which then need not stay in the page; confirmed
 * again before what is sensitive; closed. */
#include "server/api/sessions.h"

#include <string.h>

#include "common/text.h"
#include "server/api/parse.h"
#include "server/api/render.h"
#include "server/api/routes.h"
#include "server/api/sign_in.h"

struct session_view {
    const char *id, *csrf;
    const struct principal *user;
    int64_t created_ms, expires_ms, confirmed_until_ms;
    bool is_by_password, is_limited;
};

static void session_render(struct response *res, int http_status, const struct session_view *s)
{
    struct json_writer *w = response_json(res, http_status);

    response_header(res, "Cache-Control", "no-store");
    json_begin_object(w, NULL);
    json_add_text(w, "id", s->id);
    json_add_text(w, "user", s->user->name);
    json_add_text(w, "role", platform_role_name(s->user->role));
    json_add_time(w, "created", s->created_ms);
    json_add_time(w, "expires", s->expires_ms);
    json_add_text(w, "csrf_token", s->csrf);
    json_add_text(w, "opened_with", s->is_by_password ? "password" : "api_key");
    json_add_time(w, "confirmed_until", s->confirmed_until_ms);
    json_add_bool(w, "must_change_password", s->is_limited);
    json_end_object(w);
}

static void own_render(struct response *res, const struct caller *caller)
{
    const struct identity *i = &caller->identity;
    const struct session_view view = {
        .id = i->session_id,
        .csrf = caller->csrf,
        .user = &i->principal,
        .created_ms = i->session_created_ms,
        .expires_ms = i->credential_expires_ms,
        .confirmed_until_ms = i->session_confirmed_until_ms,
        .is_by_password = i->session_is_by_password,
        .is_limited = i->session_is_limited,
    };

    session_render(res, 200, &view);
}

/* ---- open */

static status session_insert_rows(struct db *db, struct change *change, struct error *err)
{
    return web_session_insert(db, &((struct session_change *)change)->session, err);
}

static status login_judge(struct api *api, struct request *req, struct caller *caller, struct error *err)
{
    struct sign_in offered = {0};
    const struct json_field fields[] = {{"name", JSON_STRING, 0, &offered.name}, SIGN_IN_FIELDS(offered)};

    TRY(query_none(req, err));
    TRY(body_read(req, fields, COUNT_OF(fields), err));
    TRY(sign_in_check(&offered, true, err));
    TRY(sign_in_judge(api, req, &offered, &caller->identity, err));
    if (!(caller->identity.scopes & SESSION_SCOPES))
        return error_set(err, CODE_FORBIDDEN, "the API key has neither the scope read nor admin");
    return OK;
}

static status cookie_set(struct response *res, const struct buf *secret, struct error *err)
{
    cleanup_buf struct buf cookie = {0};

    buf_printf(&cookie, SESSION_COOKIE "=%s" SESSION_COOKIE_END, buf_text(secret));
    TRY(buf_check(&cookie, err));
    response_header(res, "Set-Cookie", buf_text(&cookie));
    return OK;
}

static status session_create(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_session_change struct session_change c = {0};
    cleanup_buf struct buf secret = {0};
    char csrf[SESSION_CSRF_SIZE];
    struct caller *caller = calloc(1, sizeof(*caller));
    const struct web_session *s = &c.session;

    if (!caller)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    request_set_context(req, caller, free); /* the record's principal is who logs in */
    TRY(login_judge(arg, req, caller, err));
    TRY(web_session_make(&caller->identity, clock_now_ms(), &secret, csrf, &c.session, err));
    (void)text_copy(c.session.address, sizeof(c.session.address), request_client_address(req));

    change_begin(&c.change, req, "session.create");
    change_target(&c.change, "session", s->id, caller->identity.principal.name);
    json_add_text(&c.change.detail, "api_key", *s->api_key_id ? s->api_key_id : NULL);
    json_add_bool(&c.change.detail, "one_time_password", s->is_limited);
    json_add_time(&c.change.detail, "expires", s->expires_ms);
    TRY(change_commit(&c.change, arg, req, session_insert_rows, err));

    TRY(cookie_set(res, &secret, err));
    const struct session_view view = {s->id,           csrf,          &caller->identity.principal,
                                      s->created_ms,   s->expires_ms, s->confirmed_until_ms,
                                      !*s->api_key_id, s->is_limited};
    session_render(res, 201, &view);
    return OK;
}

/* ---- look, confirm, close */

static status own_session(struct request *req, struct caller **out, struct error *err)
{
    *out = request_context(req);
    return *(*out)->identity.session_id ? OK : error_set(err, CODE_NOT_FOUND, "the request does not come in a session");
}

static status session_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct caller *caller = NULL;
    (void)arg;

    TRY(query_none(req, err));
    TRY(own_session(req, &caller, err));
    own_render(res, caller);
    return OK;
}

static status confirm_rows(struct db *db, struct change *change, struct error *err)
{
    const struct web_session *s = &((struct session_change *)change)->session;

    return web_session_confirm(db, s->id, s->confirmed_until_ms, err);
}

static status confirm_read(struct request *req, struct sign_in *offered, struct error *err)
{
    const struct json_field fields[] = {SIGN_IN_FIELDS(*offered)};

    TRY(query_none(req, err));
    TRY(body_read(req, fields, COUNT_OF(fields), err));
    return sign_in_check(offered, false, err);
}

static status session_confirm(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_session_change struct session_change c = {0};
    struct sign_in offered = {0};
    struct caller *caller = NULL;

    TRY(confirm_read(req, &offered, err));
    TRY(own_session(req, &caller, err));
    if (!offered.api_key)
        offered.name = caller->identity.principal.name;
    TRY(sign_in_again(arg, req, &offered, &caller->identity.principal, err));
    c.session.confirmed_until_ms = clock_now_ms() + (int64_t)LIMIT_CONFIRMATION_SECONDS * 1000;
    (void)text_copy(c.session.id, sizeof(c.session.id), caller->identity.session_id);

    change_begin(&c.change, req, "session.confirm");
    c.change.keeps_rights = true;
    change_target(&c.change, "session", c.session.id, caller->identity.principal.name);
    json_add_time(&c.change.detail, "until", c.session.confirmed_until_ms);
    TRY(change_commit(&c.change, arg, req, confirm_rows, err));

    caller->identity.session_confirmed_until_ms = c.session.confirmed_until_ms;
    own_render(res, caller);
    return OK;
}

static status session_close(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_session_change struct session_change c = {0};
    struct caller *caller = NULL;

    TRY(query_none(req, err));
    TRY(own_session(req, &caller, err));
    (void)text_copy(c.user_id, sizeof(c.user_id), caller->identity.principal.id);
    (void)text_copy(c.id, sizeof(c.id), caller->identity.session_id);
    TRY(session_end(&c, arg, req, caller->identity.principal.name, err));
    response_header(res, "Set-Cookie", SESSION_COOKIE_GONE);
    response_status(res, 204);
    return OK;
}

const struct route session_routes[] = {
    {"POST", ROUTE_SESSION, PERMISSION_PUBLIC, session_create, 0},
    {"GET", ROUTE_SESSION, PERMISSION_ANY, session_get, 0},
    {"DELETE", ROUTE_SESSION, PERMISSION_ANY, session_close, 0},
    {"POST", ROUTE_SESSION_CONFIRM, PERMISSION_ANY, session_confirm, 0},
    {0},
};

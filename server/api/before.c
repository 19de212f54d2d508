/* SPDX-License-Identifier: Apache-2.0 */
/* Runs before every handler: credential to principal, then the permission of the route's row, both from the store's
 * present state (I4). Whoever may not see an object gets the answer of an unknown one; whoever sees it but may not
 * change it gets 403. */
#include <stdatomic.h>
#include <string.h>

#include "common/secret.h"
#include "common/text.h"
#include "server/api/denied.h"

enum { TOUCH_SLOTS = 1024, TOUCH_TIMEOUT_MS = 1000, MINUTE_MS = 60 * 1000 };

static status denied_unseen(struct error *err)
{
    return error_set(err, CODE_NOT_FOUND, "no such object, or no right to see it");
}

static status denied_seen(struct error *err)
{
    return error_set(err, CODE_FORBIDDEN, "this principal may not do that");
}

static status judge_project(struct db *db, struct request *req, enum permission permission, struct caller *caller,
                            struct error *err)
{
    const struct principal *who = &caller->identity.principal;
    const char *project = request_param(req, "project");
    const char *key_text = request_param(req, "key");
    cleanup_signing_key struct signing_key key = {0};

    status s = OK;
    if (*key_text) {
        s = key_find(db, key_text, &key, err);
        project = key.project_id;
    }
    if (is_ok(s))
        s = caller_project_find(db, who, project, &caller->project, &caller->roles, err);
    if (s.code == CODE_NOT_FOUND)
        return denied_unseen(err);
    TRY(s);

    (void)text_copy(caller->key_id, sizeof(caller->key_id), key.id);
    (void)text_copy(caller->key_label, sizeof(caller->key_label), key.label);
    return permission_granted(permission, who, caller->roles, false) ? OK : denied_seen(err);
}

static bool path_names(const struct request *req, const struct principal *who)
{
    const char *user = request_param(req, "user");

    return who->type == PRINCIPAL_USER && *user && (strcmp(user, who->id) == 0 || strcmp(user, who->name) == 0);
}

/* The team that the path names, or that owns the service account named there; "": none. */
static status team_of_path(struct db *db, const struct request *req, char out[ID_SIZE], struct error *err)
{
    const char *asked = request_param(req, "team"), *account = request_param(req, "account");
    struct team team;
    struct principal owned;
    status s = OK;

    *out = '\0';
    if (*asked) {
        s = team_find(db, asked, &team, err);
        if (is_ok(s))
            (void)text_copy(out, ID_SIZE, team.id);
    } else if (*account) {
        s = principal_find(db, account, &owned, err);
        if (is_ok(s) && owned.type == PRINCIPAL_SERVICE_ACCOUNT)
            (void)text_copy(out, ID_SIZE, owned.team_id);
    }
    return s.code == CODE_NOT_FOUND ? OK : s;
}

static status is_in_team_of_path(struct db *db, const struct request *req, const struct principal *who, bool *out,
                                 struct error *err)
{
    char team[ID_SIZE];

    *out = false;
    TRY(team_of_path(db, req, team, err));
    return *team ? team_has(db, team, who->id, out, err) : OK;
}

static status judge_platform(struct db *db, const struct request *req, enum permission permission,
                             const struct principal *who, struct error *err)
{
    bool is_its_own = false;
    if (permission_granted(permission, who, 0, path_names(req, who)))
        return OK;
    TRY(is_in_team_of_path(db, req, who, &is_its_own, err));
    if (permission_granted(permission, who, 0, is_its_own))
        return OK;

    bool names_an_object = strchr(request_route(req)->pattern, '{') != NULL;
    bool sees_it = permission_granted(PERMISSION_READ_ALL, who, 0, false);
    return names_an_object && !sees_it ? denied_unseen(err) : denied_seen(err);
}

static status judge(struct db *db, struct request *req, struct caller *caller, struct error *err)
{
    enum permission permission = (enum permission)request_route(req)->permission;

    if (permission == PERMISSION_PROJECT_READ || permission == PERMISSION_PROJECT_MANAGE)
        return judge_project(db, req, permission, caller, err);
    return judge_platform(db, req, permission, &caller->identity.principal, err);
}

/* Says nothing of the object: the credential could not do this to any. */
static status judge_scope(const struct request *req, const struct identity *identity, struct error *err)
{
    const struct route *route = request_route(req);
    unsigned wanted = scopes_for((enum permission)route->permission, route->method, route->pattern);
    if (identity->scopes & wanted)
        return OK;
    enum scope lowest = (enum scope)(wanted & -wanted);
    return error_set(err, CODE_FORBIDDEN, "the credential does not have the scope %s", scope_name(lowest));
}

static status touch(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    (void)record;
    return api_key_touch(db, arg, clock_now_ms(), err);
}

static status session_touch_rows(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    (void)record;
    return web_session_touch(db, arg, clock_now_ms(), err);
}

/* A session lives by being used: unlike a key's time this one decides. */
static void session_touch(struct api *api, struct caller *caller)
{
    struct audit_work work = {.change = session_touch_rows, .arg = caller->identity.session_id};
    if (caller->identity.session_wants_touch)
        ignore(audit_commit(api->audit, &work, deadline_in(TOUCH_TIMEOUT_MS), NULL));
}

/* Of credential and minute; never 0. */
static uint64_t touch_mark(const char *credential, int64_t minute)
{
    return ((text_hash(credential) + (uint64_t)minute) * 0x9e3779b97f4a7c15u) | 1u;
}

/* Remembers per credential the minute it was last written for, so that a busy one costs one small commit a minute. The
 * time is a convenience: where it cannot be written the request goes on. */
static void credential_touch(struct api *api, struct caller *caller)
{
    static _Atomic uint64_t marks[TOUCH_SLOTS];
    char *credential = caller->identity.credential_id;
    if (!*credential)
        return;

    uint64_t mark = touch_mark(credential, clock_now_ms() / MINUTE_MS);
    _Atomic uint64_t *slot = &marks[touch_mark(credential, 0) / 2 % TOUCH_SLOTS];
    if (atomic_exchange_explicit(slot, mark, memory_order_relaxed) == mark)
        return;

    struct audit_work work = {.change = touch, .arg = credential};
    ignore(audit_commit(api->audit, &work, deadline_in(TOUCH_TIMEOUT_MS), NULL));
}

/* A browser adds the cookie to whatever any page makes it ask for; the header only our own page can add. */
static status judge_csrf(const struct request *req, const struct caller *caller, struct error *err)
{
    const char *token = request_header(req, HEADER_CSRF);

    if (strcmp(request_route(req)->method, "GET") == 0)
        return OK;
    if (!token || strlen(token) != SESSION_CSRF_SIZE - 1 || !secret_equal(token, caller->csrf, SESSION_CSRF_SIZE - 1))
        return error_set(err, CODE_FORBIDDEN, HEADER_CSRF ": the token of the session is missing or wrong");
    return OK;
}

static status judge_limited(const struct request *req, const struct identity *identity, struct error *err)
{
    const struct route *route = request_route(req);
    bool of_another = *request_param(req, "user") && !path_names(req, &identity->principal);

    if (!identity->session_is_limited || (session_limited_may(route->method, route->pattern) && !of_another))
        return OK;
    return error_set(err, CODE_PASSWORD_CHANGE_REQUIRED, "%s", code_text(CODE_PASSWORD_CHANGE_REQUIRED));
}

/* Last, so that only who may do it at all is asked who he is. */
static status judge_confirmed(const struct request *req, const struct identity *identity, struct error *err)
{
    const struct route *route = request_route(req);

    if (!session_confirms(route->method, route->pattern) || clock_now_ms() < identity->session_confirmed_until_ms)
        return OK;
    return error_set(err, CODE_CONFIRMATION_REQUIRED, "%s", code_text(CODE_CONFIRMATION_REQUIRED));
}

/* *known: the credential is good, whatever becomes of the request. */
static status identify(struct api *api, struct request *req, struct caller *caller, bool *known, struct error *err)
{
    cleanup_reader struct reader reader = {0};
    const char *authorization = request_header(req, "Authorization");
    const char *cookies = request_header(req, "Cookie");

    if (!authorization && !cookies)
        return error_set(err, CODE_NOT_AUTHENTICATED, "a credential is needed: Authorization: Bearer …");
    TRY(reader_acquire(&reader, api->store, err));
    if (authorization)
        TRY(identity_cache_bearer(api->identities, reader.db, authorization, clock_now_ms(), &caller->identity, err));
    else
        TRY(auth_session(reader.db, cookies, clock_now_ms(), &caller->identity, caller->csrf, err));
    *known = true;
    if (!authorization) {
        TRY(judge_csrf(req, caller, err));
        TRY(judge_limited(req, &caller->identity, err));
    }
    TRY(judge_scope(req, &caller->identity, err));
    TRY(judge(reader.db, req, caller, err));
    return authorization ? OK : judge_confirmed(req, &caller->identity, err);
}

status api_before(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    (void)res;

    if (request_route(req)->permission == PERMISSION_PUBLIC)
        return OK;

    struct caller *caller = calloc(1, sizeof(*caller));
    if (!caller)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    request_set_context(req, caller, free);

    bool known = false;
    status judged = identify(api, req, caller, &known, err);
    if (known && (judged.code == CODE_FORBIDDEN || judged.code == CODE_NOT_FOUND))
        denied_record(api, req, caller, err);
    TRY(judged);
    credential_touch(api, caller);
    session_touch(api, caller);
    return OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Passwords of users for the browser. A user sets his own, with the one he has as proof; what an administrator sets for
 * another is good once, for opening a session in which the user sets his own. Never on record, never shown (I8). */
#include <string.h>

#include "common/secret.h"
#include "common/text.h"
#include "server/api/caller.h"
#include "server/api/change.h"
#include "server/api/parse.h"
#include "server/api/principals.h"
#include "server/api/routes.h"
#include "server/api/sign_in.h"
#include "server/auth/password.h"

struct password_change {
    struct change change;
    struct principal user;
    struct user_password before, made;
    bool has_one; /* before */
    bool is_for_another;
    char kept_session[ID_SIZE]; /* "": none */
};

static void password_change_clear(struct password_change *c)
{
    change_clear(&c->change);
    secret_wipe(&c->before, sizeof(c->before));
    secret_wipe(&c->made, sizeof(c->made));
}
#define cleanup_password_change CLEANUP(password_change_clear)

static status password_load(struct password_change *c, struct api *api, struct request *req, struct error *err)
{
    cleanup_reader struct reader reader = {0};

    TRY(reader_acquire(&reader, api->store, err));
    TRY(principal_find_typed(reader.db, PRINCIPAL_USER, request_param(req, "user"), &c->user, err));
    status found = user_password_find(reader.db, c->user.id, &c->before, err);
    c->has_one = is_ok(found);
    c->is_for_another = strcmp(c->user.id, caller_principal(req)->id) != 0;
    return found.code == CODE_NOT_FOUND ? OK : found;
}

/* ---- look */

static status password_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_password_change struct password_change c = {0};

    TRY(query_none(req, err));
    TRY(password_load(&c, arg, req, err));
    struct json_writer *w = response_json(res, 200);
    json_begin_object(w, NULL);
    json_add_bool(w, "is_set", c.has_one);
    json_add_bool(w, "is_one_time", c.before.is_one_time);
    json_add_time(w, "changed", c.before.changed_ms);
    json_end_object(w);
    return OK;
}

/* ---- set */

static status set_rows(struct db *db, struct change *change, struct error *err)
{
    struct password_change *c = (struct password_change *)change;

    TRY(user_password_set(db, c->user.id, &c->made, err));
    TRY(sign_in_failures_clear(db, c->user.id, err));
    TRY(web_session_delete_by_password(db, c->user.id, c->kept_session, err));
    return web_session_unlimit(db, c->kept_session, err);
}

/* The password there is, or a session that showed it a short time ago. Without one: a key, or a confirmed session. */
static status proof_judge(struct password_change *c, struct api *api, struct request *req, struct sign_in *offered,
                          struct error *err)
{
    const struct identity *caller = &caller_of(req)->identity;
    bool is_confirmed = *caller->session_id && clock_now_ms() < caller->session_confirmed_until_ms;

    if (is_confirmed)
        return OK;
    if (!c->is_for_another && c->has_one && offered->password) {
        TRY(sign_in_check(offered, true, err));
        return sign_in_again(api, req, offered, &c->user, err);
    }
    if (*caller->session_id)
        return error_set(err, CODE_CONFIRMATION_REQUIRED, "%s", code_text(CODE_CONFIRMATION_REQUIRED));
    if (!c->is_for_another && c->has_one)
        return error_set(err, CODE_CONFIRMATION_REQUIRED, "current_password: the password there is, as proof");
    return OK;
}

static status password_make(struct password_change *c, const char *password, struct error *err)
{
    cleanup_password_slot struct password_slot slot = {0};
    bool same = false;

    TRY(password_slot_take(&slot, err));
    if (c->has_one && !c->is_for_another) /* an administrator could guess with it */
        TRY(password_verify(&slot, c->before.hash, password, &same, err));
    if (same)
        return error_set(err, CODE_INVALID, "password: it is the one there is");
    c->made = (struct user_password){.is_one_time = c->is_for_another, .changed_ms = clock_now_ms()};
    return password_hash(&slot, password, c->made.hash, err);
}

static status set_read(struct request *req, const char **password, struct sign_in *offered, struct error *err)
{
    const struct json_field fields[] = {{"password", JSON_STRING, JSON_REQUIRED, password},
                                        {"current_password", JSON_STRING, 0, &offered->password},
                                        {"totp", JSON_STRING, 0, &offered->totp}};

    TRY(query_none(req, err));
    TRY(body_read(req, fields, COUNT_OF(fields), err));
    if (offered->password && !text_is_printable(offered->password, PASSWORD_MAX))
        return error_set(err, CODE_INVALID, "current_password: it is no password");
    TRY(check_text("totp", offered->totp, err));
    return password_check("password", *password, "", err);
}

static status password_put(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_password_change struct password_change c = {0};
    struct sign_in offered = {0};
    const char *password = NULL;

    TRY(set_read(req, &password, &offered, err));
    TRY(password_load(&c, arg, req, err));
    TRY(password_check("password", password, c.user.name, err));
    offered.name = c.user.name;
    TRY(proof_judge(&c, arg, req, &offered, err));
    TRY(password_make(&c, password, err));
    if (!c.is_for_another)
        (void)text_copy(c.kept_session, sizeof(c.kept_session), caller_of(req)->identity.session_id);

    change_begin(&c.change, req, "password.set");
    change_target(&c.change, "user", c.user.id, c.user.name);
    json_add_bool(&c.change.detail, "one_time", c.made.is_one_time);
    json_add_bool(&c.change.detail, "for_another", c.is_for_another);
    TRY(change_commit(&c.change, arg, req, set_rows, err));
    response_status(res, 204);
    return OK;
}

/* ---- remove */

static status remove_rows(struct db *db, struct change *change, struct error *err)
{
    struct password_change *c = (struct password_change *)change;

    status removed = user_password_delete(db, c->user.id, err);
    if (removed.code == CODE_NOT_FOUND)
        return error_set(err, CODE_NOT_FOUND, "the user has no password");
    TRY(removed);
    return web_session_delete_by_password(db, c->user.id, "", err);
}

static status password_remove(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_password_change struct password_change c = {0};

    TRY(query_none(req, err));
    TRY(password_load(&c, arg, req, err));
    change_begin(&c.change, req, "password.remove");
    change_target(&c.change, "user", c.user.id, c.user.name);
    json_add_bool(&c.change.detail, "for_another", c.is_for_another);
    TRY(change_commit(&c.change, arg, req, remove_rows, err));
    response_status(res, 204);
    return OK;
}

const struct route password_routes[] = {
    {"GET", "/v1/users/{user}/password", PERMISSION_SELF_OR_ADMINISTER, password_get, 0},
    {"PUT", "/v1/users/{user}/password", PERMISSION_SELF_OR_ADMINISTER, password_put, 0},
    {"DELETE", "/v1/users/{user}/password", PERMISSION_SELF_OR_ADMINISTER, password_remove, 0},
    {0},
};

/* SPDX-License-Identifier: Apache-2.0 */
/* API keys of users: made by the user; by an administrator only where the user has none, because whoever has one can
 * make the next himself. Revoked by both. The secret is shown once, in the answer that makes it, and kept only as a
 * hash (I8). */
#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "server/api/caller.h"
#include "server/api/change.h"
#include "server/api/list.h"
#include "server/api/parse.h"
#include "server/api/principals.h"
#include "server/api/routes.h"

struct api_key_change {
    struct change change;
    struct api_key key;
    const char *id; /* revoke */
    char user_id[ID_SIZE];
    bool is_for_another; /* create: the caller is not the user */
    struct buf secret;   /* of a new one */
};

static void api_key_change_clear(struct api_key_change *c)
{
    change_clear(&c->change);
    buf_clear(&c->secret);
}
#define cleanup_api_key_change CLEANUP(api_key_change_clear)

static void scopes_render(struct json_writer *w, unsigned scopes)
{
    json_begin_array(w, "scopes");
    for (unsigned bit = SCOPE_SIGN; bit <= SCOPE_ADMIN; bit <<= 1) {
        if (scopes & bit)
            json_add_text(w, NULL, scope_name((enum scope)bit));
    }
    json_end_array(w);
}

/* Nobody gives a key more than the credential he comes with; absent: all of that. */
static status scopes_parse(const struct json *array, unsigned held, unsigned *out, struct error *err)
{
    unsigned given = 0;
    enum scope scope = 0;

    *out = held;
    if (!array)
        return OK;
    for (size_t i = 0; i < json_count(array); i++) {
        if (!scope_parse(json_text(json_at(array, i), ""), &scope) || (given & scope))
            return error_set(err, CODE_INVALID, "scopes: sign, read and admin are expected, each once");
        if (!(held & scope))
            return error_set(err, CODE_FORBIDDEN, "scopes: the credential does not have the scope %s itself",
                             scope_name(scope));
        given |= scope;
    }
    if (given == 0)
        return error_set(err, CODE_INVALID, "scopes: at least one is needed");
    *out = given;
    return OK;
}

/* secret NULL: it was shown when the key was made. */
static void api_key_render(struct json_writer *w, const struct api_key *k, const char *secret)
{
    json_begin_object(w, NULL);
    json_add_text(w, "id", k->id);
    json_add_text(w, "name", k->name);
    scopes_render(w, k->scopes);
    json_add_time(w, "expires", k->expires_ms);
    json_add_time(w, "created", k->created_ms);
    json_add_time(w, "last_used", k->last_used_ms);
    if (secret)
        json_add_text(w, "api_key", secret);
    json_end_object(w);
}

static status user_find(struct api *api, struct request *req, struct principal *user, struct error *err)
{
    cleanup_reader struct reader reader = {0};

    TRY(reader_acquire(&reader, api->store, err));
    return principal_find_typed(reader.db, PRINCIPAL_USER, request_param(req, "user"), user, err);
}

static status api_key_insert_rows(struct db *db, struct change *change, struct error *err)
{
    struct api_key_change *c = (struct api_key_change *)change;
    int64_t count = 0;

    if (c->is_for_another)
        TRY(api_key_count(db, c->key.user_id, &count, err));
    if (count > 0)
        return error_set(err, CODE_FORBIDDEN, "the user has an API key and makes further ones himself");
    return api_key_insert(db, &c->key, err);
}

static void api_key_create_render(struct json_writer *w, const struct change *change)
{
    const struct api_key_change *c = (const struct api_key_change *)change;

    api_key_render(w, &c->key, buf_text(&c->secret));
}

static const struct change_creation api_key_creation = {api_key_insert_rows, api_key_create_render, true};

static status api_key_create(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_api_key_change struct api_key_change c = {0};
    struct principal user;
    const char *name = NULL, *expires = NULL;
    const struct json *scopes = NULL;
    int64_t expires_ms = 0;
    unsigned held = caller_of(req)->identity.scopes, given = 0;
    const struct json_field fields[] = {
        {"name", JSON_STRING, JSON_REQUIRED, &name},
        {"expires", JSON_STRING, 0, &expires},
        {"scopes", JSON_ARRAY, 0, &scopes},
    };

    TRY(query_none(req, err));
    TRY(body_read(req, fields, COUNT_OF(fields), err));
    TRY(check_name("name", name, err));
    TRY(check_expires("expires", expires, &expires_ms, err));
    TRY(scopes_parse(scopes, held, &given, err));
    TRY(user_find(arg, req, &user, err));
    TRY(api_key_make(user.id, name, expires_ms, clock_now_ms(), &c.secret, &c.key, err));

    c.key.scopes = given;
    c.is_for_another = strcmp(user.id, caller_principal(req)->id) != 0;
    change_begin(&c.change, req, "api_key.create");
    change_target(&c.change, "api_key", c.key.id, c.key.name);
    json_add_text(&c.change.detail, "user", user.name);
    json_add_text(&c.change.detail, "user_id", user.id);
    scopes_render(&c.change.detail, c.key.scopes);
    json_add_bool(&c.change.detail, "for_another", c.is_for_another);
    json_add_time(&c.change.detail, "expires", c.key.expires_ms);
    response_header(res, "Cache-Control", "no-store");
    return change_create(&c.change, arg, req, res, &api_key_creation, err);
}

static status api_key_row(void *arg, const struct api_key *k)
{
    struct list *list = arg;
    char cursor[LIST_CURSOR_SIZE];

    (void)snprintf(cursor, sizeof(cursor), "%013lld.%s", (long long)k->created_ms, k->id);
    if (list_take_after(list, cursor))
        api_key_render(list->w, k, NULL);
    return OK;
}

static status api_key_list_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_reader struct reader reader = {0};
    struct principal user;
    struct list list;

    TRY(list_open(&list, &reader, arg, req, err));
    TRY(principal_find_typed(reader.db, PRINCIPAL_USER, request_param(req, "user"), &user, err));
    list_begin(&list, res);
    TRY(api_key_list(reader.db, user.id, api_key_row, &list, err));
    return list_end(&list);
}

static status api_key_delete_rows(struct db *db, struct change *change, struct error *err)
{
    struct api_key_change *c = (struct api_key_change *)change;

    status s = api_key_find(db, c->id, &c->key, err);
    if (is_ok(s))
        s = api_key_delete(db, c->user_id, c->id, err);
    if (s.code == CODE_NOT_FOUND)
        return error_set(err, CODE_NOT_FOUND, "no such API key of this user");
    TRY(s);
    change_target(change, "api_key", c->key.id, c->key.name);
    return OK;
}

static status api_key_revoke(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_api_key_change struct api_key_change c = {.id = request_param(req, "id")};
    struct principal user;

    TRY(query_none(req, err));
    TRY(user_find(arg, req, &user, err));
    (void)text_copy(c.user_id, sizeof(c.user_id), user.id);

    change_begin(&c.change, req, "api_key.revoke");
    json_add_text(&c.change.detail, "user", user.name);
    json_add_text(&c.change.detail, "user_id", user.id);
    TRY(change_commit(&c.change, arg, req, api_key_delete_rows, err));

    response_status(res, 204);
    return OK;
}

const struct route api_key_routes[] = {
    {"POST", "/v1/users/{user}/api-keys", PERMISSION_SELF_OR_ADMINISTER, api_key_create, 0},
    {"GET", "/v1/users/{user}/api-keys", PERMISSION_SELF_OR_ADMINISTER, api_key_list_get, 0},
    {"DELETE", "/v1/users/{user}/api-keys/{id}", PERMISSION_SELF_OR_ADMINISTER, api_key_revoke, 0},
    {0},
};

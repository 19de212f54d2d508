/* SPDX-License-Identifier: Apache-2.0 */
/* Service accounts: a name and the public halves of keys made on the signing machines. */
#include <string.h>

#include "common/secret.h"
#include "common/text.h"
#include "server/api/account_keys.h"
#include "server/api/caller.h"
#include "server/api/list.h"
#include "server/api/parse.h"
#include "server/api/principals.h"
#include "server/api/routes.h"

struct account_change {
    struct change change;
    struct principal account;
    struct account_key key;
    const char *team; /* as asked for; NULL: none */
    char team_name[NAME_SIZE];
};

static void account_change_clear(struct account_change *c)
{
    change_clear(&c->change);
    account_key_clear(&c->key);
}
#define cleanup_account_change CLEANUP(account_change_clear)

/* Opens the object up to its array of keys. */
static void account_render_begin(struct json_writer *w, const struct principal *p, const char *team)
{
    json_begin_object(w, NULL);
    json_add_text(w, "id", p->id);
    json_add_text(w, "name", p->name);
    json_add_text(w, "state", principal_state_name(p));
    json_add_time(w, "expires", p->expires_ms);
    json_add_text(w, "description", p->description);
    json_add_text(w, "team", *team ? team : NULL);
    json_add_time(w, "created", p->created_ms);
    json_add_integer(w, "revision", p->revision);
    json_begin_array(w, "keys");
}

static void account_render_end(struct json_writer *w)
{
    json_end_array(w);
    json_end_object(w);
}

static status key_row(void *arg, const struct account_key *k)
{
    account_key_render(arg, k);
    return OK;
}

static status account_render(struct json_writer *w, struct db *db, const struct principal *p, struct error *err)
{
    struct team team = {0};

    if (*p->team_id)
        TRY(team_find(db, p->team_id, &team, err));
    account_render_begin(w, p, team.name);
    TRY(account_key_list(db, p->id, key_row, w, err));
    account_render_end(w);
    return OK;
}

/* Inside the transaction. asked "": no team any more; NULL: the one it has. */
static status account_team_set(struct db *db, struct principal *account, const char *asked, char name[NAME_SIZE],
                               struct error *err)
{
    struct team team;

    if (!asked)
        return OK;
    account->team_id[0] = name[0] = '\0';
    if (!*asked)
        return OK;
    status s = team_find(db, asked, &team, err);
    if (s.code == CODE_NOT_FOUND)
        return error_set(err, CODE_NOT_FOUND, "team: no such team");
    TRY(s);
    (void)text_copy(account->team_id, sizeof(account->team_id), team.id);
    (void)text_copy(name, NAME_SIZE, team.name);
    return OK;
}

static status account_insert_rows(struct db *db, struct change *change, struct error *err)
{
    struct account_change *c = (struct account_change *)change;

    TRY(account_team_set(db, &c->account, c->team, c->team_name, err));
    TRY(principal_insert(db, &c->account, err));
    return account_key_insert(db, &c->key, err);
}

static status check_team(const char *team, struct error *err)
{
    if (team && *team && !text_is_name(team))
        return error_set(err, CODE_INVALID, "team: an id or a name is expected");
    return OK;
}

static status account_parse(struct account_change *c, struct request *req, struct error *err)
{
    const char *name = NULL, *pem = NULL, *algorithm = NULL, *expires = NULL, *description = "";
    const struct json_field fields[] = {
        {"name", JSON_STRING, JSON_REQUIRED, &name},   {"public_key", JSON_STRING, JSON_REQUIRED, &pem},
        {"algorithm", JSON_STRING, 0, &algorithm},     {"expires", JSON_STRING, 0, &expires},
        {"description", JSON_STRING, 0, &description}, {"team", JSON_STRING, 0, &c->team},
    };

    TRY(body_read(req, fields, COUNT_OF(fields), err));
    TRY(check_name("name", name, err));
    TRY(check_expires("expires", expires, &c->account.expires_ms, err));
    TRY(check_text("description", description, err));
    TRY(check_team(c->team, err));
    TRY(account_key_parse(pem, algorithm, &c->key, err));
    (void)text_copy(c->account.description, sizeof(c->account.description), description);

    c->account.type = PRINCIPAL_SERVICE_ACCOUNT;
    c->account.created_ms = c->key.created_ms;
    (void)text_copy(c->account.name, sizeof(c->account.name), name);
    TRY(id_new("svc", c->account.id, err));
    (void)text_copy(c->key.account_id, sizeof(c->key.account_id), c->account.id);
    return OK;
}

static void account_create_render(struct json_writer *w, const struct change *change)
{
    const struct account_change *c = (const struct account_change *)change;

    account_render_begin(w, &c->account, c->team_name);
    account_key_render(w, &c->key);
    account_render_end(w);
}

static const struct change_creation account_creation = {account_insert_rows, account_create_render, false};

static status account_create(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_account_change struct account_change c = {.account.revision = 1};

    TRY(query_none(req, err));
    TRY(account_parse(&c, req, err));

    change_begin(&c.change, req, "account.create");
    change_target(&c.change, "service_account", c.account.id, c.account.name);
    TRY(account_key_detail(&c.change.detail, &c.key, err));
    json_add_time(&c.change.detail, "expires", c.account.expires_ms);
    json_add_text(&c.change.detail, "team", c.team);
    TRY(change_create(&c.change, arg, req, res, &account_creation, err));

    response_revision(res, c.account.revision);
    return OK;
}

static status account_list_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_reader struct reader reader = {0};
    cleanup_principal_page struct principal_page page = {0};
    struct list list;
    static const struct list_filter filters[] = {{"name", offsetof(struct page, name), NULL},
                                                 {"state", offsetof(struct page, state), list_principal_states},
                                                 {0}};

    TRY(list_open_filtered(&list, &reader, arg, req, filters, err));
    TRY(principal_page_load(&page, reader.db, PRINCIPAL_SERVICE_ACCOUNT, list.page, err));
    list_begin(&list, res);
    for (size_t i = 0; i < page.count; i++) {
        if (list_take(&list, page.items[i].name))
            TRY(account_render(list.w, reader.db, &page.items[i], err));
    }
    return list_end(&list);
}

static status account_answer(struct api *api, struct response *res, const char *account, struct error *err)
{
    cleanup_reader struct reader reader = {0};
    struct principal p;

    TRY(reader_acquire(&reader, api->store, err));
    TRY(principal_find_typed(reader.db, PRINCIPAL_SERVICE_ACCOUNT, account, &p, err));
    response_revision(res, p.revision);
    return account_render(response_json(res, 200), reader.db, &p, err);
}

static status account_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    TRY(query_none(req, err));
    return account_answer(arg, res, request_param(req, "account"), err);
}

/* ---- changes */

static status expires_set(const char *text, int64_t *expires_ms, struct error *err)
{
    if (!text)
        return OK;
    if (*text)
        return check_expires("expires", text, expires_ms, err);
    *expires_ms = 0;
    return OK;
}

static status account_update_rows(struct db *db, struct change *change, struct error *err)
{
    struct principal_change *c = (struct principal_change *)change;
    char team[NAME_SIZE];

    TRY(principal_load(db, c, err));
    json_add_time(&change->detail, "expires_before", c->principal.expires_ms);
    TRY(expires_set(c->expires, &c->principal.expires_ms, err));
    TRY(account_team_set(db, &c->principal, c->team, team, err));
    if (c->description)
        (void)text_copy(c->principal.description, sizeof(c->principal.description), c->description);
    json_add_time(&change->detail, "expires", c->principal.expires_ms);
    json_add_text(&change->detail, "description", c->principal.description);
    json_add_text(&change->detail, "team_id", *c->principal.team_id ? c->principal.team_id : NULL);
    return principal_update(db, &c->principal, err);
}

static status account_patch(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_principal_change struct principal_change c = {.asked = request_param(req, "account"),
                                                          .type = PRINCIPAL_SERVICE_ACCOUNT};
    int64_t expires_ms = 0;
    const struct json_field fields[] = {
        {"expires", JSON_STRING, 0, &c.expires},
        {"description", JSON_STRING, 0, &c.description},
        {"team", JSON_STRING, 0, &c.team},
    };

    TRY(query_none(req, err));
    TRY(body_read(req, fields, COUNT_OF(fields), err));
    TRY(expires_set(c.expires, &expires_ms, err));
    TRY(check_text("description", c.description, err));
    TRY(check_team(c.team, err));

    change_begin(&c.change, req, "account.update");
    TRY(change_commit(&c.change, arg, req, account_update_rows, err));
    return account_answer(arg, res, c.principal.id, err);
}

static status account_remove(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_principal_change struct principal_change c = {0};

    TRY(principal_delete(&c, arg, req, PRINCIPAL_SERVICE_ACCOUNT, err));
    response_status(res, 204);
    return OK;
}

static status account_set_disabled(void *arg, struct request *req, struct response *res, bool disabled,
                                   struct error *err)
{
    cleanup_principal_change struct principal_change c = {0};

    TRY(principal_set_disabled(&c, arg, req, PRINCIPAL_SERVICE_ACCOUNT, disabled, err));
    return account_answer(arg, res, c.principal.id, err);
}

static status account_disable(void *arg, struct request *req, struct response *res, struct error *err)
{
    return account_set_disabled(arg, req, res, true, err);
}

static status account_enable(void *arg, struct request *req, struct response *res, struct error *err)
{
    return account_set_disabled(arg, req, res, false, err);
}

const struct route service_account_routes[] = {
    {"POST", "/v1/service-accounts", PERMISSION_ADMINISTER, account_create, 0},
    {"GET", "/v1/service-accounts", PERMISSION_READ_ALL, account_list_get, 0},
    {"GET", "/v1/service-accounts/{account}", PERMISSION_SELF_OR_READ_ALL, account_get, 0},
    {"PATCH", "/v1/service-accounts/{account}", PERMISSION_ADMINISTER, account_patch, 0},
    {"DELETE", "/v1/service-accounts/{account}", PERMISSION_ADMINISTER, account_remove, 0},
    {"POST", "/v1/service-accounts/{account}/disable", PERMISSION_ADMINISTER, account_disable, 0},
    {"POST", "/v1/service-accounts/{account}/enable", PERMISSION_ADMINISTER, account_enable, 0},
    {0},
};

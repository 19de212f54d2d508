/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of a service account: only the public half ever comes here. Several may be registered at once, for overlap; a
 * removed one opens no new access token and ends those there are. Managed by administrators and by the members of the
 * account's team. */
#include "common/text.h"
#include "server/api/account_keys.h"

#include <string.h>

#include "common/secret.h"
#include "server/api/change.h"
#include "server/api/parse.h"
#include "server/api/principals.h"
#include "server/api/routes.h"

struct account_key_change {
    struct change change;
    struct account_key key;
    struct principal account;
    const char *asked, *id;
};

static void account_key_change_clear(struct account_key_change *c)
{
    change_clear(&c->change);
    account_key_clear(&c->key);
}
#define cleanup_account_key_change CLEANUP(account_key_change_clear)

void account_key_render(struct json_writer *w, const struct account_key *k)
{
    json_begin_object(w, NULL);
    json_add_text(w, "id", k->id);
    json_add_text(w, "algorithm", k->algorithm);
    json_add_time(w, "expires", k->expires_ms);
    json_add_time(w, "created", k->created_ms);
    json_add_time(w, "last_used", k->last_used_ms);
    json_end_object(w);
}

status account_key_detail(struct json_writer *w, const struct account_key *k, struct error *err)
{
    uint8_t fingerprint[32];

    TRY(sha256(buf_slice(&k->spki), fingerprint, err));
    json_add_text(w, "key", k->id);
    json_add_text(w, "algorithm", k->algorithm);
    json_add_hex(w, "public_key_sha256", (struct slice){fingerprint, sizeof(fingerprint)});
    return OK;
}

static status account_resolve(struct db *db, struct account_key_change *c, struct error *err)
{
    TRY(principal_find_typed(db, PRINCIPAL_SERVICE_ACCOUNT, c->asked, &c->account, err));
    change_target(&c->change, "service_account", c->account.id, c->account.name);
    return OK;
}

static status account_key_insert_rows(struct db *db, struct change *change, struct error *err)
{
    struct account_key_change *c = (struct account_key_change *)change;

    TRY(account_resolve(db, c, err));
    (void)text_copy(c->key.account_id, sizeof(c->key.account_id), c->account.id);
    return account_key_insert(db, &c->key, err);
}

static void account_key_add_render(struct json_writer *w, const struct change *change)
{
    const struct account_key_change *c = (const struct account_key_change *)change;

    account_key_render(w, &c->key);
}

static const struct change_creation account_key_creation = {account_key_insert_rows, account_key_add_render, false};

static status account_key_add(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_account_key_change struct account_key_change c = {.asked = request_param(req, "account")};
    const char *pem = NULL, *algorithm = NULL, *expires = NULL;
    int64_t expires_ms = 0;
    const struct json_field fields[] = {
        {"public_key", JSON_STRING, JSON_REQUIRED, &pem},
        {"algorithm", JSON_STRING, 0, &algorithm},
        {"expires", JSON_STRING, 0, &expires},
    };

    TRY(query_none(req, err));
    TRY(body_read(req, fields, COUNT_OF(fields), err));
    TRY(check_expires("expires", expires, &expires_ms, err));
    TRY(account_key_parse(pem, algorithm, &c.key, err));
    c.key.expires_ms = expires_ms;

    change_begin(&c.change, req, "account_key.add");
    TRY(account_key_detail(&c.change.detail, &c.key, err));
    json_add_time(&c.change.detail, "expires", c.key.expires_ms);
    return change_create(&c.change, arg, req, res, &account_key_creation, err);
}

static status account_key_delete_rows(struct db *db, struct change *change, struct error *err)
{
    struct account_key_change *c = (struct account_key_change *)change;

    TRY(account_resolve(db, c, err));
    status s = account_key_delete(db, c->account.id, c->id, err);
    if (s.code == CODE_NOT_FOUND)
        return error_set(err, CODE_NOT_FOUND, "no such key of this service account");
    return s;
}

static status account_key_remove(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_account_key_change struct account_key_change c = {
        .asked = request_param(req, "account"),
        .id = request_param(req, "id"),
    };

    TRY(query_none(req, err));
    change_begin(&c.change, req, "account_key.remove");
    json_add_text(&c.change.detail, "key", c.id);
    TRY(change_commit(&c.change, arg, req, account_key_delete_rows, err));

    response_status(res, 204);
    return OK;
}

const struct route account_key_routes[] = {
    {"POST", "/v1/service-accounts/{account}/keys", PERMISSION_SELF_OR_ADMINISTER, account_key_add, 0},
    {"DELETE", "/v1/service-accounts/{account}/keys/{id}", PERMISSION_SELF_OR_ADMINISTER, account_key_remove, 0},
    {0},
};

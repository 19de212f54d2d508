/* SPDX-License-Identifier: Apache-2.0 */
/* A user's second factor: begun (the secret is shown once), confirmed with a first code (recovery codes are shown
 * once), removed with a code, or by an administrator. Nobody begins one for another: he would know the secret. */
#include <string.h>

#include "common/secret.h"
#include "server/api/change.h"
#include "server/api/parse.h"
#include "server/api/principals.h"
#include "server/api/routes.h"
#include "server/api/second_factor.h"
#include "server/api/sign_in.h"

struct totp_change {
    struct change change;
    struct principal user;
    struct second_factor factor;
    bool is_there; /* begun or confirmed */
    bool is_for_another;
    uint8_t secret[TOTP_SECRET_LEN];
    char codes[RECOVERY_CODES][RECOVERY_TEXT_SIZE];
};

static void totp_change_clear(struct totp_change *c)
{
    change_clear(&c->change);
    secret_wipe(c->secret, sizeof(c->secret));
    secret_wipe(c->codes, sizeof(c->codes));
}
#define cleanup_totp_change CLEANUP(totp_change_clear)

static status totp_load(struct totp_change *c, struct api *api, struct request *req, int64_t *codes, struct error *err)
{
    cleanup_reader struct reader reader = {0};

    TRY(reader_acquire(&reader, api->store, err));
    TRY(principal_find_typed(reader.db, PRINCIPAL_USER, request_param(req, "user"), &c->user, err));
    TRY(second_factor_load(reader.db, c->user.id, &c->factor, err));
    c->is_there = c->factor.totp.created_ms != 0;
    c->is_for_another = strcmp(c->user.id, caller_principal(req)->id) != 0;
    return codes ? recovery_code_count(reader.db, c->user.id, codes, err) : OK;
}

static status own_check(const struct totp_change *c, struct error *err)
{
    return c->is_for_another ? error_set(err, CODE_FORBIDDEN, "only the user himself sets up his second factor") : OK;
}

static void record_begin(struct totp_change *c, struct request *req, const char *type)
{
    change_begin(&c->change, req, type);
    change_target(&c->change, "user", c->user.id, c->user.name);
    json_add_bool(&c->change.detail, "for_another", c->is_for_another);
}

/* ---- look */

static status totp_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_totp_change struct totp_change c = {0};
    int64_t codes = 0;

    TRY(query_none(req, err));
    TRY(totp_load(&c, arg, req, &codes, err));
    struct json_writer *w = response_json(res, 200);
    json_begin_object(w, NULL);
    json_add_text(w, "state", c.factor.is_on ? "on" : c.is_there ? "begun" : "off");
    json_add_time(w, "since", c.factor.totp.created_ms);
    json_add_integer(w, "recovery_codes", codes);
    json_end_object(w);
    return OK;
}

/* ---- begin */

static status begin_rows(struct db *db, struct change *change, struct error *err)
{
    struct totp_change *c = (struct totp_change *)change;

    return user_totp_begin(db, c->user.id, &c->factor.totp, err);
}

static status totp_begin(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_totp_change struct totp_change c = {0};
    cleanup_buf struct buf uri = {0}, base32 = {0};

    TRY(query_none(req, err));
    TRY(body_empty(req, err));
    TRY(totp_load(&c, arg, req, NULL, err));
    TRY(own_check(&c, err));
    TRY(second_factor_make(arg, c.user.id, c.secret, &c.factor.totp, err));
    record_begin(&c, req, "totp.begin");
    TRY(change_commit(&c.change, arg, req, begin_rows, err));

    totp_uri(c.secret, c.user.name, &uri);
    totp_base32(c.secret, &base32);
    TRY(buf_check(&uri, err));
    TRY(buf_check(&base32, err));
    struct json_writer *w = response_json(res, 200);
    json_begin_object(w, NULL);
    json_add_text(w, "uri", buf_text(&uri));
    json_add_text(w, "secret", buf_text(&base32));
    json_end_object(w);
    return OK;
}

/* ---- confirm */

static status confirm_rows(struct db *db, struct change *change, struct error *err)
{
    struct totp_change *c = (struct totp_change *)change;
    uint8_t hash[32];

    status confirmed = user_totp_confirm(db, c->user.id, c->factor.step, err);
    if (confirmed.code == CODE_NOT_FOUND)
        return error_set(err, CODE_CONFLICT, "the second factor is on already");
    TRY(confirmed);
    for (size_t i = 0; i < RECOVERY_CODES; i++) {
        TRY(recovery_code_hash(c->user.id, c->codes[i], hash, err));
        TRY(recovery_code_insert(db, c->user.id, hash, err));
    }
    return OK;
}

static status code_read(struct request *req, const char **code, struct error *err)
{
    const struct json_field fields[] = {{"code", JSON_STRING, JSON_REQUIRED, code}};

    TRY(query_none(req, err));
    TRY(body_read(req, fields, COUNT_OF(fields), err));
    return check_text("code", *code, err);
}

static status code_check(struct totp_change *c, struct api *api, const char *code, struct error *err)
{
    bool good = false;

    if (!c->is_there)
        return error_set(err, CODE_NOT_FOUND, "no second factor was begun");
    if (c->factor.is_on)
        return error_set(err, CODE_CONFLICT, "the second factor is on already");
    TRY(second_factor_code(api, c->user.id, &c->factor, code, &good, err));
    if (!good)
        return error_set(err, CODE_INVALID, "code: it is not the present one; are the clocks right?");
    for (size_t i = 0; i < RECOVERY_CODES; i++)
        TRY(recovery_code_make(c->codes[i], err));
    return OK;
}

static status totp_confirm(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_totp_change struct totp_change c = {0};
    const char *code = NULL;

    TRY(code_read(req, &code, err));
    TRY(totp_load(&c, arg, req, NULL, err));
    TRY(own_check(&c, err));
    TRY(code_check(&c, arg, code, err));
    record_begin(&c, req, "totp.enable");
    TRY(change_commit(&c.change, arg, req, confirm_rows, err));

    struct json_writer *w = response_json(res, 200);
    json_begin_object(w, NULL);
    json_begin_array(w, "recovery_codes");
    for (size_t i = 0; i < RECOVERY_CODES; i++)
        json_add_text(w, NULL, c.codes[i]);
    json_end_array(w);
    json_end_object(w);
    return OK;
}

/* ---- remove */

static status remove_rows(struct db *db, struct change *change, struct error *err)
{
    struct totp_change *c = (struct totp_change *)change;

    status removed = user_totp_delete(db, c->user.id, err);
    return removed.code == CODE_NOT_FOUND ? error_set(err, CODE_NOT_FOUND, "the user has no second factor") : removed;
}

/* In the query: a code is used up with the request, so that what keeps the address keeps nothing. */
static status remove_read(struct request *req, const char **code, struct error *err)
{
    static const char *const names[] = {"code", NULL};

    TRY(request_query_only(req, names, err));
    *code = request_query(req, "code");
    return check_text("code", *code, err);
}

static status totp_remove(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_totp_change struct totp_change c = {0};
    const char *code = NULL;

    TRY(remove_read(req, &code, err));
    TRY(totp_load(&c, arg, req, NULL, err));
    if (!c.is_there)
        return error_set(err, CODE_NOT_FOUND, "the user has no second factor");
    if (!c.is_for_another && c.factor.is_on && !code)
        return error_set(err, CODE_CONFIRMATION_REQUIRED, "code: a code of the second factor, as proof");
    if (!c.is_for_another && c.factor.is_on)
        TRY(sign_in_code(arg, req, &c.user, code, err));
    record_begin(&c, req, "totp.remove");
    TRY(change_commit(&c.change, arg, req, remove_rows, err));
    response_status(res, 204);
    return OK;
}

const struct route totp_routes[] = {
    {"GET", "/v1/users/{user}/totp", PERMISSION_SELF_OR_ADMINISTER, totp_get, 0},
    {"POST", "/v1/users/{user}/totp", PERMISSION_SELF_OR_ADMINISTER, totp_begin, 0},
    {"PUT", "/v1/users/{user}/totp", PERMISSION_SELF_OR_ADMINISTER, totp_confirm, 0},
    {"DELETE", "/v1/users/{user}/totp", PERMISSION_SELF_OR_ADMINISTER, totp_remove, 0},
    {0},
};

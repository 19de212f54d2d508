/* SPDX-License-Identifier: Apache-2.0 */
/* A password is judged in this order: address, a slot for hashing, the user's failures (counted before the password is
 * looked at, so that many attempts at once are not many free ones), password, state of the user, second factor. */
#include "server/api/sign_in.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "common/secret.h"
#include "common/text.h"
#include "server/api/denied.h"
#include "server/api/second_factor.h"
#include "server/auth/password.h"
#include "server/auth/throttle.h"

struct candidate {
    struct principal user;
    struct user_password password;
    struct second_factor factor;
    bool is_user, has_password;
    char who[THROTTLE_WHO_SIZE];
    int64_t now_ms;
};

static pthread_mutex_t address_lock = PTHREAD_MUTEX_INITIALIZER;
static struct throttle_slot addresses[THROTTLE_ADDRESSES];

static status address_take(const char *address, struct error *err)
{
    (void)pthread_mutex_lock(&address_lock);
    status taken = throttle_address_take(addresses, COUNT_OF(addresses), address, clock_now_ms(), err);
    (void)pthread_mutex_unlock(&address_lock);
    return taken;
}

static void address_forgive(const char *address)
{
    (void)pthread_mutex_lock(&address_lock);
    throttle_address_forgive(addresses, COUNT_OF(addresses), address);
    (void)pthread_mutex_unlock(&address_lock);
}

static status refuse(struct error *err, const char *reason)
{
    status refusal = error_set(err, CODE_NOT_AUTHENTICATED, "%s", code_text(CODE_NOT_AUTHENTICATED));
    error_detail(err, "%s", reason);
    return refusal;
}

status sign_in_check(const struct sign_in *s, bool wants_name, struct error *err)
{
    if (s->api_key && (s->name || s->password || s->totp))
        return error_set(err, CODE_INVALID, "api_key: it goes without name, password and totp");
    if (s->api_key)
        return text_is_printable(s->api_key, LIMIT_TEXT)
                   ? OK
                   : error_set(err, CODE_INVALID, "api_key: an API key is expected");
    if (!s->password || !text_is_printable(s->password, PASSWORD_MAX))
        return error_set(err, CODE_INVALID, "password: a password or an api_key is expected");
    if (wants_name && (!s->name || !text_is_printable(s->name, LIMIT_NAME)))
        return error_set(err, CODE_INVALID, "name: the user's name is expected beside the password");
    if (s->totp && !text_is_printable(s->totp, LIMIT_NAME))
        return error_set(err, CODE_INVALID, "totp: six digits, or a recovery code");
    return OK;
}

/* ---- by an API key */

static status by_api_key(struct api *api, const char *key, struct identity *out, struct error *err)
{
    cleanup_reader struct reader reader = {0};
    cleanup_buf struct buf bearer = {0};

    buf_printf(&bearer, "Bearer %s", key);
    TRY(buf_check(&bearer, err));
    TRY(reader_acquire(&reader, api->store, err));
    TRY(auth_bearer(reader.db, buf_text(&bearer), clock_now_ms(), out, err));
    return *out->credential_id ? OK : refuse(err, "not an API key");
}

/* ---- by a password */

/* Whatever is not found is left out: the same is done then, with nothing. */
static status candidate_load(struct candidate *c, struct api *api, const char *name, struct error *err)
{
    cleanup_reader struct reader reader = {0};

    TRY(reader_acquire(&reader, api->store, err));
    status found = principal_find(reader.db, name, &c->user, err);
    if (!is_ok(found) && found.code != CODE_NOT_FOUND)
        return found;
    c->is_user = is_ok(found) && c->user.type == PRINCIPAL_USER;
    found = user_password_find(reader.db, c->is_user ? c->user.id : "", &c->password, err);
    if (!is_ok(found) && found.code != CODE_NOT_FOUND)
        return found;
    c->has_password = is_ok(found);
    TRY(second_factor_load(reader.db, c->is_user ? c->user.id : "", &c->factor, err));
    throttle_who(c->is_user ? c->user.id : NULL, name, c->who);
    c->now_ms = clock_now_ms();
    return OK;
}

static status attempt_rows(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    const struct candidate *c = arg;
    struct sign_in_failures failures;
    (void)record;

    TRY(sign_in_failures_get(db, c->who, &failures, err));
    TRY(throttle_take(&throttle_user, &failures, c->now_ms, err));
    return sign_in_failures_set(db, c->who, &failures, err);
}

static status accept_rows(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    const struct candidate *c = arg;
    (void)record;

    if (c->factor.is_on) {
        status spent = second_factor_spend(db, c->user.id, &c->factor, err);
        if (spent.code == CODE_NOT_FOUND)
            return refuse(err, "the code of the second factor is wrong or was used before");
        TRY(spent);
    }
    return sign_in_failures_clear(db, c->who, err);
}

static status rows_commit(struct api *api, struct request *req, audit_change rows, struct candidate *c,
                          struct error *err)
{
    struct audit_work work = {.change = rows, .arg = c, .needs_savepoint = true};

    return audit_commit(api->audit, &work, request_deadline(req), err);
}

static status password_judge(const struct candidate *c, bool equal, struct error *err)
{
    const int64_t one_time_ms = (int64_t)LIMIT_ONE_TIME_PASSWORD_SECONDS * 1000;

    if (!c->is_user)
        return refuse(err, "no such user");
    if (!c->has_password)
        return refuse(err, "the user has no password");
    if (!equal)
        return refuse(err, "wrong password");
    if (c->user.disabled || (c->user.expires_ms != 0 && c->now_ms >= c->user.expires_ms))
        return refuse(err, "the user is disabled");
    if (c->password.is_one_time && c->now_ms - c->password.changed_ms >= one_time_ms)
        return refuse(err, "the one-time password has expired");
    return OK;
}

/* Only who knows the password learns that there is a second factor. */
static status factor_judge(struct api *api, struct candidate *c, const char *code, struct error *err)
{
    bool good = false;

    if (!c->factor.is_on)
        return OK;
    if (!code)
        return error_set(err, CODE_TOTP_REQUIRED, "%s", code_text(CODE_TOTP_REQUIRED));
    TRY(second_factor_judge(api, c->user.id, &c->factor, code, &good, err));
    return good ? OK : refuse(err, "the code of the second factor is wrong");
}

static status by_password(struct api *api, struct request *req, const struct sign_in *s, struct candidate *c,
                          struct error *err)
{
    cleanup_password_slot struct password_slot slot = {0};
    bool equal = false;

    TRY(candidate_load(c, api, s->name, err));
    TRY(password_slot_take(&slot, err));
    TRY(rows_commit(api, req, attempt_rows, c, err));
    TRY(password_verify(&slot, c->has_password ? c->password.hash : NULL, s->password, &equal, err));
    password_slot_give(&slot);
    TRY(password_judge(c, equal, err));
    TRY(factor_judge(api, c, s->totp, err));
    return rows_commit(api, req, accept_rows, c, err);
}

static status judge(struct api *api, struct request *req, const struct sign_in *s, struct candidate *c,
                    struct identity *out, struct error *err)
{
    if (s->api_key)
        return by_api_key(api, s->api_key, out, err);
    TRY(by_password(api, req, s, c, err));
    *out = (struct identity){.principal = c->user,
                             .scopes = SESSION_SCOPES,
                             .session_is_by_password = true,
                             .session_is_limited = c->password.is_one_time};
    return OK;
}

status sign_in_judge(struct api *api, struct request *req, const struct sign_in *s, struct identity *out,
                     struct error *err)
{
    struct candidate c = {0};
    const char *address = request_client_address(req);

    status judged = address_take(address, err);
    if (is_ok(judged)) {
        judged = judge(api, req, s, &c, out, err);
        if (judged.code != CODE_NOT_AUTHENTICATED)
            address_forgive(address);
    }
    if (judged.code == CODE_NOT_AUTHENTICATED || judged.code == CODE_RATE_LIMITED)
        denied_sign_in_record(api, req, c.is_user ? &c.user : NULL, s->api_key ? "api_key" : "password", err);
    secret_wipe(&c.password, sizeof(c.password));
    return judged;
}

status sign_in_again(struct api *api, struct request *req, const struct sign_in *s, const struct principal *who,
                     struct error *err)
{
    struct identity shown = {0};

    status judged = sign_in_judge(api, req, s, &shown, err);
    if (is_ok(judged) && strcmp(shown.principal.id, who->id) != 0) {
        judged = refuse(err, "the API key of another user");
        denied_sign_in_record(api, req, who, "api_key", err);
    }
    if (judged.code == CODE_NOT_AUTHENTICATED)
        return error_set(err, CODE_CONFIRMATION_REQUIRED, "the password, API key or code is wrong");
    return judged;
}

static status code_judge(struct api *api, struct request *req, struct candidate *c, const char *code, struct error *err)
{
    {
        cleanup_reader struct reader reader = {0};
        TRY(reader_acquire(&reader, api->store, err));
        TRY(second_factor_load(reader.db, c->user.id, &c->factor, err));
    }
    TRY(rows_commit(api, req, attempt_rows, c, err));
    TRY(factor_judge(api, c, code, err));
    return rows_commit(api, req, accept_rows, c, err);
}

status sign_in_code(struct api *api, struct request *req, const struct principal *user, const char *code,
                    struct error *err)
{
    struct candidate c = {.user = *user, .is_user = true, .now_ms = clock_now_ms()};

    throttle_who(user->id, user->name, c.who);
    status judged = code_judge(api, req, &c, code, err);
    if (judged.code == CODE_NOT_AUTHENTICATED || judged.code == CODE_RATE_LIMITED)
        denied_sign_in_record(api, req, user, "totp", err);
    if (judged.code == CODE_NOT_AUTHENTICATED)
        return error_set(err, CODE_CONFIRMATION_REQUIRED, "code: it is wrong or was used before");
    return judged;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* POST /v1/oauth/token: a service account's self-signed assertion gives an access token (RFC 7523). The assertion is
 * used up in the transaction that makes the token, so that it opens one token only. */
#include <string.h>

#include "server/api/caller.h"
#include "server/api/parse.h"
#include "server/api/routes.h"
#include "server/api/signing_keys.h"
#include "server/api/token_form.h"

enum { TOKEN_BODY_MOST = 16 * 1024 };

struct token_grant {
    struct auth_assertion assertion;
    struct access_token row;
    int64_t now_ms;
};

static status token_rows(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    struct token_grant *grant = arg;
    const struct auth_assertion *a = &grant->assertion;
    (void)record;

    /* The key may have been removed since the assertion was judged. */
    status s = account_key_check(db, a->principal.id, a->key_id, err);
    if (s.code == CODE_NOT_FOUND)
        return error_set(err, CODE_NOT_AUTHENTICATED, "the key was removed");
    TRY(s);
    s = assertion_id_insert(db, a->principal.id, a->jti, a->expires_ms, err);
    if (s.code == CODE_CONFLICT)
        return error_set(err, CODE_NOT_AUTHENTICATED, "the assertion was used before");
    TRY(s);
    TRY(access_token_insert(db, &grant->row, err));
    return account_key_touch(db, a->key_id, grant->now_ms, err);
}

static status token_grant_make(struct api *api, struct request *req, const struct token_form *form,
                               struct token_grant *grant, struct buf *text, struct error *err)
{
    cleanup_reader struct reader reader = {0};

    grant->now_ms = clock_now_ms();
    TRY(reader_acquire(&reader, api->store, err));
    TRY(auth_assertion_check(reader.db, buf_slice(&form->assertion), api->token_audiences, grant->now_ms,
                             &grant->assertion, err));
    reader_release(&reader);
    TRY(access_token_make(grant->assertion.principal.id, grant->now_ms, text, &grant->row, err));
    if (grant->assertion.key_expires_ms != 0 && grant->assertion.key_expires_ms < grant->row.expires_ms)
        grant->row.expires_ms = grant->assertion.key_expires_ms;

    struct audit_work work = {.change = token_rows, .arg = grant, .needs_savepoint = true};
    return audit_commit(api->audit, &work, request_deadline(req), err);
}

/* The problem of every error, with RFC 6749 §5.2's member beside it. */
static status token_refuse(const struct request *req, struct response *res, const struct error *err)
{
    struct json_writer w = json_writer_on(response_body(res, "application/problem+json"));

    response_status(res, code_http(CODE_NOT_AUTHENTICATED));
    response_header(res, "WWW-Authenticate", "Bearer");
    response_header(res, "Cache-Control", "no-store");
    json_begin_object(&w, NULL);
    json_add_text(&w, "type", "about:blank");
    json_add_text(&w, "title", code_text(CODE_NOT_AUTHENTICATED));
    json_add_integer(&w, "status", code_http(CODE_NOT_AUTHENTICATED));
    json_add_text(&w, "code", code_wire(CODE_NOT_AUTHENTICATED));
    json_add_text(&w, "detail", err->text);
    json_add_text(&w, "request_id", request_id(req));
    json_add_text(&w, "error", "invalid_grant");
    json_end_object(&w);
    return OK;
}

static status token_create(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_token_form struct token_form form = {0};
    cleanup_buf struct buf text = {0};
    struct token_grant grant = {0};

    TRY(query_none(req, err));
    TRY(token_form_parse(&form, req, err));
    if (strcmp(buf_text(&form.grant_type), GRANT_TYPE_JWT_BEARER) != 0)
        return error_set(err, CODE_INVALID, "grant_type: " GRANT_TYPE_JWT_BEARER " is expected");

    status s = token_grant_make(arg, req, &form, &grant, &text, err);
    if (s.code == CODE_NOT_AUTHENTICATED)
        return token_refuse(req, res, err);
    TRY(s);

    cleanup_reader struct reader reader = {0};
    char etag[KEYS_ETAG_SIZE];
    TRY(reader_acquire(&reader, ((struct api *)arg)->store, err));
    TRY(signing_keys_etag(reader.db, grant.assertion.principal.id, etag, err));

    response_header(res, "Cache-Control", "no-store");
    struct json_writer *w = response_json(res, 200);
    json_begin_object(w, NULL);
    json_add_text(w, "access_token", buf_text(&text));
    json_add_text(w, "token_type", "Bearer");
    json_add_integer(w, "expires_in", (grant.row.expires_ms - grant.now_ms) / 1000);
    json_add_text(w, "signing_keys_etag", etag); /* spares who has this list the request for it */
    json_end_object(w);
    return OK;
}

const struct route token_routes[] = {
    {"POST", ROUTE_TOKEN, PERMISSION_PUBLIC, token_create, TOKEN_BODY_MOST},
    {0},
};

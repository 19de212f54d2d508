/* SPDX-License-Identifier: Apache-2.0 */
/* Access tokens. Several threads may ask at once when there is none; while one renews a token that is still good, the
 * others go on with it, so that nobody waits for a lock. */
#include "client/token.h"

#include <string.h>

#include "chancery/protocol.h"
#include "client/answer.h"
#include "client/assertion.h"
#include "client/libctx.h"
#include "client/problem.h"
#include "common/openssl_scope.h"
#include "common/text.h"

enum { RENEW_BEFORE_MS = 60000, ASSERTION_LIFE_S = 120, ANSWER_MAX = 16 * 1024, TOKEN_MAX = 4096, LIFE_MAX_S = 86400 };

void token_clear(struct token *t)
{
    buf_clear(&t->value);
    *t = (struct token){0};
}

/* Made out to the server that is asked: so it needs to know no URL but its own, and an assertion that one server has
 * seen is of no use at another. */
static status assertion_make(struct client *c, const char *url, struct slice der, struct buf *out, struct error *err)
{
    cleanup_libctx struct libctx_scope scope = {0};
    TRY(libctx_enter(&scope, err));

    cleanup_buf struct buf audience = {0};
    buf_printf(&audience, "%s%s", url, ROUTE_TOKEN);
    TRY(buf_check(&audience, err));
    const struct assertion a = {.account = c->config->account,
                                .audience = buf_text(&audience),
                                .issued_at_s = clock_now_ms() / 1000,
                                .life_s = ASSERTION_LIFE_S};
    cleanup_pkey EVP_PKEY *key = NULL;
    TRY(private_key_decode(der, &key, err));
    return assertion_sign(&a, key, out, err);
}

/* The server holds assertions to be single-use, so each attempt carries one of its own. */
static status token_attempt(struct client *c, struct slice key, const struct attempt *a,
                            struct transport_answer *answer, struct error *err)
{
    cleanup_buf struct buf body = {0};
    buf_add_text(&body, "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=");
    TRY(assertion_make(c, a->url, key, &body, err));

    const struct transport_request request = {.method = "POST",
                                              .path = ROUTE_TOKEN,
                                              .content_type = "application/x-www-form-urlencoded",
                                              .body = buf_slice(&body),
                                              .once = true,
                                              .answer_max = ANSWER_MAX};
    return transport_send(a->transport, &request, a->deadline, answer, err);
}

static status token_read(const struct transport_answer *answer, struct token *token, struct error *err)
{
    if (answer->status != 200)
        return problem_status(answer, err);

    cleanup_json struct json *root = NULL;
    TRY(answer_json(answer, ANSWER_MAX, &root, err));
    const char *text = json_get_text(root, "access_token", "");
    int64_t life_s = json_get_integer(root, "expires_in", 0);
    if (*text == '\0' || strpbrk(text, " \t\r\n") || !text_is_printable(text, TOKEN_MAX) || life_s <= 0 ||
        life_s > LIFE_MAX_S)
        return answer_fault(answer, error_set(err, CODE_INTERNAL, "the server's answer holds no access token"), err);

    int64_t life_ms = life_s * 1000;
    int64_t early_ms = life_ms / 2 < RENEW_BEFORE_MS ? life_ms / 2 : RENEW_BEFORE_MS;
    token->expires_at_ms = clock_monotonic_ms() + life_ms;
    token->renew_at_ms = token->expires_at_ms - early_ms;
    buf_add_text(&token->value, text);
    const char *etag = json_get_text(root, "signing_keys_etag", "");
    if (text_is_printable(etag, sizeof(token->keys_etag) - 1))
        (void)text_copy(token->keys_etag, sizeof(token->keys_etag), etag);
    return buf_check(&token->value, err);
}

static status token_request(struct client *c, struct slice key, struct retry retry, struct token *token,
                            struct error *err)
{
    CLEANUP(transport_answer_clear) struct transport_answer answer = {0};
    struct error reason = {0};
    struct attempt a;
    status sent;
    do {
        a = retry_next(&retry);
        sent = token_attempt(c, key, &a, &answer, &reason);
    } while (retry_again(&retry, &a, sent, &answer, &reason));
    if (!is_ok(sent) && err)
        *err = reason;
    TRY(retry_end(&retry, sent, err));
    return token_read(&answer, token, err);
}

static void bearer(struct slice secret, struct buf *out)
{
    buf_reset(out);
    buf_add_text(out, "Bearer ");
    buf_add(out, secret.data, secret.len);
}

/* What needs no request. key is filled when a new token is to be fetched with it. */
static status authorization_from_memory(struct client *c, struct buf *out, struct buf *key, uint64_t *serial,
                                        struct error *err)
{
    cleanup_client_lock pthread_mutex_t *locked = client_lock(c);
    if (!credential_is_set(&c->credential))
        return error_set(err, CODE_NOT_AUTHENTICATED, "not logged in");
    if (c->credential.api_key.len > 0) {
        bearer(buf_slice(&c->credential.api_key), out);
        return buf_check(out, err);
    }

    int64_t now = clock_monotonic_ms();
    bool good = c->token.value.len > 0 && now < c->token.expires_at_ms;
    if (good && (now < c->token.renew_at_ms || c->token.renewing)) {
        bearer(buf_slice(&c->token.value), out);
        return buf_check(out, err);
    }
    buf_add(key, c->credential.key.data, c->credential.key.len);
    TRY(buf_check(key, err));
    *serial = c->login_serial;
    c->token.renewing = true;
    return OK;
}

/* A token that arrives after a logout is used for the call that asked, and forgotten. */
static void token_store(struct client *c, uint64_t serial, struct token *fresh)
{
    cleanup_client_lock pthread_mutex_t *locked = client_lock(c);
    if (serial != c->login_serial)
        return;
    c->token.renewing = false;
    if (fresh->value.len == 0)
        return;
    token_clear(&c->token);
    c->token = *fresh;
    *fresh = (struct token){0};
}

status authorization_get(struct client *c, const struct retry *call, struct buf *out, struct error *err)
{
    cleanup_buf struct buf key = {0};
    CLEANUP(token_clear) struct token fresh = {0};
    uint64_t serial = 0;
    TRY(authorization_from_memory(c, out, &key, &serial, err));
    if (key.len == 0)
        return OK;

    status got = token_request(c, buf_slice(&key), retry_of_same_call(call), &fresh, err);
    if (is_ok(got))
        bearer(buf_slice(&fresh.value), out);
    token_store(c, serial, &fresh);
    TRY(got);
    return buf_check(out, err);
}

bool authorization_refused(struct client *c, const struct buf *used)
{
    cleanup_client_lock pthread_mutex_t *locked = client_lock(c);
    if (c->credential.key.len == 0)
        return false;

    cleanup_buf struct buf current = {0};
    bearer(buf_slice(&c->token.value), &current);
    if (slice_equal(buf_slice(&current), buf_slice(used)))
        token_clear(&c->token);
    return true;
}

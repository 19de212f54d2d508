/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions of browsers: a random cookie, opened with an API key, and never good for longer or for more than that,
 * or with a password. A browser sends the cookie by itself, so whatever changes something must also carry a token that
 * only the page knows.
 */
#include <stdio.h>
#include <string.h>

#include "common/encoding.h"
#include "common/text.h"
#include "server/auth/credential_text.h"

enum { TOUCH_MS = 60 * 1000 };

static status refuse(struct error *err, const char *reason)
{
    status refusal = error_set(err, CODE_NOT_AUTHENTICATED, "%s", code_text(CODE_NOT_AUTHENTICATED));
    error_detail(err, "session: %s", reason);
    return refusal;
}

/* The other way round than the cookie's hash, so that the store's rows give neither. */
static status csrf_derive(struct slice cookie, char out[SESSION_CSRF_SIZE], struct error *err)
{
    cleanup_buf struct buf text = {0};
    uint8_t hash[32];
    buf_add_text(&text, "csrf ");
    buf_add(&text, cookie.data, cookie.len);
    TRY(buf_check(&text, err));
    TRY(sha256(buf_slice(&text), hash, err));
    hex_format((struct slice){hash, sizeof(hash)}, out);
    return OK;
}

status web_session_make(const struct identity *by, int64_t now_ms, struct buf *cookie, char csrf[SESSION_CSRF_SIZE],
                        struct web_session *out, struct error *err)
{
    struct web_session s = {.created_ms = now_ms, .last_used_ms = now_ms};
    s.expires_ms = now_ms + (int64_t)LIMIT_SESSION_SECONDS * 1000;
    if (by->credential_expires_ms != 0 && by->credential_expires_ms < s.expires_ms)
        s.expires_ms = by->credential_expires_ms;
    s.confirmed_until_ms = now_ms + (int64_t)LIMIT_CONFIRMATION_SECONDS * 1000;
    s.is_limited = by->session_is_limited;
    s.scopes = by->scopes & SESSION_SCOPES;
    TRY(id_new("ses", s.id, err));
    (void)text_copy(s.user_id, sizeof(s.user_id), by->principal.id);
    (void)text_copy(s.api_key_id, sizeof(s.api_key_id), by->credential_id);
    TRY(base62_secret_add(cookie, err));
    TRY(sha256(buf_slice(cookie), s.sha256, err));
    TRY(csrf_derive(buf_slice(cookie), csrf, err));
    *out = s;
    return OK;
}

/* "a=b; __Host-chancery=…; c=d" (RFC 6265 §4.2.1). */
static bool cookie_find(const char *header, struct slice *out)
{
    const char name[] = SESSION_COOKIE "=";
    while (header && *header) {
        header += strspn(header, " ;");
        size_t len = strcspn(header, ";");
        if (len > strlen(name) && memcmp(header, name, strlen(name)) == 0) {
            *out = (struct slice){(const uint8_t *)header + strlen(name), len - strlen(name)};
            return out->len == BASE62_SECRET_LEN;
        }
        header += len;
    }
    return false;
}

static status session_judge(const struct web_session *s, const struct principal *p, int64_t now_ms, struct error *err)
{
    if (p->disabled || (p->expires_ms != 0 && now_ms >= p->expires_ms))
        return refuse(err, "the user is disabled");
    if (now_ms >= s->expires_ms)
        return refuse(err, "it has ended");
    if (now_ms - s->last_used_ms >= (int64_t)LIMIT_SESSION_IDLE_SECONDS * 1000)
        return refuse(err, "it was idle for too long");
    return OK;
}

status auth_session(struct db *db, const char *cookies, int64_t now_ms, struct identity *out,
                    char csrf[SESSION_CSRF_SIZE], struct error *err)
{
    struct slice cookie = {0};
    struct web_session s;
    struct identity identity = {0};
    uint8_t hash[32];
    if (!cookie_find(cookies, &cookie))
        return refuse(err, "no session cookie");
    TRY(sha256(cookie, hash, err));
    status found = web_session_find(db, hash, &s, &identity.principal, err);
    if (found.code == CODE_NOT_FOUND)
        return refuse(err, "unknown");
    TRY(found);
    TRY(session_judge(&s, &identity.principal, now_ms, err));
    TRY(csrf_derive(cookie, csrf, err));
    identity.scopes = s.scopes & SESSION_SCOPES;
    identity.credential_expires_ms = s.expires_ms;
    identity.session_created_ms = s.created_ms;
    identity.session_confirmed_until_ms = s.confirmed_until_ms;
    identity.session_is_limited = s.is_limited;
    identity.session_is_by_password = !*s.api_key_id;
    identity.session_wants_touch = now_ms - s.last_used_ms >= TOUCH_MS;
    (void)text_copy(identity.session_id, sizeof(identity.session_id), s.id);
    *out = identity;
    return OK;
}

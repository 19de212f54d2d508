/* SPDX-License-Identifier: Apache-2.0 */
/* "Authorization: Bearer …": an API key or an access token to its principal, as the store has them now (I4). Every
 * refusal has the same code and text; the reason goes to the log alone, and never the credential (I8). */
#include <string.h>
#include <strings.h>

#include "server/auth/credential_text.h"

static status refuse(struct error *err, const char *reason, const char *id)
{
    status refusal = error_set(err, CODE_NOT_AUTHENTICATED, "%s", code_text(CODE_NOT_AUTHENTICATED));
    error_detail(err, "%s%s%s", reason, *id ? ": " : "", id);
    return refusal;
}

static status principal_check(const struct principal *p, int64_t now_ms, struct error *err)
{
    if (p->disabled)
        return refuse(err, "disabled", p->id);
    if (p->expires_ms != 0 && now_ms >= p->expires_ms)
        return refuse(err, "expired", p->id);
    return OK;
}

/* An unknown id costs the same comparison as a known one. */
static status api_key_check(struct db *db, const char *id, struct slice secret, struct api_key *key, struct error *err)
{
    uint8_t hash[32];
    TRY(sha256(secret, hash, err));
    status found = api_key_find(db, id, key, err);
    if (!is_ok(found) && found.code != CODE_NOT_FOUND)
        return found;

    bool equal = secret_equal(hash, key->secret_sha256, sizeof(hash));
    secret_wipe(hash, sizeof(hash));
    if (!is_ok(found))
        return refuse(err, "no such API key", id);
    return equal ? OK : refuse(err, "wrong secret", id);
}

static status by_api_key(struct db *db, struct slice text, int64_t now_ms, struct identity *out, struct error *err)
{
    char id[ID_SIZE] = "";
    struct slice secret = {0};
    struct api_key key = {0};
    struct identity identity = {0};
    if (!api_key_text_parse(text, id, &secret))
        return refuse(err, "not an API key", "");

    TRY(api_key_check(db, id, secret, &key, err));
    if (key.expires_ms != 0 && now_ms >= key.expires_ms)
        return refuse(err, "expired API key", id);
    status found = principal_find(db, key.user_id, &identity.principal, err);
    if (found.code == CODE_NOT_FOUND)
        return refuse(err, "removed", key.user_id);
    TRY(found);
    TRY(principal_check(&identity.principal, now_ms, err));
    memcpy(identity.credential_id, key.id, sizeof(identity.credential_id));
    identity.credential_expires_ms = key.expires_ms;
    identity.scopes = key.scopes;
    *out = identity;
    return OK;
}

static status by_access_token(struct db *db, struct slice text, int64_t now_ms, struct identity *out, struct error *err)
{
    uint8_t hash[32];
    struct access_token token = {0};
    struct identity identity = {0};
    TRY(sha256(text, hash, err));
    status found = access_token_find(db, hash, &token, &identity.principal, err);
    if (found.code == CODE_NOT_FOUND)
        return refuse(err, "unknown access token", "");
    TRY(found);

    if (now_ms >= token.expires_ms)
        return refuse(err, "expired access token", identity.principal.id);
    TRY(principal_check(&identity.principal, now_ms, err));
    identity.credential_expires_ms = token.expires_ms;
    identity.scopes = SCOPE_ALL;
    *out = identity;
    return OK;
}

/* RFC 7235 §2.1: the scheme in any case, then spaces. False for another scheme or no credential behind it. */
static bool bearer_text(const char *authorization, struct slice *out)
{
    const char scheme[] = "Bearer ";
    if (!authorization || strncasecmp(authorization, scheme, strlen(scheme)) != 0)
        return false;

    const char *text = authorization + strlen(scheme);
    text += strspn(text, " ");
    *out = slice_of_text(text);
    return out->len > 0 && out->len <= CREDENTIAL_TEXT_MAX;
}

status auth_bearer(struct db *db, const char *authorization, int64_t now_ms, struct identity *out, struct error *err)
{
    struct slice text = {0};
    if (!bearer_text(authorization, &text))
        return refuse(err, "no bearer credential", "");
    if (text.len > strlen(API_KEY_PREFIX) && memcmp(text.data, API_KEY_PREFIX, strlen(API_KEY_PREFIX)) == 0)
        return by_api_key(db, text, now_ms, out, err);
    return by_access_token(db, text, now_ms, out, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 7523 §3: a service account says who it is with a JWS signed by its own key. Until the signature is verified every
 * refusal reads the same, so that nothing is learnt of accounts and keys; after it the caller is known to hold the key
 * and is told what is wrong with the claims. */
#include "server/auth/auth.h"

#include <openssl/x509.h>
#include <string.h>

#include "common/openssl_scope.h"
#include "common/text.h"
#include "server/auth/jws.h"

enum {
    TRIED_KEYS_MAX = 8, /* verifications one assertion may cost */
    AUDIENCES_MAX = 16,
    JTI_MIN = 16,
    JTI_MAX = 64,
};

static status refuse(struct error *err, const char *what)
{
    return error_set(err, CODE_NOT_AUTHENTICATED, "assertion: %s", what);
}

static status refuse_signer(struct error *err, const char *reason)
{
    status refusal = refuse(err, "the account is unknown, or the signature is not by a key registered for it");
    error_detail(err, "%s", reason);
    return refusal;
}

struct claims {
    const char *issuer, *jti;
    const struct json *audience;
    int64_t expires, issued, not_before; /* seconds; not_before 0 when absent */
};

static const char *claim_text(const struct json *payload, const char *name)
{
    const struct json *v = json_get(payload, name);
    return v && json_type(v) == JSON_STRING ? json_text(v, NULL) : NULL;
}

/* NumericDate of RFC 7519 §2, whole seconds up to the year 9999, so that arithmetic on it cannot overflow. */
static bool claim_time(const struct json *payload, const char *name, bool required, int64_t *out)
{
    const int64_t year_9999 = 253402300799;
    const struct json *v = json_get(payload, name);
    if (!v)
        return !required;

    *out = json_integer(v, -1);
    return json_type(v) == JSON_INTEGER && *out >= 0 && *out <= year_9999;
}

static bool jti_is_valid(const char *jti)
{
    size_t len = jti ? strlen(jti) : 0;
    if (len < JTI_MIN || len > JTI_MAX)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (jti[i] <= ' ' || jti[i] > '~')
            return false;
    }
    return true;
}

/* Forms only; they are the caller's own words and say nothing of ours. Claims that are not known are ignored
 * (RFC 7519 §4). */
static status claims_read(const struct json *payload, struct claims *out, struct error *err)
{
    const char *subject = claim_text(payload, "sub");
    out->issuer = claim_text(payload, "iss");
    out->jti = claim_text(payload, "jti");
    out->audience = json_get(payload, "aud");
    if (!out->issuer || !subject || strcmp(out->issuer, subject) != 0)
        return refuse(err, "iss and sub must both be the service account");
    if (strlen(out->issuer) > LIMIT_NAME)
        return refuse(err, "iss is too long");
    if (!out->audience)
        return refuse(err, "aud is missing");
    if (!claim_time(payload, "exp", true, &out->expires) || !claim_time(payload, "iat", true, &out->issued) ||
        !claim_time(payload, "nbf", false, &out->not_before))
        return refuse(err, "exp and iat, and nbf where given, must be whole seconds since 1970");
    if (!jti_is_valid(out->jti))
        return refuse(err, "jti must be 16 to 64 printable characters");
    return OK;
}

static bool is_accepted(const struct json *audience, const char *const *audiences)
{
    if (json_type(audience) != JSON_STRING)
        return false;
    for (size_t i = 0; audiences[i]; i++) {
        if (strcmp(json_text(audience, ""), audiences[i]) == 0)
            return true;
    }
    return false;
}

/* RFC 7519 §4.1.3: one string or an array of them. */
static bool audience_is_accepted(const struct json *audience, const char *const *audiences)
{
    if (json_type(audience) != JSON_ARRAY)
        return is_accepted(audience, audiences);
    if (json_count(audience) > AUDIENCES_MAX)
        return false;
    for (size_t i = 0; i < json_count(audience); i++) {
        if (is_accepted(json_at(audience, i), audiences))
            return true;
    }
    return false;
}

static status claims_judge(const struct claims *c, const char *const *audiences, int64_t now_ms, struct error *err)
{
    int64_t now = now_ms / 1000;
    if (!audience_is_accepted(c->audience, audiences))
        return refuse(err, "aud is not this server's token URL");
    if (c->expires <= c->issued || c->expires - c->issued > LIMIT_ASSERTION_SECONDS)
        return refuse(err, "exp must be 1 to 300 seconds after iat");
    if (c->issued > now + LIMIT_CLOCK_SKEW_SECONDS)
        return refuse(err, "iat is in the future; compare the clocks");
    if (c->not_before > now + LIMIT_CLOCK_SKEW_SECONDS)
        return refuse(err, "nbf is in the future; compare the clocks");
    if (c->expires + LIMIT_CLOCK_SKEW_SECONDS <= now)
        return refuse(err, "exp has passed; compare the clocks");
    return OK;
}

/* ---- the signature, by the registered keys alone */
struct trial {
    const struct jws *jws;
    int64_t now_ms;
    char key_id[ID_SIZE]; /* "" until one fits */
    int64_t key_expires_ms;
    int tried;
};

static status key_try(void *arg, const struct account_key *k)
{
    struct trial *t = arg;
    if (t->key_id[0] || t->tried >= TRIED_KEYS_MAX || strcmp(k->algorithm, t->jws->algorithm->name) != 0 ||
        (t->jws->kid && strcmp(t->jws->kid, k->id) != 0) || (k->expires_ms != 0 && t->now_ms >= k->expires_ms))
        return OK;

    cleanup_err_mark bool marked = err_mark();
    cleanup_pkey EVP_PKEY *key = NULL;
    t->tried++;
    if (is_ok(public_key_decode(NULL, buf_slice(&k->spki), &key, NULL)) &&
        is_ok(jws_verify(t->jws, k->algorithm, key, NULL))) {
        (void)text_copy(t->key_id, sizeof(t->key_id), k->id);
        t->key_expires_ms = k->expires_ms;
    }
    return OK;
}

static status signer_find(struct db *db, const struct jws *jws, const char *issuer, int64_t now_ms,
                          struct auth_assertion *out, struct error *err)
{
    struct trial trial = {.jws = jws, .now_ms = now_ms};
    status found = principal_find(db, issuer, &out->principal, err);
    if (!is_ok(found) && found.code != CODE_NOT_FOUND)
        return found;

    bool is_account = is_ok(found) && out->principal.type == PRINCIPAL_SERVICE_ACCOUNT;
    if (is_account)
        TRY(account_key_list(db, out->principal.id, key_try, &trial, err));
    if (trial.tried == 0)
        jws_verify_for_nobody(jws);
    if (!trial.key_id[0])
        return refuse_signer(err, is_account ? out->principal.id : "no such service account");
    memcpy(out->key_id, trial.key_id, sizeof(out->key_id));
    out->key_expires_ms = trial.key_expires_ms;
    return OK;
}

static status account_judge(const struct principal *p, int64_t now_ms, struct error *err)
{
    if (p->disabled)
        return refuse(err, "the service account is disabled");
    if (p->expires_ms != 0 && now_ms >= p->expires_ms)
        return refuse(err, "the service account has expired");
    return OK;
}

/* The jti is to be remembered for as long as the assertion would be accepted, clock skew included. */
status auth_assertion_check(struct db *db, struct slice jws, const char *const *audiences, int64_t now_ms,
                            struct auth_assertion *out, struct error *err)
{
    cleanup_jws struct jws parsed = {0};
    struct claims claims = {0};
    struct auth_assertion result = {0};

    TRY(jws_parse(jws, &parsed, err));
    TRY(claims_read(parsed.payload, &claims, err));
    TRY(signer_find(db, &parsed, claims.issuer, now_ms, &result, err));
    TRY(account_judge(&result.principal, now_ms, err));
    TRY(claims_judge(&claims, audiences, now_ms, err));

    (void)text_copy(result.jti, sizeof(result.jti), claims.jti);
    result.expires_ms = (claims.expires + LIMIT_CLOCK_SKEW_SECONDS) * 1000;
    *out = result;
    return OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials to principal, and what a principal may do: role x action, one table (authz.def). Judged at use, from the
 * store's present state (I4). */
#pragma once

#include "server/store/store.h"

/* ---- who */
struct identity {
    struct principal principal;
    char credential_id[ID_SIZE];   /* API key id; "" for an access token */
    int64_t credential_expires_ms; /* 0: never */
    char session_id[ID_SIZE];      /* "": not a browser's session */
    int64_t session_created_ms, session_confirmed_until_ms;
    bool session_wants_touch;
    bool session_is_limited;     /* opened with a one-time password */
    bool session_is_by_password; /* not by an API key */
    unsigned scopes;             /* of the credential: at most these of the principal's rights */
};
/* "Bearer …": API key or access token. CODE_NOT_AUTHENTICATED with one and the same text for unknown, expired,
 * disabled. */
status auth_bearer(struct db *db, const char *authorization, int64_t now_ms, struct identity *out, struct error *err);

/* Identities by their credential's hash, so that a client's next request costs no query. Good while the store's
 * generation stands still (I4); expiry is judged at each use. A refusal is never remembered, nor is the credential
 * (I8). */
struct identity_cache;
status identity_cache_new(struct identity_cache **out, struct error *err);
void identity_cache_free(struct identity_cache *c);
DEFINE_CLEANUP_PTR(struct identity_cache, identity_cache_free)
/* auth_bearer, from the cache when it has the credential. */
status identity_cache_bearer(struct identity_cache *c, struct db *db, const char *authorization, int64_t now_ms,
                             struct identity *out, struct error *err);

/* ---- sessions of browsers */
#define SESSION_COOKIE "__Host-chancery" /* RFC 6265bis §4.1.3.2: Secure, Path=/, no Domain */
enum { SESSION_CSRF_SIZE = 65, SESSION_SCOPES = SCOPE_READ | SCOPE_ADMIN }; /* nothing is signed in a browser */
/* New session of whoever came with an API key (by->credential_id) or a password: cookie (a secret), token for
 * X-CSRF-Token, row. Just opened, it is confirmed. */
status web_session_make(const struct identity *by, int64_t now_ms, struct buf *cookie, char csrf[SESSION_CSRF_SIZE],
                        struct web_session *out, struct error *err);
/* "Cookie: …": refusals read like auth_bearer's. csrf is what a change must carry. */
status auth_session(struct db *db, const char *cookies, int64_t now_ms, struct identity *out,
                    char csrf[SESSION_CSRF_SIZE], struct error *err);

/* A route that a session may use only soon after its user showed who he is. */
bool session_confirms(const char *method, const char *pattern);
const char *session_sensitive_at(size_t i, const char **method); /* the i-th such pattern; NULL at the end */
/* A route that is open to a session of a one-time password; one that names a user, for that user's own. */
bool session_limited_may(const char *method, const char *pattern);

struct auth_assertion { /* what a good RFC 7523 assertion said */
    struct principal principal;
    char key_id[ID_SIZE];
    int64_t key_expires_ms; /* of the key that signed; 0: never */
    char jti[65];
    int64_t expires_ms;
};
/* Signature, alg fixed by the registered key, iss = sub, aud one of audiences (NULL-ended), exp, iat, jti. Single use
 * of jti is for the caller's transaction (assertion_id_insert). RFC 7523 §3. */
status auth_assertion_check(struct db *db, struct slice jws, const char *const *audiences, int64_t now_ms,
                            struct auth_assertion *out, struct error *err);
/* New access token: its text (a secret) and its row. */
status access_token_make(const char *principal_id, int64_t now_ms, struct buf *text, struct access_token *row,
                         struct error *err);
/* New API key "chancery_<id>_<secret>_<checksum>": its text and its row, with all scopes. */
status api_key_make(const char *user_id, const char *name, int64_t expires_ms, int64_t now_ms, struct buf *text,
                    struct api_key *row, struct error *err);
/* Judges a public key offered for a service account: PEM SPKI, type, size; algorithm NULL: by key type. */
status account_key_parse(const char *pem, const char *algorithm, struct account_key *out, struct error *err);

/* ---- what: the permission in each route's row; 0 is none and refused at start */
enum permission {
    PERMISSION_NONE = 0,
    PERMISSION_PUBLIC,             /* no credential asked */
    PERMISSION_ANY,                /* any principal; the handler shows only what is its own */
    PERMISSION_SIGN,               /* judged by the signing path itself, so that refusals are recorded */
    PERMISSION_READ_ALL,           /* administrator, auditor */
    PERMISSION_ADMINISTER,         /* administrator */
    PERMISSION_PROJECT_READ,       /* administrator, auditor, any member of the project */
    PERMISSION_PROJECT_MANAGE,     /* administrator, owner of the project */
    PERMISSION_SELF_OR_ADMINISTER, /* the user named in the path, members of the team that owns the account named there,
                                      administrator */
    PERMISSION_SELF_OR_READ_ALL,   /* the same, members of the team named there, and auditor: to look */
    PERMISSION_COUNT
};
/* Bits of enum scope, of which a credential needs one to be let in. */
unsigned scopes_for(enum permission p, const char *method, const char *pattern);
bool scope_parse(const char *name, enum scope *out); /* "sign", "read", "admin" */
const char *scope_name(enum scope scope);
/* member_roles: bits of enum member_role in the project concerned, 0 where none is. self: the path names the caller. */
bool permission_granted(enum permission p, const struct principal *who, unsigned member_roles, bool self);

/* SPDX-License-Identifier: Apache-2.0 */
/* The store: a pool of reading connections, one writing connection, and the queries of each noun (one file each).
 * Changes are made only inside audit_commit (server/audit), which owns the writer, so that each has its record. */
#pragma once

#include "chancery/protocol.h"
#include "common/algorithm.h"
#include "common/clock.h"
#include "server/store/db.h"
#include "server/store/key_state.h"

struct store;

/* "sqlite:/path/file.db" ("sqlite::memory:" for tests: readers and writer then share one connection under a lock) or
 * "postgresql://…". SQLite: WAL, synchronous=FULL, foreign keys on, busy time-out. */
status store_open(const char *url, struct store **out, struct error *err);
void store_close(struct store *s);
DEFINE_CLEANUP_PTR(struct store, store_close)
#define cleanup_store CLEANUP(store_close_cleanup)
/* Numbered migrations, each in one transaction. An unknown newer schema is CODE_CONFLICT. */
status store_migrate(struct store *s, struct error *err);
status store_check(struct store *s, struct error *err); /* for /readyz */

struct db *store_reader_acquire(struct store *s,
                                struct error *err); /* NULL with err set when none can be had in time */
void store_reader_release(struct store *s, struct db *db);
/* For audit/ only: the writer, taken with its lock (which waits only for SQLite in memory). */
struct db *store_writer(struct store *s);
status store_writer_lock(struct store *s, struct error *err);
void store_writer_unlock(struct store *s);
/* Makes this store the one that writes: CODE_CONFLICT when another server has SQLite's file; servers share PostgreSQL.
 */
status store_claim(struct store *s, struct error *err);

/* Grows with every change that may alter a right or a key's state (any audit_commit with a change function except those
 * marked as usage). Kept in a row of the store, mirrored in memory on SQLite. */
status store_generation(struct db *db, int64_t *out, struct error *err);
status store_generation_bump(struct db *db, struct error *err);

#define ID_SIZE (LIMIT_ID + 1)
#define NAME_SIZE (LIMIT_NAME + 1)
#define TEXT_SIZE (LIMIT_TEXT + 1)

/* Listing: rows with order value greater than `after`, at most limit; each is called once a row. Lists are ordered by
 * id unless said otherwise. */
struct page {
    const char *after; /* NULL: from the start */
    int limit;
    /* Only these rows; NULL: any. Names are compared by their beginning. A list says which of them it knows. */
    const char *name, *state, *role, *type;
};

/* ---- project.c */
struct project {
    char id[ID_SIZE], name[NAME_SIZE], description[TEXT_SIZE];
    int64_t created_ms;
    int64_t revision; /* 1 when made; grows with each update */
};
status project_insert(struct db *db, const struct project *p, struct error *err);
status project_find(struct db *db, const char *id_or_name, struct project *out, struct error *err);
status project_update(struct db *db, const struct project *p, struct error *err);
/* member_id NULL: all; else those where this principal has a role now. Knows name. */
status project_list(struct db *db, const char *member_id, struct page page,
                    status (*each)(void *arg, const struct project *p), void *arg, struct error *err);

struct project_count {
    int64_t seen, owned;
};
/* All; or with member_id those where this principal has a role, and is owner, now. */
status project_count(struct db *db, const char *member_id, struct project_count *out, struct error *err);

/* ---- principal.c: users and service accounts share names and ids */
enum principal_type { PRINCIPAL_USER, PRINCIPAL_SERVICE_ACCOUNT, PRINCIPAL_TEAM }; /* a team only as a member */
enum platform_role { ROLE_NONE, ROLE_ADMINISTRATOR, ROLE_AUDITOR };
struct principal {
    char id[ID_SIZE], name[NAME_SIZE];
    enum principal_type type;
    enum platform_role role; /* users only */
    bool disabled;
    int64_t expires_ms; /* 0: never */
    int64_t created_ms;
    int64_t revision;            /* 1 when made; grows with each update */
    char description[TEXT_SIZE]; /* service accounts only, as is: */
    char team_id[ID_SIZE];       /* whose members manage its keys; "": none */
};
status principal_insert(struct db *db, const struct principal *p,
                        struct error *err); /* CODE_CONFLICT: the name is taken */
status principal_find(struct db *db, const char *id_or_name, struct principal *out, struct error *err);
/* For the log: names are never given again, so one that is removed is still to be found. */
status principal_find_removed_too(struct db *db, const char *id_or_name, struct principal *out, struct error *err);
status principal_update(struct db *db, const struct principal *p,
                        struct error *err); /* role, disabled, expires, description, team */
/* With every credential, token and membership; the name stays taken. */
status principal_remove(struct db *db, const char *id, int64_t now_ms, struct error *err);
/* Knows name, state (active, disabled) and role. */
status principal_list(struct db *db, enum principal_type type, struct page page,
                      status (*each)(void *arg, const struct principal *p), void *arg, struct error *err);
status principal_count(struct db *db, enum principal_type type, int64_t *out, struct error *err);
status principal_count_administrators(struct db *db, int64_t *active, struct error *err); /* enabled ones */

/* ---- credential.c */
struct account_key { /* public half of a service account's key */
    char id[ID_SIZE], account_id[ID_SIZE], algorithm[8];
    struct buf spki;
    int64_t created_ms, last_used_ms;
    int64_t expires_ms; /* 0: never */
};
void account_key_clear(struct account_key *k);
status account_key_insert(struct db *db, const struct account_key *k, struct error *err);
status account_key_list(struct db *db, const char *account_id, status (*each)(void *arg, const struct account_key *k),
                        void *arg, struct error *err);
/* With all access tokens of the account: none tells by which key it was opened. */
status account_key_delete(struct db *db, const char *account_id, const char *id, struct error *err);
/* CODE_NOT_FOUND when it is gone. */
status account_key_check(struct db *db, const char *account_id, const char *id, struct error *err);
status account_key_touch(struct db *db, const char *id, int64_t now_ms,
                         struct error *err); /* last used; no error when gone */

enum scope { SCOPE_SIGN = 1, SCOPE_READ = 2, SCOPE_ADMIN = 4, SCOPE_ALL = 7 }; /* also a bit set */
struct api_key { /* secret is kept as SHA-256 only: it has 256 random bits */
    char id[ID_SIZE], user_id[ID_SIZE], name[NAME_SIZE];
    uint8_t secret_sha256[32];
    int64_t created_ms, expires_ms, last_used_ms;
    unsigned scopes; /* bits of enum scope */
};
status api_key_insert(struct db *db, const struct api_key *k, struct error *err);
status api_key_find(struct db *db, const char *id, struct api_key *out, struct error *err);
status api_key_list(struct db *db, const char *user_id, status (*each)(void *arg, const struct api_key *k), void *arg,
                    struct error *err);
status api_key_count(struct db *db, const char *user_id, int64_t *out, struct error *err); /* expired ones too */
status api_key_delete(struct db *db, const char *user_id, const char *id, struct error *err);
status api_key_touch(struct db *db, const char *id, int64_t now_ms,
                     struct error *err); /* last used; no error when gone */

struct web_session { /* of a browser; gone with the API key it was opened with */
    char id[ID_SIZE], user_id[ID_SIZE];
    char api_key_id[ID_SIZE]; /* "": opened with a password */
    uint8_t sha256[32];       /* of the cookie */
    char address[64];         /* from where it was opened */
    int64_t created_ms, last_used_ms, expires_ms;
    int64_t confirmed_until_ms; /* until when what is sensitive needs no new proof */
    bool is_limited;            /* opened with a one-time password: good for changing it */
    unsigned scopes;            /* of the API key, as they are now */
};
status web_session_insert(struct db *db, const struct web_session *s, struct error *err);
/* With its user. Expiry and state are judged by the caller. */
status web_session_find(struct db *db, const uint8_t sha256[32], struct web_session *out, struct principal *p,
                        struct error *err);
status web_session_list(struct db *db, const char *user_id, struct page page,
                        status (*each)(void *arg, const struct web_session *s), void *arg, struct error *err);
status web_session_delete(struct db *db, const char *user_id, const char *id, struct error *err);
status web_session_delete_all(struct db *db, const char *user_id, int64_t *count, struct error *err);
/* Those that were opened with a password, but for one ("": none is kept). */
status web_session_delete_by_password(struct db *db, const char *user_id, const char *kept_id, struct error *err);
status web_session_confirm(struct db *db, const char *id, int64_t until_ms, struct error *err); /* CODE_NOT_FOUND */
status web_session_unlimit(struct db *db, const char *id, struct error *err);
status web_session_touch(struct db *db, const char *id, int64_t now_ms, struct error *err);

struct access_token { /* opaque, kept as SHA-256 */
    uint8_t sha256[32];
    char principal_id[ID_SIZE];
    int64_t expires_ms;
};
status access_token_insert(struct db *db, const struct access_token *t,
                           struct error *err); /* also removes expired ones */
/* Token and its principal in one query. CODE_NOT_FOUND when unknown; expiry and state are judged by the caller. */
status access_token_find(struct db *db, const uint8_t sha256[32], struct access_token *t, struct principal *p,
                         struct error *err);
/* Single use of a jti: CODE_CONFLICT when seen before its expiry. */
status assertion_id_insert(struct db *db, const char *principal_id, const char *jti, int64_t expires_ms,
                           struct error *err);

/* ---- team.c: groups of principals; their names are in the space of the principals' */
struct team {
    char id[ID_SIZE], name[NAME_SIZE], description[TEXT_SIZE];
    int64_t created_ms;
    int64_t revision; /* 1 when made; grows with each update, and with each member that comes or goes */
};
status team_insert(struct db *db, const struct team *t, struct error *err); /* CODE_CONFLICT: the name is taken */
status team_find(struct db *db, const char *id_or_name, struct team *out, struct error *err);
status team_update(struct db *db, const struct team *t, struct error *err); /* description */
status team_delete(struct db *db, const char *id,
                   struct error *err); /* with its members and its roles; CODE_CONFLICT: owns a service account */
status team_list(struct db *db, struct page page, status (*each)(void *arg, const struct team *t), void *arg,
                 struct error *err);
status team_has(struct db *db, const char *team_id, const char *principal_id, bool *out, struct error *err);
status team_member_insert(struct db *db, const char *team_id, const char *principal_id, int64_t since_ms,
                          struct error *err);
status team_member_delete(struct db *db, const char *team_id, const char *principal_id,
                          struct error *err); /* CODE_NOT_FOUND */
/* In the order of the principals' names. */
status team_member_list(struct db *db, const char *team_id, struct page page,
                        status (*each)(void *arg, const struct principal *p, int64_t since_ms), void *arg,
                        struct error *err);

/* ---- member.c: principals and teams with a role in a project; the roles that a principal has by them */
enum member_role { MEMBER_OWNER = 1, MEMBER_SIGNER = 2, MEMBER_APPROVER = 4 }; /* also a bit set */
struct member {
    char project_id[ID_SIZE], principal_id[ID_SIZE], principal_name[NAME_SIZE]; /* or a team's */
    enum principal_type principal_type;
    enum member_role role;
    int64_t since_ms;
    int64_t not_before_ms, not_after_ms; /* 0: no bound; valid from the first, no more at the second */
};
status member_insert(struct db *db, const struct member *m, struct error *err);
status member_delete(struct db *db, const char *project_id, const char *principal_id, enum member_role role,
                     struct error *err); /* CODE_NOT_FOUND */
/* From the principal or team of `after` ("<its id>.<role>") on, so that some rows before it come first; at most three
 * more than limit, which is how many those can be. Knows role. */
status member_list(struct db *db, const char *project_id, struct page page,
                   status (*each)(void *arg, const struct member *m), void *arg, struct error *err);
/* The union of its own roles and those of its teams that are in their time now. */
status member_roles(struct db *db, const char *project_id, const char *principal_id, unsigned *roles,
                    struct error *err);

enum role_time { ROLE_ABSENT, ROLE_ENDED, ROLE_NOT_YET, ROLE_IN_TIME };
enum role_time role_time_of(int64_t not_before_ms, int64_t not_after_ms, int64_t now_ms);
/* How a principal has a role. */
struct role_reason {
    enum role_time time;
    char team[NAME_SIZE]; /* "": by a row of its own */
    int64_t not_before_ms, not_after_ms;
};
struct held_roles {
    unsigned roles;            /* bits of enum member_role, in their time */
    struct role_reason signer; /* the one that lasts longest; if none is in its time, one that is not */
    int64_t valid_until_ms;    /* the next moment at which one begins or ends; 0: never */
};
status member_held(struct db *db, const char *project_id, const char *principal_id, int64_t now_ms,
                   struct held_roles *out, struct error *err);
/* Roles that a principal or team has in projects, in the order of "<project> <role> <team>", which is what
 * `after` is. */
struct project_role {
    char project_id[ID_SIZE], project_name[NAME_SIZE];
    char team_id[ID_SIZE], team_name[NAME_SIZE]; /* by which a principal has it; "": by a row of its own */
    enum member_role role;
    int64_t since_ms, not_before_ms, not_after_ms;
};
status project_role_list(struct db *db, const char *principal_or_team_id, struct page page,
                         status (*each)(void *arg, const struct project_role *r), void *arg, struct error *err);
/* The last moment before now at which a role of the principal, in any project, began or ended by itself; 0: none. */
status member_last_turn(struct db *db, const char *principal_id, int64_t now_ms, int64_t *out, struct error *err);
/* Everybody who is signer or would be at another time, one call for each reason; pages are counted in principals, in
 * the order of their names, direct rows before those by teams. */
status member_list_signers(struct db *db, const char *project_id, struct page page,
                           status (*each)(void *arg, const struct principal *p, const struct role_reason *why),
                           void *arg, struct error *err);

/* ---- signing_key.c: key with its current version */
struct signing_key {
    char id[ID_SIZE], project_id[ID_SIZE], project_name[NAME_SIZE], label[NAME_SIZE];
    enum key_state state, state_before; /* before: where a missing key comes back to */
    char disabled_reason[TEXT_SIZE];
    int64_t revision;         /* 1 when made; grows with each change */
    char hsm[NAME_SIZE];      /* that holds the version, or is to make a pending key; "" is taken for "default" */
    int64_t retired_ms;       /* 0: is not */
    char destroy_by[ID_SIZE]; /* the administrator who asked for its destruction; "": nobody */
    int64_t destroy_ms;       /* when that was */
    /* of a pending key: what it is to become */
    char plan_subject[TEXT_SIZE]; /* "": no certificate */
    int plan_days;
    char plan_ca[NAME_SIZE];
    unsigned hashes;     /* hash_bit set */
    unsigned mechanisms; /* 1u << enum mechanism */
    int64_t created_ms;
    int version; /* 0: pending, there is none; the fields below but type are empty then */
    int64_t version_created_ms, grace_until_ms;
    enum key_type type;
    uint8_t hsm_id[20]; /* CKA_ID */
    struct buf spki;
    char hsm_attributes[TEXT_SIZE]; /* JSON as read back at generation (I3) */
    char findings[TEXT_SIZE];       /* of an imported key: attributes weaker than required, that were accepted */
    struct buf certificate;         /* leaf DER; empty when there is none */
    char certificate_ca[NAME_SIZE]; /* the CA here that issued it; "": none did */
    int64_t revoked_ms;             /* of the certificate; 0: is not */
    /* of a certificate that no CA here issued: its issuers up to the root, DER one behind the other */
    struct buf chain;
    char certificate_source[ID_SIZE]; /* "": a CA here, or there is none; or the connector's id */
    int64_t not_after_ms;             /* of the certificate; 0: there is none, or it was not read yet */
    /* how its next certificate comes: "" the built-in CA at once; or by this connector */
    char connector[ID_SIZE];
    char connector_name[NAME_SIZE]; /* as read */
    int renew_before_days;
    char job_id[ID_SIZE]; /* the last one made for its certificate; "": none */
};
void signing_key_clear(struct signing_key *k);
#define cleanup_signing_key CLEANUP(signing_key_clear)
const char *signing_key_hsm(const struct signing_key *k);
status signing_key_insert(struct db *db, const struct signing_key *k,
                          struct error *err); /* key, version 1, certificate */
status signing_key_find(struct db *db, const char *id, struct signing_key *out, struct error *err);
status signing_key_find_label(struct db *db, const char *project, const char *label, struct signing_key *out,
                              struct error *err);
/* The state it had becomes the state before. */
status signing_key_set_state(struct db *db, const char *id, enum key_state state, const char *reason,
                             struct error *err);
/* connector, renew_before_days, plan_subject and plan_days of k. */
status signing_key_set_connector(struct db *db, const struct signing_key *k, struct error *err);
/* retired_ms, destroy_by, destroy_ms of k. */
status signing_key_set_retirement(struct db *db, const struct signing_key *k, struct error *err);
enum { SIGNING_KEY_CURSOR_SIZE = 2 * NAME_SIZE };
void signing_key_cursor(const struct signing_key *k, char out[SIGNING_KEY_CURSOR_SIZE]);
/* project: its name; NULL: all; member_id NULL: all, else keys of projects where this principal has any of roles now.
 */
struct signing_key_filter {
    const char *project, *member_id;
    unsigned roles;
    bool only_active;
    int64_t expiring_before_ms; /* 0: all; else active and disabled keys whose certificate, not revoked, ends by then */
};
/* In the order of projects and labels, which is what page.after says, as the cursor of the last key seen. Knows name
 * (the label), state and type. */
status signing_key_list(struct db *db, const struct signing_key_filter *filter, struct page page,
                        status (*each)(void *arg, const struct signing_key *k), void *arg, struct error *err);
/* By state; member_id NULL: all, else keys of projects where this principal has a role now. */
status signing_key_count(struct db *db, const char *member_id, int64_t counts[KEY_STATE_COUNT], struct error *err);
/* The key with each of its versions that is not the current one and may still be named, newest first. */
status signing_key_list_earlier(struct db *db, const char *id, int64_t now_ms,
                                status (*each)(void *arg, const struct signing_key *k), void *arg, struct error *err);

/* ---- key_version.c: the versions of a key. Each is a struct signing_key whose version, type, hsm_id, spki,
 * hsm, hsm_attributes, findings, certificate, version_created_ms and grace_until_ms are that version's. */
status key_version_insert(struct db *db, const struct signing_key *k, struct error *err); /* and makes it the current */
/* The newest first. */
status key_version_list(struct db *db, const char *key_id, status (*each)(void *arg, const struct signing_key *k),
                        void *arg, struct error *err);
/* Those that an HSM holds, ordered by key and version: id, project_name, label, state, hsm, version (that is current:
 * see current_version), hsm_id, hsm_attributes, findings. */
status key_version_list_all(struct db *db, const char *hsm,
                            status (*each)(void *arg, const struct signing_key *k, int current_version), void *arg,
                            struct error *err);
/* CODE_CONFLICT when a version has this CKA_ID. */
status key_version_check_free(struct db *db, const uint8_t hsm_id[20], struct error *err);
status key_version_set_grace(struct db *db, const char *key_id, int version, int64_t until_ms, struct error *err);
/* Replaces the certificate by that of `to`, with its chain, certificate_source and certificate_ca; the one before is
 * kept. The new one is not revoked. */
status key_version_set_certificate(struct db *db, const struct signing_key *before, const struct signing_key *to,
                                   int64_t now_ms, struct error *err);
/* Marks the certificate of a version. CODE_CONFLICT: it is marked. */
status key_version_set_revoked(struct db *db, const char *key_id, int version, int64_t revoked_ms, struct error *err);
/* One version, current or not, with what stands in the key's row. */
status key_version_find(struct db *db, const char *key_id, int version, struct signing_key *out, struct error *err);
/* Those that were replaced, oldest first. */
status key_certificate_list(struct db *db, const char *key_id, int version,
                            status (*each)(void *arg, struct slice certificate, int64_t replaced_ms), void *arg,
                            struct error *err);

/* ---- usage.c: counters per key, UTC day and signer */
enum usage_outcome { USAGE_SUCCESS, USAGE_REFUSED, USAGE_FAILED };
status usage_add(struct db *db, const char *key_id, const char *principal_id, int64_t when_ms,
                 enum usage_outcome outcome, struct error *err);
enum usage_group { USAGE_BY_KEY, USAGE_BY_PROJECT, USAGE_BY_SIGNER, USAGE_IN_ALL };
enum usage_period { USAGE_A_DAY, USAGE_A_MONTH, USAGE_ALL_TIME };
enum usage_order { USAGE_OLDEST_FIRST, USAGE_NEWEST_FIRST, USAGE_MOST_FIRST }; /* then by names */
struct usage {                                                                 /* what is not grouped by is "" */
    char day[11];                                                              /* of months "2026-01", of all time "" */
    char key_id[ID_SIZE], project_name[NAME_SIZE], label[NAME_SIZE];
    char principal_id[ID_SIZE], principal_name[NAME_SIZE]; /* "": counted before signers were */
    int64_t success, refused, failed;
    int64_t total; /* of rows, were there no limit; 0 with oldest first, which is not counted */
};
struct usage_filter {
    const char *project_id, *key_id, *from_day, *to_day, *owner_id; /* NULL: any */
    const char *principal;                                          /* id or name; NULL: any */
    enum usage_group group;
    enum usage_period period;
    enum usage_order order;
    int limit; /* 0: all */
};
status usage_list(struct db *db, const struct usage_filter *filter, status (*each)(void *arg, const struct usage *u),
                  void *arg, struct error *err);

/* All in one row a day (day, success, refused, failed), from from_day on; owner_id NULL: of all keys, else of those in
 * projects that this principal owns. What usage_list has under USAGE_IN_ALL, without a walk over all days. */
status usage_sum_days(struct db *db, const char *owner_id, const char *from_day,
                      status (*each)(void *arg, const struct usage *u), void *arg, struct error *err);

/* ---- idempotency.c: I6 */
struct idempotency {
    char principal_id[ID_SIZE], idempotency_key[LIMIT_IDEMPOTENCY_KEY + 1];
    uint8_t request_sha256[32];
    int64_t intent_seq, outcome_seq; /* outcome_seq 0 while under way */
    int version;
    struct buf signature;
    int64_t created_ms;
};
void idempotency_clear(struct idempotency *i);
status idempotency_find(struct db *db, const char *principal_id, const char *key, struct idempotency *out,
                        struct error *err);
status idempotency_insert(struct db *db, const struct idempotency *i, struct error *err); /* CODE_CONFLICT when there */
status idempotency_finish(struct db *db, const struct idempotency *i,
                          struct error *err); /* sets signature, outcome_seq */
status idempotency_remove(struct db *db, const char *principal_id, const char *key,
                          struct error *err); /* failed: may be tried again */
/* The same for an intent that a server left without outcome. */
status idempotency_remove_open(struct db *db, const char *principal_id, int64_t intent_seq, struct error *err);

/* ---- record.c: the audit log's rows; written by audit/ only */
struct record_row {
    int64_t seq;
    const char *line; /* the whole canonical JSON line */
    /* copies for searching; audit verification compares them with the line */
    const char *type, *principal_id, *key_id, *outcome, *request_id, *digest; /* NULL: absent */
    int64_t intent_seq;                                                       /* outcome records: the intent; else 0 */
    int64_t server;                                                           /* who wrote it: log_server's id */
};
status record_insert(struct db *db, const struct record_row *r, struct error *err);
struct record_filter {
    int64_t after_seq, before_seq; /* both excluded; before_seq 0: to the end */
    int limit;
    bool newest_first;
    const char *type, *principal_id, *key_id, *outcome;
    const char *digest; /* hex; finds outcomes of signatures, by an index. The others walk what the bounds leave. */
};
status record_list(struct db *db, const struct record_filter *filter,
                   status (*each)(void *arg, const struct record_row *r), void *arg, struct error *err);
/* The last record before that time, by halves, for the log's times never fall; 0: there is none. */
status record_seq_before(struct db *db, int64_t when_ms, int64_t *out, struct error *err);
status record_head(struct db *db, int64_t *seq, uint8_t hash[32], struct error *err); /* 0 and zeros when empty */
/* The same for writing: inside a transaction, held until its end, so that several servers append one after the other.
 */
struct record_head {
    int64_t seq, time_ms;
    uint8_t hash[32];
};
status record_head_lock(struct db *db, struct record_head *out, struct error *err);
status record_head_set(struct db *db, const struct record_head *head, struct error *err);
/* Intents of this server without an outcome. */
status record_open_intents(struct db *db, int64_t server, status (*each)(void *arg, const struct record_row *r),
                           void *arg, struct error *err);

/* ---- log_server.c: the servers that write the log. A place is held by a server as long as its session lives; SQLite
 * has one place. All of these need a transaction with the head locked. */
struct log_server {
    int64_t id;        /* 0: none */
    int64_t open_from; /* all intents of this place before that have their outcome */
    int64_t epoch;     /* grows whenever the place is taken */
};
status log_server_acquire(struct db *db, struct log_server *out, struct error *err);
/* In a new session: *kept is false when another server has had the place meanwhile (and closed its intents). */
status log_server_renew(struct db *db, const struct log_server *server, bool *kept, struct error *err);
/* Takes another place that nobody holds any more; out->id 0 when there is none. */
status log_server_take_dead(struct db *db, int64_t own_id, struct log_server *out, struct error *err);
status log_server_drop(struct db *db, int64_t id, struct error *err);
status log_server_mark(struct db *db, int64_t id, int64_t open_from, struct error *err);

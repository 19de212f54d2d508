/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of policy at use: policies in immutable versions, freezes, listed digests, and the counters of quotas. What they
 * mean is server/sign's. */
#pragma once

#include "server/store/store.h"

enum policy_scope { SCOPE_PLATFORM, SCOPE_PROJECT, SCOPE_KEY };
const char *policy_scope_name(enum policy_scope scope); /* "platform", "project", "key" */

struct policy_row {
    enum policy_scope scope;
    char scope_id[ID_SIZE]; /* "" for the platform */
    int64_t version;        /* 0: there never was one */
    struct buf document;    /* JSON; empty: no policy of this scope */
    char author_id[ID_SIZE], author_name[NAME_SIZE];
    int64_t created_ms;
};
void policy_row_clear(struct policy_row *r);
#define cleanup_policy_row CLEANUP(policy_row_clear)
/* The newest version; version 0 and an empty document when there is none. */
status policy_find(struct db *db, enum policy_scope scope, const char *scope_id, struct policy_row *out,
                   struct error *err);
/* CODE_CONFLICT when the version is taken. */
status policy_insert(struct db *db, const struct policy_row *r, struct error *err);
/* Newest first; before 0: from the newest. */
status policy_versions(struct db *db, enum policy_scope scope, const char *scope_id, int64_t before, int limit,
                       status (*each)(void *arg, const struct policy_row *r), void *arg, struct error *err);

struct freeze {
    bool is_frozen;
    char reason[TEXT_SIZE], author_name[NAME_SIZE];
    int64_t since_ms;
};
status freeze_find(struct db *db, enum policy_scope scope, const char *scope_id, struct freeze *out, struct error *err);
/* CODE_CONFLICT when it is frozen already, CODE_NOT_FOUND when it is not. */
status freeze_insert(struct db *db, enum policy_scope scope, const char *scope_id, const char *reason,
                     const char *author_id, int64_t now_ms, struct error *err);
status freeze_delete(struct db *db, enum policy_scope scope, const char *scope_id, struct error *err);

struct listed_digest {
    char key_id[ID_SIZE], hash[16], digest[2 * 64 + 1]; /* hex */
    int64_t remaining;                                  /* -1: any number */
    int64_t expires_ms, created_ms;                     /* 0: never */
    char note[TEXT_SIZE], author_name[NAME_SIZE];
};
/* Putting the same digest in again replaces its count, expiry and note. */
status listed_digest_put(struct db *db, const struct listed_digest *d, const char *author_id, struct error *err);
status listed_digest_find(struct db *db, const char *key_id, const char *hash, const char *digest,
                          struct listed_digest *out, struct error *err); /* CODE_NOT_FOUND */
status listed_digest_delete(struct db *db, const char *key_id, const char *hash, const char *digest, struct error *err);
/* by: -1 takes one, +1 gives it back; those without a count stay as they are. */
status listed_digest_add(struct db *db, const char *key_id, const char *hash, const char *digest, int by,
                         struct error *err);
/* In the order of "<hash>.<digest>". */
status listed_digest_list(struct db *db, const char *key_id, struct page page,
                          status (*each)(void *arg, const struct listed_digest *d), void *arg, struct error *err);

struct quota { /* 0: no limit */
    int64_t total, day, month;
};
struct quota_use {
    bool is_taken; /* false: a limit is reached, and nothing was counted */
    struct quota count;
};
/* One more, if no limit is reached: exact, inside a transaction that holds the log's head. mark names the policies that
 * count; under another mark than the row's the counters are first brought level with the usage on record. */
status quota_take(struct db *db, const char *key_id, const char *mark, const struct quota *limit, int64_t now_ms,
                  struct quota_use *out, struct error *err);
/* taken_ms: now_ms of the quota_take. */
status quota_give_back(struct db *db, const char *key_id, int64_t taken_ms, struct error *err);
status quota_find(struct db *db, const char *key_id, int64_t now_ms, struct quota *out, struct error *err);

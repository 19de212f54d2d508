/* SPDX-License-Identifier: Apache-2.0 */
/* How users prove who they are in a browser: passwords and second factor, and how often that failed. */
#pragma once

#include "server/store/store.h"

/* ---- password.c */
enum { PASSWORD_HASH_SIZE = 128 }; /* as libsodium's crypto_pwhash_STRBYTES */
struct user_password {
    char hash[PASSWORD_HASH_SIZE];
    bool is_one_time;
    int64_t changed_ms;
};
status user_password_find(struct db *db, const char *user_id, struct user_password *out, struct error *err);
/* Takes the place of the one there was. */
status user_password_set(struct db *db, const char *user_id, const struct user_password *p, struct error *err);
status user_password_delete(struct db *db, const char *user_id, struct error *err); /* CODE_NOT_FOUND */

/* ---- sign_in_failure.c */
struct sign_in_failures {
    int64_t count; /* 0: none */
    int64_t last_ms;
};
status sign_in_failures_get(struct db *db, const char *who, struct sign_in_failures *out, struct error *err);
status sign_in_failures_set(struct db *db, const char *who, const struct sign_in_failures *f, struct error *err);
status sign_in_failures_clear(struct db *db, const char *who, struct error *err);

/* ---- totp.c */
enum { TOTP_SEALED_LEN = 48 }; /* a secret of 20 bytes, sealed */
struct user_totp {
    uint8_t sealed[TOTP_SEALED_LEN];
    bool is_confirmed;
    int64_t last_step; /* of the code that was used last */
    int64_t created_ms;
};
status user_totp_find(struct db *db, const char *user_id, struct user_totp *out, struct error *err);
/* In place of one that was begun; CODE_CONFLICT when there is a confirmed one. */
status user_totp_begin(struct db *db, const char *user_id, const struct user_totp *t, struct error *err);
status user_totp_confirm(struct db *db, const char *user_id, int64_t step, struct error *err); /* CODE_NOT_FOUND */
/* CODE_NOT_FOUND when that step, or a later one, was used before. */
status user_totp_use(struct db *db, const char *user_id, int64_t step, struct error *err);
status user_totp_delete(struct db *db, const char *user_id, struct error *err); /* with the recovery codes */
status recovery_code_insert(struct db *db, const char *user_id, const uint8_t sha256[32], struct error *err);
status recovery_code_use(struct db *db, const char *user_id, const uint8_t sha256[32],
                         struct error *err); /* CODE_NOT_FOUND */
status recovery_code_count(struct db *db, const char *user_id, int64_t *out, struct error *err);

/* SPDX-License-Identifier: Apache-2.0 */
/* The second factor of a user as it is asked for at sign-in: a TOTP code or a recovery code, each good once. */
#pragma once

#include "server/api/api.h"
#include "server/auth/totp.h"

struct second_factor {
    struct user_totp totp;
    bool is_on; /* confirmed: it is asked for */
    /* what second_factor_judge found good */
    bool by_recovery;
    int64_t step;
    uint8_t recovery_sha256[32];
};
/* The store's row; is_on false where there is none, or one that is only begun. */
status second_factor_load(struct db *db, const char *user_id, struct second_factor *f, struct error *err);
/* Whether the row's secret gives this code now. False for anything that is not six digits. */
status second_factor_code(struct api *api, const char *user_id, struct second_factor *f, const char *code, bool *good,
                          struct error *err);
/* The same, or a recovery code, which second_factor_spend alone finds good or not. */
status second_factor_judge(struct api *api, const char *user_id, struct second_factor *f, const char *code, bool *good,
                           struct error *err);
/* In a transaction: CODE_NOT_FOUND when it was used before, or is no recovery code. */
status second_factor_spend(struct db *db, const char *user_id, const struct second_factor *f, struct error *err);

/* A new secret, sealed for the user. */
status second_factor_make(struct api *api, const char *user_id, uint8_t secret[TOTP_SECRET_LEN], struct user_totp *out,
                          struct error *err);

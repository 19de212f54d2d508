/* SPDX-License-Identifier: Apache-2.0 */
/* See second_factor.h. The secret is open only while a code is compared (I8). */
#include "server/api/second_factor.h"

#include <stdio.h>
#include <string.h>

#include "common/secret.h"
#include "server/auth/sealed.h"

enum { PURPOSE_SIZE = ID_SIZE + 8 };

_Static_assert(TOTP_SEALED_LEN == TOTP_SECRET_LEN + SEALED_OVERHEAD, "a sealed secret fits its column");

static void purpose_of(const char *user_id, char out[PURPOSE_SIZE])
{
    (void)snprintf(out, PURPOSE_SIZE, "totp %s", user_id);
}

status second_factor_load(struct db *db, const char *user_id, struct second_factor *f, struct error *err)
{
    status found = user_totp_find(db, user_id, &f->totp, err);
    f->is_on = is_ok(found) && f->totp.is_confirmed;
    return found.code == CODE_NOT_FOUND ? OK : found;
}

status second_factor_code(struct api *api, const char *user_id, struct second_factor *f, const char *code, bool *good,
                          struct error *err)
{
    cleanup_buf struct buf secret = {0};
    char purpose[PURPOSE_SIZE];

    purpose_of(user_id, purpose);
    TRY(unseal(api->secret_key_file, purpose, (struct slice){f->totp.sealed, sizeof(f->totp.sealed)}, &secret, err));
    return totp_verify(secret.data, code, clock_now_ms(), f->totp.last_step, &f->step, good, err);
}

status second_factor_judge(struct api *api, const char *user_id, struct second_factor *f, const char *code, bool *good,
                           struct error *err)
{
    f->by_recovery = !totp_is_code(code);
    if (!f->by_recovery)
        return second_factor_code(api, user_id, f, code, good, err);
    *good = true;
    return recovery_code_hash(user_id, code, f->recovery_sha256, err);
}

status second_factor_spend(struct db *db, const char *user_id, const struct second_factor *f, struct error *err)
{
    return f->by_recovery ? recovery_code_use(db, user_id, f->recovery_sha256, err)
                          : user_totp_use(db, user_id, f->step, err);
}

status second_factor_make(struct api *api, const char *user_id, uint8_t secret[TOTP_SECRET_LEN], struct user_totp *out,
                          struct error *err)
{
    cleanup_buf struct buf sealed = {0};
    char purpose[PURPOSE_SIZE];

    purpose_of(user_id, purpose);
    TRY(secret_random(secret, TOTP_SECRET_LEN, err));
    TRY(seal(api->secret_key_file, purpose, (struct slice){secret, TOTP_SECRET_LEN}, &sealed, err));
    if (sealed.len != sizeof(out->sealed))
        return error_set(err, CODE_INTERNAL, "a sealed secret has another length");
    *out = (struct user_totp){.created_ms = clock_now_ms()};
    memcpy(out->sealed, sealed.data, sealed.len);
    return OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Only this file sees libsodium. The parameters stand in each hash, so that they can be raised later. */
#include "server/auth/password.h"

#include <sodium.h>
#include <stdatomic.h>
#include <string.h>
#include <strings.h>

#include "common/text.h"

enum { PASSES = 3, MEMORY_BYTES = 64 * 1024 * 1024 }; /* RFC 9106 §4, second recommendation, on one lane */

_Static_assert(PASSWORD_HASH_SIZE >= crypto_pwhash_STRBYTES, "a hash fits");

const char password_nobody[] =
    "$argon2id$v=19$m=65536,t=3,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

static atomic_int slots_taken;
static atomic_ulong hashes_made;

status password_check(const char *field, const char *password, const char *user_name, struct error *err)
{
    size_t len = strlen(password);
    if (len < PASSWORD_MIN || len > PASSWORD_MAX || !text_is_printable(password, PASSWORD_MAX))
        return error_set(err, CODE_INVALID, "%s: %d to %d bytes without control characters are expected", field,
                         PASSWORD_MIN, PASSWORD_MAX);
    if (strcasecmp(password, user_name) == 0)
        return error_set(err, CODE_INVALID, "%s: it may not be the name of the user", field);
    return OK;
}

status password_slot_take(struct password_slot *s, struct error *err)
{
    if (s->held)
        return OK;
    s->held = atomic_fetch_add(&slots_taken, 1) < PASSWORD_SLOTS;
    if (s->held)
        return OK;
    atomic_fetch_sub(&slots_taken, 1);
    return error_set(err, CODE_UNAVAILABLE, "too many passwords are being checked at once; try again");
}

void password_slot_give(struct password_slot *s)
{
    if (s->held)
        atomic_fetch_sub(&slots_taken, 1);
    s->held = false;
}

static status begin(const struct password_slot *s, struct error *err)
{
    if (!s->held)
        return error_set(err, CODE_INTERNAL, "a password is hashed without a slot");
    if (sodium_init() < 0)
        return error_set(err, CODE_INTERNAL, "libsodium does not start");
    atomic_fetch_add(&hashes_made, 1);
    return OK;
}

status password_hash(const struct password_slot *s, const char *password, char out[PASSWORD_HASH_SIZE],
                     struct error *err)
{
    char made[crypto_pwhash_STRBYTES];
    TRY(begin(s, err));
    if (crypto_pwhash_argon2id_str(made, password, strlen(password), PASSES, MEMORY_BYTES) != 0)
        return error_set(err, CODE_UNAVAILABLE, "there is no memory to hash a password");
    memcpy(out, made, sizeof(made));
    return OK;
}

status password_verify(const struct password_slot *s, const char *hash, const char *password, bool *equal,
                       struct error *err)
{
    TRY(begin(s, err));
    bool verified = crypto_pwhash_argon2id_str_verify(hash ? hash : password_nobody, password, strlen(password)) == 0;
    *equal = verified && hash;
    return OK;
}

unsigned long password_hash_count(void)
{
    return atomic_load(&hashes_made);
}

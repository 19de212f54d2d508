/* SPDX-License-Identifier: Apache-2.0 */
/* Passwords: the rules, and argon2id (RFC 9106) with 64 MiB. Hashing takes a slot, of which there are few, so that
 * nobody makes the server spend memory and processors without bound; who finds none is refused at once (I9). */
#pragma once

#include "server/store/sign_in.h"

enum { PASSWORD_MIN = 12, PASSWORD_MAX = 256, PASSWORD_SLOTS = 2 };

/* 12 to 256 bytes of UTF-8 without control characters, and not the user's name; nothing about its composition (NIST SP
 * 800-63B §5.1.1.2). CODE_INVALID names the field. */
status password_check(const char *field, const char *password, const char *user_name, struct error *err);

struct password_slot {
    bool held;
};
status password_slot_take(struct password_slot *s, struct error *err); /* CODE_UNAVAILABLE when all are taken */
void password_slot_give(struct password_slot *s);
#define cleanup_password_slot CLEANUP(password_slot_give)

/* Both need a slot that is held. */
status password_hash(const struct password_slot *s, const char *password, char out[PASSWORD_HASH_SIZE],
                     struct error *err);
/* hash NULL: there is no such user or password; the same work, and never equal. */
status password_verify(const struct password_slot *s, const char *hash, const char *password, bool *equal,
                       struct error *err);
/* What password_verify does its work on where there is no hash: of no known password. */
extern const char password_nobody[];
/* How often this process hashed. */
unsigned long password_hash_count(void);

/* SPDX-License-Identifier: Apache-2.0 */
/* Any PKCS#11 module, opened the way an application does: load, find the token by its label, log in, find the key. */
#pragma once

#include "chancery/pkcs11.h"

struct token_choice {
    const char *module;
    const char *token;
    const char *pin; /* NULL: no login */
    const char *key; /* label of the private key */
};
struct token {
    CK_FUNCTION_LIST *p11;
    CK_SLOT_ID slot;
    CK_SESSION_HANDLE session; /* holds the login */
};

/* All of these end the program with a message when the module says no. */
void token_open(struct token *t, const struct token_choice *choice);
void token_close(struct token *t);
CK_SESSION_HANDLE token_session(const struct token *t);
CK_OBJECT_HANDLE token_key(const struct token *t, CK_SESSION_HANDLE session, const char *label);

void fail(const char *what, CK_RV rv) __attribute__((noreturn));

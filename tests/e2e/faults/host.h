/* SPDX-License-Identifier: Apache-2.0 */
/* A PKCS#11 host of our own: the module loaded from its file, nothing of Chancery linked. Failures are cmocka's. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>

#include "chancery/pkcs11.h"

extern CK_FUNCTION_LIST *p11;

const char *environment(const char *name); /* which must be set */
void module_load(void);
/* Initialised, a session on the token, logged in. */
CK_SESSION_HANDLE host_begin(void);
void host_end(void);
CK_RV find_begin(CK_SESSION_HANDLE session, CK_OBJECT_CLASS class, const char *label);
/* Of the search that was begun, which it ends; CK_INVALID_HANDLE when there is none. */
CK_OBJECT_HANDLE find_one(CK_SESSION_HANDLE session);
CK_OBJECT_HANDLE find_private(CK_SESSION_HANDLE session);
CK_RV sign_begin(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key);
CK_RV sign(CK_SESSION_HANDLE session, const char *text, CK_BYTE signature[512], CK_ULONG *len);
/* Signs another text than before, and OpenSSL verifies it with the key's public half. */
void sign_well(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key);

/* SPDX-License-Identifier: Apache-2.0 */
/* What every test program of the module needs: cmocka, a host that initialises the module over the fake client, and
 * short ways to sessions and objects. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "chancery/pkcs11.h"
#include "fake_client.h"

#define assert_rv(call, expected) assert_int_equal((call), (expected))

enum { SLOT_MAIN = 0, SLOT_EDWARDS = 1 };

/* cmocka set-up and tear-down: fake_reset and C_Initialize; C_Finalize, and no client lives on. */
int host_setup(void **state);
int host_teardown(void **state);

CK_SESSION_HANDLE host_open(CK_SLOT_ID slot);
CK_SESSION_HANDLE host_open_logged_in(CK_SLOT_ID slot);
CK_RV host_login(CK_SESSION_HANDLE session, const char *pin);
/* The handle of the one object of this class and label; 0 when there is none. */
CK_OBJECT_HANDLE host_find(CK_SESSION_HANDLE session, CK_OBJECT_CLASS class, const char *label);
/* How many objects match. */
CK_ULONG host_count(CK_SESSION_HANDLE session, CK_ATTRIBUTE *wanted, CK_ULONG count);

#define ATTRIBUTE(type, variable)                                                                                      \
    {                                                                                                                  \
        type, &(variable), sizeof(variable)                                                                            \
    }

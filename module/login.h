/* SPDX-License-Identifier: Apache-2.0 */
/* C_Login, C_Logout: the PIN is the passphrase of the key file or the API key; it never leaves this machine as such. A
 * token that needs no login takes any PIN, for tools that insist. */
#pragma once

#include "module/session.h"

enum { PIN_MIN_LEN = 1, PIN_MAX_LEN = 255 };

CK_RV login_user(struct module *m, CK_SESSION_HANDLE session, CK_USER_TYPE type, struct slice pin);
/* C_LoginUser: name is that of the account in the configuration, or empty; any other is CKR_PIN_INCORRECT. */
CK_RV login_named(struct module *m, CK_SESSION_HANDLE session, CK_USER_TYPE type, struct slice pin, struct slice name);
CK_RV login_end(struct module *m, CK_SESSION_HANDLE session);

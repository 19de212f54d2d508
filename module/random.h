/* SPDX-License-Identifier: Apache-2.0 */
/* C_GenerateRandom from OpenSSL's generator; C_SeedRandom is refused, as it needs no seed. */
#pragma once

#include "module/module.h"

CK_RV random_generate(struct module *m, CK_SESSION_HANDLE session, CK_BYTE *out, CK_ULONG len);
CK_RV random_seed(struct module *m, CK_SESSION_HANDLE session);

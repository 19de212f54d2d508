/* SPDX-License-Identifier: Apache-2.0 */
/* The module of the HSM under test, reached behind the HSM layer's back: the same library in the same process. */
#pragma once

#include "chancery/pkcs11.h"

#include "faulty.h"

CK_FUNCTION_LIST *raw_module(const char *path);
struct faults *raw_faults(void); /* of the faulty module, which must be loaded */
/* The slot of the test's token. */
CK_SLOT_ID raw_slot(CK_FUNCTION_LIST *module);

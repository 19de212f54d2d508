/* SPDX-License-Identifier: Apache-2.0 */
/* The function lists, and how an application finds them. These work before C_Initialize. */
#pragma once

#include "chancery/pkcs11.h"

CK_RV interface_function_list(CK_FUNCTION_LIST **out);
CK_RV interface_list(CK_INTERFACE *list, CK_ULONG *count);
/* PKCS#11 3.0 §5.4.6: a NULL name or version matches any, flags are those it must have at least; CKR_ARGUMENTS_BAD when
 * there is none, upon which tools that asked for a newer version ask for an older one. */
CK_RV interface_find(const CK_UTF8CHAR *name, const CK_VERSION *version, CK_FLAGS flags, CK_INTERFACE **out);

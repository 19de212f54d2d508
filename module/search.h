/* SPDX-License-Identifier: Apache-2.0 */
/* C_FindObjects*: C_FindObjectsInit takes a snapshot of the matching handles; what changes afterwards is not seen. */
#pragma once

#include "module/session.h"

CK_RV search_init(struct session *s, const CK_ATTRIBUTE *wanted, CK_ULONG count);
CK_RV search_next(struct session *s, CK_OBJECT_HANDLE *handles, CK_ULONG room, CK_ULONG *count);
CK_RV search_final(struct session *s);

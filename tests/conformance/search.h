/* SPDX-License-Identifier: Apache-2.0 */
/* Searches, done whole. */
#pragma once

#include "rig.h"

enum { FOUND_MAX = 256 };
struct found {
    CK_RV rv; /* of C_FindObjectsInit; the rest counts as failed checks */
    CK_ULONG count;
    CK_OBJECT_HANDLE objects[FOUND_MAX];
};
void search(struct rig *r, CK_SESSION_HANDLE session, CK_ATTRIBUTE *wanted, CK_ULONG count, struct found *out);
bool found_has(const struct found *found, CK_OBJECT_HANDLE object);

/* SPDX-License-Identifier: Apache-2.0 */
#include "search.h"

void search(struct rig *r, CK_SESSION_HANDLE session, CK_ATTRIBUTE *wanted, CK_ULONG count, struct found *out)
{
    out->count = 0;
    out->rv = r->f->C_FindObjectsInit(session, wanted, count);
    if (out->rv != CKR_OK)
        return;
    CK_RV rv = r->f->C_FindObjects(session, out->objects, FOUND_MAX, &out->count);
    CK_RV final = r->f->C_FindObjectsFinal(session);
    if (rv != CKR_OK || final != CKR_OK) {
        check("base §5.7.8", text("C_FindObjects and C_FindObjectsFinal after a good C_FindObjectsInit"), false);
        out->rv = rv != CKR_OK ? rv : final;
        out->count = 0;
    }
}

bool found_has(const struct found *found, CK_OBJECT_HANDLE object)
{
    for (CK_ULONG i = 0; i < found->count; i++) {
        if (found->objects[i] == object)
            return true;
    }
    return false;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Structures and numbers at odd addresses. C does not promise callers this; programs do it, and platforms that allow it
 * must not see a crash. Not under the sanitizers, which forbid it to the module. */
#include <string.h>

#include "group.h"

static CK_BYTE room[1024];

#define AT_ODD(type) ((type *)(void *)(room + 1))

static CK_ULONG number_at_odd(void)
{
    CK_ULONG number;
    memcpy(&number, room + 1, sizeof number);
    return number;
}

void address_group(struct rig *r)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_UNDEFINED__)
    (void)r;
    (void)number_at_odd;
#else
    EXPECT("base §5.4.3", "C_GetInfo", r->f->C_GetInfo(AT_ODD(CK_INFO)), CKR_OK);
    EXPECT("base §5.5.1", "C_GetSlotList", r->f->C_GetSlotList(CK_TRUE, NULL, AT_ODD(CK_ULONG)), CKR_OK);
    check("base §5.5.1", "the count at an odd address", number_at_odd() > 0);
    EXPECT("base §5.5.2", "C_GetSlotInfo", r->f->C_GetSlotInfo(r->slot, AT_ODD(CK_SLOT_INFO)), CKR_OK);
    EXPECT("base §5.5.3", "C_GetTokenInfo", r->f->C_GetTokenInfo(r->slot, AT_ODD(CK_TOKEN_INFO)), CKR_OK);
    check_bytes("base §5.5.3", "the label at an odd address", room + 1, 32, r->info.label, 32);
    EXPECT("base §5.5.5", "C_GetMechanismList", r->f->C_GetMechanismList(r->slot, NULL, AT_ODD(CK_ULONG)), CKR_OK);
    check("base §5.5.5", "the count at an odd address", number_at_odd() > 0);
    EXPECT("base §5.6.1", "C_OpenSession",
           r->f->C_OpenSession(r->slot, CKF_SERIAL_SESSION, NULL, NULL, AT_ODD(CK_SESSION_HANDLE)), CKR_OK);
    check("base §5.6.1", "the session at an odd address", number_at_odd() != CK_INVALID_HANDLE);
    EXPECT("base §5.6.4", "C_GetSessionInfo", r->f->C_GetSessionInfo(r->session, AT_ODD(CK_SESSION_INFO)), CKR_OK);
    check_number("base §5.6.4", "the slot at an odd address", number_at_odd(), r->slot);
    EXPECT("base §5.7.7", "C_FindObjectsInit", r->f->C_FindObjectsInit(r->session, NULL, 0), CKR_OK);
    CK_ULONG count = 0;
    EXPECT("base §5.7.8", "C_FindObjects", r->f->C_FindObjects(r->session, AT_ODD(CK_OBJECT_HANDLE), 1, &count),
           CKR_OK);
    check("base §5.7.8", "the object at an odd address", number_at_odd() != CK_INVALID_HANDLE);
    EXPECT("base §5.7.9", "C_FindObjectsFinal", r->f->C_FindObjectsFinal(r->session), CKR_OK);
#endif
}

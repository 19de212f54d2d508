/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

int host_setup(void **state)
{
    (void)state;
    fake_reset();
    return C_Initialize(NULL) == CKR_OK ? 0 : -1;
}

int host_teardown(void **state)
{
    (void)state;
    CK_RV rv = C_Finalize(NULL);
    return (rv == CKR_OK || rv == CKR_CRYPTOKI_NOT_INITIALIZED) && fake.clients == 0 ? 0 : -1;
}

CK_SESSION_HANDLE host_open(CK_SLOT_ID slot)
{
    CK_SESSION_HANDLE session = 0;
    assert_rv(C_OpenSession(slot, CKF_SERIAL_SESSION, NULL, NULL, &session), CKR_OK);
    return session;
}

CK_RV host_login(CK_SESSION_HANDLE session, const char *pin)
{
    return C_Login(session, CKU_USER, (CK_UTF8CHAR_PTR)(uintptr_t)pin, strlen(pin));
}

CK_SESSION_HANDLE host_open_logged_in(CK_SLOT_ID slot)
{
    CK_SESSION_HANDLE session = host_open(slot);
    CK_RV rv = host_login(session, fake.pin);
    assert_true(rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN);
    return session;
}

static CK_ULONG find(CK_SESSION_HANDLE session, CK_ATTRIBUTE *wanted, CK_ULONG count, CK_OBJECT_HANDLE *first)
{
    CK_OBJECT_HANDLE found[64];
    CK_ULONG n = 0;
    assert_rv(C_FindObjectsInit(session, wanted, count), CKR_OK);
    assert_rv(C_FindObjects(session, found, COUNT_OF(found), &n), CKR_OK);
    assert_rv(C_FindObjectsFinal(session), CKR_OK);
    if (first)
        *first = n ? found[0] : 0;
    return n;
}

CK_OBJECT_HANDLE host_find(CK_SESSION_HANDLE session, CK_OBJECT_CLASS class, const char *label)
{
    CK_ATTRIBUTE wanted[] = {ATTRIBUTE(CKA_CLASS, class), {CKA_LABEL, (void *)(uintptr_t)label, strlen(label)}};
    CK_OBJECT_HANDLE first = 0;
    assert_true(find(session, wanted, 2, &first) <= 1);
    return first;
}

CK_ULONG host_count(CK_SESSION_HANDLE session, CK_ATTRIBUTE *wanted, CK_ULONG count)
{
    return find(session, wanted, count, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A PKCS#11 module that passes everything on to the one named by FAULTY_BEHIND, and errs where struct faults says so.
 */
#include "faulty.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "chancery/pkcs11.h"

static struct faults switches;
static CK_FUNCTION_LIST *behind, front;

__attribute__((visibility("default"))) struct faults *faults(void);
__attribute__((visibility("default"))) CK_RV C_GetFunctionList(CK_FUNCTION_LIST **out);

struct faults *faults(void)
{
    return &switches;
}

static CK_RV initialize(void *args)
{
    CK_RV rv = switches.initialize_fail;

    atomic_fetch_add(&switches.initialized, 1);
    return rv ? rv : behind->C_Initialize(args);
}

static CK_RV finalize(void *reserved)
{
    atomic_fetch_add(&switches.finalized, 1);
    return behind->C_Finalize(reserved);
}

static bool is_absent(CK_SLOT_ID slot)
{
    CK_SLOT_ID absent = switches.absent_slot;

    return absent != 0 && slot == absent;
}

static CK_RV slot_list(CK_BBOOL present, CK_SLOT_ID *slots, CK_ULONG *count)
{
    CK_RV rv = behind->C_GetSlotList(present, slots, count);
    CK_ULONG kept = 0;

    if (rv != CKR_OK || !slots || !present)
        return rv;
    for (CK_ULONG i = 0; i < *count; i++) {
        if (!is_absent(slots[i]))
            slots[kept++] = slots[i];
    }
    *count = kept;
    return rv;
}

static CK_RV token_info(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
    CK_RV rv = is_absent(slot) ? CKR_TOKEN_NOT_PRESENT : behind->C_GetTokenInfo(slot, info);

    if (rv == CKR_OK)
        info->flags |= switches.token_flags;
    return rv;
}

static CK_RV mechanism_info(CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *info)
{
    CK_RV rv = behind->C_GetMechanismInfo(slot, type, info);

    if (rv == CKR_OK && type == CKM_RSA_PKCS_KEY_PAIR_GEN && switches.rsa_max_bits)
        info->ulMaxKeySize = switches.rsa_max_bits;
    return rv;
}

static CK_RV open_session(CK_SLOT_ID slot, CK_FLAGS flags, void *application, CK_NOTIFY notify, CK_SESSION_HANDLE *out)
{
    CK_RV rv = is_absent(slot) ? CKR_TOKEN_NOT_PRESENT : switches.open_session_fail;

    atomic_fetch_add(&switches.opens, 1);
    return rv ? rv : behind->C_OpenSession(slot, flags, application, notify, out);
}

/* A session of a token that is gone is one, too. */
static CK_SLOT_ID slot_of(CK_SESSION_HANDLE session)
{
    CK_SESSION_INFO info;

    return behind->C_GetSessionInfo(session, &info) == CKR_OK ? info.slotID : 0;
}

static CK_RV session_info(CK_SESSION_HANDLE session, CK_SESSION_INFO *info)
{
    CK_RV rv = is_absent(slot_of(session)) ? CKR_DEVICE_REMOVED : switches.session_info_fail;

    return rv ? rv : behind->C_GetSessionInfo(session, info);
}

static CK_RV login(CK_SESSION_HANDLE session, CK_USER_TYPE user, CK_UTF8CHAR *pin, CK_ULONG len)
{
    CK_RV rv = switches.login_fail;

    atomic_fetch_add(&switches.logins, 1);
    return rv ? rv : behind->C_Login(session, user, pin, len);
}

static CK_RV find(CK_SESSION_HANDLE session, CK_ATTRIBUTE *wanted, CK_ULONG count)
{
    atomic_fetch_add(&switches.searches, 1);
    return behind->C_FindObjectsInit(session, wanted, count);
}

static bool is_held(CK_SLOT_ID slot)
{
    return switches.sign_hold && (switches.hold_slot == 0 || switches.hold_slot == slot);
}

static CK_RV sign(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG len, CK_BYTE *signature, CK_ULONG *signature_len)
{
    CK_RV rv = atomic_exchange(&switches.sign_fail, 0);
    CK_SLOT_ID slot = slot_of(session);

    atomic_fetch_add(&switches.signing, 1);
    for (int i = 0; is_held(slot) && i < 60 * 200; i++)
        (void)nanosleep(&(struct timespec){0, 5000000}, NULL);
    if (is_absent(slot))
        rv = CKR_DEVICE_REMOVED;
    if (!rv)
        rv = behind->C_Sign(session, data, len, signature, signature_len);
    atomic_fetch_sub(&switches.signing, 1);
    atomic_fetch_add(&switches.signed_count, rv == CKR_OK);
    if (rv == CKR_OK && atomic_exchange(&switches.sign_short, 0))
        (*signature_len)--;
    return rv;
}

/* Flips the value of an attribute in a copy of the template. */
static void attribute_set(CK_ATTRIBUTE *a, CK_ULONG count, CK_ATTRIBUTE_TYPE type, CK_BBOOL *value)
{
    for (CK_ULONG i = 0; i < count; i++) {
        if (a[i].type == type)
            a[i].pValue = value;
    }
}

static CK_RV generate(CK_SESSION_HANDLE session, CK_MECHANISM *m, CK_ATTRIBUTE *public, CK_ULONG publics,
                      CK_ATTRIBUTE *private, CK_ULONG privates, CK_OBJECT_HANDLE *pub, CK_OBJECT_HANDLE *priv)
{
    static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
    CK_ATTRIBUTE copy[32];

    memcpy(copy, private, privates * sizeof *private);
    if (switches.extractable)
        attribute_set(copy, privates, CKA_EXTRACTABLE, &yes);
    if (switches.insensitive)
        attribute_set(copy, privates, CKA_SENSITIVE, &no);
    CK_RV rv = behind->C_GenerateKeyPair(session, m, public, publics, copy, privates, pub, priv);
    if (rv != CKR_OK)
        return rv;
    atomic_fetch_add(&switches.generated, 1);
    void (*then)(void) = atomic_exchange(&switches.then, NULL);
    if (then)
        then();
    return CKR_OK;
}

static CK_RV destroy(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
    CK_RV rv = behind->C_DestroyObject(session, object), said = switches.destroy_fail;

    return said ? said : rv;
}

static CK_RV write(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *set, CK_ULONG count)
{
    CK_OBJECT_CLASS class = CKO_DATA;
    CK_ATTRIBUTE asked = {CKA_CLASS, &class, sizeof class};
    CK_RV rv = switches.write_fail;

    if (rv && behind->C_GetAttributeValue(session, object, &asked, 1) == CKR_OK && class == CKO_PUBLIC_KEY)
        return rv;
    return behind->C_SetAttributeValue(session, object, set, count);
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **out)
{
    const char *path = getenv("FAULTY_BEHIND");
    void *library = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
    CK_C_GetFunctionList get = library ? (CK_C_GetFunctionList)dlsym(library, "C_GetFunctionList") : NULL;

    if (!get || get(&behind) != CKR_OK)
        return CKR_GENERAL_ERROR;
    front = *behind;
    front.C_GetFunctionList = C_GetFunctionList;
    front.C_Initialize = initialize;
    front.C_Finalize = finalize;
    front.C_GetSlotList = slot_list;
    front.C_GetTokenInfo = token_info;
    front.C_GetMechanismInfo = mechanism_info;
    front.C_OpenSession = open_session;
    front.C_GetSessionInfo = session_info;
    front.C_Login = login;
    front.C_FindObjectsInit = find;
    front.C_Sign = sign;
    front.C_GenerateKeyPair = generate;
    front.C_DestroyObject = destroy;
    front.C_SetAttributeValue = write;
    *out = &front;
    return CKR_OK;
}

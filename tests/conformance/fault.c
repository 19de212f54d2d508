/* SPDX-License-Identifier: Apache-2.0 */
/* A pass-through module with one defect, to see the checker find it: FAULT names the defect, FAULT_MODULE the module
 * that is passed through. Each defect was seen in the field. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "chancery/pkcs11.h"

#define EXPORT __attribute__((visibility("default")))
EXPORT CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list);

static CK_FUNCTION_LIST *inner;
static CK_FUNCTION_LIST outer;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static CK_RV logout_is_always_fine(CK_SESSION_HANDLE session)
{
    CK_RV rv = inner->C_Logout(session);
    return rv == CKR_USER_NOT_LOGGED_IN ? CKR_OK : rv;
}

static CK_RV sign_crashes_without_length(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_len, CK_BYTE *out,
                                         CK_ULONG *len)
{
    volatile CK_ULONG room = *len;
    (void)room;
    return inner->C_Sign(session, data, data_len, out, len);
}

static CK_RV sign_ends_at_size_query(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_len, CK_BYTE *out,
                                     CK_ULONG *len)
{
    CK_BYTE made[1024];
    CK_ULONG room = sizeof made;
    CK_RV rv = inner->C_Sign(session, data, data_len, out ? out : made, out ? len : &room);
    if (!out && len)
        *len = room;
    return rv;
}

static CK_RV sign_is_one_short(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_len, CK_BYTE *out, CK_ULONG *len)
{
    CK_RV rv = inner->C_Sign(session, data, data_len, out, len);
    if (rv == CKR_OK && out)
        *len -= 1;
    return rv;
}

static CK_RV sign_spoils_a_bit(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_len, CK_BYTE *out, CK_ULONG *len)
{
    CK_RV rv = inner->C_Sign(session, data, data_len, out, len);
    if (rv == CKR_OK && out)
        out[0] ^= 1;
    return rv;
}

static CK_RV verify_believes(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG data_len, CK_BYTE *signature,
                             CK_ULONG len)
{
    CK_RV rv = inner->C_Verify(session, data, data_len, signature, len);
    return rv == CKR_SIGNATURE_INVALID ? CKR_OK : rv;
}

static CK_RV attribute_hides_too_small(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *list,
                                       CK_ULONG count)
{
    CK_RV rv = inner->C_GetAttributeValue(session, object, list, count);
    return rv == CKR_BUFFER_TOO_SMALL ? CKR_OK : rv;
}

static CK_RV attribute_loops(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object, CK_ATTRIBUTE *list, CK_ULONG count)
{
    for (volatile CK_ULONG i = 0; !list && i < count; i++)
        ;
    return inner->C_GetAttributeValue(session, object, list, count);
}

static CK_RV find_shows_private(CK_SESSION_HANDLE session, CK_ATTRIBUTE *wanted, CK_ULONG count)
{
    return inner->C_FindObjectsInit(session, wanted, count > 1 ? 1 : count);
}

static CK_RV digest_forgets_a_byte(CK_SESSION_HANDLE session, CK_BYTE *part, CK_ULONG len)
{
    return inner->C_DigestUpdate(session, part, len > 16 ? len - 1 : len);
}

static CK_RV mechanisms_are_counted_short(CK_SLOT_ID slot, CK_MECHANISM_TYPE *list, CK_ULONG *count)
{
    CK_RV rv = inner->C_GetMechanismList(slot, list, count);
    if (!list && rv == CKR_OK)
        *count -= 1;
    return rv;
}

static CK_RV info_ends_in_nul(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
    CK_RV rv = inner->C_GetTokenInfo(slot, info);
    if (rv == CKR_OK)
        info->model[sizeof info->model - 1] = 0;
    return rv;
}

static CK_RV destroy_says_fine(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object)
{
    (void)session;
    (void)object;
    return CKR_OK;
}

static CK_RV initialize_again(void *args)
{
    CK_RV rv = inner->C_Initialize(args);
    return rv == CKR_CRYPTOKI_ALREADY_INITIALIZED ? CKR_OK : rv;
}

static CK_RV seed_exits(CK_SESSION_HANDLE session, CK_BYTE *seed, CK_ULONG len)
{
    (void)session;
    (void)seed;
    (void)len;
    exit(0);
}

#define FAULT(name, member)                                                                                            \
    if (strcmp(fault, #name) == 0)                                                                                     \
    outer.member = name

static void choose(const char *fault)
{
    FAULT(logout_is_always_fine, C_Logout);
    FAULT(sign_crashes_without_length, C_Sign);
    FAULT(sign_ends_at_size_query, C_Sign);
    FAULT(sign_is_one_short, C_Sign);
    FAULT(sign_spoils_a_bit, C_Sign);
    FAULT(verify_believes, C_Verify);
    FAULT(attribute_hides_too_small, C_GetAttributeValue);
    FAULT(attribute_loops, C_GetAttributeValue);
    FAULT(find_shows_private, C_FindObjectsInit);
    FAULT(digest_forgets_a_byte, C_DigestUpdate);
    FAULT(mechanisms_are_counted_short, C_GetMechanismList);
    FAULT(info_ends_in_nul, C_GetTokenInfo);
    FAULT(destroy_says_fine, C_DestroyObject);
    FAULT(initialize_again, C_Initialize);
    FAULT(seed_exits, C_SeedRandom);
}

static void load(void)
{
    const char *path = getenv("FAULT_MODULE"), *fault = getenv("FAULT");
    void *library = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
    CK_C_GetFunctionList get = library ? (CK_C_GetFunctionList)dlsym(library, "C_GetFunctionList") : NULL;
    if (!get || get(&inner) != CKR_OK)
        return;
    outer = *inner;
    outer.C_GetFunctionList = C_GetFunctionList;
    choose(fault ? fault : "");
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR list)
{
    if (!list)
        return CKR_ARGUMENTS_BAD;
    (void)pthread_once(&once, load);
    if (!inner)
        return CKR_GENERAL_ERROR;
    *list = &outer;
    return CKR_OK;
}

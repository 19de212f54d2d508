/* SPDX-License-Identifier: Apache-2.0 */
/* A pass-through PKCS#11 module for the tests: it loads the module named in SPOIL_MODULE, hands every call on, and
 * flips one bit of each signature that comes back. A test that verifies signatures must fail when it is run with this
 * module. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "chancery/pkcs11.h"

#define EXPORT __attribute__((visibility("default")))

struct spoiled {
    CK_FUNCTION_LIST *inner;
    CK_FUNCTION_LIST_3_0 *inner_3_0; /* NULL when the module has no 3.0 interface */
    CK_FUNCTION_LIST list;
    CK_FUNCTION_LIST_3_0 list_3_0;
    CK_INTERFACE interfaces[2];
    CK_ULONG interface_count;
};
static struct spoiled spoiled;
static pthread_once_t once = PTHREAD_ONCE_INIT;

EXPORT CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR ppFunctionList);
EXPORT CK_RV C_GetInterfaceList(CK_INTERFACE_PTR pInterfacesList, CK_ULONG_PTR pulCount);
EXPORT CK_RV C_GetInterface(CK_UTF8CHAR_PTR pInterfaceName, CK_VERSION_PTR pVersion, CK_INTERFACE_PTR_PTR ppInterface,
                            CK_FLAGS flags);

/* The last bit: RSA keeps a value below the modulus, ECDSA another s, Ed25519 another S. Size queries are left alone.
 */
static CK_RV spoil(CK_RV rv, CK_BYTE_PTR signature, CK_ULONG_PTR len)
{
    if (rv == CKR_OK && signature && len && *len > 0)
        signature[*len - 1] ^= 1;
    return rv;
}

static CK_RV spoiled_sign(CK_SESSION_HANDLE session, CK_BYTE_PTR data, CK_ULONG data_len, CK_BYTE_PTR signature,
                          CK_ULONG_PTR len)
{
    return spoil(spoiled.inner->C_Sign(session, data, data_len, signature, len), signature, len);
}

static CK_RV spoiled_sign_final(CK_SESSION_HANDLE session, CK_BYTE_PTR signature, CK_ULONG_PTR len)
{
    return spoil(spoiled.inner->C_SignFinal(session, signature, len), signature, len);
}

static CK_RV spoiled_sign_message(CK_SESSION_HANDLE session, void *parameter, CK_ULONG parameter_len, CK_BYTE_PTR data,
                                  CK_ULONG data_len, CK_BYTE_PTR signature, CK_ULONG_PTR len)
{
    CK_RV rv = spoiled.inner_3_0->C_SignMessage(session, parameter, parameter_len, data, data_len, signature, len);
    return spoil(rv, signature, len);
}

static CK_RV spoiled_sign_message_next(CK_SESSION_HANDLE session, void *parameter, CK_ULONG parameter_len,
                                       CK_BYTE_PTR data, CK_ULONG data_len, CK_BYTE_PTR signature, CK_ULONG_PTR len)
{
    CK_RV rv = spoiled.inner_3_0->C_SignMessageNext(session, parameter, parameter_len, data, data_len, signature, len);
    return spoil(rv, signature, len);
}

static void add_interface(void *list)
{
    static char name[] = "PKCS 11";
    spoiled.interfaces[spoiled.interface_count++] = (CK_INTERFACE){name, list, 0};
}

static void load_3_0(void *library)
{
    CK_C_GetInterface get = (CK_C_GetInterface)dlsym(library, "C_GetInterface");
    CK_INTERFACE *found = NULL;
    CK_VERSION version = {3, 0};
    if (!get || get((CK_UTF8CHAR_PTR) "PKCS 11", &version, &found, 0) != CKR_OK)
        return;

    spoiled.inner_3_0 = found->pFunctionList;
    spoiled.list_3_0 = *spoiled.inner_3_0;
    spoiled.list_3_0.C_GetFunctionList = C_GetFunctionList;
    spoiled.list_3_0.C_GetInterfaceList = C_GetInterfaceList;
    spoiled.list_3_0.C_GetInterface = C_GetInterface;
    spoiled.list_3_0.C_Sign = spoiled_sign;
    spoiled.list_3_0.C_SignFinal = spoiled_sign_final;
    spoiled.list_3_0.C_SignMessage = spoiled_sign_message;
    spoiled.list_3_0.C_SignMessageNext = spoiled_sign_message_next;
    add_interface(&spoiled.list_3_0);
}

static void load(void)
{
    const char *path = getenv("SPOIL_MODULE");
    void *library = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
    CK_C_GetFunctionList get = library ? (CK_C_GetFunctionList)dlsym(library, "C_GetFunctionList") : NULL;
    if (!get || get(&spoiled.inner) != CKR_OK)
        return;

    spoiled.list = *spoiled.inner;
    spoiled.list.C_GetFunctionList = C_GetFunctionList;
    spoiled.list.C_Sign = spoiled_sign;
    spoiled.list.C_SignFinal = spoiled_sign_final;
    load_3_0(library);
    add_interface(&spoiled.list);
}

static bool is_loaded(void)
{
    (void)pthread_once(&once, load);
    return spoiled.interface_count > 0;
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR ppFunctionList)
{
    if (!ppFunctionList)
        return CKR_ARGUMENTS_BAD;
    if (!is_loaded())
        return CKR_GENERAL_ERROR;
    *ppFunctionList = &spoiled.list;
    return CKR_OK;
}

CK_RV C_GetInterfaceList(CK_INTERFACE_PTR pInterfacesList, CK_ULONG_PTR pulCount)
{
    if (!pulCount)
        return CKR_ARGUMENTS_BAD;
    if (!is_loaded())
        return CKR_GENERAL_ERROR;
    CK_ULONG room = *pulCount;
    *pulCount = spoiled.interface_count;
    if (!pInterfacesList)
        return CKR_OK;
    if (room < spoiled.interface_count)
        return CKR_BUFFER_TOO_SMALL;
    memcpy(pInterfacesList, spoiled.interfaces, spoiled.interface_count * sizeof *pInterfacesList);
    return CKR_OK;
}

static bool matches(const CK_INTERFACE *candidate, const CK_UTF8CHAR *name, const CK_VERSION *version)
{
    const CK_VERSION *own = candidate->pFunctionList; /* every function list begins with its version */
    if (name && strcmp((const char *)name, candidate->pInterfaceName) != 0)
        return false;
    return !version || (version->major == own->major && version->minor == own->minor);
}

CK_RV C_GetInterface(CK_UTF8CHAR_PTR pInterfaceName, CK_VERSION_PTR pVersion, CK_INTERFACE_PTR_PTR ppInterface,
                     CK_FLAGS flags)
{
    if (!ppInterface || flags)
        return CKR_ARGUMENTS_BAD;
    if (!is_loaded())
        return CKR_GENERAL_ERROR;
    for (CK_ULONG i = 0; i < spoiled.interface_count; i++) {
        if (matches(&spoiled.interfaces[i], pInterfaceName, pVersion)) {
            *ppInterface = &spoiled.interfaces[i];
            return CKR_OK;
        }
    }
    return CKR_ARGUMENTS_BAD;
}

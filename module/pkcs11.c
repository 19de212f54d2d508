/* SPDX-License-Identifier: Apache-2.0 */
/* The C_ functions, each a few lines: acquire the module or the session, delegate; what was acquired goes with the
 * scope. */
#include "module/digest.h"
#include "module/interface.h"
#include "module/login.h"
#include "module/object.h"
#include "module/random.h"
#include "module/saved_state.h"
#include "module/search.h"
#include "module/sign.h"
#include "module/verify.h"

CK_RV C_Initialize(CK_VOID_PTR pInitArgs)
{
    return module_initialize(pInitArgs, false);
}

CK_RV C_Finalize(CK_VOID_PTR pReserved)
{
    return module_finalize(pReserved);
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST_PTR_PTR ppFunctionList)
{
    return interface_function_list(ppFunctionList);
}

CK_RV C_GetInterfaceList(CK_INTERFACE_PTR pInterfacesList, CK_ULONG_PTR pulCount)
{
    return interface_list(pInterfacesList, pulCount);
}

CK_RV C_GetInterface(CK_UTF8CHAR_PTR pInterfaceName, CK_VERSION_PTR pVersion, CK_INTERFACE_PTR_PTR ppInterface,
                     CK_FLAGS flags)
{
    return interface_find(pInterfaceName, pVersion, flags, ppInterface);
}

CK_RV C_GetInfo(CK_INFO_PTR pInfo)
{
    cleanup_module struct module *module = NULL;
    CK_RV rv = module_acquire(&module);
    return rv == CKR_OK ? module_info(pInfo) : rv;
}

CK_RV C_GetSlotList(CK_BBOOL tokenPresent, CK_SLOT_ID_PTR pSlotList, CK_ULONG_PTR pulCount)
{
    (void)tokenPresent;
    cleanup_module struct module *module = NULL;
    CK_RV rv = module_acquire(&module);
    return rv == CKR_OK ? slot_list(module, pSlotList, pulCount) : rv;
}

CK_RV C_GetSlotInfo(CK_SLOT_ID slotID, CK_SLOT_INFO_PTR pInfo)
{
    cleanup_module struct module *module = NULL;
    CK_RV rv = module_acquire(&module);
    return rv == CKR_OK ? slot_info(module, slotID, pInfo) : rv;
}

CK_RV C_GetTokenInfo(CK_SLOT_ID slotID, CK_TOKEN_INFO_PTR pInfo)
{
    cleanup_module struct module *module = NULL;
    CK_RV rv = module_acquire(&module);
    return rv == CKR_OK ? slot_token_info(module, slotID, pInfo) : rv;
}

CK_RV C_WaitForSlotEvent(CK_FLAGS flags, CK_SLOT_ID_PTR pSlot, CK_VOID_PTR pReserved)
{
    cleanup_module struct module *module = NULL;
    CK_RV rv = module_acquire(&module);
    return rv == CKR_OK ? slot_wait_for_event(flags, pSlot, pReserved) : rv;
}

CK_RV C_GetMechanismList(CK_SLOT_ID slotID, CK_MECHANISM_TYPE_PTR pMechanismList, CK_ULONG_PTR pulCount)
{
    cleanup_module struct module *module = NULL;
    CK_RV rv = module_acquire(&module);
    return rv == CKR_OK ? mechanism_list(module, slotID, pMechanismList, pulCount) : rv;
}

CK_RV C_GetMechanismInfo(CK_SLOT_ID slotID, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO_PTR pInfo)
{
    cleanup_module struct module *module = NULL;
    CK_RV rv = module_acquire(&module);
    return rv == CKR_OK ? mechanism_info(module, slotID, type, pInfo) : rv;
}

CK_RV C_OpenSession(CK_SLOT_ID slotID, CK_FLAGS flags, CK_VOID_PTR pApplication, CK_NOTIFY Notify,
                    CK_SESSION_HANDLE_PTR phSession)
{
    (void)pApplication;
    (void)Notify;
    cleanup_module struct module *module = NULL;
    CK_RV rv = module_acquire(&module);
    return rv == CKR_OK ? session_open(module, slotID, flags, phSession) : rv;
}

CK_RV C_CloseSession(CK_SESSION_HANDLE hSession)
{
    cleanup_module struct module *module = NULL;
    CK_RV rv = module_acquire(&module);
    return rv == CKR_OK ? session_close(module, hSession) : rv;
}

CK_RV C_CloseAllSessions(CK_SLOT_ID slotID)
{
    cleanup_module struct module *module = NULL;
    CK_RV rv = module_acquire(&module);
    return rv == CKR_OK ? session_close_all(module, slotID) : rv;
}

CK_RV C_GetSessionInfo(CK_SESSION_HANDLE hSession, CK_SESSION_INFO_PTR pInfo)
{
    cleanup_module struct module *module = NULL;
    CK_RV rv = module_acquire(&module);
    return rv == CKR_OK ? session_info(module, hSession, pInfo) : rv;
}

CK_RV C_GetOperationState(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pOperationState, CK_ULONG_PTR pulOperationStateLen)
{
    cleanup_session struct session *session = NULL;
    CK_RV rv = session_acquire(hSession, &session);
    return rv == CKR_OK ? saved_state_get(session, pOperationState, pulOperationStateLen) : rv;
}

CK_RV C_SetOperationState(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pOperationState, CK_ULONG ulOperationStateLen,
                          CK_OBJECT_HANDLE hEncryptionKey, CK_OBJECT_HANDLE hAuthenticationKey)
{
    cleanup_session struct session *session = NULL;
    CK_RV rv = session_acquire(hSession, &session);
    return rv == CKR_OK ? saved_state_set(session, (struct slice){pOperationState, ulOperationStateLen}, hEncryptionKey,
                                          hAuthenticationKey)
                        : rv;
}

CK_RV C_Login(CK_SESSION_HANDLE hSession, CK_USER_TYPE userType, CK_UTF8CHAR_PTR pPin, CK_ULONG ulPinLen)
{
    cleanup_module struct module *module = NULL;
    CK_RV rv = module_acquire_for_work(&module);
    return rv == CKR_OK ? login_user(module, hSession, userType, (struct slice){pPin, ulPinLen}) : rv;
}

CK_RV C_LoginUser(CK_SESSION_HANDLE hSession, CK_USER_TYPE userType, CK_UTF8CHAR_PTR pPin, CK_ULONG ulPinLen,
                  CK_UTF8CHAR_PTR pUsername, CK_ULONG ulUsernameLen)
{
    cleanup_module struct module *module = NULL;
    CK_RV rv = module_acquire_for_work(&module);
    return rv == CKR_OK ? login_named(module, hSession, userType, (struct slice){pPin, ulPinLen},
                                      (struct slice){pUsername, ulUsernameLen})
                        : rv;
}

CK_RV C_Logout(CK_SESSION_HANDLE hSession)
{
    cleanup_module struct module *module = NULL;
    CK_RV rv = module_acquire(&module);
    return rv == CKR_OK ? login_end(module, hSession) : rv;
}

CK_RV C_SeedRandom(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pSeed, CK_ULONG ulSeedLen)
{
    (void)pSeed;
    (void)ulSeedLen;
    cleanup_module struct module *module = NULL;
    CK_RV rv = module_acquire(&module);
    return rv == CKR_OK ? random_seed(module, hSession) : rv;
}

CK_RV C_GenerateRandom(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pRandomData, CK_ULONG ulRandomLen)
{
    cleanup_module struct module *module = NULL;
    CK_RV rv = module_acquire_for_work(&module);
    return rv == CKR_OK ? random_generate(module, hSession, pRandomData, ulRandomLen) : rv;
}

CK_RV C_GetFunctionStatus(CK_SESSION_HANDLE hSession)
{
    cleanup_module struct module *module = NULL;
    CK_RV rv = module_acquire(&module);
    return rv == CKR_OK ? session_parallel(module, hSession) : rv;
}

CK_RV C_CancelFunction(CK_SESSION_HANDLE hSession)
{
    cleanup_module struct module *module = NULL;
    CK_RV rv = module_acquire(&module);
    return rv == CKR_OK ? session_parallel(module, hSession) : rv;
}

CK_RV C_CreateObject(CK_SESSION_HANDLE hSession, CK_ATTRIBUTE_PTR pTemplate, CK_ULONG ulCount,
                     CK_OBJECT_HANDLE_PTR phObject)
{
    cleanup_module struct module *module = NULL;
    CK_RV rv = module_acquire_for_work(&module);
    return rv == CKR_OK ? object_create(module, hSession, (struct template){pTemplate, ulCount}, phObject) : rv;
}

CK_RV C_CopyObject(CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hObject, CK_ATTRIBUTE_PTR pTemplate, CK_ULONG ulCount,
                   CK_OBJECT_HANDLE_PTR phNewObject)
{
    cleanup_module struct module *module = NULL;
    CK_RV rv = module_acquire_for_work(&module);
    return rv == CKR_OK ? object_copy(module, hSession, hObject, (struct template){pTemplate, ulCount}, phNewObject)
                        : rv;
}

CK_RV C_DestroyObject(CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hObject)
{
    cleanup_module struct module *module = NULL;
    CK_RV rv = module_acquire(&module);
    return rv == CKR_OK ? object_destroy(module, hSession, hObject) : rv;
}

CK_RV C_GetObjectSize(CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hObject, CK_ULONG_PTR pulSize)
{
    cleanup_module struct module *module = NULL;
    CK_RV rv = module_acquire(&module);
    return rv == CKR_OK ? object_size(module, hSession, hObject, pulSize) : rv;
}

CK_RV C_GetAttributeValue(CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hObject, CK_ATTRIBUTE_PTR pTemplate,
                          CK_ULONG ulCount)
{
    cleanup_module struct module *module = NULL;
    CK_RV rv = module_acquire(&module);
    return rv == CKR_OK ? object_read(module, hSession, hObject, pTemplate, ulCount) : rv;
}

CK_RV C_SetAttributeValue(CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE hObject, CK_ATTRIBUTE_PTR pTemplate,
                          CK_ULONG ulCount)
{
    cleanup_module struct module *module = NULL;
    CK_RV rv = module_acquire(&module);
    return rv == CKR_OK ? object_change(module, hSession, hObject, (struct template){pTemplate, ulCount}) : rv;
}

CK_RV C_FindObjectsInit(CK_SESSION_HANDLE hSession, CK_ATTRIBUTE_PTR pTemplate, CK_ULONG ulCount)
{
    cleanup_session struct session *session = NULL;
    CK_RV rv = session_acquire(hSession, &session);
    return rv == CKR_OK ? search_init(session, pTemplate, ulCount) : rv;
}

CK_RV C_FindObjects(CK_SESSION_HANDLE hSession, CK_OBJECT_HANDLE_PTR phObject, CK_ULONG ulMaxObjectCount,
                    CK_ULONG_PTR pulObjectCount)
{
    cleanup_session struct session *session = NULL;
    CK_RV rv = session_acquire(hSession, &session);
    return rv == CKR_OK ? search_next(session, phObject, ulMaxObjectCount, pulObjectCount) : rv;
}

CK_RV C_FindObjectsFinal(CK_SESSION_HANDLE hSession)
{
    cleanup_session struct session *session = NULL;
    CK_RV rv = session_acquire(hSession, &session);
    return rv == CKR_OK ? search_final(session) : rv;
}

CK_RV C_DigestInit(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism)
{
    cleanup_session struct session *session = NULL;
    CK_RV rv = session_acquire(hSession, &session);
    return rv == CKR_OK ? digest_init(session, pMechanism) : rv;
}

CK_RV C_Digest(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pData, CK_ULONG ulDataLen, CK_BYTE_PTR pDigest,
               CK_ULONG_PTR pulDigestLen)
{
    cleanup_session struct session *session = NULL;
    CK_RV rv = session_acquire(hSession, &session);
    return rv == CKR_OK ? digest_oneshot(session, pData, ulDataLen, pDigest, pulDigestLen) : rv;
}

CK_RV C_DigestUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pPart, CK_ULONG ulPartLen)
{
    cleanup_session struct session *session = NULL;
    CK_RV rv = session_acquire(hSession, &session);
    return rv == CKR_OK ? digest_update(session, pPart, ulPartLen) : rv;
}

CK_RV C_DigestFinal(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pDigest, CK_ULONG_PTR pulDigestLen)
{
    cleanup_session struct session *session = NULL;
    CK_RV rv = session_acquire(hSession, &session);
    return rv == CKR_OK ? digest_final(session, pDigest, pulDigestLen) : rv;
}

CK_RV C_SignInit(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hKey)
{
    cleanup_session struct session *session = NULL;
    CK_RV rv = session_acquire(hSession, &session);
    return rv == CKR_OK ? sign_init(session, pMechanism, hKey) : rv;
}

CK_RV C_Sign(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pData, CK_ULONG ulDataLen, CK_BYTE_PTR pSignature,
             CK_ULONG_PTR pulSignatureLen)
{
    cleanup_session struct session *session = NULL;
    CK_RV rv = session_acquire(hSession, &session);
    return rv == CKR_OK ? sign_oneshot(session, pData, ulDataLen, pSignature, pulSignatureLen) : rv;
}

CK_RV C_SignUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pPart, CK_ULONG ulPartLen)
{
    cleanup_session struct session *session = NULL;
    CK_RV rv = session_acquire(hSession, &session);
    return rv == CKR_OK ? sign_update(session, pPart, ulPartLen) : rv;
}

CK_RV C_SignFinal(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pSignature, CK_ULONG_PTR pulSignatureLen)
{
    cleanup_session struct session *session = NULL;
    CK_RV rv = session_acquire(hSession, &session);
    return rv == CKR_OK ? sign_final(session, pSignature, pulSignatureLen) : rv;
}

CK_RV C_VerifyInit(CK_SESSION_HANDLE hSession, CK_MECHANISM_PTR pMechanism, CK_OBJECT_HANDLE hKey)
{
    cleanup_session struct session *session = NULL;
    CK_RV rv = session_acquire(hSession, &session);
    return rv == CKR_OK ? verify_init(session, pMechanism, hKey) : rv;
}

CK_RV C_Verify(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pData, CK_ULONG ulDataLen, CK_BYTE_PTR pSignature,
               CK_ULONG ulSignatureLen)
{
    cleanup_session struct session *session = NULL;
    CK_RV rv = session_acquire(hSession, &session);
    return rv == CKR_OK ? verify_oneshot(session, pData, ulDataLen, pSignature, ulSignatureLen) : rv;
}

CK_RV C_VerifyUpdate(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pPart, CK_ULONG ulPartLen)
{
    cleanup_session struct session *session = NULL;
    CK_RV rv = session_acquire(hSession, &session);
    return rv == CKR_OK ? verify_update(session, pPart, ulPartLen) : rv;
}

CK_RV C_VerifyFinal(CK_SESSION_HANDLE hSession, CK_BYTE_PTR pSignature, CK_ULONG ulSignatureLen)
{
    cleanup_session struct session *session = NULL;
    CK_RV rv = session_acquire(hSession, &session);
    return rv == CKR_OK ? verify_final(session, pSignature, ulSignatureLen) : rv;
}

CK_RV C_SessionCancel(CK_SESSION_HANDLE hSession, CK_FLAGS flags)
{
    cleanup_session struct session *session = NULL;
    CK_RV rv = session_acquire(hSession, &session);
    return rv == CKR_OK ? session_cancel(session, flags) : rv;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* NULL where a pointer is due, and lengths and counts that nothing has. */
#include <string.h>

#include "group.h"

static CK_MECHANISM plain_mechanism(const struct rig *r)
{
    return (CK_MECHANISM){r->key.type == CKK_RSA  ? CKM_RSA_PKCS
                          : r->key.type == CKK_EC ? CKM_ECDSA
                                                  : CKM_EDDSA,
                          NULL, 0};
}

void null_general_group(struct rig *r)
{
    CK_ULONG count = 8;
    CK_SLOT_ID slots[8];
    CK_OBJECT_HANDLE object;
    EXPECT("base §5.4.3", "C_GetInfo(NULL)", r->f->C_GetInfo(NULL), CKR_ARGUMENTS_BAD);
    EXPECT("base §5.5.1", "C_GetSlotList(CK_FALSE, NULL, NULL)", r->f->C_GetSlotList(CK_FALSE, NULL, NULL),
           CKR_ARGUMENTS_BAD);
    EXPECT("base §5.5.1", "C_GetSlotList(CK_TRUE, list, NULL)", r->f->C_GetSlotList(CK_TRUE, slots, NULL),
           CKR_ARGUMENTS_BAD);
    EXPECT("base §5.5.2", "C_GetSlotInfo(slot, NULL)", r->f->C_GetSlotInfo(r->slot, NULL), CKR_ARGUMENTS_BAD);
    EXPECT("base §5.5.3", "C_GetTokenInfo(slot, NULL)", r->f->C_GetTokenInfo(r->slot, NULL), CKR_ARGUMENTS_BAD);
    EXPECT("base §5.5.5", "C_GetMechanismList(slot, NULL, NULL)", r->f->C_GetMechanismList(r->slot, NULL, NULL),
           CKR_ARGUMENTS_BAD);
    EXPECT("base §5.5.5", "C_GetMechanismList(slot, list, NULL)", r->f->C_GetMechanismList(r->slot, slots, NULL),
           CKR_ARGUMENTS_BAD);
    EXPECT("base §5.5.6", "C_GetMechanismInfo(slot, CKM_SHA256, NULL)",
           r->f->C_GetMechanismInfo(r->slot, CKM_SHA256, NULL), CKR_ARGUMENTS_BAD);
    EXPECT("base §5.6.1", "C_OpenSession(…, NULL)", r->f->C_OpenSession(r->slot, CKF_SERIAL_SESSION, NULL, NULL, NULL),
           CKR_ARGUMENTS_BAD);
    EXPECT("base §5.6.4", "C_GetSessionInfo(session, NULL)", r->f->C_GetSessionInfo(r->session, NULL),
           CKR_ARGUMENTS_BAD);
    EXPECT("base §5.5.4", "C_WaitForSlotEvent with pReserved set",
           r->f->C_WaitForSlotEvent(CKF_DONT_BLOCK, &object, &object), CKR_ARGUMENTS_BAD, CKR_FUNCTION_NOT_SUPPORTED);
    EXPECT("base §5.5.4", "C_WaitForSlotEvent(CKF_DONT_BLOCK, NULL, NULL)",
           r->f->C_WaitForSlotEvent(CKF_DONT_BLOCK, NULL, NULL), CKR_ARGUMENTS_BAD, CKR_NO_EVENT,
           CKR_FUNCTION_NOT_SUPPORTED);
    EXPECT("base §5.4.2", "C_Finalize with pReserved set", r->f->C_Finalize(&count), CKR_ARGUMENTS_BAD);
    CK_INFO info;
    EXPECT("base §5.4.2", "C_GetInfo after the refused C_Finalize", r->f->C_GetInfo(&info), CKR_OK);
}

void null_object_group(struct rig *r)
{
    CK_OBJECT_HANDLE object, found[4];
    CK_ULONG count;
    CK_BYTE value[64];
    CK_ATTRIBUTE pointless = {CKA_LABEL, NULL, 5}, good = {CKA_ID, value, sizeof value};
    EXPECT("base §5.7.7", "C_FindObjectsInit(session, NULL, 1)", r->f->C_FindObjectsInit(r->session, NULL, 1),
           CKR_ARGUMENTS_BAD);
    EXPECT("base §5.7.7", "C_FindObjectsInit(session, NULL, ~0)", r->f->C_FindObjectsInit(r->session, NULL, ~0UL),
           CKR_ARGUMENTS_BAD);
    EXPECT("base §5.7.7", "C_FindObjectsInit with a value at NULL", r->f->C_FindObjectsInit(r->session, &pointless, 1),
           CKR_ARGUMENTS_BAD, CKR_ATTRIBUTE_VALUE_INVALID);
    EXPECT("base §5.7.8", "C_FindObjects after the refused C_FindObjectsInit",
           r->f->C_FindObjects(r->session, found, 4, &count), CKR_OPERATION_NOT_INITIALIZED);

    EXPECT("base §5.7.7", "C_FindObjectsInit(session, NULL, 0)", r->f->C_FindObjectsInit(r->session, NULL, 0), CKR_OK);
    EXPECT("base §5.7.8", "C_FindObjects(session, NULL, 1, …)", r->f->C_FindObjects(r->session, NULL, 1, &count),
           CKR_ARGUMENTS_BAD);
    EXPECT("base §5.7.8", "C_FindObjects(session, NULL, ~0, …)", r->f->C_FindObjects(r->session, NULL, ~0UL, &count),
           CKR_ARGUMENTS_BAD);
    EXPECT("base §5.7.8", "C_FindObjects(session, list, 1, NULL)", r->f->C_FindObjects(r->session, found, 1, NULL),
           CKR_ARGUMENTS_BAD);
    EXPECT("base §5.7.9", "C_FindObjectsFinal", r->f->C_FindObjectsFinal(r->session), CKR_OK,
           CKR_OPERATION_NOT_INITIALIZED);

    EXPECT("base §5.7.5", "C_GetAttributeValue(session, object, NULL, 1)",
           r->f->C_GetAttributeValue(r->session, r->key.public_key, NULL, 1), CKR_ARGUMENTS_BAD);
    EXPECT("base §5.7.5", "C_GetAttributeValue(session, object, NULL, ~0)",
           r->f->C_GetAttributeValue(r->session, r->key.public_key, NULL, ~0UL), CKR_ARGUMENTS_BAD);
    EXPECT("base §5.7.5", "C_GetAttributeValue(session, object, NULL, 0)",
           r->f->C_GetAttributeValue(r->session, r->key.public_key, NULL, 0), CKR_OK, CKR_ARGUMENTS_BAD);
    EXPECT("base §5.7.5", "C_GetAttributeValue(session, object, list, 0)",
           r->f->C_GetAttributeValue(r->session, r->key.public_key, &good, 0), CKR_OK, CKR_ARGUMENTS_BAD);
    check_number("base §5.7.5", "… leaves the list alone", good.ulValueLen, sizeof value);
    EXPECT("base §5.7.4", "C_GetObjectSize(session, object, NULL)",
           r->f->C_GetObjectSize(r->session, r->key.public_key, NULL), CKR_ARGUMENTS_BAD);
    EXPECT("base §5.7.6", "C_SetAttributeValue(session, object, NULL, 1)",
           r->f->C_SetAttributeValue(r->session, r->key.public_key, NULL, 1), CKR_ARGUMENTS_BAD,
           CKR_FUNCTION_NOT_SUPPORTED, CKR_SESSION_READ_ONLY, CKR_ACTION_PROHIBITED);
    EXPECT("base §5.7.2", "C_CopyObject(session, object, NULL, 1, …)",
           r->f->C_CopyObject(r->session, r->key.public_key, NULL, 1, &object), CKR_ARGUMENTS_BAD,
           CKR_FUNCTION_NOT_SUPPORTED, CKR_SESSION_READ_ONLY, CKR_ACTION_PROHIBITED);
    EXPECT("base §5.7.2", "C_CopyObject(session, object, NULL, 0, NULL)",
           r->f->C_CopyObject(r->session, r->key.public_key, NULL, 0, NULL), CKR_ARGUMENTS_BAD,
           CKR_FUNCTION_NOT_SUPPORTED, CKR_SESSION_READ_ONLY, CKR_ACTION_PROHIBITED);
    EXPECT("base §5.7.1", "C_CreateObject(session, NULL, 1, …)", r->f->C_CreateObject(r->session, NULL, 1, &object),
           CKR_ARGUMENTS_BAD, CKR_FUNCTION_NOT_SUPPORTED);
    EXPECT("base §5.7.1", "C_CreateObject(session, NULL, ~0, …)", r->f->C_CreateObject(r->session, NULL, ~0UL, &object),
           CKR_ARGUMENTS_BAD, CKR_FUNCTION_NOT_SUPPORTED);
    EXPECT("base §5.7.1", "C_CreateObject(session, list, 1, NULL)", r->f->C_CreateObject(r->session, &good, 1, NULL),
           CKR_ARGUMENTS_BAD, CKR_FUNCTION_NOT_SUPPORTED);
    EXPECT("base §5.7.1", "C_CreateObject without attributes", r->f->C_CreateObject(r->session, &good, 0, &object),
           CKR_TEMPLATE_INCOMPLETE, CKR_FUNCTION_NOT_SUPPORTED, CKR_ARGUMENTS_BAD);
}

/* Runs one call with a fresh signing operation, which the call must end. */
#define SIGN_ENDS(what, call, ...)                                                                                     \
    ({                                                                                                                 \
        CK_MECHANISM mechanism_ = plain_mechanism(r);                                                                  \
        EXPECT("base §5.13.1", "C_SignInit", r->f->C_SignInit(r->session, &mechanism_, r->key.private_key), CKR_OK);   \
        EXPECT("base §5.13", what, call, __VA_ARGS__);                                                                 \
        CK_ULONG left_ = sizeof out;                                                                                   \
        EXPECT("base §5.13.2", what " ends the operation", r->f->C_Sign(r->session, out, 20, out, &left_),             \
               CKR_OPERATION_NOT_INITIALIZED);                                                                         \
    })
#define VERIFY_ENDS(what, call, ...)                                                                                   \
    ({                                                                                                                 \
        CK_MECHANISM mechanism_ = plain_mechanism(r);                                                                  \
        EXPECT("base §5.15.1", "C_VerifyInit", r->f->C_VerifyInit(r->session, &mechanism_, r->key.public_key),         \
               CKR_OK);                                                                                                \
        EXPECT("base §5.15", what, call, __VA_ARGS__);                                                                 \
        EXPECT("base §5.15.2", what " ends the operation", r->f->C_Verify(r->session, out, 20, out, 64),               \
               CKR_OPERATION_NOT_INITIALIZED);                                                                         \
    })

void null_sign_group(struct rig *r)
{
    CK_BYTE out[1024] = {0};
    CK_ULONG len = sizeof out;
    CK_BYTE data[20] = {0};
    SIGN_ENDS("C_Sign(session, NULL, 20, …)", r->f->C_Sign(r->session, NULL, 20, out, &len), CKR_ARGUMENTS_BAD);
    SIGN_ENDS("C_Sign(…, signature, NULL)", r->f->C_Sign(r->session, data, 20, out, NULL), CKR_ARGUMENTS_BAD);
    SIGN_ENDS("C_Sign(…, NULL, NULL)", r->f->C_Sign(r->session, data, 20, NULL, NULL), CKR_ARGUMENTS_BAD);
    SIGN_ENDS("C_SignUpdate(session, NULL, 20)", r->f->C_SignUpdate(r->session, NULL, 20), CKR_ARGUMENTS_BAD,
              CKR_FUNCTION_NOT_SUPPORTED, CKR_OPERATION_NOT_INITIALIZED);
    SIGN_ENDS("C_SignFinal(session, signature, NULL)", r->f->C_SignFinal(r->session, out, NULL), CKR_ARGUMENTS_BAD,
              CKR_FUNCTION_NOT_SUPPORTED, CKR_OPERATION_NOT_INITIALIZED);
    if (r->key.type != CKK_EC_EDWARDS) { /* a length the message cannot have, so that nothing behind it is read */
        len = sizeof out;
        SIGN_ENDS("C_Sign with a data length of ~0", r->f->C_Sign(r->session, data, ~0UL, out, &len),
                  CKR_DATA_LEN_RANGE, CKR_ARGUMENTS_BAD, CKR_DATA_INVALID);
    }
    VERIFY_ENDS("C_Verify(session, NULL, 20, …)", r->f->C_Verify(r->session, NULL, 20, out, r->key.signature_len),
                CKR_ARGUMENTS_BAD);
    VERIFY_ENDS("C_Verify(…, NULL, n)", r->f->C_Verify(r->session, data, 20, NULL, r->key.signature_len),
                CKR_ARGUMENTS_BAD);
    VERIFY_ENDS("C_Verify with a signature length of ~0", r->f->C_Verify(r->session, data, 20, out, ~0UL),
                CKR_SIGNATURE_LEN_RANGE, CKR_ARGUMENTS_BAD, CKR_DATA_INVALID);
    VERIFY_ENDS("C_VerifyUpdate(session, NULL, 20)", r->f->C_VerifyUpdate(r->session, NULL, 20), CKR_ARGUMENTS_BAD,
                CKR_FUNCTION_NOT_SUPPORTED, CKR_OPERATION_NOT_INITIALIZED);
    VERIFY_ENDS("C_VerifyFinal(session, NULL, n)", r->f->C_VerifyFinal(r->session, NULL, r->key.signature_len),
                CKR_ARGUMENTS_BAD, CKR_FUNCTION_NOT_SUPPORTED, CKR_OPERATION_NOT_INITIALIZED);

    CK_MECHANISM nowhere = {plain_mechanism(r).mechanism, NULL, 16};
    EXPECT_NOT_BEGUN("base §5.13.1", "C_SignInit with a parameter at NULL of 16 bytes",
                     r->f->C_SignInit(r->session, &nowhere, r->key.private_key), CKR_MECHANISM_PARAM_INVALID,
                     CKR_ARGUMENTS_BAD);
    EXPECT("base §5.13.1", "C_SignInit(session, NULL, key) with nothing active",
           r->f->C_SignInit(r->session, NULL, r->key.private_key), CKR_ARGUMENTS_BAD, CKR_OK,
           CKR_OPERATION_NOT_INITIALIZED);
    EXPECT("base §5.15.1", "C_VerifyInit(session, NULL, key) with nothing active",
           r->f->C_VerifyInit(r->session, NULL, r->key.public_key), CKR_ARGUMENTS_BAD, CKR_OK,
           CKR_OPERATION_NOT_INITIALIZED);
}

void null_digest_group(struct rig *r)
{
    CK_BYTE out[64] = {0};
    CK_ULONG len = sizeof out;
    CK_MECHANISM sha = {CKM_SHA256, NULL, 0};
    const CK_RV init = r->f->C_DigestInit(r->session, &sha);
    if (init == CKR_MECHANISM_INVALID || init == CKR_FUNCTION_NOT_SUPPORTED)
        return;
    EXPECT("base §5.12.2", "C_Digest(session, NULL, 4, …)", r->f->C_Digest(r->session, NULL, 4, out, &len),
           CKR_ARGUMENTS_BAD);
    EXPECT("base §5.12.2", "… ends the operation", r->f->C_Digest(r->session, out, 4, out, &len),
           CKR_OPERATION_NOT_INITIALIZED);
    (void)r->f->C_DigestInit(r->session, &sha);
    EXPECT("base §5.12.2", "C_Digest(…, NULL)", r->f->C_Digest(r->session, out, 4, out, NULL), CKR_ARGUMENTS_BAD);
    EXPECT("base §5.12.2", "… ends the operation", r->f->C_Digest(r->session, out, 4, out, &len),
           CKR_OPERATION_NOT_INITIALIZED);
    (void)r->f->C_DigestInit(r->session, &sha);
    EXPECT("base §5.12.3", "C_DigestUpdate(session, NULL, 4)", r->f->C_DigestUpdate(r->session, NULL, 4),
           CKR_ARGUMENTS_BAD);
    EXPECT("base §5.12.3", "… ends the operation", r->f->C_DigestFinal(r->session, out, &len),
           CKR_OPERATION_NOT_INITIALIZED);
    (void)r->f->C_DigestInit(r->session, &sha);
    EXPECT("base §5.12.5", "C_DigestFinal(session, digest, NULL)", r->f->C_DigestFinal(r->session, out, NULL),
           CKR_ARGUMENTS_BAD);
    EXPECT("base §5.12.5", "… ends the operation", r->f->C_DigestFinal(r->session, out, &len),
           CKR_OPERATION_NOT_INITIALIZED);
    EXPECT("base §5.12.1", "C_DigestInit(session, NULL)", r->f->C_DigestInit(r->session, NULL), CKR_ARGUMENTS_BAD,
           CKR_OK, CKR_OPERATION_NOT_INITIALIZED);
    EXPECT("base §5.19.2", "C_GenerateRandom(session, NULL, 8)", r->f->C_GenerateRandom(r->session, NULL, 8),
           CKR_ARGUMENTS_BAD, CKR_RANDOM_NO_RNG, CKR_FUNCTION_NOT_SUPPORTED);
    EXPECT("base §5.19.1", "C_SeedRandom(session, NULL, 8)", r->f->C_SeedRandom(r->session, NULL, 8), CKR_ARGUMENTS_BAD,
           CKR_RANDOM_NO_RNG, CKR_RANDOM_SEED_NOT_SUPPORTED, CKR_FUNCTION_NOT_SUPPORTED);
}

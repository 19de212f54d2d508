/* SPDX-License-Identifier: Apache-2.0 */
/* The profiles the token claims (PKCS #11 Profiles 3.1 §5), each held by the call sequence of its mandatory test case:
 * BL-M-1, EXT-M-1, AUTH-M-1, CERT-M-1. Calls go through the function list that C_GetInterface gives. */
#include "host.h"

static CK_FUNCTION_LIST_3_0 *list(void)
{
    CK_INTERFACE *interface = NULL;
    CK_UTF8CHAR name[] = "PKCS 11";
    assert_rv(C_GetInterface(name, NULL, &interface, 0), CKR_OK);
    return interface->pFunctionList;
}

static int setup(void **state)
{
    (void)state;
    fake_reset();
    return 0;
}

static bool is_padded(const unsigned char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] < ' ')
            return false;
    }
    return true;
}

/* C_Initialize, C_GetInfo, C_GetSlotList twice: how all four begin. */
static CK_SLOT_ID begin(CK_FUNCTION_LIST_3_0 *p11)
{
    CK_INFO info;
    CK_SLOT_ID slots[8];
    CK_ULONG count = 0;
    assert_rv(p11->C_Initialize(NULL), CKR_OK);
    assert_rv(p11->C_GetInfo(&info), CKR_OK);
    assert_int_equal(info.cryptokiVersion.major, 3);
    assert_int_equal(info.flags, 0);
    assert_true(is_padded(info.manufacturerID, sizeof info.manufacturerID));
    assert_true(is_padded(info.libraryDescription, sizeof info.libraryDescription));
    assert_rv(p11->C_GetSlotList(CK_TRUE, NULL, &count), CKR_OK);
    assert_in_range(count, 1, COUNT_OF(slots));
    assert_rv(p11->C_GetSlotList(CK_TRUE, slots, &count), CKR_OK);
    return slots[0];
}

static void slot_and_token_info(CK_FUNCTION_LIST_3_0 *p11, CK_SLOT_ID slot)
{
    CK_SLOT_INFO info;
    CK_TOKEN_INFO token;
    assert_rv(p11->C_GetSlotInfo(slot, &info), CKR_OK);
    assert_int_equal(info.flags, CKF_TOKEN_PRESENT);
    assert_true(is_padded(info.slotDescription, sizeof info.slotDescription));
    assert_true(is_padded(info.manufacturerID, sizeof info.manufacturerID));
    assert_rv(p11->C_GetTokenInfo(slot, &token), CKR_OK);
    CK_FLAGS expected = CKF_RNG | CKF_LOGIN_REQUIRED | CKF_USER_PIN_INITIALIZED | CKF_TOKEN_INITIALIZED;
    assert_int_equal(token.flags & expected, expected);
    assert_true(is_padded(token.label, sizeof token.label));
    assert_true(is_padded(token.model, sizeof token.model));
    assert_true(is_padded(token.serialNumber, sizeof token.serialNumber));
    assert_int_equal(token.ulSessionCount, 0);
    assert_int_equal(token.ulRwSessionCount, 0);
}

static CK_SESSION_HANDLE session_open(CK_FUNCTION_LIST_3_0 *p11, CK_SLOT_ID slot, CK_FLAGS flags)
{
    CK_SESSION_HANDLE session = 0;
    assert_rv(p11->C_OpenSession(slot, flags, NULL, NULL, &session), CKR_OK);
    return session;
}

static CK_ULONG search(CK_FUNCTION_LIST_3_0 *p11, CK_SESSION_HANDLE session, CK_ATTRIBUTE *wanted, CK_ULONG count,
                       CK_OBJECT_HANDLE *found, CK_ULONG room)
{
    CK_ULONG n = 0;
    assert_rv(p11->C_FindObjectsInit(session, wanted, count), CKR_OK);
    assert_rv(p11->C_FindObjects(session, found, room, &n), CKR_OK);
    assert_rv(p11->C_FindObjectsFinal(session), CKR_OK);
    return n;
}

static void end(CK_FUNCTION_LIST_3_0 *p11, CK_SESSION_HANDLE session, CK_SLOT_ID slot)
{
    assert_rv(p11->C_CloseSession(session), CKR_OK);
    assert_rv(p11->C_CloseAllSessions(slot), CKR_OK);
    assert_rv(p11->C_Finalize(NULL), CKR_OK);
}

static void login(CK_FUNCTION_LIST_3_0 *p11, CK_SESSION_HANDLE session)
{
    assert_rv(p11->C_Login(session, CKU_USER, (CK_UTF8CHAR_PTR)(uintptr_t)fake.pin, strlen(fake.pin)), CKR_OK);
}

static void bl_m_1_the_baseline_provider_tells_of_itself(void **state)
{
    (void)state;
    CK_FUNCTION_LIST_3_0 *p11 = list();
    CK_SLOT_ID slot = begin(p11);
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE on_token = ATTRIBUTE(CKA_TOKEN, yes);
    CK_OBJECT_HANDLE object = 0;
    slot_and_token_info(p11, slot);
    CK_SESSION_HANDLE session = session_open(p11, slot, CKF_SERIAL_SESSION);
    assert_int_equal(search(p11, session, &on_token, 1, &object, 1), 1);
    end(p11, session, slot);
}

static void ext_m_1_the_extended_provider_describes_its_mechanisms(void **state)
{
    (void)state;
    CK_FUNCTION_LIST_3_0 *p11 = list();
    CK_SLOT_ID slot = begin(p11);
    slot_and_token_info(p11, slot);
    CK_MECHANISM_TYPE types[64];
    CK_ULONG count = 0;
    assert_rv(p11->C_GetMechanismList(slot, NULL, &count), CKR_OK);
    assert_in_range(count, 1, COUNT_OF(types));
    assert_rv(p11->C_GetMechanismList(slot, types, &count), CKR_OK);
    bool has_digest = false, has_rsa = false;
    for (CK_ULONG i = 0; i < count; i++) {
        CK_MECHANISM_INFO info;
        assert_rv(p11->C_GetMechanismInfo(slot, types[i], &info), CKR_OK);
        has_digest |= types[i] == CKM_SHA512 && info.flags == CKF_DIGEST;
        has_rsa |= types[i] == CKM_RSA_PKCS && (info.flags & (CKF_SIGN | CKF_VERIFY)) == (CKF_SIGN | CKF_VERIFY);
    }
    assert_true(has_digest && has_rsa);

    CK_SESSION_HANDLE session = session_open(p11, slot, CKF_SERIAL_SESSION | CKF_RW_SESSION);
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE on_token = ATTRIBUTE(CKA_TOKEN, yes);
    CK_OBJECT_HANDLE object = 0;
    login(p11, session);
    assert_int_equal(search(p11, session, &on_token, 1, &object, 1), 1);
    assert_rv(p11->C_Logout(session), CKR_OK);
    end(p11, session, slot);
}

static CK_OBJECT_HANDLE labelled(CK_FUNCTION_LIST_3_0 *p11, CK_SESSION_HANDLE session, CK_OBJECT_CLASS class)
{
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE wanted[] = {ATTRIBUTE(CKA_TOKEN, yes), {CKA_LABEL, "demo-rsa2048", 12}, ATTRIBUTE(CKA_CLASS, class)};
    CK_OBJECT_HANDLE object = 0;
    assert_int_equal(search(p11, session, wanted, 3, &object, 1), 1);
    return object;
}

static void auth_m_1_the_authentication_token_signs(void **state)
{
    (void)state;
    CK_FUNCTION_LIST_3_0 *p11 = list();
    CK_SLOT_ID slot = begin(p11);
    CK_SESSION_HANDLE session = session_open(p11, slot, CKF_SERIAL_SESSION | CKF_RW_SESSION);
    login(p11, session);
    CK_BYTE modulus[1024], exponent[1024], data[100] = "a request", signature[256];
    CK_ATTRIBUTE numbers[] = {ATTRIBUTE(CKA_MODULUS, modulus), ATTRIBUTE(CKA_PUBLIC_EXPONENT, exponent)};
    CK_ULONG len = sizeof signature;
    CK_OBJECT_HANDLE public = labelled(p11, session, CKO_PUBLIC_KEY);
    assert_rv(p11->C_GetAttributeValue(session, public, numbers, 2), CKR_OK);
    assert_int_equal(numbers[0].ulValueLen, 256);
    assert_int_equal(numbers[1].ulValueLen, 3);

    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    assert_rv(p11->C_SignInit(session, &mechanism, labelled(p11, session, CKO_PRIVATE_KEY)), CKR_OK);
    assert_rv(p11->C_Sign(session, data, sizeof data, signature, &len), CKR_OK);
    assert_int_equal(len, 256);
    assert_rv(p11->C_VerifyInit(session, &mechanism, public), CKR_OK);
    assert_rv(p11->C_Verify(session, data, sizeof data, signature, len), CKR_OK);
    assert_rv(p11->C_Logout(session), CKR_OK);
    end(p11, session, slot);
}

static void read_twice(CK_FUNCTION_LIST_3_0 *p11, CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
                       CK_ATTRIBUTE_TYPE type)
{
    CK_BYTE value[4096];
    CK_ATTRIBUTE wanted = {type, NULL, 0};
    assert_rv(p11->C_GetAttributeValue(session, object, &wanted, 1), CKR_OK);
    CK_ULONG len = wanted.ulValueLen;
    assert_in_range(len, 1, sizeof value);
    wanted.pValue = value;
    assert_rv(p11->C_GetAttributeValue(session, object, &wanted, 1), CKR_OK);
    assert_int_equal(wanted.ulValueLen, len);
}

/* Without a login; the label of the first object, the value of the second, and the search is ended last. */
static void cert_m_1_certificates_are_read_before_login(void **state)
{
    (void)state;
    CK_FUNCTION_LIST_3_0 *p11 = list();
    CK_SLOT_ID slot = begin(p11);
    CK_SESSION_HANDLE session = session_open(p11, slot, CKF_SERIAL_SESSION);
    CK_BBOOL yes = CK_TRUE;
    CK_ATTRIBUTE on_token = ATTRIBUTE(CKA_TOKEN, yes);
    CK_OBJECT_HANDLE objects[5];
    CK_ULONG count = 0;
    assert_rv(p11->C_FindObjectsInit(session, &on_token, 1), CKR_OK);
    assert_rv(p11->C_FindObjects(session, objects, 5, &count), CKR_OK);
    assert_int_equal(count, 5);
    read_twice(p11, session, objects[0], CKA_LABEL);
    read_twice(p11, session, objects[1], CKA_VALUE);
    assert_rv(p11->C_FindObjectsFinal(session), CKR_OK);
    end(p11, session, slot);
}

/* §5.5 8: all certificates, and by the same CKA_ID the public key, without a login. */
static void each_certificate_leads_to_its_public_key_before_login(void **state)
{
    (void)state;
    assert_rv(C_Initialize(NULL), CKR_OK);
    for (CK_SLOT_ID slot = SLOT_MAIN; slot <= SLOT_EDWARDS; slot++) {
        CK_SESSION_HANDLE session = host_open(slot);
        CK_OBJECT_CLASS certificate = CKO_CERTIFICATE, public = CKO_PUBLIC_KEY;
        CK_ULONG category = CK_CERTIFICATE_CATEGORY_TOKEN_USER;
        CK_ATTRIBUTE leaves[] = {ATTRIBUTE(CKA_CLASS, certificate), ATTRIBUTE(CKA_CERTIFICATE_CATEGORY, category)};
        CK_OBJECT_HANDLE found[8];
        CK_ULONG count = search(list(), session, leaves, 2, found, 8);
        assert_int_equal(count, slot == SLOT_MAIN ? 3 : 1);
        for (CK_ULONG i = 0; i < count; i++) {
            CK_BYTE id[64];
            CK_ATTRIBUTE wanted = ATTRIBUTE(CKA_ID, id);
            assert_rv(C_GetAttributeValue(session, found[i], &wanted, 1), CKR_OK);
            CK_ATTRIBUTE by_id[] = {ATTRIBUTE(CKA_CLASS, public), {CKA_ID, id, wanted.ulValueLen}};
            assert_int_equal(host_count(session, by_id, 2), 1);
        }
    }
}

static CK_ULONG profile_count(CK_SESSION_HANDLE session, CK_ULONG id)
{
    CK_OBJECT_CLASS class = CKO_PROFILE;
    CK_ATTRIBUTE wanted[] = {ATTRIBUTE(CKA_CLASS, class), ATTRIBUTE(CKA_PROFILE_ID, id)};
    return host_count(session, wanted, 2);
}

static void each_token_claims_the_four_profiles_before_login_and_without_the_server(void **state)
{
    (void)state;
    fake.keys_fail = CODE_UNAVAILABLE;
    assert_rv(C_Initialize(NULL), CKR_OK);
    for (CK_SLOT_ID slot = SLOT_MAIN; slot <= SLOT_EDWARDS; slot++) {
        CK_SESSION_HANDLE session = host_open(slot);
        for (CK_ULONG id = CKP_BASELINE_PROVIDER; id <= CKP_PUBLIC_CERTIFICATES_TOKEN; id++)
            assert_int_equal(profile_count(session, id), 1);
        assert_int_equal(profile_count(session, CKP_INVALID_ID), 0);
        assert_int_equal(profile_count(session, CKP_PUBLIC_CERTIFICATES_TOKEN + 1), 0);
    }
    assert_int_equal(fake.keys_calls, 0);
}

static void a_token_that_shows_no_certificates_before_login_does_not_say_it_does(void **state)
{
    (void)state;
    fake.no_public_data = true;
    assert_rv(C_Initialize(NULL), CKR_OK);
    CK_SESSION_HANDLE session = host_open(SLOT_MAIN);
    assert_int_equal(profile_count(session, CKP_PUBLIC_CERTIFICATES_TOKEN), 0);
    assert_int_equal(profile_count(session, CKP_AUTHENTICATION_TOKEN), 1);
    assert_rv(C_Finalize(NULL), CKR_OK);

    fake.needs_login = false;
    assert_rv(C_Initialize(NULL), CKR_OK);
    assert_int_equal(profile_count(host_open(SLOT_MAIN), CKP_PUBLIC_CERTIFICATES_TOKEN), 1);
}

static void a_profile_answers_the_attributes_of_its_tables(void **state)
{
    (void)state;
    assert_rv(C_Initialize(NULL), CKR_OK);
    CK_SESSION_HANDLE session = host_open(SLOT_MAIN);
    CK_OBJECT_HANDLE profile = host_find(session, CKO_PROFILE, "Baseline Provider");
    CK_OBJECT_CLASS class = 0;
    CK_BBOOL token = 0, private = 2, modifiable = 2, copyable = 2, destroyable = 2;
    CK_ULONG id = 0, size = 0;
    CK_BYTE unique[64];
    CK_ATTRIBUTE wanted[] = {ATTRIBUTE(CKA_CLASS, class),       ATTRIBUTE(CKA_TOKEN, token),
                             ATTRIBUTE(CKA_PRIVATE, private),   ATTRIBUTE(CKA_MODIFIABLE, modifiable),
                             ATTRIBUTE(CKA_COPYABLE, copyable), ATTRIBUTE(CKA_DESTROYABLE, destroyable),
                             ATTRIBUTE(CKA_PROFILE_ID, id),     ATTRIBUTE(CKA_UNIQUE_ID, unique)};
    assert_rv(C_GetAttributeValue(session, profile, wanted, COUNT_OF(wanted)), CKR_OK);
    assert_int_equal(class, CKO_PROFILE);
    assert_int_equal(id, CKP_BASELINE_PROVIDER);
    assert_true(token == CK_TRUE && private == CK_FALSE && modifiable == CK_FALSE && copyable == CK_FALSE &&
                destroyable == CK_FALSE);
    assert_rv(C_GetObjectSize(session, profile, &size), CKR_OK);
    assert_rv(C_DestroyObject(session, profile), CKR_SESSION_READ_ONLY);
    assert_rv(C_SignInit(session, &(CK_MECHANISM){CKM_ECDSA, NULL, 0}, profile), CKR_KEY_HANDLE_INVALID);
}

/* What the profiles list besides: each is in the list, and does what it says. */
static void the_functions_of_the_profiles_are_there(void **state)
{
    (void)state;
    CK_FUNCTION_LIST_3_0 *p11 = list();
    CK_ULONG count = 0;
    CK_FUNCTION_LIST *old = NULL;
    assert_rv(p11->C_GetFunctionList(&old), CKR_OK);
    assert_rv(p11->C_GetInterfaceList(NULL, &count), CKR_OK);
    assert_rv(p11->C_Initialize(NULL), CKR_OK);
    CK_SESSION_HANDLE session = session_open(p11, SLOT_MAIN, CKF_SERIAL_SESSION);
    CK_SESSION_INFO info;
    CK_UTF8CHAR pin[] = "open sesame";
    assert_rv(p11->C_GetSessionInfo(session, &info), CKR_OK);
    assert_int_equal(info.ulDeviceError, 0);
    assert_rv(p11->C_LoginUser(session, CKU_USER, pin, 11, NULL, 0), CKR_OK);
    assert_rv(p11->C_Logout(session), CKR_OK);
    assert_rv(p11->C_SetPIN(session, pin, 11, pin, 11), CKR_FUNCTION_NOT_SUPPORTED);
    assert_rv(p11->C_InitPIN(session, pin, 11), CKR_FUNCTION_NOT_SUPPORTED);
    assert_rv(p11->C_InitToken(SLOT_MAIN, pin, 11, pin), CKR_FUNCTION_NOT_SUPPORTED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, host_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(bl_m_1_the_baseline_provider_tells_of_itself),
        TEST(ext_m_1_the_extended_provider_describes_its_mechanisms),
        TEST(auth_m_1_the_authentication_token_signs),
        TEST(cert_m_1_certificates_are_read_before_login),
        TEST(each_certificate_leads_to_its_public_key_before_login),
        TEST(each_token_claims_the_four_profiles_before_login_and_without_the_server),
        TEST(a_token_that_shows_no_certificates_before_login_does_not_say_it_does),
        TEST(a_profile_answers_the_attributes_of_its_tables),
        TEST(the_functions_of_the_profiles_are_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

static CK_TOKEN_INFO token(CK_SLOT_ID slot)
{
    CK_TOKEN_INFO info;
    assert_rv(C_GetTokenInfo(slot, &info), CKR_OK);
    return info;
}

static void the_list_of_slots_follows_the_convention(void **state)
{
    (void)state;
    CK_SLOT_ID slots[3] = {9, 9, 9};
    CK_ULONG count = 0;
    assert_rv(C_GetSlotList(CK_TRUE, NULL, NULL), CKR_ARGUMENTS_BAD);
    assert_rv(C_GetSlotList(CK_TRUE, NULL, &count), CKR_OK);
    assert_int_equal(count, 2);
    count = 1;
    assert_rv(C_GetSlotList(CK_TRUE, slots, &count), CKR_BUFFER_TOO_SMALL);
    assert_int_equal(count, 2);
    assert_int_equal(slots[0], 9);
    count = 3;
    assert_rv(C_GetSlotList(CK_FALSE, slots, &count), CKR_OK);
    assert_int_equal(count, 2);
    assert_int_not_equal(slots[0], slots[1]);
}

static void edwards_keys_stand_on_a_token_of_their_own_whose_label_is_no_extension(void **state)
{
    (void)state;
    assert_memory_equal(token(SLOT_MAIN).label, "test                            ", 32);
    assert_memory_equal(token(SLOT_EDWARDS).label, "eddsa-test                      ", 32);
    assert_memory_not_equal(token(SLOT_MAIN).serialNumber, token(SLOT_EDWARDS).serialNumber, 16);

    CK_SESSION_HANDLE main = host_open_logged_in(SLOT_MAIN), edwards = host_open_logged_in(SLOT_EDWARDS);
    assert_int_equal(host_find(main, CKO_PRIVATE_KEY, "demo-ed25519"), 0);
    assert_int_not_equal(host_find(edwards, CKO_PRIVATE_KEY, "demo-ed25519"), 0);
    assert_int_equal(host_find(edwards, CKO_PRIVATE_KEY, "demo-p256"), 0);
}

static int setup_same(void **state)
{
    (void)state;
    fake_reset();
    fake.eddsa_same = true;
    return C_Initialize(NULL) == CKR_OK ? 0 : -1;
}

static void eddsa_same_puts_all_keys_on_one_token(void **state)
{
    (void)state;
    CK_ULONG count = 0;
    assert_rv(C_GetSlotList(CK_TRUE, NULL, &count), CKR_OK);
    assert_int_equal(count, 1);
    CK_SESSION_HANDLE session = host_open_logged_in(SLOT_MAIN);
    assert_int_not_equal(host_find(session, CKO_PRIVATE_KEY, "demo-ed25519"), 0);
    assert_int_not_equal(host_find(session, CKO_PRIVATE_KEY, "demo-p256"), 0);
    CK_MECHANISM_INFO info;
    assert_rv(C_GetMechanismInfo(SLOT_MAIN, CKM_EDDSA, &info), CKR_OK);
}

static void login_required_is_told_as_the_credential_is_kept(void **state)
{
    (void)state;
    assert_true(token(SLOT_MAIN).flags & CKF_LOGIN_REQUIRED);
    fake.needs_login = false;
    assert_false(token(SLOT_MAIN).flags & CKF_LOGIN_REQUIRED);
    assert_true(token(SLOT_MAIN).flags & CKF_TOKEN_INITIALIZED);
    assert_true(token(SLOT_MAIN).flags & CKF_USER_PIN_INITIALIZED);
    assert_true(token(SLOT_MAIN).flags & CKF_RNG);
    assert_false(token(SLOT_MAIN).flags & CKF_WRITE_PROTECTED);
}

static void sessions_are_counted_per_token(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = 0;
    (void)host_open(SLOT_MAIN);
    assert_rv(C_OpenSession(SLOT_MAIN, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session), CKR_OK);
    assert_int_equal(token(SLOT_MAIN).ulSessionCount, 2);
    assert_int_equal(token(SLOT_MAIN).ulRwSessionCount, 1);
    assert_int_equal(token(SLOT_EDWARDS).ulSessionCount, 0);
    assert_rv(C_CloseSession(session), CKR_OK);
    assert_int_equal(token(SLOT_MAIN).ulRwSessionCount, 0);
}

static void an_unknown_slot_is_refused(void **state)
{
    (void)state;
    CK_SLOT_INFO slot;
    CK_TOKEN_INFO info;
    CK_ULONG count = 0;
    CK_MECHANISM_INFO mechanism;
    assert_rv(C_GetSlotInfo(2, &slot), CKR_SLOT_ID_INVALID);
    assert_rv(C_GetTokenInfo((CK_SLOT_ID)-1, &info), CKR_SLOT_ID_INVALID);
    assert_rv(C_GetMechanismList(2, NULL, &count), CKR_SLOT_ID_INVALID);
    assert_rv(C_GetMechanismInfo(2, CKM_RSA_PKCS, &mechanism), CKR_SLOT_ID_INVALID);
    assert_rv(C_CloseAllSessions(2), CKR_SLOT_ID_INVALID);
    assert_rv(C_GetSlotInfo(0, NULL), CKR_ARGUMENTS_BAD);
    assert_rv(C_GetTokenInfo(0, NULL), CKR_ARGUMENTS_BAD);
}

static void mechanisms_listed_are_described_and_no_others(void **state)
{
    (void)state;
    CK_MECHANISM_TYPE list[64];
    CK_ULONG count = COUNT_OF(list), asked = 0, one = 1;
    assert_rv(C_GetMechanismList(SLOT_MAIN, list, &count), CKR_OK);
    assert_rv(C_GetMechanismList(SLOT_MAIN, NULL, &asked), CKR_OK);
    assert_int_equal(asked, count);
    assert_rv(C_GetMechanismList(SLOT_MAIN, list, &one), CKR_BUFFER_TOO_SMALL);
    assert_int_equal(one, count);

    CK_MECHANISM_INFO info;
    for (CK_ULONG i = 0; i < count; i++)
        assert_rv(C_GetMechanismInfo(SLOT_MAIN, list[i], &info), CKR_OK);
    assert_rv(C_GetMechanismInfo(SLOT_MAIN, CKM_AES_CBC, &info), CKR_MECHANISM_INVALID);
    assert_rv(C_GetMechanismInfo(SLOT_MAIN, CKM_EDDSA, &info), CKR_MECHANISM_INVALID);
    assert_rv(C_GetMechanismInfo(SLOT_EDWARDS, CKM_EDDSA, &info), CKR_OK);
    assert_rv(C_GetMechanismInfo(SLOT_EDWARDS, CKM_ECDSA, &info), CKR_MECHANISM_INVALID);
}

static void signing_mechanisms_are_done_in_hardware_and_digests_are_not(void **state)
{
    (void)state;
    CK_MECHANISM_INFO info;
    assert_rv(C_GetMechanismInfo(SLOT_MAIN, CKM_SHA256_RSA_PKCS, &info), CKR_OK);
    assert_int_equal(info.flags, CKF_HW | CKF_SIGN | CKF_VERIFY);
    assert_int_equal(info.ulMinKeySize, 2048);
    assert_int_equal(info.ulMaxKeySize, 4096);
    assert_rv(C_GetMechanismInfo(SLOT_MAIN, CKM_SHA256, &info), CKR_OK);
    assert_int_equal(info.flags, CKF_DIGEST);
}

static void waiting_for_an_event_never_blocks(void **state)
{
    (void)state;
    CK_SLOT_ID slot = 0;
    assert_rv(C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, NULL), CKR_NO_EVENT);
    assert_rv(C_WaitForSlotEvent(0, &slot, NULL), CKR_FUNCTION_NOT_SUPPORTED);
    assert_rv(C_WaitForSlotEvent(CKF_DONT_BLOCK, NULL, NULL), CKR_ARGUMENTS_BAD);
    assert_rv(C_WaitForSlotEvent(CKF_DONT_BLOCK, &slot, &slot), CKR_ARGUMENTS_BAD);
}

static void without_a_clock_there_is_no_time(void **state)
{
    (void)state;
    CK_TOKEN_INFO info = token(SLOT_MAIN);
    assert_false(info.flags & CKF_CLOCK_ON_TOKEN);
    assert_memory_equal(info.utcTime, "                ", sizeof info.utcTime);
    assert_memory_equal(info.model, "Chancery        ", sizeof info.model);
}

static void nobody_changes_pins_or_tokens_from_here(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = host_open(SLOT_MAIN);
    CK_UTF8CHAR text[32] = "x";
    assert_rv(C_InitToken(SLOT_MAIN, text, 1, text), CKR_FUNCTION_NOT_SUPPORTED);
    assert_rv(C_InitPIN(session, text, 1), CKR_FUNCTION_NOT_SUPPORTED);
    assert_rv(C_SetPIN(session, text, 1, text, 1), CKR_FUNCTION_NOT_SUPPORTED);
}

static void random_bytes_come_in_any_number(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = host_open(SLOT_MAIN);
    CK_BYTE a[32] = {0}, b[32] = {0};
    assert_rv(C_GenerateRandom(session, a, sizeof a), CKR_OK);
    assert_rv(C_GenerateRandom(session, b, sizeof b), CKR_OK);
    assert_memory_not_equal(a, b, sizeof a);
    assert_rv(C_GenerateRandom(session, NULL, 0), CKR_OK);
    assert_rv(C_GenerateRandom(session, NULL, 1), CKR_ARGUMENTS_BAD);
    assert_rv(C_GenerateRandom(0, a, 1), CKR_SESSION_HANDLE_INVALID);
    assert_rv(C_SeedRandom(session, a, sizeof a), CKR_RANDOM_SEED_NOT_SUPPORTED);
    assert_rv(C_SeedRandom(0, a, sizeof a), CKR_SESSION_HANDLE_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_list_of_slots_follows_the_convention, host_setup, host_teardown),
        cmocka_unit_test_setup_teardown(edwards_keys_stand_on_a_token_of_their_own_whose_label_is_no_extension,
                                        host_setup, host_teardown),
        cmocka_unit_test_setup_teardown(eddsa_same_puts_all_keys_on_one_token, setup_same, host_teardown),
        cmocka_unit_test_setup_teardown(login_required_is_told_as_the_credential_is_kept, host_setup, host_teardown),
        cmocka_unit_test_setup_teardown(sessions_are_counted_per_token, host_setup, host_teardown),
        cmocka_unit_test_setup_teardown(an_unknown_slot_is_refused, host_setup, host_teardown),
        cmocka_unit_test_setup_teardown(mechanisms_listed_are_described_and_no_others, host_setup, host_teardown),
        cmocka_unit_test_setup_teardown(signing_mechanisms_are_done_in_hardware_and_digests_are_not, host_setup,
                                        host_teardown),
        cmocka_unit_test_setup_teardown(without_a_clock_there_is_no_time, host_setup, host_teardown),
        cmocka_unit_test_setup_teardown(nobody_changes_pins_or_tokens_from_here, host_setup, host_teardown),
        cmocka_unit_test_setup_teardown(random_bytes_come_in_any_number, host_setup, host_teardown),
        cmocka_unit_test_setup_teardown(waiting_for_an_event_never_blocks, host_setup, host_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

static void a_wrong_pin_is_told_as_such(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = host_open(SLOT_MAIN);
    assert_rv(host_login(session, "guess"), CKR_PIN_INCORRECT);
    assert_rv(host_login(session, fake.pin), CKR_OK);
}

static void a_second_login_says_so_whatever_its_pin(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = host_open_logged_in(SLOT_MAIN);
    assert_rv(host_login(session, fake.pin), CKR_USER_ALREADY_LOGGED_IN);
    assert_rv(host_login(host_open(SLOT_MAIN), "guess"), CKR_USER_ALREADY_LOGGED_IN);
    assert_int_equal(fake.logins, 1);
}

static void pins_out_of_range_never_reach_the_client(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = host_open(SLOT_MAIN);
    CK_UTF8CHAR pin[256] = {0};
    assert_rv(C_Login(session, CKU_USER, pin, 0), CKR_PIN_LEN_RANGE);
    assert_rv(C_Login(session, CKU_USER, pin, sizeof pin), CKR_PIN_LEN_RANGE);
    assert_rv(C_Login(session, CKU_USER, NULL, 4), CKR_ARGUMENTS_BAD);
    assert_int_equal(fake.logins, 0);
}

static void a_nul_behind_the_pin_makes_it_another_one(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = host_open(SLOT_MAIN);
    CK_ULONG len = strlen(fake.pin) + 1;
    assert_rv(C_Login(session, CKU_USER, (CK_UTF8CHAR *)fake.pin, len), CKR_PIN_INCORRECT);
    assert_int_equal(fake.logins, 0);
    assert_rv(host_login(session, fake.pin), CKR_OK);
}

static void other_users_are_refused(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = host_open(SLOT_MAIN);
    CK_UTF8CHAR pin[] = "open sesame";
    assert_rv(C_Login(session, CKU_SO, pin, 11), CKR_SESSION_READ_ONLY_EXISTS);
    assert_rv(C_Login(session, CKU_CONTEXT_SPECIFIC, pin, 11), CKR_OPERATION_NOT_INITIALIZED);
    assert_rv(C_Login(session, 7, pin, 11), CKR_USER_TYPE_INVALID);
    assert_rv(host_login(session, fake.pin), CKR_OK);
    assert_rv(C_Login(session, CKU_SO, pin, 11), CKR_USER_ANOTHER_ALREADY_LOGGED_IN);
}

static void logout_without_login_is_an_error(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = host_open(SLOT_MAIN);
    assert_rv(C_Logout(session), CKR_USER_NOT_LOGGED_IN);
    assert_rv(host_login(session, fake.pin), CKR_OK);
    assert_rv(C_Logout(session), CKR_OK);
    assert_rv(C_Logout(session), CKR_USER_NOT_LOGGED_IN);
    assert_rv(C_Logout(0), CKR_SESSION_HANDLE_INVALID);
}

static void before_login_public_objects_are_seen_and_private_keys_are_not(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = host_open(SLOT_MAIN);
    assert_int_not_equal(host_find(session, CKO_CERTIFICATE, "demo-p256"), 0);
    assert_int_not_equal(host_find(session, CKO_PUBLIC_KEY, "demo-p256"), 0);
    assert_int_equal(host_find(session, CKO_PRIVATE_KEY, "demo-p256"), 0);
    assert_rv(host_login(session, fake.pin), CKR_OK);
    assert_int_not_equal(host_find(session, CKO_PRIVATE_KEY, "demo-p256"), 0);
}

static void handles_of_private_objects_die_with_a_logout_and_public_ones_live(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = host_open_logged_in(SLOT_MAIN);
    CK_OBJECT_HANDLE private = host_find(session, CKO_PRIVATE_KEY, "demo-p256");
    CK_OBJECT_HANDLE public = host_find(session, CKO_PUBLIC_KEY, "demo-p256");
    CK_ULONG size = 0;
    assert_rv(C_GetObjectSize(session, private, &size), CKR_OK);

    assert_rv(C_Logout(session), CKR_OK);
    assert_rv(C_GetObjectSize(session, private, &size), CKR_OBJECT_HANDLE_INVALID);
    assert_rv(C_GetObjectSize(session, public, &size), CKR_OK);

    assert_rv(host_login(session, fake.pin), CKR_OK);
    assert_rv(C_GetObjectSize(session, private, &size), CKR_OBJECT_HANDLE_INVALID);
    assert_int_not_equal(host_find(session, CKO_PRIVATE_KEY, "demo-p256"), private);
    assert_int_equal(host_find(session, CKO_PUBLIC_KEY, "demo-p256"), public);
}

static void a_signature_begun_before_a_logout_is_not_made(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = host_open_logged_in(SLOT_MAIN);
    CK_MECHANISM ecdsa = {CKM_ECDSA, NULL, 0};
    CK_BYTE digest[32] = {0}, signature[64];
    CK_ULONG len = sizeof signature;
    assert_rv(C_SignInit(session, &ecdsa, host_find(session, CKO_PRIVATE_KEY, "demo-p256")), CKR_OK);
    assert_rv(C_Logout(session), CKR_OK);
    assert_rv(host_login(session, fake.pin), CKR_OK);
    assert_rv(C_Sign(session, digest, sizeof digest, signature, &len), CKR_USER_NOT_LOGGED_IN);
    assert_int_equal(fake.sign_calls, 0);
}

static void each_token_has_its_own_login(void **state)
{
    (void)state;
    (void)host_open_logged_in(SLOT_MAIN);
    CK_SESSION_HANDLE edwards = host_open(SLOT_EDWARDS);
    assert_int_equal(host_find(edwards, CKO_PRIVATE_KEY, "demo-ed25519"), 0);
    assert_rv(host_login(edwards, "guess"), CKR_PIN_INCORRECT);
    assert_rv(host_login(edwards, fake.pin), CKR_OK);
    assert_int_not_equal(host_find(edwards, CKO_PRIVATE_KEY, "demo-ed25519"), 0);
}

static void the_credential_is_wiped_with_the_logout_of_the_last_token(void **state)
{
    (void)state;
    CK_SESSION_HANDLE main = host_open_logged_in(SLOT_MAIN), edwards = host_open_logged_in(SLOT_EDWARDS);
    assert_rv(C_Logout(main), CKR_OK);
    assert_int_equal(fake.logouts, 0);
    assert_int_not_equal(host_find(edwards, CKO_PRIVATE_KEY, "demo-ed25519"), 0);
    assert_rv(C_Logout(edwards), CKR_OK);
    assert_int_equal(fake.logouts, 1);
}

static int setup_plain(void **state)
{
    (void)state;
    fake_reset();
    fake.needs_login = false;
    return C_Initialize(NULL) == CKR_OK ? 0 : -1;
}

static void a_token_that_needs_no_login_shows_everything_and_takes_any_pin(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = host_open(SLOT_MAIN);
    assert_int_not_equal(host_find(session, CKO_PRIVATE_KEY, "demo-p256"), 0);
    assert_rv(C_Login(session, CKU_USER, NULL, 0), CKR_OK);
    assert_rv(host_login(session, "anything"), CKR_USER_ALREADY_LOGGED_IN);
    assert_rv(C_Logout(session), CKR_OK);
    assert_rv(host_login(session, "anything"), CKR_OK);
    assert_int_equal(fake.logins, 0);
}

static void login_user_takes_no_name_or_the_account_s_own(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = host_open(SLOT_MAIN);
    CK_UTF8CHAR pin[] = "open sesame", own[] = "build-1", other[] = "build-2";
    assert_rv(C_LoginUser(session, CKU_USER, pin, 11, other, 7), CKR_PIN_INCORRECT);
    assert_rv(C_LoginUser(session, CKU_USER, pin, 11, own, 6), CKR_PIN_INCORRECT);
    assert_rv(C_LoginUser(session, CKU_USER, pin, 11, NULL, 7), CKR_ARGUMENTS_BAD);
    assert_int_equal(fake.logins, 0);
    assert_rv(C_LoginUser(session, CKU_USER, pin, 10, own, 7), CKR_PIN_INCORRECT);
    assert_rv(C_LoginUser(session, CKU_USER, pin, 11, own, 7), CKR_OK);
    assert_rv(C_LoginUser(session, CKU_USER, pin, 11, own, 7), CKR_USER_ALREADY_LOGGED_IN);
    assert_rv(C_Logout(session), CKR_OK);
    assert_rv(C_LoginUser(session, CKU_USER, pin, 11, NULL, 0), CKR_OK);
    assert_rv(C_LoginUser(0, CKU_USER, pin, 11, NULL, 0), CKR_SESSION_HANDLE_INVALID);
    assert_rv(C_LoginUser(session, 7, pin, 11, own, 7), CKR_USER_TYPE_INVALID);
}

static void a_pin_of_some_length_stands_somewhere(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = host_open(SLOT_MAIN);
    assert_rv(C_Login(session, CKU_USER, NULL, 4), CKR_ARGUMENTS_BAD);
    assert_rv(C_Login(session, CKU_USER, NULL, 0), CKR_OK);
}

static void without_read_only_sessions_there_is_still_no_security_officer(void **state)
{
    (void)state;
    CK_SESSION_HANDLE rw = 0;
    CK_UTF8CHAR pin[] = "open sesame";
    assert_rv(C_OpenSession(SLOT_MAIN, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &rw), CKR_OK);
    assert_rv(C_Login(rw, CKU_SO, pin, 11), CKR_USER_TYPE_INVALID);
    assert_rv(C_Login(0, CKU_SO, pin, 11), CKR_SESSION_HANDLE_INVALID);
}

static void a_context_specific_login_needs_a_key_that_asks_for_it(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = host_open_logged_in(SLOT_MAIN);
    CK_MECHANISM ecdsa = {CKM_ECDSA, NULL, 0};
    CK_UTF8CHAR pin[] = "open sesame";
    CK_BYTE digest[32] = {0}, signature[64];
    CK_ULONG len = sizeof signature;
    assert_rv(C_SignInit(session, &ecdsa, host_find(session, CKO_PRIVATE_KEY, "demo-p256")), CKR_OK);
    assert_rv(C_Login(session, CKU_CONTEXT_SPECIFIC, pin, 11), CKR_OPERATION_NOT_INITIALIZED);
    assert_rv(C_Sign(session, digest, sizeof digest, signature, &len), CKR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_wrong_pin_is_told_as_such, host_setup, host_teardown),
        cmocka_unit_test_setup_teardown(a_second_login_says_so_whatever_its_pin, host_setup, host_teardown),
        cmocka_unit_test_setup_teardown(pins_out_of_range_never_reach_the_client, host_setup, host_teardown),
        cmocka_unit_test_setup_teardown(a_nul_behind_the_pin_makes_it_another_one, host_setup, host_teardown),
        cmocka_unit_test_setup_teardown(other_users_are_refused, host_setup, host_teardown),
        cmocka_unit_test_setup_teardown(logout_without_login_is_an_error, host_setup, host_teardown),
        cmocka_unit_test_setup_teardown(before_login_public_objects_are_seen_and_private_keys_are_not, host_setup,
                                        host_teardown),
        cmocka_unit_test_setup_teardown(handles_of_private_objects_die_with_a_logout_and_public_ones_live, host_setup,
                                        host_teardown),
        cmocka_unit_test_setup_teardown(a_signature_begun_before_a_logout_is_not_made, host_setup, host_teardown),
        cmocka_unit_test_setup_teardown(each_token_has_its_own_login, host_setup, host_teardown),
        cmocka_unit_test_setup_teardown(the_credential_is_wiped_with_the_logout_of_the_last_token, host_setup,
                                        host_teardown),
        cmocka_unit_test_setup_teardown(a_token_that_needs_no_login_shows_everything_and_takes_any_pin, setup_plain,
                                        host_teardown),
        cmocka_unit_test_setup_teardown(login_user_takes_no_name_or_the_account_s_own, host_setup, host_teardown),
        cmocka_unit_test_setup_teardown(a_pin_of_some_length_stands_somewhere, setup_plain, host_teardown),
        cmocka_unit_test_setup_teardown(without_read_only_sessions_there_is_still_no_security_officer, host_setup,
                                        host_teardown),
        cmocka_unit_test_setup_teardown(a_context_specific_login_needs_a_key_that_asks_for_it, host_setup,
                                        host_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

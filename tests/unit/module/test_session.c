/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

#include <pthread.h>

static CK_STATE state_of(CK_SESSION_HANDLE session)
{
    CK_SESSION_INFO info;
    assert_rv(C_GetSessionInfo(session, &info), CKR_OK);
    return info.state;
}

static void a_parallel_session_is_refused(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = 0;
    assert_rv(C_OpenSession(SLOT_MAIN, CKF_RW_SESSION, NULL, NULL, &session), CKR_SESSION_PARALLEL_NOT_SUPPORTED);
    assert_rv(C_OpenSession(SLOT_MAIN, CKF_SERIAL_SESSION, NULL, NULL, NULL), CKR_ARGUMENTS_BAD);
    assert_rv(C_OpenSession(9, CKF_SERIAL_SESSION, NULL, NULL, &session), CKR_SLOT_ID_INVALID);
}

static void states_follow_login_on_all_sessions_of_the_token(void **state)
{
    (void)state;
    CK_SESSION_HANDLE ro = host_open(SLOT_MAIN), rw = 0, other = host_open(SLOT_EDWARDS);
    assert_rv(C_OpenSession(SLOT_MAIN, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &rw), CKR_OK);
    assert_int_equal(state_of(ro), CKS_RO_PUBLIC_SESSION);
    assert_int_equal(state_of(rw), CKS_RW_PUBLIC_SESSION);

    assert_rv(host_login(ro, fake.pin), CKR_OK);
    assert_int_equal(state_of(ro), CKS_RO_USER_FUNCTIONS);
    assert_int_equal(state_of(rw), CKS_RW_USER_FUNCTIONS);
    assert_int_equal(state_of(other), CKS_RO_PUBLIC_SESSION);
}

static void a_closed_session_is_gone(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = host_open(SLOT_MAIN), other = host_open(SLOT_MAIN);
    CK_SESSION_INFO info;
    assert_rv(C_CloseSession(session), CKR_OK);
    assert_rv(C_CloseSession(session), CKR_SESSION_HANDLE_INVALID);
    assert_rv(C_GetSessionInfo(session, &info), CKR_SESSION_HANDLE_INVALID);
    assert_rv(C_FindObjectsInit(session, NULL, 0), CKR_SESSION_HANDLE_INVALID);
    assert_rv(C_GetSessionInfo(other, &info), CKR_OK);
    assert_rv(C_GetSessionInfo(other, NULL), CKR_ARGUMENTS_BAD);
    assert_rv(C_GetSessionInfo(0, &info), CKR_SESSION_HANDLE_INVALID);
}

static void close_all_closes_the_sessions_of_one_token(void **state)
{
    (void)state;
    CK_SESSION_HANDLE a = host_open(SLOT_MAIN), b = host_open(SLOT_MAIN), other = host_open(SLOT_EDWARDS);
    CK_SESSION_INFO info;
    assert_rv(C_CloseAllSessions(SLOT_MAIN), CKR_OK);
    assert_rv(C_GetSessionInfo(a, &info), CKR_SESSION_HANDLE_INVALID);
    assert_rv(C_GetSessionInfo(b, &info), CKR_SESSION_HANDLE_INVALID);
    assert_rv(C_GetSessionInfo(other, &info), CKR_OK);
}

static void many_sessions_are_found_by_their_handles(void **state)
{
    (void)state;
    CK_SESSION_HANDLE handles[500];
    CK_SESSION_INFO info;
    for (size_t i = 0; i < COUNT_OF(handles); i++)
        handles[i] = host_open(SLOT_MAIN);
    for (size_t i = 0; i < COUNT_OF(handles); i += 2)
        assert_rv(C_CloseSession(handles[i]), CKR_OK);
    for (size_t i = 0; i < COUNT_OF(handles); i++)
        assert_rv(C_GetSessionInfo(handles[i], &info), i % 2 ? CKR_OK : CKR_SESSION_HANDLE_INVALID);
}

static void handles_of_any_size_mean_nothing(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = host_open(SLOT_MAIN);
    static const CK_SESSION_HANDLE high[] = {1UL << 32, 1UL << 63, ~0UL};
    CK_SESSION_INFO info;
    for (size_t i = 0; i < COUNT_OF(high); i++) {
        CK_SESSION_HANDLE wrong[] = {high[i], high[i] | session};
        for (size_t k = 0; k < 2; k++) {
            assert_rv(C_GetSessionInfo(wrong[k], &info), CKR_SESSION_HANDLE_INVALID);
            assert_rv(C_FindObjectsInit(wrong[k], NULL, 0), CKR_SESSION_HANDLE_INVALID);
            assert_rv(C_CloseSession(wrong[k]), CKR_SESSION_HANDLE_INVALID);
        }
    }
    CK_SESSION_HANDLE other = 0;
    assert_rv(C_OpenSession(1UL << 32, CKF_SERIAL_SESSION, NULL, NULL, &other), CKR_SLOT_ID_INVALID);
}

static void flags_and_device_error_are_told(void **state)
{
    (void)state;
    CK_SESSION_HANDLE rw = 0;
    CK_SESSION_INFO info;
    assert_rv(C_OpenSession(SLOT_EDWARDS, CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &rw), CKR_OK);
    assert_rv(C_GetSessionInfo(rw, &info), CKR_OK);
    assert_int_equal(info.slotID, SLOT_EDWARDS);
    assert_int_equal(info.flags, CKF_SERIAL_SESSION | CKF_RW_SESSION);
    assert_int_equal(info.ulDeviceError, 0);
    assert_rv(C_GetSessionInfo(host_open(SLOT_MAIN), &info), CKR_OK);
    assert_int_equal(info.flags, CKF_SERIAL_SESSION);
}

static void the_last_session_takes_the_login_with_it(void **state)
{
    (void)state;
    CK_SESSION_HANDLE a = host_open_logged_in(SLOT_MAIN), b = host_open(SLOT_MAIN);
    assert_rv(C_CloseSession(a), CKR_OK);
    assert_int_equal(state_of(b), CKS_RO_USER_FUNCTIONS);
    assert_rv(C_CloseSession(b), CKR_OK);
    assert_int_equal(state_of(host_open(SLOT_MAIN)), CKS_RO_PUBLIC_SESSION);
}

static void legacy_functions_say_that_nothing_is_parallel(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = host_open(SLOT_MAIN);
    assert_rv(C_GetFunctionStatus(session), CKR_FUNCTION_NOT_PARALLEL);
    assert_rv(C_CancelFunction(session), CKR_FUNCTION_NOT_PARALLEL);
    assert_rv(C_CancelFunction(0), CKR_SESSION_HANDLE_INVALID);
}

static void session_cancel_ends_what_its_flags_name(void **state)
{
    (void)state;
    CK_SESSION_HANDLE session = host_open(SLOT_MAIN);
    CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0};
    assert_rv(C_DigestInit(session, &sha256), CKR_OK);
    assert_rv(C_SessionCancel(session, CKF_SIGN | CKF_FIND_OBJECTS), CKR_OK);
    assert_rv(C_DigestInit(session, &sha256), CKR_OPERATION_ACTIVE);
    assert_rv(C_SessionCancel(session, CKF_DIGEST), CKR_OK);
    assert_rv(C_DigestInit(session, &sha256), CKR_OK);
    assert_rv(C_SessionCancel(session, 0), CKR_OK);
}

struct signer {
    CK_SESSION_HANDLE session;
    CK_RV rv;
};

static void *sign_in_thread(void *argument)
{
    struct signer *s = argument;
    CK_BYTE digest[32] = {1}, signature[64];
    CK_ULONG len = sizeof signature;
    s->rv = C_Sign(s->session, digest, sizeof digest, signature, &len);
    return NULL;
}

/* Starts a signature that does not end until fake.holding is cleared. */
static pthread_t start_signing(struct signer *s)
{
    CK_MECHANISM ecdsa = {CKM_ECDSA, NULL, 0};
    pthread_t thread;
    s->session = host_open_logged_in(SLOT_MAIN);
    assert_rv(C_SignInit(s->session, &ecdsa, host_find(s->session, CKO_PRIVATE_KEY, "demo-p256")), CKR_OK);
    fake.holding = true;
    assert_int_equal(pthread_create(&thread, NULL, sign_in_thread, s), 0);
    for (int i = 0; i < 10000 && fake.held == 0; i++)
        usleep(1000);
    assert_int_equal(fake.held, 1);
    return thread;
}

static void i10_a_session_that_waits_for_the_server_holds_up_nobody(void **state)
{
    (void)state;
    struct signer signer = {0};
    pthread_t thread = start_signing(&signer);

    CK_SESSION_HANDLE other = host_open(SLOT_MAIN);
    assert_int_not_equal(host_find(other, CKO_PRIVATE_KEY, "demo-p256"), 0);
    assert_int_equal(state_of(signer.session), CKS_RO_USER_FUNCTIONS);
    assert_rv(C_SignUpdate(signer.session, NULL, 0), CKR_OPERATION_ACTIVE);
    assert_int_equal(fake.held, 1);

    fake.holding = false;
    pthread_join(thread, NULL);
    assert_rv(signer.rv, CKR_OK);
    assert_rv(C_SignUpdate(signer.session, NULL, 0), CKR_OPERATION_NOT_INITIALIZED);
}

static void a_session_can_be_closed_while_it_signs(void **state)
{
    (void)state;
    struct signer signer = {0};
    pthread_t thread = start_signing(&signer);
    assert_rv(C_CloseSession(signer.session), CKR_OK);
    fake.holding = false;
    pthread_join(thread, NULL);
    assert_rv(C_CloseSession(signer.session), CKR_SESSION_HANDLE_INVALID);
}

static void finalize_does_not_pull_the_library_away_from_a_running_signature(void **state)
{
    (void)state;
    struct signer signer = {0};
    pthread_t thread = start_signing(&signer);
    assert_rv(C_Finalize(NULL), CKR_OK);
    assert_int_equal(fake.clients, 1);
    fake.holding = false;
    pthread_join(thread, NULL);
    assert_int_equal(fake.clients, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_parallel_session_is_refused, host_setup, host_teardown),
        cmocka_unit_test_setup_teardown(states_follow_login_on_all_sessions_of_the_token, host_setup, host_teardown),
        cmocka_unit_test_setup_teardown(a_closed_session_is_gone, host_setup, host_teardown),
        cmocka_unit_test_setup_teardown(close_all_closes_the_sessions_of_one_token, host_setup, host_teardown),
        cmocka_unit_test_setup_teardown(many_sessions_are_found_by_their_handles, host_setup, host_teardown),
        cmocka_unit_test_setup_teardown(handles_of_any_size_mean_nothing, host_setup, host_teardown),
        cmocka_unit_test_setup_teardown(flags_and_device_error_are_told, host_setup, host_teardown),
        cmocka_unit_test_setup_teardown(the_last_session_takes_the_login_with_it, host_setup, host_teardown),
        cmocka_unit_test_setup_teardown(legacy_functions_say_that_nothing_is_parallel, host_setup, host_teardown),
        cmocka_unit_test_setup_teardown(session_cancel_ends_what_its_flags_name, host_setup, host_teardown),
        cmocka_unit_test_setup_teardown(i10_a_session_that_waits_for_the_server_holds_up_nobody, host_setup,
                                        host_teardown),
        cmocka_unit_test_setup_teardown(a_session_can_be_closed_while_it_signs, host_setup, host_teardown),
        cmocka_unit_test_setup_teardown(finalize_does_not_pull_the_library_away_from_a_running_signature, host_setup,
                                        host_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

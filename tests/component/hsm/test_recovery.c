/* SPDX-License-Identifier: Apache-2.0 */
/* What the HSM layer does when the token is taken from under it, errs, or does not come back. */
#include "fixture.h"

#include <openssl/x509.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "raw.h"

static struct fixture f;
static struct faults *faults;
static CK_FUNCTION_LIST *raw;
static struct hsm_key key;
static EVP_PKEY *public_key;

static int group_setup(void **state)
{
    (void)state;
    fixture_init(&f, FAULTY_MODULE);
    faults = raw_faults();
    fixture_open(&f, 8, 10000);
    fixture_key(&f, KEY_TYPE_P256, &key);
    public_key = fixture_public_key(&key);
    raw = raw_module(FAULTY_MODULE);
    return 0;
}

static int group_teardown(void **state)
{
    (void)state;
    EVP_PKEY_free(public_key);
    hsm_key_clear(&key);
    fixture_clear(&f);
    return 0;
}

/* Each test starts with a module without faults and an HSM just opened. */
static int setup(void **state)
{
    (void)state;
    memset(faults, 0, sizeof *faults);
    fixture_open(&f, 8, 10000);
    return 0;
}

static status sign_once(int64_t timeout_ms, struct error *err)
{
    struct sign_input in = fixture_input(MECHANISM_ECDSA, HASH_SHA256);
    cleanup_buf struct buf signature = {0};

    TRY(hsm_sign(f.h, key.id, key.type, &in, deadline_in(timeout_ms), &signature, err));
    return signature_verify(NULL, public_key, &in, buf_slice(&signature), err);
}

static void sessions_closed_behind_its_back_are_opened_again(void **state)
{
    (void)state;
    assert_ok(&f, sign_once(10000, &f.err));
    assert_int_equal(raw->C_CloseAllSessions(raw_slot(raw)), CKR_OK);
    assert_ok(&f, sign_once(10000, &f.err));
    assert_int_equal(faults->logins, 2);
    assert_ok(&f, sign_once(10000, &f.err));
    assert_int_equal(faults->logins, 2);
}

static void openssl_sign(EVP_PKEY *own)
{
    uint8_t signature[128];
    size_t len = sizeof signature;
    EVP_MD_CTX *md = EVP_MD_CTX_new();

    assert_int_equal(EVP_DigestSignInit_ex(md, NULL, "SHA256", hsm_libctx(f.h), NULL, own, NULL), 1);
    assert_int_equal(EVP_DigestSign(md, signature, &len, (const uint8_t *)"x", 1), 1);
    assert_int_equal(EVP_DigestVerifyInit(md, NULL, EVP_sha256(), NULL, public_key), 1);
    assert_int_equal(EVP_DigestVerify(md, signature, len, (const uint8_t *)"x", 1), 1);
    EVP_MD_CTX_free(md);
}

/* Looked up in the HSM once, and once more when the sessions are others. */
static void a_key_known_by_its_public_half_is_looked_up_again_after_a_loss_alone(void **state)
{
    EVP_PKEY *own = NULL;

    (void)state;
    assert_ok(&f, hsm_evp_key_of(f.h, key.id, public_key, &own, &f.err));
    assert_int_equal(faults->searches, 0);
    openssl_sign(own);
    int first = faults->searches;
    assert_true(first > 0);
    openssl_sign(own);
    assert_int_equal(faults->searches, first);
    assert_int_equal(raw->C_CloseAllSessions(raw_slot(raw)), CKR_OK);
    openssl_sign(own);
    assert_int_equal(faults->searches, 2 * first);
    openssl_sign(own);
    assert_int_equal(faults->searches, 2 * first);
    EVP_PKEY_free(own);
}

static void a_logout_behind_its_back_is_followed_by_a_login(void **state)
{
    CK_SESSION_HANDLE session;

    (void)state;
    assert_ok(&f, sign_once(10000, &f.err));
    assert_int_equal(raw->C_OpenSession(raw_slot(raw), CKF_SERIAL_SESSION, NULL, NULL, &session), CKR_OK);
    assert_int_equal(raw->C_Logout(session), CKR_OK);
    assert_ok(&f, hsm_check(f.h, deadline_in(10000), &f.err));
    assert_ok(&f, sign_once(10000, &f.err));
    assert_int_equal(faults->logins, 2);
}

/* A session opened on a token nobody is logged into is sound, and private keys are not to be seen in it. */
static void a_key_is_not_called_missing_because_the_login_was_lost(void **state)
{
    cleanup_hsm_key struct hsm_key found = {0};

    (void)state;
    assert_int_equal(raw->C_CloseAllSessions(raw_slot(raw)), CKR_OK);
    assert_ok(&f, hsm_find(f.h, key.id, deadline_in(10000), &found, &f.err));
    assert_int_equal(faults->logins, 2);
}

static void the_check_brings_a_lost_login_back(void **state)
{
    (void)state;
    assert_int_equal(raw->C_CloseAllSessions(raw_slot(raw)), CKR_OK);
    assert_ok(&f, hsm_check(f.h, deadline_in(10000), &f.err));
    assert_int_equal(faults->logins, 2);
}

static void a_module_finalised_behind_its_back_is_initialised_again(void **state)
{
    int before;

    (void)state;
    assert_ok(&f, sign_once(10000, &f.err));
    before = faults->initialized;
    assert_int_equal(raw->C_Finalize(NULL), CKR_OK);
    assert_ok(&f, sign_once(10000, &f.err));
    assert_int_equal(faults->initialized, before + 1);
}

static void a_device_error_in_a_healthy_session_is_tried_once_more(void **state)
{
    (void)state;
    faults->sign_fail = CKR_DEVICE_ERROR;
    assert_ok(&f, sign_once(10000, &f.err));
    assert_int_equal(faults->logins, 1);
}

static void a_stale_key_handle_is_looked_up_again(void **state)
{
    (void)state;
    faults->sign_fail = CKR_KEY_HANDLE_INVALID;
    assert_ok(&f, sign_once(10000, &f.err));
    assert_int_equal(faults->logins, 1);
}

static void a_failed_signature_leaves_no_half_done_operation_behind(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        faults->sign_fail = CKR_FUNCTION_FAILED;
        assert_code(&f, sign_once(10000, &f.err), CODE_HSM_UNAVAILABLE);
        assert_ok(&f, sign_once(10000, &f.err));
    }
}

static void a_signature_of_the_wrong_length_is_not_given_out(void **state)
{
    (void)state;
    faults->sign_short = 1;
    assert_code(&f, sign_once(10000, &f.err), CODE_INTERNAL);
}

static void *sign_loop(void *arg)
{
    atomic_int *failed = arg;
    struct error err = {0};

    for (int i = 0; i < 150; i++) {
        if (!is_ok(sign_once(30000, &err)) && atomic_fetch_add(failed, 1) == 0)
            print_error("%s (%s)\n", err.text, err.detail);
    }
    return NULL;
}

/* The sessions are made invalid for all of them; one brings the token back, the others wait. What is taken away while a
 * call is inside SoftHSM would crash SoftHSM itself, so it is taken between two rounds. */
static void many_threads_survive_lost_sessions(void **state)
{
    enum { THREADS = 8 };
    pthread_t threads[THREADS];
    atomic_int failed = 0;

    (void)state;
    for (int round = 0; round < 5; round++) {
        assert_int_equal(raw->C_CloseAllSessions(raw_slot(raw)), CKR_OK);
        for (int i = 0; i < THREADS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, sign_loop, &failed), 0);
        for (int i = 0; i < THREADS; i++)
            assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(faults->logins, 2 + round);
    }
    assert_int_equal(failed, 0);
}

static void a_token_that_stays_away_fails_at_once_until_the_pause_is_over(void **state)
{
    (void)state;
    assert_int_equal(raw->C_CloseAllSessions(raw_slot(raw)), CKR_OK);
    faults->open_session_fail = CKR_TOKEN_NOT_PRESENT;
    faults->opens = 0;
    for (int i = 0; i < 200; i++)
        assert_code(&f, sign_once(10000, &f.err), CODE_HSM_UNAVAILABLE);
    assert_in_range(faults->opens, 1, 100);
    assert_code(&f, hsm_check(f.h, deadline_in(10000), &f.err), CODE_HSM_UNAVAILABLE);
    faults->open_session_fail = 0;

    struct deadline bound = deadline_in(20000);
    while (!is_ok(sign_once(10000, &f.err)))
        assert_false(deadline_passed(bound));
    assert_ok(&f, hsm_check(f.h, deadline_in(10000), &f.err));
}

static void a_pin_refused_at_recovery_is_never_tried_again(void **state)
{
    (void)state;
    assert_int_equal(raw->C_CloseAllSessions(raw_slot(raw)), CKR_OK);
    faults->login_fail = CKR_PIN_INCORRECT;
    assert_code(&f, sign_once(10000, &f.err), CODE_HSM_UNAVAILABLE);
    assert_non_null(strstr(f.err.text, "PIN"));
    int logins = faults->logins;
    struct deadline beyond_the_pause = deadline_in(1500);
    while (!deadline_passed(beyond_the_pause))
        assert_code(&f, sign_once(10000, &f.err), CODE_HSM_UNAVAILABLE);
    assert_int_equal(faults->logins, logins);
}

static void *sign_held(void *arg)
{
    (void)arg;
    ignore(sign_once(60000, NULL));
    return NULL;
}

/* A thread whose C_Sign does not come back before hold_end. */
static void hold_begin(pthread_t *thread)
{
    struct deadline bound = deadline_in(20000);

    assert_ok(&f, sign_once(10000, &f.err));
    faults->sign_hold = 1;
    assert_int_equal(pthread_create(thread, NULL, sign_held, NULL), 0);
    while (faults->signing == 0)
        assert_false(deadline_passed(bound));
}

static void hold_end(pthread_t thread)
{
    faults->sign_hold = 0;
    assert_int_equal(pthread_join(thread, NULL), 0);
}

static void i9_while_one_operation_is_overdue_others_fail_at_once(void **state)
{
    pthread_t thread;
    struct deadline bound = deadline_in(20000);

    (void)state;
    fixture_open(&f, 8, 1000);
    hold_begin(&thread);
    while (is_ok(hsm_check(f.h, deadline_in(10000), &f.err)))
        assert_false(deadline_passed(bound));
    assert_code(&f, sign_once(10000, &f.err), CODE_HSM_UNAVAILABLE);
    assert_non_null(strstr(f.err.text, "overdue"));
    assert_int_equal(faults->signing, 1);
    hold_end(thread);
    assert_ok(&f, hsm_check(f.h, deadline_in(10000), &f.err));
    assert_ok(&f, sign_once(10000, &f.err));
}

static void i9_waiting_for_a_session_ends_at_the_deadline(void **state)
{
    pthread_t thread;

    (void)state;
    fixture_open(&f, 1, 30000);
    hold_begin(&thread);
    assert_code(&f, hsm_check(f.h, deadline_in(50), &f.err), CODE_HSM_UNAVAILABLE);
    assert_non_null(strstr(f.err.text, "busy"));
    hold_end(thread);
    assert_ok(&f, hsm_check(f.h, deadline_in(10000), &f.err));
}

/* The token cannot be opened anew under a call that is still inside the module. */
static void i9_recovery_does_not_pull_the_token_from_under_a_running_operation(void **state)
{
    pthread_t thread;

    (void)state;
    hold_begin(&thread);
    faults->session_info_fail = CKR_DEVICE_REMOVED;
    assert_code(&f, hsm_check(f.h, deadline_in(200), &f.err), CODE_HSM_UNAVAILABLE);
    assert_int_equal(faults->logins, 1);
    faults->session_info_fail = 0;
    hold_end(thread);
    assert_ok(&f, sign_once(10000, &f.err));
}

static void a_deadline_that_has_passed_leaves_the_hsm_alone(void **state)
{
    (void)state;
    assert_code(&f, sign_once(0, &f.err), CODE_HSM_UNAVAILABLE);
}

static void i3_a_key_that_came_out_extractable_is_refused_and_destroyed(void **state)
{
    cleanup_hsm_key struct hsm_key k = {0};
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE found[64];
    CK_ULONG before, after;
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE wanted = {CKA_CLASS, &class, sizeof class};

    (void)state;
    assert_int_equal(raw->C_OpenSession(raw_slot(raw), CKF_SERIAL_SESSION, NULL, NULL, &session), CKR_OK);
    assert_int_equal(raw->C_FindObjectsInit(session, &wanted, 1), CKR_OK);
    assert_int_equal(raw->C_FindObjects(session, found, COUNT_OF(found), &before), CKR_OK);
    assert_int_equal(raw->C_FindObjectsFinal(session), CKR_OK);
    faults->extractable = 1;
    assert_code(&f, hsm_generate(f.h, KEY_TYPE_P256, "weak", deadline_in(10000), &k, &f.err), CODE_INTERNAL);
    assert_non_null(strstr(f.err.text, "CKA_EXTRACTABLE"));
    faults->extractable = 0;
    faults->insensitive = 1;
    assert_code(&f, hsm_generate(f.h, KEY_TYPE_P256, "weak", deadline_in(10000), &k, &f.err), CODE_INTERNAL);
    assert_non_null(strstr(f.err.text, "CKA_SENSITIVE"));
    assert_int_equal(faults->generated, 2);
    assert_int_equal(raw->C_FindObjectsInit(session, &wanted, 1), CKR_OK);
    assert_int_equal(raw->C_FindObjects(session, found, COUNT_OF(found), &after), CKR_OK);
    assert_int_equal(raw->C_FindObjectsFinal(session), CKR_OK);
    assert_int_equal(after, before);
    assert_int_equal(raw->C_CloseSession(session), CKR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(sessions_closed_behind_its_back_are_opened_again, setup),
        cmocka_unit_test_setup(a_key_known_by_its_public_half_is_looked_up_again_after_a_loss_alone, setup),
        cmocka_unit_test_setup(a_logout_behind_its_back_is_followed_by_a_login, setup),
        cmocka_unit_test_setup(a_key_is_not_called_missing_because_the_login_was_lost, setup),
        cmocka_unit_test_setup(the_check_brings_a_lost_login_back, setup),
        cmocka_unit_test_setup(a_module_finalised_behind_its_back_is_initialised_again, setup),
        cmocka_unit_test_setup(a_device_error_in_a_healthy_session_is_tried_once_more, setup),
        cmocka_unit_test_setup(a_stale_key_handle_is_looked_up_again, setup),
        cmocka_unit_test_setup(a_failed_signature_leaves_no_half_done_operation_behind, setup),
        cmocka_unit_test_setup(a_signature_of_the_wrong_length_is_not_given_out, setup),
        cmocka_unit_test_setup(many_threads_survive_lost_sessions, setup),
        cmocka_unit_test_setup(a_token_that_stays_away_fails_at_once_until_the_pause_is_over, setup),
        cmocka_unit_test_setup(a_pin_refused_at_recovery_is_never_tried_again, setup),
        cmocka_unit_test_setup(i9_while_one_operation_is_overdue_others_fail_at_once, setup),
        cmocka_unit_test_setup(i9_waiting_for_a_session_ends_at_the_deadline, setup),
        cmocka_unit_test_setup(i9_recovery_does_not_pull_the_token_from_under_a_running_operation, setup),
        cmocka_unit_test_setup(a_deadline_that_has_passed_leaves_the_hsm_alone, setup),
        cmocka_unit_test_setup(i3_a_key_that_came_out_extractable_is_refused_and_destroyed, setup),
    };
    return cmocka_run_group_tests(tests, group_setup, group_teardown);
}

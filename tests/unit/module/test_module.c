/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static int reset(void **state)
{
    (void)state;
    fake_reset();
    return 0;
}

static void second_initialize_is_refused(void **state)
{
    (void)state;
    assert_rv(C_Initialize(NULL), CKR_OK);
    assert_rv(C_Initialize(NULL), CKR_CRYPTOKI_ALREADY_INITIALIZED);
    assert_rv(C_Finalize(NULL), CKR_OK);
}

static void nothing_works_before_initialize(void **state)
{
    (void)state;
    CK_ULONG count = 0;
    CK_INFO info;
    CK_SESSION_HANDLE session = 0;

    assert_rv(C_Finalize(NULL), CKR_CRYPTOKI_NOT_INITIALIZED);
    assert_rv(C_GetInfo(&info), CKR_CRYPTOKI_NOT_INITIALIZED);
    assert_rv(C_GetSlotList(CK_FALSE, NULL, &count), CKR_CRYPTOKI_NOT_INITIALIZED);
    assert_rv(C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, &session), CKR_CRYPTOKI_NOT_INITIALIZED);
    assert_rv(C_Sign(1, NULL, 0, NULL, &count), CKR_CRYPTOKI_NOT_INITIALIZED);
    assert_rv(C_EncryptInit(1, NULL, 0), CKR_CRYPTOKI_NOT_INITIALIZED);
}

static void initialize_works_again_after_finalize_and_frees_everything(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_rv(C_Initialize(NULL), CKR_OK);
        CK_SESSION_HANDLE session = host_open_logged_in(SLOT_MAIN);
        assert_int_not_equal(host_find(session, CKO_PRIVATE_KEY, "demo-p256"), 0);
        assert_rv(C_Finalize(NULL), CKR_OK);
        assert_int_equal(fake.clients, 0);
    }
}

static void handles_from_before_finalize_are_not_valid_afterwards(void **state)
{
    (void)state;
    assert_rv(C_Initialize(NULL), CKR_OK);
    CK_SESSION_HANDLE old = host_open(SLOT_MAIN);
    assert_rv(C_Finalize(NULL), CKR_OK);
    assert_rv(C_Initialize(NULL), CKR_OK);
    (void)host_open(SLOT_MAIN);

    CK_SESSION_INFO info;
    assert_rv(C_GetSessionInfo(old, &info), CKR_SESSION_HANDLE_INVALID);
    assert_rv(C_Finalize(NULL), CKR_OK);
}

static void finalize_refuses_an_argument(void **state)
{
    (void)state;
    assert_rv(C_Initialize(NULL), CKR_OK);
    int reserved = 0;
    assert_rv(C_Finalize(&reserved), CKR_ARGUMENTS_BAD);
    assert_rv(C_Finalize(NULL), CKR_OK);
}

static CK_RV mutex_create(void **mutex)
{
    *mutex = NULL;
    return CKR_OK;
}

static CK_RV mutex_use(void *mutex)
{
    (void)mutex;
    return CKR_OK;
}

static void locking_modes_are_judged(void **state)
{
    (void)state;
    int reserved = 0;
    const struct {
        CK_C_INITIALIZE_ARGS args;
        CK_RV rv;
    } rows[] = {
        {{.flags = 0}, CKR_OK},
        {{.flags = CKF_OS_LOCKING_OK}, CKR_OK},
        {{.flags = CKF_OS_LOCKING_OK | CKF_LIBRARY_CANT_CREATE_OS_THREADS}, CKR_OK},
        {{mutex_create, mutex_use, mutex_use, mutex_use, CKF_OS_LOCKING_OK, NULL}, CKR_OK},
        {{mutex_create, mutex_use, mutex_use, mutex_use, 0, NULL}, CKR_CANT_LOCK},
        {{mutex_create, NULL, mutex_use, mutex_use, CKF_OS_LOCKING_OK, NULL}, CKR_ARGUMENTS_BAD},
        {{mutex_create, NULL, NULL, NULL, 0, NULL}, CKR_ARGUMENTS_BAD},
        {{.flags = CKF_OS_LOCKING_OK, .pReserved = &reserved}, CKR_ARGUMENTS_BAD},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        CK_C_INITIALIZE_ARGS args = rows[i].args;
        assert_rv(C_Initialize(&args), rows[i].rv);
        if (rows[i].rv == CKR_OK)
            assert_rv(C_Finalize(NULL), CKR_OK);
        assert_int_equal(fake.clients, 0);
    }
}

static void without_a_configuration_there_is_no_slot(void **state)
{
    (void)state;
    fake.no_configuration = true;
    assert_rv(C_Initialize(NULL), CKR_OK);
    CK_ULONG count = 7;
    CK_SLOT_INFO info;
    CK_SESSION_HANDLE session = 0;
    assert_rv(C_GetSlotList(CK_TRUE, NULL, &count), CKR_OK);
    assert_int_equal(count, 0);
    assert_rv(C_GetSlotInfo(0, &info), CKR_SLOT_ID_INVALID);
    assert_rv(C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, &session), CKR_SLOT_ID_INVALID);
    assert_rv(C_Finalize(NULL), CKR_OK);
}

static void a_wrong_configuration_is_an_error(void **state)
{
    (void)state;
    fake.configuration_fails = CODE_CONFIGURATION;
    assert_rv(C_Initialize(NULL), CKR_GENERAL_ERROR);
    fake_reset();
    fake.client_fails = CODE_CONFIGURATION;
    assert_rv(C_Initialize(NULL), CKR_GENERAL_ERROR);
    fake_reset();
    assert_rv(C_Initialize(NULL), CKR_OK);
    assert_rv(C_Finalize(NULL), CKR_OK);
}

static void initialize_asks_for_no_keys(void **state)
{
    (void)state;
    assert_rv(C_Initialize(NULL), CKR_OK);
    CK_TOKEN_INFO token;
    assert_rv(C_GetTokenInfo(0, &token), CKR_OK);
    (void)host_open_logged_in(SLOT_MAIN);
    assert_int_equal(fake.keys_calls, 0);
    assert_rv(C_Finalize(NULL), CKR_OK);
}

/* Runs the check in a child; its exit status is the number of the step that failed. */
static int in_child(int (*check)(CK_SESSION_HANDLE session), CK_SESSION_HANDLE session)
{
    pid_t child = fork();
    if (child == 0)
        _exit(check(session));
    int ended = -1;
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_true(WIFEXITED(ended));
    return WEXITSTATUS(ended);
}

static int child_begins_anew(CK_SESSION_HANDLE session)
{
    CK_SESSION_INFO info;
    CK_SESSION_HANDLE fresh = 0;
    if (C_GetSessionInfo(session, &info) != CKR_CRYPTOKI_NOT_INITIALIZED)
        return 1;
    if (C_Finalize(NULL) != CKR_CRYPTOKI_NOT_INITIALIZED)
        return 2;
    if (fake.abandoned != 0)
        return 3;
    if (C_Initialize(NULL) != CKR_OK)
        return 4;
    if (fake.abandoned != 1) /* what came over the fork was closed, once */
        return 5;
    if (C_GetSessionInfo(session, &info) != CKR_SESSION_HANDLE_INVALID)
        return 6;
    if (C_OpenSession(0, CKF_SERIAL_SESSION, NULL, NULL, &fresh) != CKR_OK || host_login(fresh, fake.pin) != CKR_OK)
        return 7;
    if (host_find(fresh, CKO_PRIVATE_KEY, "demo-p256") == 0)
        return 8;
    return C_Finalize(NULL) == CKR_OK ? 0 : 9;
}

static void a_forked_child_begins_anew_and_the_parent_goes_on(void **state)
{
    (void)state;
    assert_rv(C_Initialize(NULL), CKR_OK);
    CK_SESSION_HANDLE session = host_open_logged_in(SLOT_MAIN);
    for (int i = 0; i < 3; i++)
        assert_int_equal(in_child(child_begins_anew, session), 0);

    assert_int_not_equal(host_find(session, CKO_PRIVATE_KEY, "demo-p256"), 0);
    assert_rv(C_Finalize(NULL), CKR_OK);
}

static int grandchild_begins_anew(CK_SESSION_HANDLE session)
{
    if (C_Initialize(NULL) != CKR_OK)
        return 1;
    fake.abandoned = 0;
    return in_child(child_begins_anew, session);
}

static void a_child_of_a_child_begins_anew(void **state)
{
    (void)state;
    assert_rv(C_Initialize(NULL), CKR_OK);
    assert_int_equal(in_child(grandchild_begins_anew, host_open(SLOT_MAIN)), 0);
    assert_rv(C_Finalize(NULL), CKR_OK);
}

struct race {
    pthread_barrier_t barrier;
    atomic_int won;
    atomic_int lost;
};

static void *initialize_in_thread(void *argument)
{
    struct race *race = argument;
    (void)pthread_barrier_wait(&race->barrier);
    CK_RV rv = C_Initialize(NULL);
    atomic_fetch_add(&race->won, rv == CKR_OK);
    atomic_fetch_add(&race->lost, rv == CKR_CRYPTOKI_ALREADY_INITIALIZED);
    return NULL;
}

static void of_many_threads_that_initialize_one_wins(void **state)
{
    (void)state;
    enum { THREADS = 16 };
    for (int round = 0; round < 10; round++) {
        struct race race = {0};
        pthread_t threads[THREADS];
        pthread_barrier_init(&race.barrier, NULL, THREADS);
        for (int i = 0; i < THREADS; i++)
            assert_int_equal(pthread_create(&threads[i], NULL, initialize_in_thread, &race), 0);
        for (int i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        pthread_barrier_destroy(&race.barrier);
        assert_int_equal(race.won, 1);
        assert_int_equal(race.lost, THREADS - 1);
        assert_int_equal(fake.clients, 1);
        assert_rv(C_Finalize(NULL), CKR_OK);
        assert_int_equal(fake.clients, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(second_initialize_is_refused, reset),
        cmocka_unit_test_setup(nothing_works_before_initialize, reset),
        cmocka_unit_test_setup(initialize_works_again_after_finalize_and_frees_everything, reset),
        cmocka_unit_test_setup(handles_from_before_finalize_are_not_valid_afterwards, reset),
        cmocka_unit_test_setup(finalize_refuses_an_argument, reset),
        cmocka_unit_test_setup(locking_modes_are_judged, reset),
        cmocka_unit_test_setup(without_a_configuration_there_is_no_slot, reset),
        cmocka_unit_test_setup(a_wrong_configuration_is_an_error, reset),
        cmocka_unit_test_setup(initialize_asks_for_no_keys, reset),
        cmocka_unit_test_setup(a_forked_child_begins_anew_and_the_parent_goes_on, reset),
        cmocka_unit_test_setup(a_child_of_a_child_begins_anew, reset),
        cmocka_unit_test_setup(of_many_threads_that_initialize_one_wins, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

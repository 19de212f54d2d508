/* SPDX-License-Identifier: Apache-2.0 */
/* Many threads at once, while the listing changes and others log in and out: run under TSan and ASan too. */
#include "host.h"

#include <pthread.h>

enum { THREADS = 64, TURNS = 20 };

static atomic_int failures;

static void note(CK_RV rv)
{
    if (rv != CKR_OK)
        atomic_fetch_add(&failures, 1);
}

static CK_OBJECT_HANDLE find_key(CK_SESSION_HANDLE session)
{
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE wanted[] = {ATTRIBUTE(CKA_CLASS, class), {CKA_LABEL, "demo-p256", 9}};
    CK_OBJECT_HANDLE key = 0;
    CK_ULONG count = 0;
    note(C_FindObjectsInit(session, wanted, 2));
    note(C_FindObjects(session, &key, 1, &count));
    note(C_FindObjectsFinal(session));
    return key;
}

static void *sign_often(void *argument)
{
    (void)argument;
    CK_SESSION_HANDLE session = 0;
    CK_MECHANISM mechanism = {CKM_ECDSA_SHA256, NULL, 0};
    CK_BYTE data[100] = {0}, signature[64], id[20];
    CK_ATTRIBUTE wanted = ATTRIBUTE(CKA_ID, id);
    note(C_OpenSession(SLOT_MAIN, CKF_SERIAL_SESSION, NULL, NULL, &session));
    for (int i = 0; i < TURNS; i++) {
        CK_ULONG len = sizeof signature;
        CK_OBJECT_HANDLE key = find_key(session);
        note(C_GetAttributeValue(session, key, &wanted, 1));
        note(C_SignInit(session, &mechanism, key));
        note(C_SignUpdate(session, data, sizeof data));
        note(C_SignFinal(session, signature, &len));
    }
    note(C_CloseSession(session));
    return NULL;
}

/* The other token comes and goes meanwhile. */
static void *log_in_and_out(void *argument)
{
    (void)argument;
    for (int i = 0; i < TURNS; i++) {
        CK_SESSION_HANDLE session = 0;
        note(C_OpenSession(SLOT_EDWARDS, CKF_SERIAL_SESSION, NULL, NULL, &session));
        CK_RV rv = host_login(session, fake.pin);
        note(rv == CKR_USER_ALREADY_LOGGED_IN ? CKR_OK : rv);
        note(C_CloseSession(session));
    }
    return NULL;
}

static void sixty_four_threads_sign_with_a_session_each(void **state)
{
    (void)state;
    pthread_t threads[THREADS], other;
    (void)host_open_logged_in(SLOT_MAIN);
    failures = 0;
    assert_int_equal(pthread_create(&other, NULL, log_in_and_out, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, sign_often, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    pthread_join(other, NULL);
    assert_int_equal(failures, 0);
    assert_int_equal(fake.sign_calls, THREADS * TURNS);
}

struct shared {
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE key;
    atomic_int done;
    atomic_int other;
};

/* What an application must not do; it may be refused, and nothing may break or wait. */
static void *share_session(void *argument)
{
    struct shared *s = argument;
    CK_MECHANISM mechanism = {CKM_ECDSA, NULL, 0};
    CK_BYTE digest[32] = {0}, signature[64];
    for (int i = 0; i < TURNS; i++) {
        CK_ULONG len = sizeof signature;
        (void)C_SignInit(s->session, &mechanism, s->key);
        CK_RV rv = C_Sign(s->session, digest, sizeof digest, signature, &len);
        atomic_fetch_add(&s->done, rv == CKR_OK);
        atomic_fetch_add(&s->other, rv != CKR_OK && rv != CKR_OPERATION_ACTIVE && rv != CKR_OPERATION_NOT_INITIALIZED);
    }
    return NULL;
}

static void threads_that_share_a_session_are_refused_and_nothing_breaks(void **state)
{
    (void)state;
    struct shared shared = {.session = host_open_logged_in(SLOT_MAIN)};
    shared.key = host_find(shared.session, CKO_PRIVATE_KEY, "demo-p256");
    pthread_t threads[8];
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, share_session, &shared), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(shared.other, 0);
    assert_int_equal(fake.sign_calls, shared.done);
}

struct owned {
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE key;
};

/* Copies, changes and destroys what all threads see; the copies of a session that is closed go with it. */
static void *change_objects(void *argument)
{
    const struct owned *theirs = argument;
    for (int i = 0; i < TURNS; i++) {
        CK_SESSION_HANDLE session = 0;
        CK_OBJECT_HANDLE copy = 0, other = 0;
        CK_BYTE label[8] = {(CK_BYTE)i}, seen[8];
        CK_ATTRIBUTE named = ATTRIBUTE(CKA_LABEL, label), wanted = ATTRIBUTE(CKA_LABEL, seen);
        note(C_OpenSession(SLOT_MAIN, CKF_SERIAL_SESSION, NULL, NULL, &session));
        note(C_CopyObject(session, theirs->key, &named, 1, &copy));
        note(C_CopyObject(session, copy, NULL, 0, &other));
        note(C_SetAttributeValue(session, theirs->key, &named, 1));
        note(C_GetAttributeValue(session, theirs->key, &wanted, 1));
        (void)find_key(session);
        note(C_DestroyObject(session, copy));
        note(C_CloseSession(session));
    }
    return NULL;
}

static void session_objects_are_changed_by_many_threads(void **state)
{
    (void)state;
    CK_BYTE params[16], point[80];
    CK_ATTRIBUTE from[] = {ATTRIBUTE(CKA_EC_PARAMS, params), ATTRIBUTE(CKA_EC_POINT, point)};
    struct owned mine = {.session = host_open_logged_in(SLOT_MAIN)};
    CK_OBJECT_HANDLE public = host_find(mine.session, CKO_PUBLIC_KEY, "demo-p256");
    assert_rv(C_GetAttributeValue(mine.session, public, from, 2), CKR_OK);
    CK_OBJECT_CLASS class = CKO_PUBLIC_KEY;
    CK_KEY_TYPE type = CKK_EC;
    CK_ATTRIBUTE template[] = {ATTRIBUTE(CKA_CLASS, class), ATTRIBUTE(CKA_KEY_TYPE, type), from[0], from[1]};
    assert_rv(C_CreateObject(mine.session, template, 4, &mine.key), CKR_OK);

    pthread_t threads[8];
    failures = 0;
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, change_objects, &mine), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(failures, 0);
    CK_BBOOL no = CK_FALSE;
    CK_ATTRIBUTE left = ATTRIBUTE(CKA_TOKEN, no);
    assert_int_equal(host_count(mine.session, &left, 1), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sixty_four_threads_sign_with_a_session_each, host_setup, host_teardown),
        cmocka_unit_test_setup_teardown(threads_that_share_a_session_are_refused_and_nothing_breaks, host_setup,
                                        host_teardown),
        cmocka_unit_test_setup_teardown(session_objects_are_changed_by_many_threads, host_setup, host_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

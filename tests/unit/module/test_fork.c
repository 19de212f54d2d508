/* SPDX-License-Identifier: Apache-2.0 */
/* Fork tolerance (PKCS#11 3.0 §5.4.6): after fork() both processes go on with a copy of sessions, operations and login.
 */
#include "host.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static CK_FUNCTION_LIST_3_0 *fork_safe_list(void)
{
    CK_INTERFACE *found = NULL;
    assert_rv(C_GetInterface(NULL, NULL, &found, CKF_INTERFACE_FORK_SAFE), CKR_OK);
    return found->pFunctionList;
}

static int setup(void **state)
{
    (void)state;
    fake_reset();
    return fork_safe_list()->C_Initialize(NULL) == CKR_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    return C_Finalize(NULL) == CKR_OK && fake.clients == 0 ? 0 : -1;
}

struct host {
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE key;
};

static struct host host_ready(void)
{
    struct host h = {.session = host_open_logged_in(SLOT_MAIN)};
    h.key = host_find(h.session, CKO_PRIVATE_KEY, "demo-p256");
    assert_int_not_equal(h.key, 0);
    return h;
}

/* Runs the check in a child, which gets a minute; its exit status is the number of the step that failed. */
static pid_t child_start(int (*check)(const struct host *h), const struct host *h)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)alarm(60);
        _exit(check(h));
    }
    return child;
}

static void child_expect_well(pid_t child)
{
    int ended = -1;
    assert_int_equal(waitpid(child, &ended, 0), child);
    assert_true(WIFEXITED(ended));
    assert_int_equal(WEXITSTATUS(ended), 0);
}

static CK_RV sign_once(const struct host *h)
{
    CK_MECHANISM mechanism = {CKM_ECDSA_SHA256, NULL, 0};
    CK_BYTE signature[64];
    CK_ULONG len = sizeof signature;
    CK_RV rv = C_SignInit(h->session, &mechanism, h->key);
    return rv == CKR_OK ? C_Sign(h->session, (CK_BYTE_PTR) "data", 4, signature, &len) : rv;
}

static int goes_on(const struct host *h)
{
    CK_SESSION_INFO info;
    CK_OBJECT_CLASS class = 0;
    CK_ATTRIBUTE wanted = ATTRIBUTE(CKA_CLASS, class);
    if (C_GetSessionInfo(h->session, &info) != CKR_OK || info.state != CKS_RO_USER_FUNCTIONS)
        return 1;
    if (C_GetAttributeValue(h->session, h->key, &wanted, 1) != CKR_OK || class != CKO_PRIVATE_KEY)
        return 2;
    if (sign_once(h) != CKR_OK)
        return 3;
    if (fake.continued != 1 || fake.abandoned != 0 || fake.logins != 1)
        return 4;
    return C_Initialize(NULL) == CKR_CRYPTOKI_ALREADY_INITIALIZED ? 0 : 5;
}

static void parent_and_child_go_on_with_session_login_and_handles(void **state)
{
    (void)state;
    struct host h = host_ready();
    child_expect_well(child_start(goes_on, &h));
    assert_rv(sign_once(&h), CKR_OK);
    assert_int_equal(fake.continued, 0); /* that was the child's copy */
}

static void several_children_at_once_go_on(void **state)
{
    (void)state;
    struct host h = host_ready();
    pid_t children[8];
    for (size_t i = 0; i < COUNT_OF(children); i++)
        children[i] = child_start(goes_on, &h);
    assert_rv(sign_once(&h), CKR_OK);
    for (size_t i = 0; i < COUNT_OF(children); i++)
        child_expect_well(children[i]);
}

static int child_of_child(const struct host *h)
{
    fake.continued = 0;
    child_expect_well(child_start(goes_on, h)); /* a failed assertion ends the child with another code */
    return sign_once(h) == CKR_OK ? 0 : 9;
}

static void a_child_of_a_child_goes_on(void **state)
{
    (void)state;
    struct host h = host_ready();
    child_expect_well(child_start(child_of_child, &h));
}

static int logs_out_and_closes(const struct host *h)
{
    if (C_Logout(h->session) != CKR_OK || C_CloseSession(h->session) != CKR_OK)
        return 1;
    return C_OpenSession(SLOT_MAIN, CKF_SERIAL_SESSION, NULL, NULL, &(CK_SESSION_HANDLE){0}) == CKR_OK ? 0 : 2;
}

static void what_a_child_closes_stays_open_in_the_parent(void **state)
{
    (void)state;
    struct host h = host_ready();
    child_expect_well(child_start(logs_out_and_closes, &h));
    assert_rv(sign_once(&h), CKR_OK);
    assert_int_equal(fake.logouts, 0);
}

static CK_ULONG all; /* that a whole search finds */

static int search_ends(const struct host *h)
{
    CK_OBJECT_HANDLE found[64];
    CK_ULONG count = 0;
    if (C_FindObjects(h->session, found, COUNT_OF(found), &count) != CKR_OK || count != all - 1)
        return 1;
    return C_FindObjectsFinal(h->session) == CKR_OK ? 0 : 2;
}

static void a_search_under_way_goes_on_in_both(void **state)
{
    (void)state;
    struct host h = host_ready();
    CK_OBJECT_HANDLE first = 0;
    CK_ULONG count = 0;
    all = host_count(h.session, NULL, 0);
    assert_true(all > 1);
    assert_rv(C_FindObjectsInit(h.session, NULL, 0), CKR_OK);
    assert_rv(C_FindObjects(h.session, &first, 1, &count), CKR_OK);
    child_expect_well(child_start(search_ends, &h));
    assert_int_equal(search_ends(&h), 0);
}

static bool last_digest_is_of(const char *text)
{
    CK_SESSION_HANDLE session = host_open(SLOT_MAIN);
    CK_MECHANISM mechanism = {CKM_SHA256, NULL, 0};
    CK_BYTE digest[32];
    CK_ULONG len = sizeof digest;
    return C_DigestInit(session, &mechanism) == CKR_OK &&
           C_Digest(session, (CK_BYTE_PTR)(uintptr_t)text, strlen(text), digest, &len) == CKR_OK &&
           memcmp(digest, fake.last_digest, len) == 0;
}

static int sign_ends(const struct host *h, const char *rest, const char *whole)
{
    CK_BYTE signature[64];
    CK_ULONG len = sizeof signature;
    if (C_SignUpdate(h->session, (CK_BYTE_PTR)(uintptr_t)rest, strlen(rest)) != CKR_OK)
        return 1;
    if (C_SignFinal(h->session, signature, &len) != CKR_OK || len != 64)
        return 2;
    return last_digest_is_of(whole) ? 0 : 3;
}

static int sign_ends_in_child(const struct host *h)
{
    return sign_ends(h, "in the child", "begun and ended in the child");
}

static void a_signature_in_parts_goes_on_in_both(void **state)
{
    (void)state;
    struct host h = host_ready();
    CK_MECHANISM mechanism = {CKM_ECDSA_SHA256, NULL, 0};
    assert_rv(C_SignInit(h.session, &mechanism, h.key), CKR_OK);
    assert_rv(C_SignUpdate(h.session, (CK_BYTE_PTR) "begun and ended ", 16), CKR_OK);
    child_expect_well(child_start(sign_ends_in_child, &h));
    assert_int_equal(sign_ends(&h, "in the parent", "begun and ended in the parent"), 0);
}

static void *sign_in_thread(void *argument)
{
    return (void *)(uintptr_t)sign_once(argument);
}

/* The thread that held the session is not here: the session is free, its operation gone, and nothing keeps the module.
 */
static int held_session_is_free(const struct host *h)
{
    fake.holding = false;
    CK_SESSION_INFO info;
    CK_ULONG len = 0;
    if (C_GetSessionInfo(h->session, &info) != CKR_OK)
        return 1;
    if (C_SignFinal(h->session, NULL, &len) != CKR_OPERATION_NOT_INITIALIZED)
        return 2;
    if (sign_once(h) != CKR_OK)
        return 3;
    return C_Finalize(NULL) == CKR_OK && fake.clients == 0 ? 0 : 4;
}

static void a_session_busy_in_another_thread_is_free_in_the_child(void **state)
{
    (void)state;
    struct host h = host_ready();
    pthread_t thread;
    void *rv = NULL;
    fake.holding = true;
    assert_int_equal(pthread_create(&thread, NULL, sign_in_thread, &h), 0);
    for (int i = 0; i < 10000 && fake.held == 0; i++)
        (void)usleep(1000);
    assert_int_equal(fake.held, 1);

    child_expect_well(child_start(held_session_is_free, &h));

    fake.holding = false;
    assert_int_equal(pthread_join(thread, &rv), 0);
    assert_int_equal((uintptr_t)rv, CKR_OK);
}

/* gcc 12's sanitizers have locks of their own, in malloc, which such a child may inherit held. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
static atomic_bool stopping;

static void *sign_until_stopped(void *argument)
{
    (void)argument;
    struct host h = {0};
    CK_RV rv = C_OpenSession(SLOT_MAIN, CKF_SERIAL_SESSION, NULL, NULL, &h.session);
    while (rv == CKR_OK && !stopping) {
        h.key = host_find(h.session, CKO_PRIVATE_KEY, "demo-p256");
        rv = sign_once(&h);
    }
    return (void *)(uintptr_t)rv;
}

/* All but the signature itself: the fake client makes it in the host's OpenSSL context, which another thread may have
 * locked. tests/component/module/test_host.c has the real one. */
static int works_and_finalizes(const struct host *h)
{
    CK_MECHANISM mechanism = {CKM_ECDSA_SHA256, NULL, 0};
    CK_ULONG len = 0;
    CK_SESSION_HANDLE session = 0;
    if (C_OpenSession(SLOT_MAIN, CKF_SERIAL_SESSION, NULL, NULL, &session) != CKR_OK)
        return 1;
    if (host_find(session, CKO_PRIVATE_KEY, "demo-p256") != h->key)
        return 2;
    if (C_SignInit(session, &mechanism, h->key) != CKR_OK || C_SignUpdate(session, (CK_BYTE_PTR) "data", 4) != CKR_OK)
        return 3;
    if (C_SignFinal(session, NULL, &len) != CKR_OK || len != 64)
        return 4;
    return C_Finalize(NULL) == CKR_OK ? 0 : 5;
}

static void forks_in_the_middle_of_calls_of_other_threads_leave_whole_children(void **state)
{
    (void)state;
    enum { THREADS = 8, FORKS = 100 };
    struct host h = host_ready();
    pthread_t threads[THREADS];
    stopping = false;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, sign_until_stopped, NULL), 0);
    for (int i = 0; i < FORKS; i++)
        child_expect_well(child_start(works_and_finalizes, &h));
    stopping = true;
    for (int i = 0; i < THREADS; i++) {
        void *rv = NULL;
        assert_int_equal(pthread_join(threads[i], &rv), 0);
        assert_int_equal((uintptr_t)rv, CKR_OK);
    }
}

#endif

static int is_not_initialized(const struct host *h)
{
    CK_SESSION_INFO info;
    return C_GetSessionInfo(h->session, &info) == CKR_CRYPTOKI_NOT_INITIALIZED && fake.continued == 0 ? 0 : 1;
}

static void how_it_was_initialised_decides_and_not_which_list_is_called(void **state)
{
    (void)state;
    assert_rv(C_Finalize(NULL), CKR_OK);
    assert_rv(C_Initialize(NULL), CKR_OK);
    assert_rv(fork_safe_list()->C_Initialize(NULL), CKR_CRYPTOKI_ALREADY_INITIALIZED);
    struct host h = host_ready();
    child_expect_well(child_start(is_not_initialized, &h));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(parent_and_child_go_on_with_session_login_and_handles),
        TEST(several_children_at_once_go_on),
        TEST(a_child_of_a_child_goes_on),
        TEST(what_a_child_closes_stays_open_in_the_parent),
        TEST(a_search_under_way_goes_on_in_both),
        TEST(a_signature_in_parts_goes_on_in_both),
        TEST(a_session_busy_in_another_thread_is_free_in_the_child),
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
        TEST(forks_in_the_middle_of_calls_of_other_threads_leave_whole_children),
#endif
        TEST(how_it_was_initialised_decides_and_not_which_list_is_called),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Many threads at once. */
#include <pthread.h>
#include <stdatomic.h>

#include "host.h"

enum { SIGNERS = 64, OTHERS = 4, TURNS = 3, SHARERS = 8, TRIES = 30 };

static atomic_bool stopping;

static void *sign_some(void *argument)
{
    (void)argument;
    struct signer s = p11_signer();
    for (int i = 0; i < TURNS; i++)
        p11_sign(&s, "in a thread");
    must_rv(p11->C_CloseSession(s.session), CKR_OK);
    return NULL;
}

static void *open_search_close(void *argument)
{
    (void)argument;
    while (!stopping) {
        CK_OBJECT_HANDLE found[16];
        CK_ULONG count = 0;
        CK_SESSION_HANDLE session = p11_open();
        must_rv(p11->C_FindObjectsInit(session, NULL, 0), CKR_OK);
        must_rv(p11->C_FindObjects(session, found, 16, &count), CKR_OK);
        must(count > 0);
        must_rv(p11->C_CloseSession(session), CKR_OK);
    }
    return NULL;
}

static void many_threads(void)
{
    pthread_t signers[SIGNERS], others[OTHERS];
    CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
    (void)p11_load();
    must_rv(p11->C_Initialize(&args), CKR_OK);
    struct signer s = p11_signer(); /* holds the login */
    for (int i = 0; i < OTHERS; i++)
        must(pthread_create(&others[i], NULL, open_search_close, NULL) == 0);
    for (int i = 0; i < SIGNERS; i++)
        must(pthread_create(&signers[i], NULL, sign_some, NULL) == 0);
    for (int i = 0; i < SIGNERS; i++)
        must(pthread_join(signers[i], NULL) == 0);
    stopping = true;
    for (int i = 0; i < OTHERS; i++)
        must(pthread_join(others[i], NULL) == 0);
    p11_sign(&s, "at last");
    must_rv(p11->C_Finalize(NULL), CKR_OK);
}

/* What an application must not do: it gets an error, and never a signature of something else. */
static void *share(void *argument)
{
    for (int i = 0; i < TRIES; i++) {
        CK_RV rv = p11_try_sign(argument, "shared");
        must(rv == CKR_OK || rv == CKR_OPERATION_ACTIVE || rv == CKR_OPERATION_NOT_INITIALIZED);
    }
    return NULL;
}

static void one_session(void)
{
    pthread_t sharers[SHARERS];
    (void)p11_load();
    must_rv(p11->C_Initialize(NULL), CKR_OK);
    struct signer s = p11_signer();
    for (int i = 0; i < SHARERS; i++)
        must(pthread_create(&sharers[i], NULL, share, &s) == 0);
    for (int i = 0; i < SHARERS; i++)
        must(pthread_join(sharers[i], NULL) == 0);
    must_rv(p11->C_Finalize(NULL), CKR_OK);
}

const struct host_case thread_cases[] = {
    {"threads", many_threads},
    {"threads-one-session", one_session},
    {NULL, NULL},
};

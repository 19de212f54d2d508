/* SPDX-License-Identifier: Apache-2.0 */
/* The process ends, in whatever order. exit() runs the handlers; main returns into it. */
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <stddef.h>
#include <unistd.h>

#include "host.h"

static struct signer ready(void)
{
    (void)p11_load();
    must_rv(p11->C_Initialize(NULL), CKR_OK);
    struct signer s = p11_signer();
    p11_sign(&s, "before the end");
    return s;
}

static void without_finalize(void)
{
    (void)ready();
}

static void finalize(void)
{
    must_rv(p11->C_CloseAllSessions(p11_slot()), CKR_OK);
    must_rv(p11->C_Finalize(NULL), CKR_OK);
}

/* Runs after libcrypto's own clean-up, which is registered later. */
static void finalize_last(void)
{
    must(atexit(finalize) == 0);
    (void)ready();
}

static void finalize_first(void)
{
    (void)ready();
    must(atexit(finalize) == 0);
}

/* As an engine does that is torn down by OPENSSL_cleanup. */
static void finalize_in_openssl_cleanup(void)
{
    (void)ready();
    must(OPENSSL_atexit(finalize) == 1);
}

static atomic_bool signing;

static void *sign_for_ever(void *argument)
{
    CK_BYTE signature[64]; /* not checked: the host's own libcrypto is being cleaned up */
    CK_RV rv = CKR_OK;
    while (rv == CKR_OK) {
        rv = p11_sign_only(argument, "until the end", signature);
        signing = true;
    }
    must_rv(rv, CKR_CRYPTOKI_NOT_INITIALIZED);
    return NULL;
}

static pthread_t thread_that_signs(void)
{
    static struct signer s;
    pthread_t thread;
    s = ready();
    must(pthread_create(&thread, NULL, sign_for_ever, &s) == 0);
    while (!signing)
        (void)usleep(1000);
    return thread;
}

static void while_a_thread_signs(void)
{
    must(pthread_detach(thread_that_signs()) == 0); /* nobody waits for it */
}

/* The call that runs ends well, the next one is told. */
static void finalize_while_a_thread_signs(void)
{
    pthread_t thread = thread_that_signs();
    must_rv(p11->C_Finalize(NULL), CKR_OK);
    must(pthread_join(thread, NULL) == 0);
}

const struct host_case exit_cases[] = {
    {"exit-without-finalize", without_finalize},
    {"exit-finalize-last", finalize_last},
    {"exit-finalize-first", finalize_first},
    {"exit-openssl-cleanup", finalize_in_openssl_cleanup},
    {"exit-while-signing", while_a_thread_signs},
    {"finalize-while-signing", finalize_while_a_thread_signs},
    {NULL, NULL},
};

/* SPDX-License-Identifier: Apache-2.0 */
/* From dlopen to dlclose, again and again; how C_Initialize may be called; what goes wrong. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host.h"

enum { LIVES = 100, WARM_UP = 20, GROWTH_KB = 2048, THREADS = 16, ROUNDS = 5 };

static void live_once(void)
{
    void *library = p11_load();
    must_rv(p11->C_Initialize(NULL), CKR_OK);
    struct signer s = p11_signer();
    p11_sign(&s, "once more");
    must_rv(p11->C_Finalize(NULL), CKR_OK);
    must(dlclose(library) == 0);
}

static long resident_kb(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    must(file && fscanf(file, "%*s %ld", &pages) == 1);
    (void)fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* A sanitizer keeps freed memory for a while: there its own search for leaks counts, not the size. */
static bool is_size_telling(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return false;
#else
    return true;
#endif
}

static void lives(void)
{
    long kb = 0;
    int descriptors = 0;
    for (int i = 0; i < LIVES; i++) {
        live_once();
        if (i == WARM_UP) {
            kb = resident_kb();
            descriptors = descriptors_count();
        }
    }
    must(descriptors_count() == descriptors);
    long grown = resident_kb() - kb;
    if (grown >= GROWTH_KB)
        (void)fprintf(stderr, "%ld kB more\n", grown);
    must(!is_size_telling() || grown < GROWTH_KB);
}

static CK_RV mutex_create(void **mutex)
{
    *mutex = mutex;
    return CKR_OK;
}

static CK_RV mutex_use(void *mutex)
{
    (void)mutex;
    return CKR_OK;
}

static void locking(void)
{
    int reserved = 0;
    struct {
        CK_C_INITIALIZE_ARGS args;
        CK_RV rv;
    } rows[] = {
        {{.flags = 0}, CKR_OK},
        {{.flags = CKF_OS_LOCKING_OK}, CKR_OK},
        {{.flags = CKF_LIBRARY_CANT_CREATE_OS_THREADS}, CKR_OK},
        {{mutex_create, mutex_use, mutex_use, mutex_use, CKF_OS_LOCKING_OK, NULL}, CKR_OK},
        {{mutex_create, mutex_use, mutex_use, mutex_use, 0, NULL}, CKR_CANT_LOCK},
        {{mutex_create, mutex_use, NULL, NULL, CKF_OS_LOCKING_OK, NULL}, CKR_ARGUMENTS_BAD},
        {{.pReserved = &reserved}, CKR_ARGUMENTS_BAD},
    };
    (void)p11_load();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        must_rv(p11->C_Initialize(&rows[i].args), rows[i].rv);
        must_rv(p11->C_Finalize(NULL), rows[i].rv == CKR_OK ? CKR_OK : CKR_CRYPTOKI_NOT_INITIALIZED);
        if (rows[i].rv != CKR_OK)
            continue;
        must_rv(p11->C_Initialize(&rows[i].args), CKR_OK);
        struct signer s = p11_signer();
        p11_sign(&s, "in this mode");
        must_rv(p11->C_Finalize(NULL), CKR_OK);
    }
}

static atomic_int won, lost;

static void *initialize(void *barrier)
{
    (void)pthread_barrier_wait(barrier);
    CK_RV rv = p11->C_Initialize(NULL);
    must(rv == CKR_OK || rv == CKR_CRYPTOKI_ALREADY_INITIALIZED);
    atomic_fetch_add(rv == CKR_OK ? &won : &lost, 1);
    struct signer s = p11_signer(); /* whoever won, all can work */
    p11_sign(&s, "in a thread");
    return NULL;
}

static void initialize_at_once(void)
{
    (void)p11_load();
    for (int round = 0; round < ROUNDS; round++) {
        pthread_t threads[THREADS];
        pthread_barrier_t barrier;
        won = lost = 0;
        must(pthread_barrier_init(&barrier, NULL, THREADS) == 0);
        for (int i = 0; i < THREADS; i++)
            must(pthread_create(&threads[i], NULL, initialize, &barrier) == 0);
        for (int i = 0; i < THREADS; i++)
            must(pthread_join(threads[i], NULL) == 0);
        (void)pthread_barrier_destroy(&barrier);
        must(won == 1 && lost == THREADS - 1);
        must_rv(p11->C_Finalize(NULL), CKR_OK);
    }
}

static void go_wrong(const struct signer *s)
{
    CK_MECHANISM unknown = {CKM_AES_CBC, NULL, 0}, ecdsa = {CKM_ECDSA_SHA256, NULL, 0};
    CK_BYTE out[64];
    CK_ULONG len = 1;
    CK_SESSION_HANDLE session = 0;
    must_rv(p11->C_OpenSession(99, CKF_SERIAL_SESSION, NULL, NULL, &session), CKR_SLOT_ID_INVALID);
    must_rv(p11->C_SignInit(s->session, &unknown, s->key), CKR_MECHANISM_INVALID);
    must_rv(p11->C_SignInit(s->session, &ecdsa, s->key + 1000), CKR_KEY_HANDLE_INVALID);
    must_rv(p11->C_SignFinal(s->session, out, &len), CKR_OPERATION_NOT_INITIALIZED);
    must_rv(p11->C_SignInit(s->session, &ecdsa, s->key), CKR_OK);
    must_rv(p11->C_SignUpdate(s->session, out, sizeof out), CKR_OK);
    must_rv(p11->C_SignFinal(s->session, out, &len), CKR_BUFFER_TOO_SMALL);
    must_rv(p11->C_CloseSession(s->session), CKR_OK); /* in the middle of it */
    must_rv(p11->C_CloseSession(s->session), CKR_SESSION_HANDLE_INVALID);
}

static void digest_and_verify(const struct signer *s)
{
    CK_MECHANISM sha256 = {CKM_SHA256, NULL, 0};
    CK_BYTE digest[32];
    CK_ULONG len = sizeof digest;
    must_rv(p11->C_DigestInit(s->session, &sha256), CKR_OK);
    must_rv(p11->C_DigestUpdate(s->session, (CK_BYTE_PTR) "abc", 3), CKR_OK);
    must_rv(p11->C_DigestFinal(s->session, digest, &len), CKR_OK);
    must(digest[0] == 0xba && digest[31] == 0xad); /* FIPS 180 example */

    CK_OBJECT_CLASS class = CKO_PUBLIC_KEY;
    CK_ATTRIBUTE wanted = {CKA_CLASS, &class, sizeof class};
    CK_MECHANISM ecdsa = {CKM_ECDSA_SHA256, NULL, 0};
    CK_OBJECT_HANDLE public = 0;
    CK_ULONG count = 0;
    CK_BYTE zeros[64] = {0};
    must_rv(p11->C_FindObjectsInit(s->session, &wanted, 1), CKR_OK);
    must_rv(p11->C_FindObjects(s->session, &public, 1, &count), CKR_OK);
    must_rv(p11->C_FindObjectsFinal(s->session), CKR_OK);
    must_rv(p11->C_VerifyInit(s->session, &ecdsa, public), CKR_OK);
    must_rv(p11->C_Verify(s->session, (CK_BYTE_PTR) "abc", 3, zeros, sizeof zeros), CKR_SIGNATURE_INVALID);
}

/* Everything a host does, well and badly: to be looked at for what it leaves behind. */
static void whole_life(void)
{
    void *library = p11_load();
    for (int i = 0; i < 2; i++) {
        must_rv(p11->C_Initialize(NULL), CKR_OK);
        CK_SESSION_HANDLE session = p11_open();
        must_rv(p11->C_Login(session, CKU_USER, (CK_UTF8CHAR_PTR) "not the PIN", 11), CKR_PIN_INCORRECT);
        struct signer s = p11_signer();
        p11_sign(&s, "well");
        digest_and_verify(&s);
        go_wrong(&s);
        must_rv(p11->C_Logout(session), CKR_OK);
        must_rv(p11->C_Finalize(NULL), CKR_OK);
    }
    must(dlclose(library) == 0);
}

const struct host_case life_cases[] = {
    {"lives", lives},           {"locking", locking}, {"initialize-at-once", initialize_at_once},
    {"whole-life", whole_life}, {NULL, NULL},
};

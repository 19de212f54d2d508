/* SPDX-License-Identifier: Apache-2.0 */
/* The module over the real client and a server of our own: whichever allocation of ours fails, the call ends with
 * CKR_HOST_MEMORY or does without it, and the next life of the module is as if nothing had been. Under the sanitizers:
 * nothing is lost or used after its end. Only this thread's allocations fail, not the server's, and not those inside
 * OpenSSL and libcurl. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "chancery/pkcs11.h"
#include "common/log.h"
#include "tests/unit/client/fake_chancery.h"
#include "tests/unit/common/failing_malloc.h"

enum { ALLOCATIONS_MAX = 5000 };

static struct chancery server;
static CK_BYTE pin[] = "correct horse";

#define STEP(call)                                                                                                     \
    do {                                                                                                               \
        CK_RV step_rv = (call);                                                                                        \
        if (step_rv != CKR_OK)                                                                                         \
            return step_rv;                                                                                            \
    } while (0)

static CK_RV find(CK_SESSION_HANDLE session, CK_OBJECT_CLASS class, CK_OBJECT_HANDLE *found)
{
    CK_ULONG count = 0;
    CK_ATTRIBUTE wanted = {CKA_CLASS, &class, sizeof class};
    STEP(C_FindObjectsInit(session, &wanted, 1));
    STEP(C_FindObjects(session, found, 1, &count));
    STEP(C_FindObjectsFinal(session));
    return count == 1 ? CKR_OK : CKR_FUNCTION_FAILED;
}

static CK_RV sign_and_verify(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE private, CK_OBJECT_HANDLE public)
{
    CK_BYTE digest[32] = {1, 2, 3}, signature[64];
    CK_ULONG len = sizeof signature;
    CK_MECHANISM ecdsa = {CKM_ECDSA, NULL, 0};
    STEP(C_SignInit(session, &ecdsa, private));
    STEP(C_Sign(session, digest, sizeof digest, signature, &len));
    STEP(C_VerifyInit(session, &ecdsa, public));
    return C_Verify(session, digest, sizeof digest, signature, len);
}

static CK_RV sign_in_parts(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE private)
{
    CK_BYTE text[] = "to be sealed", signature[64];
    CK_ULONG len = sizeof signature;
    CK_MECHANISM hashed = {CKM_ECDSA_SHA256, NULL, 0};
    STEP(C_SignInit(session, &hashed, private));
    STEP(C_SignUpdate(session, text, sizeof text));
    return C_SignFinal(session, signature, &len);
}

static CK_RV session_open(CK_SESSION_HANDLE *session)
{
    CK_SLOT_ID slots[4];
    CK_ULONG count = 4;
    STEP(C_GetSlotList(CK_TRUE, slots, &count));
    STEP(C_OpenSession(slots[0], CKF_SERIAL_SESSION, NULL, NULL, session));
    return C_Login(*session, CKU_USER, pin, sizeof pin - 1);
}

static CK_RV signer_work(void)
{
    CK_SESSION_HANDLE session = 0;
    CK_OBJECT_HANDLE private = 0, public = 0;
    STEP(session_open(&session));
    STEP(find(session, CKO_PRIVATE_KEY, &private));
    STEP(find(session, CKO_PUBLIC_KEY, &public));
    STEP(sign_and_verify(session, private, public));
    STEP(sign_in_parts(session, private));
    return C_CloseSession(session);
}

static CK_RV login_work(void)
{
    CK_SESSION_HANDLE session = 0;
    STEP(session_open(&session));
    return C_Logout(session);
}

/* From C_Initialize to C_Finalize, which always succeeds. */
static CK_RV live(CK_RV (*work)(void))
{
    STEP(C_Initialize(NULL));
    CK_RV rv = work();
    assert_int_equal(C_Finalize(NULL), CKR_OK);
    log_close();
    return rv;
}

static void server_begin(const char *key, struct slice passphrase)
{
    char path[192], rest[256];
    struct buf pem = {0};
    chancery_start(&server);
    chancery_path(&server, key, path);
    if (passphrase.len > 0)
        assert_true(is_ok(client_enroll(path, passphrase, &pem, NULL)));
    buf_clear(&pem);
    (void)snprintf(rest, sizeof rest,
                   "[credential]\ntype = service_account\naccount = build-1\nkey = %s\n"
                   "[cache]\npublic_data = public.json\n[log]\nfile = module.log\nlevel = debug\n",
                   key);
    chancery_configure(&server, rest);
    assert_int_equal(setenv("CHANCERY_CONF", server.config, 1), 0);
}

/* The server is a new one each time: it keeps every request. */
static int each_allocation_fails_once(CK_RV (*work)(void), const char *key, struct slice passphrase)
{
    for (int nth = 1; nth < ALLOCATIONS_MAX; nth++) {
        server_begin(key, passphrase);
        failing_malloc_arm(nth);
        CK_RV rv = live(work);
        int hit = failing_malloc_hit();
        if (rv != CKR_OK && rv != CKR_HOST_MEMORY)
            fail_msg("allocation %d fails: 0x%lx", nth, rv);
        CK_RV next = live(work);
        if (next != CKR_OK)
            fail_msg("after the failure of allocation %d: 0x%lx", nth, next);
        chancery_stop(&server);
        if (!hit) {
            assert_int_equal(rv, CKR_OK);
            return nth - 1;
        }
    }
    fail_msg("more than %d allocations", ALLOCATIONS_MAX);
    return 0;
}

static void i10_a_signer_survives_the_failure_of_each_allocation(void **state)
{
    (void)state;
    int count = each_allocation_fails_once(signer_work, "build-1.key", (struct slice){0});
    print_message("%d allocations\n", count);
    assert_in_range(count, 100, ALLOCATIONS_MAX); /* else the failures are not reached */
}

static void i10_a_login_survives_the_failure_of_each_allocation(void **state)
{
    (void)state;
    int count = each_allocation_fails_once(login_work, "locked.key", (struct slice){pin, sizeof pin - 1});
    print_message("%d allocations\n", count);
    assert_in_range(count, 20, ALLOCATIONS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(i10_a_signer_survives_the_failure_of_each_allocation),
        cmocka_unit_test(i10_a_login_survives_the_failure_of_each_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

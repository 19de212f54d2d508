/* SPDX-License-Identifier: Apache-2.0 */
/* Sixty-four threads that do everything at once: sign, search, make and change session objects, verify, log in and out
 * of the other token (which changes the credential, the access token and the listing for all), read what tokens tell.
 * Run with a listing that is never young, so that each search asks for it anew. */
#include <pthread.h>
#include <string.h>

#include "host.h"

enum { CROWD = 64, TURNS = 4 };
static const char text[] = "in a crowd";

static void sign_in_parts(void)
{
    CK_MECHANISM mechanism = {CKM_ECDSA_SHA256, NULL, 0};
    CK_BYTE signature[64];
    CK_ULONG len = sizeof signature;
    struct signer s = p11_signer();
    must_rv(p11->C_SignInit(s.session, &mechanism, s.key), CKR_OK);
    must_rv(p11->C_SignUpdate(s.session, (CK_BYTE_PTR)(uintptr_t)text, 2), CKR_OK);
    must_rv(p11->C_SignUpdate(s.session, (CK_BYTE_PTR)(uintptr_t)text + 2, sizeof text - 3), CKR_OK);
    must_rv(p11->C_SignFinal(s.session, signature, &len), CKR_OK);
    must(p11_verify(text, signature));
    must_rv(p11->C_CloseSession(s.session), CKR_OK);
}

static void search(void)
{
    CK_OBJECT_HANDLE found[16];
    CK_ULONG count = 0;
    CK_SESSION_HANDLE session = p11_open();
    must_rv(p11->C_FindObjectsInit(session, NULL, 0), CKR_OK);
    must_rv(p11->C_FindObjects(session, found, 16, &count), CKR_OK);
    must(count > 0);
    for (CK_ULONG i = 0; i < count; i++) {
        CK_OBJECT_CLASS class = 0;
        CK_ATTRIBUTE wanted = {CKA_CLASS, &class, sizeof class};
        CK_RV rv = p11->C_GetAttributeValue(session, found[i], &wanted, 1);
        must(rv == CKR_OK || rv == CKR_OBJECT_HANDLE_INVALID); /* another thread's session object may be gone */
    }
    must_rv(p11->C_CloseSession(session), CKR_OK);
}

/* A key of the session, copied from the numbers of the token's. */
static CK_OBJECT_HANDLE key_create(const struct signer *s)
{
    CK_BYTE params[16], point[80];
    CK_OBJECT_CLASS class = CKO_PUBLIC_KEY;
    CK_KEY_TYPE type = CKK_EC;
    CK_OBJECT_HANDLE made = 0;
    CK_ATTRIBUTE template[] = {{CKA_EC_PARAMS, params, sizeof params},
                               {CKA_EC_POINT, point, sizeof point},
                               {CKA_CLASS, &class, sizeof class},
                               {CKA_KEY_TYPE, &type, sizeof type}};
    must_rv(p11->C_GetAttributeValue(s->session, s->key, template, 2), CKR_OK);
    must_rv(p11->C_CreateObject(s->session, template, 4, &made), CKR_OK);
    return made;
}

static void use_session_objects(void)
{
    CK_MECHANISM mechanism = {CKM_ECDSA_SHA256, NULL, 0};
    CK_ATTRIBUTE label = {CKA_LABEL, (void *)(uintptr_t)text, sizeof text - 1};
    CK_BYTE signature[64] = {1};
    CK_OBJECT_HANDLE copy = 0;
    struct signer s = p11_signer();
    CK_OBJECT_HANDLE made = key_create(&s);
    must_rv(p11->C_CopyObject(s.session, made, &label, 1, &copy), CKR_OK);
    must_rv(p11->C_VerifyInit(s.session, &mechanism, made), CKR_OK);
    must_rv(p11->C_SetAttributeValue(s.session, made, &label, 1), CKR_OK);
    must_rv(p11->C_DestroyObject(s.session, made), CKR_OK); /* the verification keeps what it began with */
    must_rv(p11->C_Verify(s.session, (CK_BYTE_PTR)(uintptr_t)text, sizeof text - 1, signature, sizeof signature),
            CKR_SIGNATURE_INVALID);
    must_rv(p11->C_CloseSession(s.session), CKR_OK); /* and the copy with it */
}

static CK_SLOT_ID other_slot(void)
{
    return p11_slot() == 0 ? 1 : 0;
}

static void log_in_and_out(void)
{
    CK_SESSION_HANDLE session = 0;
    must_rv(p11->C_OpenSession(other_slot(), CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL, &session), CKR_OK);
    must(p11_login(session));
    CK_RV rv = p11->C_Logout(session);
    must(rv == CKR_OK || rv == CKR_USER_NOT_LOGGED_IN); /* another thread was faster */
    must_rv(p11->C_CloseSession(session), CKR_OK);
}

static void ask_around(void)
{
    CK_TOKEN_INFO token;
    CK_SESSION_INFO info;
    CK_MECHANISM_INFO mechanism;
    CK_BYTE random[32];
    CK_SESSION_HANDLE session = p11_open();
    must_rv(p11->C_GetTokenInfo(p11_slot(), &token), CKR_OK);
    must_rv(p11->C_GetSessionInfo(session, &info), CKR_OK);
    must_rv(p11->C_GetMechanismInfo(p11_slot(), CKM_ECDSA_SHA256, &mechanism), CKR_OK);
    must_rv(p11->C_GenerateRandom(session, random, sizeof random), CKR_OK);
    must_rv(p11->C_CloseSession(session), CKR_OK);
}

static void *take_part(void *argument)
{
    static void (*const roles[])(void) = {sign_in_parts, search, use_session_objects, log_in_and_out, ask_around};
    size_t number = (uintptr_t)argument;
    for (size_t turn = 0; turn < TURNS; turn++)
        roles[(number + turn) % (sizeof roles / sizeof *roles)]();
    return NULL;
}

static void crowd(void)
{
    pthread_t threads[CROWD];
    CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
    must_rv(p11->C_Initialize(&args), CKR_OK);
    struct signer s = p11_signer(); /* holds the login of the first token */
    for (uintptr_t i = 0; i < CROWD; i++)
        must(pthread_create(&threads[i], NULL, take_part, (void *)i) == 0);
    for (int i = 0; i < CROWD; i++)
        must(pthread_join(threads[i], NULL) == 0);
    p11_sign(&s, "at last");
    must_rv(p11->C_Finalize(NULL), CKR_OK);
}

static void crowd_classic(void)
{
    (void)p11_load();
    crowd();
}

static void crowd_fork_safe(void)
{
    p11_load_fork_safe();
    crowd();
}

const struct host_case crowd_cases[] = {
    {"crowd", crowd_classic},
    {"crowd-fork-safe", crowd_fork_safe},
    {NULL, NULL},
};

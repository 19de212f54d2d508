/* SPDX-License-Identifier: Apache-2.0 */
#include "host.h"

#include <dlfcn.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

CK_FUNCTION_LIST *p11;

const char *environment(const char *name)
{
    const char *value = getenv(name);
    if (!value) {
        (void)fprintf(stderr, "%s is not set; tests/e2e/faults.sh does that\n", name);
        exit(2);
    }
    return value;
}

void module_load(void)
{
    void *library = dlopen(environment("P11_MODULE"), RTLD_NOW | RTLD_LOCAL);
    CK_C_GetFunctionList get = library ? (CK_C_GetFunctionList)dlsym(library, "C_GetFunctionList") : NULL;
    if (!get || get(&p11) != CKR_OK) {
        (void)fprintf(stderr, "%s\n", dlerror());
        exit(2);
    }
}

/* The token with the RSA keys: the first. */
CK_SESSION_HANDLE host_begin(void)
{
    CK_SLOT_ID slots[4];
    CK_ULONG count = 4;
    CK_SESSION_HANDLE session = 0;
    const char *pin = environment("P11_PIN");
    assert_int_equal(p11->C_Initialize(NULL), CKR_OK);
    assert_int_equal(p11->C_GetSlotList(CK_TRUE, slots, &count), CKR_OK);
    assert_int_equal(p11->C_OpenSession(slots[0], CKF_SERIAL_SESSION, NULL, NULL, &session), CKR_OK);
    assert_int_equal(p11->C_Login(session, CKU_USER, (CK_BYTE *)pin, strlen(pin)), CKR_OK);
    return session;
}

void host_end(void)
{
    assert_int_equal(p11->C_Finalize(NULL), CKR_OK);
}

CK_RV find_begin(CK_SESSION_HANDLE session, CK_OBJECT_CLASS class, const char *label)
{
    CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &class, sizeof class}, {CKA_LABEL, (char *)label, strlen(label)}};
    return p11->C_FindObjectsInit(session, wanted, 2);
}

CK_OBJECT_HANDLE find_one(CK_SESSION_HANDLE session)
{
    CK_OBJECT_HANDLE found = CK_INVALID_HANDLE;
    CK_ULONG count = 0;
    assert_int_equal(p11->C_FindObjects(session, &found, 1, &count), CKR_OK);
    assert_int_equal(p11->C_FindObjectsFinal(session), CKR_OK);
    return count == 1 ? found : CK_INVALID_HANDLE;
}

CK_OBJECT_HANDLE find_private(CK_SESSION_HANDLE session)
{
    assert_int_equal(find_begin(session, CKO_PRIVATE_KEY, "demo-rsa2048"), CKR_OK);
    CK_OBJECT_HANDLE key = find_one(session);
    assert_int_not_equal(key, CK_INVALID_HANDLE);
    return key;
}

CK_RV sign_begin(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
    CK_MECHANISM mechanism = {CKM_SHA256_RSA_PKCS, NULL, 0};
    return p11->C_SignInit(session, &mechanism, key);
}

CK_RV sign(CK_SESSION_HANDLE session, const char *text, CK_BYTE signature[512], CK_ULONG *len)
{
    *len = 512;
    return p11->C_Sign(session, (CK_BYTE *)text, strlen(text), signature, len);
}

static EVP_PKEY *public_key(CK_SESSION_HANDLE session)
{
    CK_BYTE spki[1024];
    CK_ATTRIBUTE info = {CKA_PUBLIC_KEY_INFO, spki, sizeof spki};
    const CK_BYTE *at = spki;
    assert_int_equal(find_begin(session, CKO_PUBLIC_KEY, "demo-rsa2048"), CKR_OK);
    assert_int_equal(p11->C_GetAttributeValue(session, find_one(session), &info, 1), CKR_OK);
    EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)info.ulValueLen);
    assert_non_null(key);
    return key;
}

void sign_well(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE key)
{
    static int number;
    char text[64];
    CK_BYTE signature[512];
    CK_ULONG len = 0;
    (void)snprintf(text, sizeof text, "text number %d", ++number);
    assert_int_equal(sign_begin(session, key), CKR_OK);
    assert_int_equal(sign(session, text, signature, &len), CKR_OK);

    EVP_PKEY *verifier = public_key(session);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, verifier), 1);
    assert_int_equal(EVP_DigestVerify(ctx, signature, len, (const CK_BYTE *)text, strlen(text)), 1);
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(verifier);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/token.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fail(const char *what, CK_RV rv)
{
    fprintf(stderr, "bench-pkcs11: %s: 0x%lx\n", what, rv);
    exit(1);
}

static void check(const char *what, CK_RV rv)
{
    if (rv != CKR_OK)
        fail(what, rv);
}

static CK_FUNCTION_LIST *module_load(const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    CK_C_GetFunctionList get = library ? (CK_C_GetFunctionList)dlsym(library, "C_GetFunctionList") : NULL;
    if (!get) {
        fprintf(stderr, "bench-pkcs11: %s: %s\n", path, dlerror());
        exit(1);
    }
    CK_FUNCTION_LIST *p11 = NULL;
    check("C_GetFunctionList", get(&p11));
    return p11;
}

static int has_label(CK_FUNCTION_LIST *p11, CK_SLOT_ID slot, const char *label)
{
    CK_TOKEN_INFO info;
    size_t len = strlen(label);
    if (p11->C_GetTokenInfo(slot, &info) != CKR_OK || len > sizeof info.label || memcmp(info.label, label, len) != 0)
        return 0;
    while (len < sizeof info.label && info.label[len] == ' ')
        len++;
    return len == sizeof info.label;
}

static CK_SLOT_ID slot_find(CK_FUNCTION_LIST *p11, const char *label)
{
    CK_SLOT_ID slots[64];
    CK_ULONG count = sizeof slots / sizeof slots[0];
    check("C_GetSlotList", p11->C_GetSlotList(CK_TRUE, slots, &count));
    for (CK_ULONG i = 0; i < count; i++) {
        if (has_label(p11, slots[i], label))
            return slots[i];
    }
    fprintf(stderr, "bench-pkcs11: no token \"%s\"\n", label);
    exit(1);
}

void token_open(struct token *t, const struct token_choice *choice)
{
    CK_C_INITIALIZE_ARGS args = {.flags = CKF_OS_LOCKING_OK};
    t->p11 = module_load(choice->module);
    check("C_Initialize", t->p11->C_Initialize(&args));
    t->slot = slot_find(t->p11, choice->token);
    t->session = token_session(t);
    if (!choice->pin)
        return;
    CK_RV rv = t->p11->C_Login(t->session, CKU_USER, (CK_BYTE_PTR)choice->pin, strlen(choice->pin));
    if (rv != CKR_USER_ALREADY_LOGGED_IN)
        check("C_Login", rv);
}

void token_close(struct token *t)
{
    check("C_Finalize", t->p11->C_Finalize(NULL));
}

CK_SESSION_HANDLE token_session(const struct token *t)
{
    CK_SESSION_HANDLE session = 0;
    check("C_OpenSession", t->p11->C_OpenSession(t->slot, CKF_SERIAL_SESSION, NULL, NULL, &session));
    return session;
}

CK_OBJECT_HANDLE token_key(const struct token *t, CK_SESSION_HANDLE session, const char *label)
{
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &class, sizeof class}, {CKA_LABEL, (void *)label, strlen(label)}};
    CK_OBJECT_HANDLE key = 0;
    CK_ULONG count = 0;
    check("C_FindObjectsInit", t->p11->C_FindObjectsInit(session, wanted, 2));
    check("C_FindObjects", t->p11->C_FindObjects(session, &key, 1, &count));
    check("C_FindObjectsFinal", t->p11->C_FindObjectsFinal(session));
    if (count == 0) {
        fprintf(stderr, "bench-pkcs11: no private key \"%s\"\n", label);
        exit(1);
    }
    return key;
}

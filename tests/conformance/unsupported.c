/* SPDX-License-Identifier: Apache-2.0 */
/* Administration, encryption, wrapping, deriving, message-based and dual operations: what a read-only signing token
 * says of them (base §5.5.7–5.5.9, §5.8–5.11, §5.14, §5.16–5.18). With an operation that was never begun, a function
 * that is supported says so. */
#include <string.h>

#include "function.h"
#include "group.h"

/* Functions that go on with an operation. */
static const char *const going_on[] = {
    "C_Encrypt",
    "C_EncryptUpdate",
    "C_EncryptFinal",
    "C_Decrypt",
    "C_DecryptUpdate",
    "C_DecryptFinal",
    "C_SignRecover",
    "C_VerifyRecover",
    "C_DigestEncryptUpdate",
    "C_DecryptDigestUpdate",
    "C_SignEncryptUpdate",
    "C_DecryptVerifyUpdate",
    "C_DigestKey",
    "C_EncryptMessage",
    "C_EncryptMessageBegin",
    "C_EncryptMessageNext",
    "C_MessageEncryptFinal",
    "C_DecryptMessage",
    "C_DecryptMessageBegin",
    "C_DecryptMessageNext",
    "C_MessageDecryptFinal",
    "C_SignMessage",
    "C_SignMessageBegin",
    "C_SignMessageNext",
    "C_MessageSignFinal",
    "C_VerifyMessage",
    "C_VerifyMessageBegin",
    "C_VerifyMessageNext",
    "C_MessageVerifyFinal",
};

/* Functions that begin one, with a key and a mechanism that do not fit them. */
static const char *const beginning[] = {
    "C_EncryptInit",       "C_DecryptInit",        "C_SignRecoverInit",
    "C_VerifyRecoverInit", "C_MessageEncryptInit", "C_MessageDecryptInit",
};

static const struct function *function_named(const struct rig *r, const char *name)
{
    for (size_t i = 0; i < function_count; i++) {
        if (strcmp(functions[i].name, name) == 0)
            return function_exists(r, &functions[i]) ? &functions[i] : NULL;
    }
    return NULL;
}

void unsupported_group(struct rig *r)
{
    for (size_t i = 0; i < COUNT_OF(going_on); i++) {
        const struct function *f = function_named(r, going_on[i]);
        struct arguments a = arguments_make(r);
        if (f)
            EXPECT("base §5.1.6", text("%s with nothing begun", f->name), f->call(r, &a), CKR_OPERATION_NOT_INITIALIZED,
                   CKR_FUNCTION_NOT_SUPPORTED);
    }
    for (size_t i = 0; i < COUNT_OF(beginning); i++) {
        const struct function *f = function_named(r, beginning[i]);
        struct arguments a = arguments_make(r);
        a.mechanism.mechanism = CKM_ECDSA_SHA256; /* signs, and nothing else */
        if (f)
            EXPECT("base §5.1.6", text("%s with CKM_ECDSA_SHA256", f->name), f->call(r, &a), CKR_MECHANISM_INVALID,
                   CKR_KEY_FUNCTION_NOT_PERMITTED, CKR_KEY_TYPE_INCONSISTENT, CKR_FUNCTION_NOT_SUPPORTED);
    }
    struct arguments a = arguments_make(r);
    a.mechanism.mechanism = CKM_ECDSA_SHA256;
    EXPECT("base §5.18.3", "C_WrapKey with a signing mechanism",
           r->f->C_WrapKey(r->session, &a.mechanism, r->key.public_key, r->key.private_key, a.out, &a.len),
           CKR_MECHANISM_INVALID, CKR_KEY_UNEXTRACTABLE, CKR_KEY_FUNCTION_NOT_PERMITTED, CKR_FUNCTION_NOT_SUPPORTED,
           CKR_WRAPPING_KEY_TYPE_INCONSISTENT, CKR_KEY_NOT_WRAPPABLE);
    EXPECT("base §5.18.4", "C_UnwrapKey with a signing mechanism",
           r->f->C_UnwrapKey(r->session, &a.mechanism, r->key.private_key, a.in, 16, &a.attribute, 1, &a.number),
           CKR_MECHANISM_INVALID, CKR_KEY_FUNCTION_NOT_PERMITTED, CKR_FUNCTION_NOT_SUPPORTED, CKR_TEMPLATE_INCOMPLETE,
           CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT);
    EXPECT("base §5.18.5", "C_DeriveKey with a signing mechanism",
           r->f->C_DeriveKey(r->session, &a.mechanism, r->key.private_key, &a.attribute, 1, &a.number),
           CKR_MECHANISM_INVALID, CKR_KEY_FUNCTION_NOT_PERMITTED, CKR_FUNCTION_NOT_SUPPORTED, CKR_TEMPLATE_INCOMPLETE);
}

/* With PINs nobody has, so that a token that could do these does not. */
void administration_group(struct rig *r)
{
    CK_UTF8CHAR wrong[] = "nobody's PIN", label[32];
    memset(label, ' ', sizeof label);
    EXPECT("base §5.5.7", "C_InitToken while a session is open",
           r->f->C_InitToken(r->slot, wrong, sizeof wrong - 1, label), CKR_SESSION_EXISTS, CKR_FUNCTION_NOT_SUPPORTED,
           CKR_TOKEN_WRITE_PROTECTED, CKR_PIN_INCORRECT);
    EXPECT("base §5.5.8", "C_InitPIN in a R/O session", r->f->C_InitPIN(r->session, wrong, sizeof wrong - 1),
           CKR_SESSION_READ_ONLY, CKR_USER_NOT_LOGGED_IN, CKR_FUNCTION_NOT_SUPPORTED, CKR_TOKEN_WRITE_PROTECTED);
    EXPECT("base §5.5.9", "C_SetPIN in a R/O session",
           r->f->C_SetPIN(r->session, wrong, sizeof wrong - 1, wrong, sizeof wrong - 1), CKR_SESSION_READ_ONLY,
           CKR_FUNCTION_NOT_SUPPORTED, CKR_TOKEN_WRITE_PROTECTED);
    CK_SESSION_HANDLE session = session_new(r, true);
    EXPECT("base §5.5.8", "C_InitPIN when the SO is not logged in", r->f->C_InitPIN(session, wrong, sizeof wrong - 1),
           CKR_USER_NOT_LOGGED_IN, CKR_FUNCTION_NOT_SUPPORTED, CKR_TOKEN_WRITE_PROTECTED);
    EXPECT("base §5.5.9", "C_SetPIN with a wrong old PIN",
           r->f->C_SetPIN(session, wrong, sizeof wrong - 1, wrong, sizeof wrong - 1), CKR_PIN_INCORRECT,
           CKR_PIN_LEN_RANGE, CKR_FUNCTION_NOT_SUPPORTED, CKR_TOKEN_WRITE_PROTECTED);
    EXPECT("base §5.6.4", "the PIN still works",
           r->f->C_Login(session, CKU_USER, (CK_UTF8CHAR *)r->target->pin, strlen(r->target->pin)), CKR_OK);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What a read-only token refuses, and with which code (base §4.1, §4.4, §5.7.1–5.7.3, §5.7.6, §5.18). Objects that may
 * be changed are left alone. */
#include <string.h>

#include "attribute.h"
#include "group.h"
#include "search.h"

/* R/O: either fact is told. R/W: only what the object says of itself stands in the way. */
static void object_is_refused(struct rig *r, CK_SESSION_HANDLE session, bool read_write, CK_OBJECT_HANDLE object)
{
    const char *who = text("the %s, %s", object_name(r, object), read_write ? "R/W" : "R/O");
    CK_RV why = read_write ? CKR_ACTION_PROHIBITED : CKR_SESSION_READ_ONLY;
    CK_BBOOL no = CK_FALSE;
    CK_ATTRIBUTE label = {CKA_LABEL, (void *)"changed", 7}, in_session = {CKA_TOKEN, &no, sizeof no};
    CK_OBJECT_HANDLE made = CK_INVALID_HANDLE;
    if (!bool_read(r, object, CKA_MODIFIABLE))
        EXPECT("base §5.7.6", text("C_SetAttributeValue of %s", who),
               r->f->C_SetAttributeValue(session, object, &label, 1), why, CKR_ACTION_PROHIBITED,
               CKR_TOKEN_WRITE_PROTECTED);
    if (!bool_read(r, object, CKA_COPYABLE)) {
        EXPECT("base §5.7.2", text("C_CopyObject of %s", who), r->f->C_CopyObject(session, object, NULL, 0, &made), why,
               CKR_ACTION_PROHIBITED, CKR_TOKEN_WRITE_PROTECTED);
        EXPECT("base §5.7.2", text("C_CopyObject of %s to a session object", who),
               r->f->C_CopyObject(session, object, &in_session, 1, &made), CKR_ACTION_PROHIBITED);
        EXPECT("base §5.7.2", text("C_CopyObject of %s with a new label", who),
               r->f->C_CopyObject(session, object, &label, 1, &made), why, CKR_ACTION_PROHIBITED,
               CKR_TOKEN_WRITE_PROTECTED);
    }
    if (!bool_read(r, object, CKA_DESTROYABLE))
        EXPECT("base §5.7.3", text("C_DestroyObject of %s", who), r->f->C_DestroyObject(session, object), why,
               CKR_ACTION_PROHIBITED, CKR_TOKEN_WRITE_PROTECTED);
}

void write_object_group(struct rig *r)
{
    struct found all, after;
    CK_SESSION_HANDLE read_write = session_new(r, true);
    search(r, r->session, NULL, 0, &all);
    for (CK_ULONG i = 0; i < all.count; i++) {
        object_is_refused(r, r->session, false, all.objects[i]);
        object_is_refused(r, read_write, true, all.objects[i]);
    }
    search(r, r->session, NULL, 0, &after);
    check_bytes("base §5.7", "every object is as before", after.objects, after.count * sizeof(CK_OBJECT_HANDLE),
                all.objects, all.count * sizeof(CK_OBJECT_HANDLE));
    struct value label;
    value_read(r, r->session, r->key.public_key, CKA_LABEL, &label);
    check_bytes("base §5.7.6", "a label is as before", label.bytes, label.len, r->key.label, strlen(r->key.label));
}

/* A template whole but for what is varied. */
struct data_template {
    CK_OBJECT_CLASS class;
    CK_BBOOL token;
    CK_ATTRIBUTE attributes[3];
};

static void data_make(struct data_template *t, CK_BBOOL token)
{
    *t = (struct data_template){.class = CKO_DATA, .token = token};
    t->attributes[0] = (CK_ATTRIBUTE){CKA_CLASS, &t->class, sizeof t->class};
    t->attributes[1] = (CK_ATTRIBUTE){CKA_TOKEN, &t->token, sizeof t->token};
    t->attributes[2] = (CK_ATTRIBUTE){CKA_VALUE, (void *)"value", 5};
}

void write_token_group(struct rig *r)
{
    CK_OBJECT_HANDLE made = CK_INVALID_HANDLE, other = CK_INVALID_HANDLE;
    struct data_template t;
    data_make(&t, CK_TRUE);
    EXPECT("base §5.7.1", "C_CreateObject on the token in a R/O session",
           r->f->C_CreateObject(r->session, t.attributes, 3, &made), CKR_SESSION_READ_ONLY, CKR_TOKEN_WRITE_PROTECTED,
           CKR_FUNCTION_NOT_SUPPORTED);
    check("base §5.7.1", "no handle is given", made == CK_INVALID_HANDLE);
    CK_MECHANISM rsa = {CKM_RSA_PKCS_KEY_PAIR_GEN, NULL, 0}, aes = {CKM_AES_KEY_GEN, NULL, 0};
    CK_BBOOL yes = CK_TRUE;
    CK_ULONG bits = 2048, bytes = 32;
    CK_ATTRIBUTE public[] = {{CKA_TOKEN, &yes, 1}, {CKA_MODULUS_BITS, &bits, sizeof bits}};
    CK_ATTRIBUTE secret[] = {{CKA_TOKEN, &yes, 1}, {CKA_VALUE_LEN, &bytes, sizeof bytes}};
    EXPECT("base §5.18.2", "C_GenerateKeyPair on the token in a R/O session",
           r->f->C_GenerateKeyPair(r->session, &rsa, public, 2, public, 1, &made, &other), CKR_SESSION_READ_ONLY,
           CKR_TOKEN_WRITE_PROTECTED, CKR_FUNCTION_NOT_SUPPORTED, CKR_MECHANISM_INVALID);
    EXPECT("base §5.18.1", "C_GenerateKey on the token in a R/O session",
           r->f->C_GenerateKey(r->session, &aes, secret, 2, &made), CKR_SESSION_READ_ONLY, CKR_TOKEN_WRITE_PROTECTED,
           CKR_FUNCTION_NOT_SUPPORTED, CKR_MECHANISM_INVALID);
}

/* What a session creates goes with it (base §4.4, §5.6.2); or nothing is created. */
void write_session_group(struct rig *r)
{
    CK_OBJECT_HANDLE made = CK_INVALID_HANDLE;
    struct data_template t;
    CK_ULONG class = 0;
    data_make(&t, CK_FALSE);
    CK_SESSION_HANDLE session = session_new(r, false);
    CK_RV rv = r->f->C_CreateObject(session, t.attributes, 3, &made);
    EXPECT("base §5.7.1", "C_CreateObject of a data object in the session", rv, CKR_OK, CKR_FUNCTION_NOT_SUPPORTED,
           CKR_TEMPLATE_INCONSISTENT, CKR_ATTRIBUTE_VALUE_INVALID, CKR_ATTRIBUTE_TYPE_INVALID);
    check("base §5.7.1", "a handle is given just when it is created", (rv == CKR_OK) == (made != CK_INVALID_HANDLE));
    EXPECT("base §5.6.2", "C_CloseSession", r->f->C_CloseSession(session), CKR_OK);
    if (rv == CKR_OK)
        check("base §5.6.2", "the session's object is gone with it", !ulong_read(r, made, CKA_CLASS, &class));
}

void write_template_group(struct rig *r)
{
    CK_OBJECT_HANDLE made;
    CK_OBJECT_CLASS class = CKO_PUBLIC_KEY, profile = CKO_PROFILE;
    CK_ULONG id = 1;
    CK_ATTRIBUTE only_class = {CKA_CLASS, &class, sizeof class}, nothing = {CKA_CLASS, NULL, sizeof class};
    CK_ATTRIBUTE narrow = {CKA_CLASS, &class, 4};
    CK_ATTRIBUTE own_id[] = {{CKA_CLASS, &class, sizeof class}, {CKA_UNIQUE_ID, (void *)"mine", 4}};
    CK_ATTRIBUTE a_profile[] = {{CKA_CLASS, &profile, sizeof profile}, {CKA_PROFILE_ID, &id, sizeof id}};
    EXPECT("base §4.1.1", "C_CreateObject of a public key without type",
           r->f->C_CreateObject(r->session, &only_class, 1, &made), CKR_TEMPLATE_INCOMPLETE,
           CKR_FUNCTION_NOT_SUPPORTED);
    EXPECT("base §4.1.1", "C_CreateObject with a value at NULL", r->f->C_CreateObject(r->session, &nothing, 1, &made),
           CKR_ATTRIBUTE_VALUE_INVALID, CKR_ARGUMENTS_BAD, CKR_FUNCTION_NOT_SUPPORTED);
    EXPECT("base §4.1.1", "C_CreateObject with a class of 4 bytes", r->f->C_CreateObject(r->session, &narrow, 1, &made),
           CKR_ATTRIBUTE_VALUE_INVALID, CKR_TEMPLATE_INCOMPLETE, CKR_FUNCTION_NOT_SUPPORTED, CKR_TEMPLATE_INCONSISTENT);
    if (r->f3)
        EXPECT("base §4.2", "C_CreateObject with a CKA_UNIQUE_ID", r->f->C_CreateObject(r->session, own_id, 2, &made),
               CKR_ATTRIBUTE_READ_ONLY, CKR_TEMPLATE_INCOMPLETE, CKR_FUNCTION_NOT_SUPPORTED);
    CK_RV rv = r->f->C_CreateObject(r->session, a_profile, 2, &made);
    check("base §4.13", "C_CreateObject of a profile is refused", rv != CKR_OK);
}

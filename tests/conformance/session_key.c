/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys as session objects, for verification (base §4.4, §4.8, §5.7.1; curr §2.1.2, §2.3.3). A module that
 * creates none says so. */
#include <string.h>

#include "attribute.h"
#include "group.h"
#include "key.h"
#include "search.h"
#include "signature.h"

struct public_template {
    CK_OBJECT_CLASS class;
    CK_KEY_TYPE type;
    CK_BBOOL token, yes;
    struct value one, two;
    CK_ATTRIBUTE attributes[8];
    CK_ULONG count;
};

static void template_make(struct rig *r, struct public_template *t)
{
    bool rsa = r->key.type == CKK_RSA;
    CK_ATTRIBUTE_TYPE first = rsa ? CKA_MODULUS : CKA_EC_PARAMS, second = rsa ? CKA_PUBLIC_EXPONENT : CKA_EC_POINT;
    t->class = CKO_PUBLIC_KEY;
    t->type = r->key.type;
    t->token = CK_FALSE;
    t->yes = CK_TRUE;
    value_read(r, r->session, r->key.public_key, first, &t->one);
    value_read(r, r->session, r->key.public_key, second, &t->two);
    const CK_ATTRIBUTE all[] = {
        {CKA_CLASS, &t->class, sizeof t->class},   {CKA_KEY_TYPE, &t->type, sizeof t->type},
        {first, t->one.bytes, t->one.len},         {second, t->two.bytes, t->two.len},
        {CKA_VERIFY, &t->yes, sizeof t->yes},      {CKA_TOKEN, &t->token, sizeof t->token},
        {CKA_LABEL, (void *)"of the session", 14},
    };
    memcpy(t->attributes, all, sizeof all);
    t->count = COUNT_OF(all);
}

static void incomplete_are_refused(struct rig *r, struct public_template *t)
{
    for (CK_ULONG leave = 0; leave < 4; leave++) {
        CK_ATTRIBUTE some[8];
        CK_ULONG count = 0;
        CK_OBJECT_HANDLE made;
        for (CK_ULONG i = 0; i < t->count; i++) {
            if (i != leave)
                some[count++] = t->attributes[i];
        }
        EXPECT("base §4.1.1", text("C_CreateObject without attribute 0x%lx", t->attributes[leave].type),
               r->f->C_CreateObject(r->session, some, count, &made), CKR_TEMPLATE_INCOMPLETE,
               CKR_TEMPLATE_INCONSISTENT);
    }
}

static void broken_are_refused(struct rig *r, struct public_template *t)
{
    CK_OBJECT_HANDLE made;
    CK_ATTRIBUTE some[10];
    CK_ULONG prime = 1;
    memcpy(some, t->attributes, sizeof t->attributes);
    const struct {
        const char *what;
        CK_ATTRIBUTE extra;
        CK_RV wanted, or ;
    } cases[] = {
        {"a private exponent",
         {CKA_PRIVATE_EXPONENT, &prime, sizeof prime},
         CKR_ATTRIBUTE_TYPE_INVALID,
         CKR_TEMPLATE_INCONSISTENT},
        {"CKA_LOCAL", {CKA_LOCAL, &t->yes, 1}, CKR_ATTRIBUTE_READ_ONLY, CKR_TEMPLATE_INCONSISTENT},
        {"CKA_UNIQUE_ID", {CKA_UNIQUE_ID, (void *)"x", 1}, CKR_ATTRIBUTE_READ_ONLY, CKR_ATTRIBUTE_TYPE_INVALID},
        {"an attribute nobody knows",
         {0x7fff1234UL, &prime, sizeof prime},
         CKR_ATTRIBUTE_TYPE_INVALID,
         CKR_TEMPLATE_INCONSISTENT},
        {"CKA_WRAP of 4 bytes", {CKA_WRAP, &prime, 4}, CKR_ATTRIBUTE_VALUE_INVALID, CKR_TEMPLATE_INCONSISTENT},
        {"another CKA_CLASS", {CKA_CLASS, &prime, sizeof prime}, CKR_TEMPLATE_INCONSISTENT, CKR_TEMPLATE_INCOMPLETE},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        some[t->count] = cases[i].extra;
        EXPECT("base §4.1.1", text("C_CreateObject of a public key with %s", cases[i].what),
               r->f->C_CreateObject(r->session, some, t->count + 1, &made), cases[i].wanted, cases[i].or);
    }
}

static void verifies(struct rig *r, CK_OBJECT_HANDLE key, CK_SESSION_HANDLE session)
{
    const struct scheme_row *row = row_any(r);
    if (!row)
        return;
    struct order o;
    CK_BYTE signature[SIGNATURE_MAX];
    CK_ULONG len = sizeof signature;
    order_make(&o, row, "SHA256");
    EXPECT("base §5.13", "a signature", sign_once(r, &o, signature, &len), CKR_OK);
    EXPECT("base §5.15.1", "C_VerifyInit with the session's key", r->f->C_VerifyInit(session, &o.mechanism, key),
           CKR_OK);
    EXPECT("base §5.15.2", "C_Verify with the session's key", r->f->C_Verify(session, o.data, o.len, signature, len),
           CKR_OK);
    signature[len - 1] ^= 1;
    EXPECT("base §5.15.1", "C_VerifyInit with the session's key", r->f->C_VerifyInit(session, &o.mechanism, key),
           CKR_OK);
    EXPECT("base §5.15.2", "… of a wrong signature", r->f->C_Verify(session, o.data, o.len, signature, len),
           CKR_SIGNATURE_INVALID);
    EXPECT("base §5.13.1", "C_SignInit with the session's public key", r->f->C_SignInit(session, &o.mechanism, key),
           CKR_KEY_FUNCTION_NOT_PERMITTED, CKR_KEY_TYPE_INCONSISTENT, CKR_KEY_HANDLE_INVALID);
}

static void lives(struct rig *r, CK_SESSION_HANDLE owner, CK_OBJECT_HANDLE key)
{
    struct found found;
    CK_ULONG generator = 0;
    CK_ATTRIBUTE label = {CKA_LABEL, (void *)"of the session", 14};
    search(r, r->session, &label, 1, &found);
    check("base §4.4", "another session of the application finds it", found_has(&found, key));
    check("base §4.4", "CKA_TOKEN is false", !bool_read(r, key, CKA_TOKEN));
    check("base §5.7.1", "CKA_LOCAL is false", !bool_read(r, key, CKA_LOCAL));
    if (ulong_read(r, key, CKA_KEY_GEN_MECHANISM, &generator))
        check("base §4.7", "CKA_KEY_GEN_MECHANISM is unavailable", generator == CK_UNAVAILABLE_INFORMATION);
    verifies(r, key, r->session);
    EXPECT("base §5.7.3", "C_DestroyObject of a session object in a R/O session", r->f->C_DestroyObject(owner, key),
           CKR_OK);
    EXPECT("base §5.7.3", "C_DestroyObject again", r->f->C_DestroyObject(owner, key), CKR_OBJECT_HANDLE_INVALID);
}

void session_key_group(struct rig *r)
{
    static struct public_template t;
    CK_OBJECT_HANDLE key = CK_INVALID_HANDLE;
    CK_ULONG class = 0;
    template_make(r, &t);
    CK_SESSION_HANDLE owner = session_new(r, false);
    CK_RV rv = r->f->C_CreateObject(owner, t.attributes, t.count, &key);
    if (!EXPECT("base §5.7.1", "C_CreateObject of a public key in the session", rv, CKR_OK,
                CKR_FUNCTION_NOT_SUPPORTED) ||
        rv != CKR_OK) {
        checks_note("no public keys as session objects");
        return;
    }
    lives(r, owner, key);
    incomplete_are_refused(r, &t);
    broken_are_refused(r, &t);
    EXPECT("base §5.7.1", "C_CreateObject once more", r->f->C_CreateObject(owner, t.attributes, t.count, &key), CKR_OK);
    EXPECT("base §5.6.2", "C_CloseSession of the owner", r->f->C_CloseSession(owner), CKR_OK);
    check("base §5.6.2", "the owner's object is gone with it", !ulong_read(r, key, CKA_CLASS, &class));
    t.token = CK_TRUE;
    EXPECT("base §5.7.1", "C_CreateObject of a public key on the token in a R/O session",
           r->f->C_CreateObject(r->session, t.attributes, t.count, &key), CKR_SESSION_READ_ONLY,
           CKR_TOKEN_WRITE_PROTECTED);
}

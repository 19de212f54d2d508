/* SPDX-License-Identifier: Apache-2.0 */
/* Verification with each mechanism: the good signature, and everything that is not it (base §5.15). */
#include <string.h>

#include "group.h"
#include "key.h"
#include "signature.h"

static CK_RV verify(struct rig *r, struct order *o, CK_OBJECT_HANDLE key, const CK_BYTE *signature, CK_ULONG len)
{
    CK_RV rv = r->f->C_VerifyInit(r->session, &o->mechanism, key);
    if (rv != CKR_OK)
        return rv;
    rv = r->f->C_Verify(r->session, o->data, o->len, (CK_BYTE *)signature, len);
    EXPECT("base §5.15.2", "C_Verify after C_Verify",
           r->f->C_Verify(r->session, o->data, o->len, (CK_BYTE *)signature, len), CKR_OPERATION_NOT_INITIALIZED);
    return rv;
}

static void others_are_refused(struct rig *r, struct order *o, CK_BYTE *signature, CK_ULONG len)
{
    const char *name = o->row->name;
    const CK_ULONG at[] = {0, len / 2, len - 1};
    for (size_t i = 0; i < COUNT_OF(at); i++) {
        signature[at[i]] ^= 1;
        EXPECT("base §5.15.2", text("%s with byte %lu of the signature changed", name, at[i]),
               verify(r, o, r->key.public_key, signature, len), CKR_SIGNATURE_INVALID);
        signature[at[i]] ^= 1;
    }
    const CK_ULONG lengths[] = {0, 1, len - 1, len + 1, SIGNATURE_MAX};
    for (size_t i = 0; i < COUNT_OF(lengths); i++)
        EXPECT("base §5.15.2", text("%s with a signature of %lu bytes", name, lengths[i]),
               verify(r, o, r->key.public_key, signature, lengths[i]), CKR_SIGNATURE_LEN_RANGE);
    CK_BYTE other[SIGNATURE_MAX] = {0};
    EXPECT("base §5.15.2", text("%s with a signature of zeros", name), verify(r, o, r->key.public_key, other, len),
           CKR_SIGNATURE_INVALID);
    memset(other, 0xff, sizeof other);
    EXPECT("base §5.15.2", text("%s with a signature of ones", name), verify(r, o, r->key.public_key, other, len),
           CKR_SIGNATURE_INVALID);
    o->data[o->len - 1] ^= 1;
    EXPECT("base §5.15.2", text("%s with the data changed", name), verify(r, o, r->key.public_key, signature, len),
           CKR_SIGNATURE_INVALID);
    o->data[o->len - 1] ^= 1;
}

static void parts_are_verified(struct rig *r, struct order *o, CK_BYTE *signature, CK_ULONG len)
{
    for (CK_ULONG piece = 1; piece <= 40; piece += 13) {
        EXPECT("base §5.15.1", "C_VerifyInit", r->f->C_VerifyInit(r->session, &o->mechanism, r->key.public_key),
               CKR_OK);
        for (CK_ULONG i = 0; i < o->len; i += piece)
            EXPECT("base §5.15.3", "C_VerifyUpdate",
                   r->f->C_VerifyUpdate(r->session, o->data + i, o->len - i < piece ? o->len - i : piece), CKR_OK);
        EXPECT("base §5.15.4", text("C_VerifyFinal of %s in pieces of %lu", o->row->name, piece),
               r->f->C_VerifyFinal(r->session, signature, len), CKR_OK);
        EXPECT("base §5.15.4", "C_VerifyFinal again", r->f->C_VerifyFinal(r->session, signature, len),
               CKR_OPERATION_NOT_INITIALIZED);
    }
    const struct {
        const char *what;
        CK_ULONG len;
        CK_RV wanted;
    } bad[] = {{"a short signature", len - 1, CKR_SIGNATURE_LEN_RANGE},
               {"too little data", len, CKR_SIGNATURE_INVALID}};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        EXPECT("base §5.15.1", "C_VerifyInit", r->f->C_VerifyInit(r->session, &o->mechanism, r->key.public_key),
               CKR_OK);
        EXPECT("base §5.15.3", "C_VerifyUpdate", r->f->C_VerifyUpdate(r->session, o->data, o->len - 1), CKR_OK);
        EXPECT("base §5.15.4", text("C_VerifyFinal of %s with %s", o->row->name, bad[i].what),
               r->f->C_VerifyFinal(r->session, signature, bad[i].len), bad[i].wanted);
        EXPECT("base §5.15.4", "C_VerifyFinal again", r->f->C_VerifyFinal(r->session, signature, len),
               CKR_OPERATION_NOT_INITIALIZED);
    }
    EXPECT("base §5.15.1", "C_VerifyInit", r->f->C_VerifyInit(r->session, &o->mechanism, r->key.public_key), CKR_OK);
    EXPECT("base §5.15.3", "C_VerifyUpdate", r->f->C_VerifyUpdate(r->session, o->data, 1), CKR_OK);
    EXPECT("base §5.15.2", "C_Verify after C_VerifyUpdate", r->f->C_Verify(r->session, o->data, o->len, signature, len),
           CKR_OPERATION_ACTIVE, CKR_OPERATION_NOT_INITIALIZED, CKR_FUNCTION_FAILED);
    (void)r->f->C_VerifyFinal(r->session, signature, len);
}

static void other_key_is_refused(struct rig *r, struct order *o, CK_BYTE *signature, CK_ULONG len)
{
    for (size_t k = 0; k < r->token->key_count; k++) {
        struct key other;
        if (strcmp(r->token->keys[k], r->key.label) == 0 || !key_find(r, r->token->keys[k], &other))
            continue;
        bool allowed = key_allows(r, other.public_key, o->row->type);
        const char *what = text("%s with the key %s", o->row->name, other.label);
        CK_RV rv = (about(what), verify(r, o, other.public_key, signature, len));
        if (other.type == r->key.type && allowed)
            EXPECT("base §5.15.2", what, rv,
                   other.signature_len == len ? CKR_SIGNATURE_INVALID : CKR_SIGNATURE_LEN_RANGE);
        else if (other.type == r->key.type)
            EXPECT("base §4.7", what, rv, CKR_MECHANISM_INVALID);
        else if (allowed)
            EXPECT("base §5.15.1", what, rv, CKR_KEY_TYPE_INCONSISTENT);
        else
            EXPECT("base §5.15.1", what, rv, CKR_KEY_TYPE_INCONSISTENT, CKR_MECHANISM_INVALID);
        key_clear(&other);
    }
}

static void verify_row(struct rig *r, const struct scheme_row *row)
{
    struct order o;
    CK_BYTE signature[SIGNATURE_MAX + 1];
    CK_ULONG len = SIGNATURE_MAX;
    order_make(&o, row, "SHA256");
    if (!EXPECT("base §5.13", text("a signature of %s", row->name), sign_once(r, &o, signature, &len), CKR_OK))
        return;
    if (!EXPECT("base §5.15.2", text("%s: the good signature", row->name),
                verify(r, &o, r->key.public_key, signature, len), CKR_OK))
        return;
    others_are_refused(r, &o, signature, len);
    other_key_is_refused(r, &o, signature, len);
    if (row->hash)
        parts_are_verified(r, &o, signature, len);
    if (row->scheme != SCHEME_PSS)
        return;
    o.pss.sLen -= 1;
    EXPECT("curr §2.1.10", text("%s with another length of salt", row->name),
           verify(r, &o, r->key.public_key, signature, len), CKR_SIGNATURE_INVALID);
}

void verify_group(struct rig *r)
{
    for (size_t i = 0; i < scheme_row_count; i++) {
        CK_MECHANISM_INFO info;
        if (order_is_possible(r, &scheme_rows[i]) &&
            r->f->C_GetMechanismInfo(r->slot, scheme_rows[i].type, &info) == CKR_OK && (info.flags & CKF_VERIFY))
            verify_row(r, &scheme_rows[i]);
    }
}

void verify_active_group(struct rig *r)
{
    const struct scheme_row *row = row_any(r);
    CK_MECHANISM_INFO info;
    if (!row || r->f->C_GetMechanismInfo(r->slot, row->type, &info) != CKR_OK || !(info.flags & CKF_VERIFY))
        return;
    struct order o;
    CK_BYTE signature[SIGNATURE_MAX];
    CK_ULONG len = sizeof signature;
    order_make(&o, row, "SHA256");
    EXPECT("base §5.15.2", "C_Verify before C_VerifyInit", r->f->C_Verify(r->session, o.data, o.len, signature, 64),
           CKR_OPERATION_NOT_INITIALIZED);
    EXPECT("base §5.15.3", "C_VerifyUpdate before C_VerifyInit", r->f->C_VerifyUpdate(r->session, o.data, 1),
           CKR_OPERATION_NOT_INITIALIZED);
    EXPECT("base §5.15.4", "C_VerifyFinal before C_VerifyInit", r->f->C_VerifyFinal(r->session, signature, 64),
           CKR_OPERATION_NOT_INITIALIZED);
    EXPECT("base §5.13", "a signature", sign_once(r, &o, signature, &len), CKR_OK);
    EXPECT("base §5.15.1", "C_VerifyInit", r->f->C_VerifyInit(r->session, &o.mechanism, r->key.public_key), CKR_OK);
    EXPECT("base §5.15.1", "C_VerifyInit while one is active",
           r->f->C_VerifyInit(r->session, &o.mechanism, r->key.public_key), CKR_OPERATION_ACTIVE);
    EXPECT("base §5.15.2", "C_Verify after that", r->f->C_Verify(r->session, o.data, o.len, signature, len), CKR_OK);
    if (!r->f3)
        return;
    EXPECT("base §5.15.1", "C_VerifyInit", r->f->C_VerifyInit(r->session, &o.mechanism, r->key.public_key), CKR_OK);
    EXPECT("base §5.15.1", "C_VerifyInit(session, NULL, 0) ends it", r->f->C_VerifyInit(r->session, NULL, 0), CKR_OK);
    EXPECT("base §5.15.2", "C_Verify after that", r->f->C_Verify(r->session, o.data, o.len, signature, len),
           CKR_OPERATION_NOT_INITIALIZED);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Handles and slot ids that are of nothing (base §5.1.2, §5.1.3, §5.1.6). */
#include "function.h"
#include "group.h"
#include "key.h"

static void refused(struct rig *r, const struct function *f, CK_ULONG bad, const char *what, CK_RV wanted)
{
    struct arguments a = arguments_make(r);
    if (f->kind == FUNCTION_SLOT)
        a.slot = bad;
    else
        a.session = bad;
    EXPECT("base §5.1", text("%s with %s", f->name, what), f->call(r, &a), wanted, CKR_FUNCTION_NOT_SUPPORTED);
}

/* C_CloseSession of a session that another thread closed may say CKR_SESSION_CLOSED; nobody else is here. */
void session_handle_group(struct rig *r)
{
    CK_SESSION_HANDLE closed = session_new(r, false);
    EXPECT("base §5.6.2", "C_CloseSession", r->f->C_CloseSession(closed), CKR_OK);
    const struct {
        CK_ULONG handle;
        const char *what;
    } bad[] = {
        {0, "session 0"},
        {~0UL, "session ~0"},
        {closed, "a closed session"},
        {r->session | (1UL << 40), "a session that differs above bit 31"},
        {(CK_ULONG)r, "an address for a session"},
    };
    for (size_t i = 0; i < function_count; i++) {
        for (size_t j = 0; j < COUNT_OF(bad); j++) {
            if (functions[i].kind == FUNCTION_SESSION && function_exists(r, &functions[i]))
                refused(r, &functions[i], bad[j].handle, bad[j].what, CKR_SESSION_HANDLE_INVALID);
        }
    }
    CK_SESSION_INFO info;
    EXPECT("base §5.6.4", "the good session survived", r->f->C_GetSessionInfo(r->session, &info), CKR_OK);
}

static CK_SLOT_ID slot_unused(struct rig *r)
{
    CK_SLOT_ID slots[64], unused = 0;
    CK_ULONG count = COUNT_OF(slots);
    if (r->f->C_GetSlotList(CK_FALSE, slots, &count) != CKR_OK)
        return ~0UL;
    for (CK_ULONG i = 0; i < count; i++)
        unused = slots[i] >= unused ? slots[i] + 1 : unused;
    return unused;
}

void slot_id_group(struct rig *r)
{
    const struct {
        CK_SLOT_ID id;
        const char *what;
    } bad[] = {
        {slot_unused(r), "the id after the last"},
        {~0UL, "slot ~0"},
        {r->slot | (1UL << 40), "an id that differs above bit 31"},
        {1UL << 63, "slot 1 << 63"},
    };
    for (size_t i = 0; i < function_count; i++) {
        for (size_t j = 0; j < COUNT_OF(bad); j++) {
            if (functions[i].kind == FUNCTION_SLOT)
                refused(r, &functions[i], bad[j].id, bad[j].what, CKR_SLOT_ID_INVALID);
        }
    }
}

void object_handle_group(struct rig *r)
{
    const CK_OBJECT_HANDLE bad[] = {0, ~0UL, r->key.private_key | (1UL << 40), r->key.public_key + 100000};
    CK_MECHANISM mechanism = {r->key.type == CKK_RSA  ? CKM_RSA_PKCS
                              : r->key.type == CKK_EC ? CKM_ECDSA
                                                      : CKM_EDDSA,
                              NULL, 0};
    CK_BYTE value[64];
    CK_ULONG size;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        CK_ATTRIBUTE a = {CKA_ID, value, sizeof value};
        CK_OBJECT_HANDLE made;
        const char *what = text("object 0x%lx", bad[i]);
        EXPECT("base §5.7.5", text("C_GetAttributeValue of %s", what),
               r->f->C_GetAttributeValue(r->session, bad[i], &a, 1), CKR_OBJECT_HANDLE_INVALID);
        EXPECT("base §5.7.5", text("C_GetAttributeValue of %s, no attribute", what),
               r->f->C_GetAttributeValue(r->session, bad[i], &a, 0), CKR_OBJECT_HANDLE_INVALID);
        EXPECT("base §5.7.4", text("C_GetObjectSize of %s", what), r->f->C_GetObjectSize(r->session, bad[i], &size),
               CKR_OBJECT_HANDLE_INVALID);
        a.ulValueLen = 1;
        EXPECT("base §5.7.6", text("C_SetAttributeValue of %s", what),
               r->f->C_SetAttributeValue(r->session, bad[i], &a, 1), CKR_OBJECT_HANDLE_INVALID,
               CKR_FUNCTION_NOT_SUPPORTED);
        EXPECT("base §5.7.2", text("C_CopyObject of %s", what), r->f->C_CopyObject(r->session, bad[i], &a, 1, &made),
               CKR_OBJECT_HANDLE_INVALID, CKR_FUNCTION_NOT_SUPPORTED);
        EXPECT("base §5.7.3", text("C_DestroyObject of %s", what), r->f->C_DestroyObject(r->session, bad[i]),
               CKR_OBJECT_HANDLE_INVALID, CKR_FUNCTION_NOT_SUPPORTED);
        EXPECT_NOT_BEGUN("base §5.13.1", text("C_SignInit with key 0x%lx", bad[i]),
                         r->f->C_SignInit(r->session, &mechanism, bad[i]), CKR_KEY_HANDLE_INVALID);
        EXPECT_NOT_BEGUN("base §5.15.1", text("C_VerifyInit with key 0x%lx", bad[i]),
                         r->f->C_VerifyInit(r->session, &mechanism, bad[i]), CKR_KEY_HANDLE_INVALID);
    }
}

/* "the handle of another slot": a session sees the objects of its own token (base §5.7.5, §5.13.1). */
void object_foreign_group(struct rig *r)
{
    CK_TOKEN_INFO token;
    CK_SESSION_HANDLE here = r->session;
    CK_BYTE value[64];
    CK_ATTRIBUTE a = {CKA_ID, value, sizeof value};
    CK_MECHANISM rsa = {CKM_RSA_PKCS, NULL, 0}, ecdsa = {CKM_ECDSA, NULL, 0}, eddsa = {CKM_EDDSA, NULL, 0};
    CK_MECHANISM *all[] = {&rsa, &ecdsa, &eddsa};
    if (r->target->token_count < 2 || !slot_by_label(r, r->target->tokens[1].label, &r->slot, &token))
        return;
    r->session = session_new(r, false);
    EXPECT("base §5.6.8", "C_Login to the second token", login(r, r->session), CKR_OK);
    struct key other;
    if (!key_find(r, r->target->tokens[1].keys[0], &other))
        return;
    EXPECT("base §5.7.5", "C_GetAttributeValue of a public key of another token",
           r->f->C_GetAttributeValue(here, other.public_key, &a, 1), CKR_OBJECT_HANDLE_INVALID);
    EXPECT("base §5.7.5", "C_GetAttributeValue of a private key of another token",
           r->f->C_GetAttributeValue(here, other.private_key, &a, 1), CKR_OBJECT_HANDLE_INVALID);
    for (size_t i = 0; i < COUNT_OF(all); i++)
        EXPECT_NOT_BEGUN("base §5.13.1", "C_SignInit with a private key of another token",
                         r->f->C_SignInit(here, all[i], other.private_key), CKR_KEY_HANDLE_INVALID,
                         CKR_MECHANISM_INVALID);
    key_clear(&other);
}

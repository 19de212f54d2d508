/* SPDX-License-Identifier: Apache-2.0 */
/* C_GetOperationState and C_SetOperationState (base §5.6.6, §5.6.7). A module may have neither, or be unable to save.
 */
#include <string.h>

#include "group.h"
#include "mechanism.h"
#include "signature.h"

enum { STATE_MAX = 65536 };

static bool digest_begin(struct rig *r, const char *part)
{
    CK_MECHANISM sha = {CKM_SHA256, NULL, 0};
    return r->f->C_DigestInit(r->session, &sha) == CKR_OK &&
           r->f->C_DigestUpdate(r->session, (CK_BYTE *)part, strlen(part)) == CKR_OK;
}

static void digest_ends_as(struct rig *r, CK_SESSION_HANDLE session, const char *what, const char *message)
{
    CK_BYTE out[32] = {0}, wanted[32];
    CK_ULONG len = sizeof out;
    digest_make(hash_by_name("SHA256"), (const CK_BYTE *)message, strlen(message), wanted);
    EXPECT("base §5.6.7", text("C_DigestFinal %s", what), r->f->C_DigestFinal(session, out, &len), CKR_OK);
    check_bytes("base §5.6.7", text("the digest %s", what), out, len, wanted, sizeof wanted);
}

static void damaged_are_refused(struct rig *r, CK_SESSION_HANDLE session, const CK_BYTE *state, CK_ULONG len)
{
    static CK_BYTE damaged[STATE_MAX + 1];
    const CK_ULONG lengths[] = {0, 1, len / 2, len - 1, len + 1};
    memcpy(damaged, state, len);
    for (size_t i = 0; i < COUNT_OF(lengths); i++)
        EXPECT("base §5.6.7", text("C_SetOperationState of %lu of %lu bytes", lengths[i], len),
               r->f->C_SetOperationState(session, damaged, lengths[i], 0, 0), CKR_SAVED_STATE_INVALID);
    for (CK_ULONG at = 0; at<len; at += len> 24 ? len / 24 : 1) {
        damaged[at] ^= 0x80;
        EXPECT("base §5.6.7", text("C_SetOperationState with byte %lu changed", at),
               r->f->C_SetOperationState(session, damaged, len, 0, 0), CKR_SAVED_STATE_INVALID);
        damaged[at] ^= 0x80;
    }
    EXPECT("base §5.6.7", "C_SetOperationState(session, NULL, n)", r->f->C_SetOperationState(session, NULL, len, 0, 0),
           CKR_ARGUMENTS_BAD, CKR_SAVED_STATE_INVALID);
    EXPECT("base §5.6.7", "C_SetOperationState of a digest with a key",
           r->f->C_SetOperationState(session, damaged, len, 0, r->key.private_key), CKR_KEY_NOT_NEEDED);
}

static void digest_travels(struct rig *r)
{
    static CK_BYTE state[STATE_MAX];
    CK_ULONG len = 0;
    EXPECT("base §5.6.6", "C_GetOperationState size query", r->f->C_GetOperationState(r->session, NULL, &len), CKR_OK);
    check("base §5.6.6", "a state has a size", len > 0 && len <= sizeof state);
    CK_ULONG small = len - 1;
    EXPECT("base §5.6.6", "C_GetOperationState into too few bytes",
           r->f->C_GetOperationState(r->session, state, &small), CKR_BUFFER_TOO_SMALL);
    check("base §5.6.6", "CKR_BUFFER_TOO_SMALL tells the size", small >= len);
    len = sizeof state - 1;
    EXPECT("base §5.6.6", "C_GetOperationState to an odd address",
           r->f->C_GetOperationState(r->session, state + 1, &len), CKR_OK);
    EXPECT("base §5.12.3", "the saved digest goes on", r->f->C_DigestUpdate(r->session, (CK_BYTE *)" and on", 7),
           CKR_OK);

    CK_SESSION_HANDLE other = session_new(r, false);
    EXPECT("base §5.6.7", "C_SetOperationState in another session",
           r->f->C_SetOperationState(other, state + 1, len, 0, 0), CKR_OK);
    EXPECT("base §5.12.3", "C_DigestUpdate there", r->f->C_DigestUpdate(other, (CK_BYTE *)" there", 6), CKR_OK);
    digest_ends_as(r, other, "of the restored state", "saved there");
    digest_ends_as(r, r->session, "of the session it was saved from", "saved and on");
    EXPECT("base §5.6.7", "C_SetOperationState over an active search",
           (r->f->C_FindObjectsInit(other, NULL, 0), r->f->C_SetOperationState(other, state + 1, len, 0, 0)), CKR_OK,
           CKR_OPERATION_ACTIVE);
    (void)r->f->C_CloseSession(other);
    other = session_new(r, false);
    damaged_are_refused(r, other, state + 1, len);
    CK_BYTE out[32];
    CK_ULONG out_len = sizeof out;
    EXPECT("base §5.6.7", "a refused state leaves no operation", r->f->C_DigestFinal(other, out, &out_len),
           CKR_OPERATION_NOT_INITIALIZED);
}

void state_group(struct rig *r)
{
    CK_BYTE some[64] = {0};
    CK_ULONG len = sizeof some;
    CK_RV rv = r->f->C_GetOperationState(r->session, some, &len);
    EXPECT("base §5.6.6", "C_GetOperationState without operation", rv, CKR_OPERATION_NOT_INITIALIZED,
           CKR_FUNCTION_NOT_SUPPORTED);
    EXPECT("base §5.6.7", "C_SetOperationState of zeros", r->f->C_SetOperationState(r->session, some, 64, 0, 0),
           CKR_SAVED_STATE_INVALID, CKR_FUNCTION_NOT_SUPPORTED);
    if (rv == CKR_FUNCTION_NOT_SUPPORTED) {
        checks_note("C_GetOperationState is not supported");
        return;
    }
    EXPECT("base §5.6.6", "C_GetOperationState(session, state, NULL)",
           r->f->C_GetOperationState(r->session, some, NULL), CKR_ARGUMENTS_BAD);
    if (!digest_begin(r, "saved"))
        return;
    rv = r->f->C_GetOperationState(r->session, NULL, &len);
    EXPECT("base §5.6.6", "C_GetOperationState of a digest", rv, CKR_OK, CKR_STATE_UNSAVEABLE);
    if (rv == CKR_OK)
        digest_travels(r);
}

/* A signing operation is saved, or said to be unsaveable; never lost by the attempt. */
void state_sign_group(struct rig *r)
{
    const struct scheme_row *row = row_hashing(r);
    if (!row)
        return;
    static CK_BYTE state[STATE_MAX];
    CK_BYTE out[SIGNATURE_MAX];
    CK_ULONG len = sizeof state, out_len = sizeof out;
    struct order o;
    order_make(&o, row, row->hash);
    EXPECT("base §5.13.1", "C_SignInit", r->f->C_SignInit(r->session, &o.mechanism, r->key.private_key), CKR_OK);
    EXPECT("base §5.13.3", "C_SignUpdate", r->f->C_SignUpdate(r->session, o.data, 20), CKR_OK);
    CK_RV rv = r->f->C_GetOperationState(r->session, state, &len);
    EXPECT("base §5.6.6", "C_GetOperationState of a signing operation", rv, CKR_OK, CKR_STATE_UNSAVEABLE,
           CKR_FUNCTION_NOT_SUPPORTED);
    EXPECT("base §5.13.3", "C_SignUpdate after that", r->f->C_SignUpdate(r->session, o.data + 20, o.len - 20), CKR_OK);
    EXPECT("base §5.13.4", "C_SignFinal after that", r->f->C_SignFinal(r->session, out, &out_len), CKR_OK);
    check("curr §2", "the signature is good", signature_is_good(&r->key, &o, out, out_len));
    if (rv != CKR_OK)
        return;
    CK_SESSION_HANDLE other = session_new(r, false);
    rv = r->f->C_SetOperationState(other, state, len, 0, 0);
    EXPECT("base §5.6.7", "C_SetOperationState without the key", rv,
           r->info.flags & CKF_RESTORE_KEY_NOT_NEEDED ? CKR_OK : CKR_KEY_NEEDED, CKR_OK);
    if (rv != CKR_OK)
        EXPECT("base §5.6.7", "C_SetOperationState with the key",
               r->f->C_SetOperationState(other, state, len, 0, r->key.private_key), CKR_OK);
    out_len = sizeof out;
    EXPECT("base §5.6.7", "C_SignUpdate there", r->f->C_SignUpdate(other, o.data + 20, o.len - 20), CKR_OK);
    EXPECT("base §5.6.7", "C_SignFinal there", r->f->C_SignFinal(other, out, &out_len), CKR_OK);
    check("base §5.6.7", "the signature made there is good", signature_is_good(&r->key, &o, out, out_len));
}

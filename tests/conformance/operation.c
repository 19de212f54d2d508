/* SPDX-License-Identifier: Apache-2.0 */
/* When a signing operation begins, lives and ends, and that sessions do not share one (base §5.13, §5.6.5). */
#include <string.h>

#include "group.h"
#include "signature.h"

/* row_any has no parameters, so the order may be copied. */
static struct order order_any(struct rig *r)
{
    struct order o;
    const struct scheme_row *row = row_any(r);
    check("base §4.9", "the key signs with some mechanism", row != NULL);
    order_make(&o, row ? row : &scheme_rows[0], "SHA256");
    return o;
}

static void begins(struct rig *r, struct order *o)
{
    EXPECT("base §5.13.1", "C_SignInit", r->f->C_SignInit(r->session, &o->mechanism, r->key.private_key), CKR_OK);
}

static void ends(struct rig *r, struct order *o, const char *what, CK_RV wanted)
{
    CK_BYTE out[SIGNATURE_MAX];
    CK_ULONG len = sizeof out;
    EXPECT("base §5.13.2", text("C_Sign %s", what), r->f->C_Sign(r->session, o->data, o->len, out, &len), wanted);
    if (wanted == CKR_OK)
        check("curr §2", text("the signature %s is good", what), signature_is_good(&r->key, o, out, len));
}

void operation_active_group(struct rig *r)
{
    CK_BYTE out[SIGNATURE_MAX];
    CK_ULONG len = sizeof out;
    struct order o = order_any(r);
    ends(r, &o, "before C_SignInit", CKR_OPERATION_NOT_INITIALIZED);
    EXPECT("base §5.13.3", "C_SignUpdate before C_SignInit", r->f->C_SignUpdate(r->session, o.data, 1),
           CKR_OPERATION_NOT_INITIALIZED);
    EXPECT("base §5.13.4", "C_SignFinal before C_SignInit", r->f->C_SignFinal(r->session, out, &len),
           CKR_OPERATION_NOT_INITIALIZED);
    begins(r, &o);
    EXPECT("base §5.13.1", "C_SignInit while one is active",
           r->f->C_SignInit(r->session, &o.mechanism, r->key.private_key), CKR_OPERATION_ACTIVE);
    EXPECT("base §5.15.2", "C_Verify while a signing operation is active",
           r->f->C_Verify(r->session, o.data, o.len, out, r->key.signature_len), CKR_OPERATION_NOT_INITIALIZED);
    EXPECT("base §5.12.2", "C_DigestUpdate while a signing operation is active",
           r->f->C_DigestUpdate(r->session, o.data, 1), CKR_OPERATION_NOT_INITIALIZED);
    ends(r, &o, "after all that", CKR_OK);
    ends(r, &o, "again", CKR_OPERATION_NOT_INITIALIZED);
}

void operation_cancel_group(struct rig *r)
{
    struct order o = order_any(r);
    if (!r->f3)
        return;
    CK_FUNCTION_LIST_3_0 *f = r->f3;
    begins(r, &o);
    EXPECT("base §5.13.1", "C_SignInit(session, NULL, 0) ends the operation", f->C_SignInit(r->session, NULL, 0),
           CKR_OK);
    ends(r, &o, "after C_SignInit with NULL", CKR_OPERATION_NOT_INITIALIZED);

    CK_RV rv = f->C_SessionCancel(r->session, 0);
    EXPECT("base §5.6.5", "C_SessionCancel without flags", rv, CKR_OK, CKR_FUNCTION_NOT_SUPPORTED);
    if (rv == CKR_FUNCTION_NOT_SUPPORTED)
        return;
    const CK_FLAGS other[] = {
        0, CKF_VERIFY, CKF_DIGEST, CKF_ENCRYPT | CKF_DECRYPT, CKF_FIND_OBJECTS, ~(CK_FLAGS)CKF_SIGN};
    for (size_t i = 0; i < COUNT_OF(other); i++) {
        begins(r, &o);
        EXPECT("base §5.6.5", text("C_SessionCancel of 0x%lx", other[i]), f->C_SessionCancel(r->session, other[i]),
               CKR_OK);
        ends(r, &o, text("after C_SessionCancel of 0x%lx", other[i]), CKR_OK);
    }
    const CK_FLAGS its[] = {CKF_SIGN, CKF_SIGN | CKF_VERIFY, ~0UL};
    for (size_t i = 0; i < COUNT_OF(its); i++) {
        begins(r, &o);
        EXPECT("base §5.6.5", text("C_SessionCancel of 0x%lx", its[i]), f->C_SessionCancel(r->session, its[i]), CKR_OK);
        ends(r, &o, text("after C_SessionCancel of 0x%lx", its[i]), CKR_OPERATION_NOT_INITIALIZED);
        begins(r, &o);
        ends(r, &o, "after a new C_SignInit", CKR_OK);
    }
    CK_ULONG count;
    CK_OBJECT_HANDLE object;
    EXPECT("base §5.7.7", "C_FindObjectsInit", f->C_FindObjectsInit(r->session, NULL, 0), CKR_OK);
    EXPECT("base §5.6.5", "C_SessionCancel of a search", f->C_SessionCancel(r->session, CKF_FIND_OBJECTS), CKR_OK);
    EXPECT("base §5.6.5", "C_FindObjects after that", f->C_FindObjects(r->session, &object, 1, &count),
           CKR_OPERATION_NOT_INITIALIZED);
}

/* "C_Sign cannot be used to terminate a multi-part operation" (base §5.13.2). Whether the error ends it the text leaves
 * open; what must not happen is a signature. */
void operation_parts_group(struct rig *r)
{
    const struct scheme_row *row = row_hashing(r);
    if (!row)
        return;
    CK_BYTE out[SIGNATURE_MAX];
    CK_ULONG len = sizeof out;
    struct order o;
    order_make(&o, row, row->hash);
    begins(r, &o);
    EXPECT("base §5.13.3", "C_SignUpdate", r->f->C_SignUpdate(r->session, o.data, 8), CKR_OK);
    EXPECT("base §5.13.2", "C_Sign after C_SignUpdate", r->f->C_Sign(r->session, o.data, o.len, out, &len),
           CKR_OPERATION_ACTIVE, CKR_OPERATION_NOT_INITIALIZED, CKR_FUNCTION_FAILED);
    (void)r->f->C_SignInit(r->session, NULL, 0);
    len = sizeof out;
    (void)r->f->C_SignFinal(r->session, out, &len);

    begins(r, &o);
    EXPECT("base §5.13.3", "C_SignUpdate", r->f->C_SignUpdate(r->session, o.data, 8), CKR_OK);
    EXPECT("base §5.13.3", "C_SignUpdate at NULL of 0 bytes", r->f->C_SignUpdate(r->session, NULL, 0), CKR_OK,
           CKR_ARGUMENTS_BAD);
    (void)r->f->C_SignFinal(r->session, out, &len);
    (void)r->f->C_SignInit(r->session, NULL, 0);

    begins(r, &o); /* a size query of C_Sign does not make it multi-part, and the other way round */
    EXPECT("base §5.2", "C_Sign size query", r->f->C_Sign(r->session, o.data, o.len, NULL, &len), CKR_OK);
    EXPECT("base §5.13.3", "C_SignUpdate after the query", r->f->C_SignUpdate(r->session, o.data, o.len), CKR_OK);
    len = sizeof out;
    EXPECT("base §5.13.4", "C_SignFinal after the query", r->f->C_SignFinal(r->session, out, &len), CKR_OK);
    check("curr §2", "the queried data are not hashed twice", signature_is_good(&r->key, &o, out, len));
}

/* Long messages, hashed by the module. */
void operation_long_group(struct rig *r)
{
    const struct scheme_row *row = row_hashing(r);
    enum { PIECE = 64 * 1024, PIECES = 64 };
    static CK_BYTE piece[PIECE];
    if (!row)
        return;
    CK_BYTE out[SIGNATURE_MAX];
    CK_ULONG len = sizeof out;
    struct order o;
    order_make(&o, row, row->hash);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    (void)EVP_DigestInit(ctx, EVP_get_digestbyname(row->hash));
    begins(r, &o);
    for (int i = 0; i < PIECES; i++) {
        piece[0] = (CK_BYTE)i;
        (void)EVP_DigestUpdate(ctx, piece, sizeof piece);
        EXPECT("base §5.13.3", "C_SignUpdate of 64 KiB", r->f->C_SignUpdate(r->session, piece, sizeof piece), CKR_OK);
    }
    EXPECT("base §5.13.4", "C_SignFinal of 4 MiB", r->f->C_SignFinal(r->session, out, &len), CKR_OK);
    struct order digest; /* as the mechanism whose caller hashes */
    order_make(&digest, scheme_by_type(row->scheme == SCHEME_ECDSA ? CKM_ECDSA : CKM_RSA_PKCS), row->hash);
    CK_BYTE hash[64];
    (void)EVP_DigestFinal(ctx, hash, NULL);
    EVP_MD_CTX_free(ctx);
    memcpy(digest.data + digest.len - digest.hash->len, hash, digest.hash->len);
    check("curr §2", "the signature of 4 MiB is good", signature_is_good(&r->key, &digest, out, len));
}

void operation_sessions_group(struct rig *r)
{
    CK_BYTE out[SIGNATURE_MAX];
    struct order o = order_any(r);
    CK_SESSION_HANDLE sessions[4];
    for (size_t i = 0; i < COUNT_OF(sessions); i++) {
        sessions[i] = session_new(r, i & 1);
        EXPECT("base §5.13.1", "C_SignInit in several sessions",
               r->f->C_SignInit(sessions[i], &o.mechanism, r->key.private_key), CKR_OK);
    }
    CK_ULONG len = sizeof out;
    EXPECT("base §5.13.2", "C_Sign in a session without operation", r->f->C_Sign(r->session, o.data, o.len, out, &len),
           CKR_OPERATION_NOT_INITIALIZED);
    EXPECT("base §5.6.2", "C_CloseSession with an operation", r->f->C_CloseSession(sessions[0]), CKR_OK);
    for (size_t i = COUNT_OF(sessions) - 1; i > 0; i--) {
        len = sizeof out;
        EXPECT("base §5.13.2", "C_Sign in the others", r->f->C_Sign(sessions[i], o.data, o.len, out, &len), CKR_OK);
        check("curr §2", "… is good", signature_is_good(&r->key, &o, out, len));
    }
    EXPECT("base §5.13.1", "C_SignInit", r->f->C_SignInit(sessions[1], &o.mechanism, r->key.private_key), CKR_OK);
    EXPECT("base §5.4.2", "C_Finalize with an operation", r->f->C_Finalize(NULL), CKR_OK);
}

/* A search and a signature in one session: side by side, or refused, but neither loses the other. */
void operation_search_group(struct rig *r)
{
    struct order o = order_any(r);
    CK_OBJECT_HANDLE object;
    CK_ULONG count = 0;
    begins(r, &o);
    CK_RV rv = r->f->C_FindObjectsInit(r->session, NULL, 0);
    EXPECT("base §5.1.6", "C_FindObjectsInit while signing", rv, CKR_OK, CKR_OPERATION_ACTIVE);
    if (rv == CKR_OK) {
        EXPECT("base §5.7.8", "C_FindObjects while signing", r->f->C_FindObjects(r->session, &object, 1, &count),
               CKR_OK);
        EXPECT("base §5.7.9", "C_FindObjectsFinal while signing", r->f->C_FindObjectsFinal(r->session), CKR_OK);
    }
    ends(r, &o, "after the search", CKR_OK);
    EXPECT("base §5.7.7", "C_FindObjectsInit", r->f->C_FindObjectsInit(r->session, NULL, 0), CKR_OK);
    rv = r->f->C_SignInit(r->session, &o.mechanism, r->key.private_key);
    EXPECT("base §5.1.6", "C_SignInit while searching", rv, CKR_OK, CKR_OPERATION_ACTIVE);
    if (rv == CKR_OK)
        ends(r, &o, "while searching", CKR_OK);
    EXPECT("base §5.7.8", "C_FindObjects after that", r->f->C_FindObjects(r->session, &object, 1, &count), CKR_OK);
    check_number("base §5.7.8", "handles found after that", count, 1);
    EXPECT("base §5.7.9", "C_FindObjectsFinal", r->f->C_FindObjectsFinal(r->session), CKR_OK);
}

/* What a size costs is nobody's signature: the end-to-end test counts the records meanwhile (base §5.2). */
void size_query_group(struct rig *r)
{
    struct order o = order_any(r);
    CK_BYTE out[1];
    CK_ULONG len;
    begins(r, &o);
    for (int i = 0; i < 20; i++) {
        len = 0;
        EXPECT("base §5.2", "a size query", r->f->C_Sign(r->session, o.data, o.len, NULL, &len), CKR_OK);
        len = sizeof out;
        EXPECT("base §5.2", "a short buffer", r->f->C_Sign(r->session, o.data, o.len, out, &len), CKR_BUFFER_TOO_SMALL);
    }
    session_renew(r);
    ends(r, &o, "in a session that never began", CKR_OPERATION_NOT_INITIALIZED);
}

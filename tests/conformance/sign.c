/* SPDX-License-Identifier: Apache-2.0 */
/* Each listed signing mechanism with each key: it signs and OpenSSL agrees, or it is refused for the right reason
 * (base §5.2, §5.13). */
#include <string.h>

#include "group.h"
#include "key.h"
#include "signature.h"

enum { CANARY = 0x5a };

static void is_ended(struct rig *r, const char *after)
{
    CK_BYTE out[SIGNATURE_MAX];
    CK_ULONG len = sizeof out;
    EXPECT("base §5.13.2", text("C_Sign after %s", after), r->f->C_Sign(r->session, out, 20, out, &len),
           CKR_OPERATION_NOT_INITIALIZED);
}

/* Size queries and short buffers answer without ending the operation; the signature goes to an odd address. */
static void signs_whole(struct rig *r, struct order *o)
{
    CK_BYTE out[SIGNATURE_MAX + 2];
    const char *name = o->row->name;
    if (!EXPECT("base §5.13.1", text("C_SignInit with %s", name),
                r->f->C_SignInit(r->session, &o->mechanism, r->key.private_key), CKR_OK))
        return;
    CK_ULONG len = 0;
    for (int i = 0; i < 2; i++) {
        len = i ? ~0UL : 0;
        EXPECT("base §5.2", text("size query of %s", name), r->f->C_Sign(r->session, o->data, o->len, NULL, &len),
               CKR_OK);
        check("base §5.2", text("%s: %lu bytes suffice for %zu", name, len, r->key.signature_len),
              len >= r->key.signature_len && len <= r->key.signature_len + 64);
    }
    const CK_ULONG small[] = {0, 1, r->key.signature_len - 1};
    for (size_t i = 0; i < COUNT_OF(small); i++) {
        memset(out, CANARY, sizeof out);
        len = small[i];
        EXPECT("base §5.2", text("%s into %lu bytes", name, small[i]),
               r->f->C_Sign(r->session, o->data, o->len, out, &len), CKR_BUFFER_TOO_SMALL);
        check("base §5.2", text("%s: CKR_BUFFER_TOO_SMALL tells the length", name), len >= r->key.signature_len);
        check("base §5.2", text("%s: nothing is written into the short buffer", name), out[small[i]] == CANARY);
    }
    len = SIGNATURE_MAX;
    memset(out, CANARY, sizeof out);
    EXPECT("base §5.13.2", text("C_Sign with %s", name), r->f->C_Sign(r->session, o->data, o->len, out + 1, &len),
           CKR_OK);
    check_number("base §5.2", text("bytes of the signature of %s", name), len, r->key.signature_len);
    check("base §5.2", text("%s writes only the signature", name),
          out[0] == CANARY && out[1 + r->key.signature_len] == CANARY);
    check("curr §2", text("OpenSSL verifies the signature of %s", name), signature_is_good(&r->key, o, out + 1, len));
    is_ended(r, text("a signature of %s", name));
}

static void signs_into(struct rig *r, struct order *o, CK_ULONG room)
{
    CK_BYTE out[SIGNATURE_MAX];
    CK_ULONG len = room;
    EXPECT("base §5.2", text("%s into %lu bytes", o->row->name, room), sign_once(r, o, out, &len), CKR_OK);
    check("curr §2", text("OpenSSL verifies the signature of %s into %lu bytes", o->row->name, room),
          signature_is_good(&r->key, o, out, len));
}

static void signs_in_parts(struct rig *r, struct order *o, CK_ULONG piece)
{
    CK_BYTE out[SIGNATURE_MAX];
    CK_ULONG len = 0;
    const char *what = text("%s in pieces of %lu", o->row->name, piece);
    EXPECT("base §5.13.1", "C_SignInit", r->f->C_SignInit(r->session, &o->mechanism, r->key.private_key), CKR_OK);
    EXPECT("base §5.13.3", "C_SignUpdate of nothing", r->f->C_SignUpdate(r->session, o->data, 0), CKR_OK);
    for (CK_ULONG at = 0; at < o->len; at += piece)
        EXPECT("base §5.13.3", text("C_SignUpdate of %s", what),
               r->f->C_SignUpdate(r->session, o->data + at, o->len - at < piece ? o->len - at : piece), CKR_OK);
    EXPECT("base §5.2", "C_SignFinal size query", r->f->C_SignFinal(r->session, NULL, &len), CKR_OK);
    check("base §5.2", "the size suffices", len >= r->key.signature_len);
    len = r->key.signature_len - 1;
    EXPECT("base §5.2", "C_SignFinal into too few bytes", r->f->C_SignFinal(r->session, out, &len),
           CKR_BUFFER_TOO_SMALL);
    len = sizeof out;
    EXPECT("base §5.13.4", text("C_SignFinal of %s", what), r->f->C_SignFinal(r->session, out, &len), CKR_OK);
    check("curr §2", text("OpenSSL verifies the signature of %s", what), signature_is_good(&r->key, o, out, len));
    len = sizeof out;
    EXPECT("base §5.13.4", "C_SignFinal again", r->f->C_SignFinal(r->session, out, &len),
           CKR_OPERATION_NOT_INITIALIZED);
    EXPECT("base §5.13.3", "C_SignUpdate after C_SignFinal", r->f->C_SignUpdate(r->session, o->data, 1),
           CKR_OPERATION_NOT_INITIALIZED);
}

/* Single-part only (curr, tables 1 and 31): an update is refused and ends the operation. */
static void refuses_parts(struct rig *r, struct order *o)
{
    CK_BYTE out[SIGNATURE_MAX];
    CK_ULONG len = sizeof out;
    EXPECT("base §5.13.1", "C_SignInit", r->f->C_SignInit(r->session, &o->mechanism, r->key.private_key), CKR_OK);
    CK_RV rv = r->f->C_SignUpdate(r->session, o->data, o->len);
    check("curr §2.1, §2.3", text("C_SignUpdate with %s, which is single-part, is refused", o->row->name),
          rv != CKR_OK);
    is_ended(r, text("the refused C_SignUpdate of %s", o->row->name));
    EXPECT("base §5.13.1", "C_SignInit", r->f->C_SignInit(r->session, &o->mechanism, r->key.private_key), CKR_OK);
    rv = r->f->C_SignFinal(r->session, out, &len);
    check("curr §2.1, §2.3", text("C_SignFinal with %s, which is single-part, is refused", o->row->name), rv != CKR_OK);
    is_ended(r, text("the refused C_SignFinal of %s", o->row->name));
}

static void is_refused(struct rig *r, struct order *o, bool is_listed)
{
    bool fits = o->row->key_type == r->key.type;
    const char *what = text("C_SignInit with %s, %s", o->row->name,
                            !is_listed ? "not listed"
                            : fits     ? "not allowed for the key"
                                       : "of another key type");
    CK_RV rv = about(what) ? r->f->C_SignInit(r->session, &o->mechanism, r->key.private_key) : CKR_OK;
    if (fits)
        EXPECT_NOT_BEGUN("base §5.13.1", what, rv, CKR_MECHANISM_INVALID);
    else if (is_listed && key_allows(r, r->key.private_key, o->row->type))
        EXPECT_NOT_BEGUN("base §5.13.1", what, rv, CKR_KEY_TYPE_INCONSISTENT);
    else
        EXPECT_NOT_BEGUN("base §5.13.1", what, rv, CKR_KEY_TYPE_INCONSISTENT, CKR_MECHANISM_INVALID);
    is_ended(r, what);
}

void sign_group(struct rig *r)
{
    struct mechanisms m;
    mechanisms_read(r, &m);
    for (size_t i = 0; i < scheme_row_count; i++) {
        struct order o;
        order_make(&o, &scheme_rows[i], "SHA256");
        if (!order_is_possible(r, &scheme_rows[i])) {
            is_refused(r, &o, mechanisms_have(&m, scheme_rows[i].type));
            continue;
        }
        signs_whole(r, &o);
        signs_into(r, &o, r->key.signature_len);
        if (scheme_rows[i].hash) {
            signs_in_parts(r, &o, 1);
            signs_in_parts(r, &o, 17);
        } else if (scheme_rows[i].scheme != SCHEME_EDDSA) {
            refuses_parts(r, &o);
        }
    }
}

/* What is listed can be used with one key at least. */
void sign_listed_group(struct rig *r)
{
    struct mechanisms m;
    mechanisms_read(r, &m);
    for (size_t i = 0; i < scheme_row_count; i++) {
        bool usable = false;
        CK_MECHANISM_INFO info = {0};
        if (!mechanisms_have(&m, scheme_rows[i].type) ||
            r->f->C_GetMechanismInfo(r->slot, scheme_rows[i].type, &info) != CKR_OK || !(info.flags & CKF_SIGN))
            continue;
        for (size_t k = 0; k < r->token->key_count && !usable; k++) {
            key_clear(&r->key);
            usable = key_find(r, r->token->keys[k], &r->key) && order_is_possible(r, &scheme_rows[i]);
        }
        if (!usable)
            checks_note("%s is said to sign, but none of the keys given may be used with it", scheme_rows[i].name);
    }
}

/* Keys of the wrong class (base §5.13.1, §5.15.1). */
void sign_class_group(struct rig *r)
{
    const struct scheme_row *row = row_any(r);
    if (!check("base §4.9", "the key signs with some mechanism", row != NULL))
        return;
    struct order o;
    order_make(&o, row, "SHA256");
    EXPECT_NOT_BEGUN("base §5.13.1", "C_SignInit with the public key",
                     r->f->C_SignInit(r->session, &o.mechanism, r->key.public_key), CKR_KEY_FUNCTION_NOT_PERMITTED,
                     CKR_KEY_TYPE_INCONSISTENT, CKR_KEY_HANDLE_INVALID);
    is_ended(r, "C_SignInit with the public key");
    EXPECT_NOT_BEGUN("base §5.15.1", "C_VerifyInit with the private key",
                     r->f->C_VerifyInit(r->session, &o.mechanism, r->key.private_key), CKR_KEY_FUNCTION_NOT_PERMITTED,
                     CKR_KEY_TYPE_INCONSISTENT, CKR_KEY_HANDLE_INVALID);
    if (r->key.certificate == CK_INVALID_HANDLE)
        return;
    EXPECT_NOT_BEGUN("base §5.13.1", "C_SignInit with the certificate",
                     r->f->C_SignInit(r->session, &o.mechanism, r->key.certificate), CKR_KEY_HANDLE_INVALID,
                     CKR_KEY_TYPE_INCONSISTENT);
    is_ended(r, "C_SignInit with the certificate");
    EXPECT_NOT_BEGUN("base §5.15.1", "C_VerifyInit with the certificate",
                     r->f->C_VerifyInit(r->session, &o.mechanism, r->key.certificate), CKR_KEY_HANDLE_INVALID,
                     CKR_KEY_TYPE_INCONSISTENT);
}

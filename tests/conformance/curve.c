/* SPDX-License-Identifier: Apache-2.0 */
/* What ECDSA and EdDSA take (curr §2.3.12–2.3.14). */
#include <string.h>

#include "group.h"
#include "signature.h"

static void ecdsa_length(struct rig *r, const struct scheme_row *row, CK_ULONG len, bool must)
{
    struct order o;
    CK_BYTE out[SIGNATURE_MAX];
    CK_ULONG out_len = sizeof out;
    order_make(&o, row, "SHA256");
    memset(o.data, 0x31, sizeof o.data);
    o.len = len;
    CK_RV rv = sign_once(r, &o, out, &out_len);
    if (must)
        EXPECT("curr §2.3.12", text("CKM_ECDSA of %lu bytes", len), rv, CKR_OK);
    else
        EXPECT("curr §2.3.12", text("CKM_ECDSA of %lu bytes", len), rv, CKR_OK, CKR_DATA_LEN_RANGE, CKR_DATA_INVALID,
               CKR_FUNCTION_REJECTED);
    if (rv == CKR_OK)
        check("curr §2.3.12", text("OpenSSL verifies CKM_ECDSA of %lu bytes", len),
              signature_is_good(&r->key, &o, out, out_len));
    out_len = sizeof out;
    EXPECT("base §5.13.2", "C_Sign after that", r->f->C_Sign(r->session, o.data, 32, out, &out_len),
           CKR_OPERATION_NOT_INITIALIZED);
}

void ecdsa_group(struct rig *r)
{
    const struct scheme_row *row = row_of_scheme(r, SCHEME_ECDSA, false);
    if (!row)
        return;
    ecdsa_length(r, row, 32, true);
    const CK_ULONG lengths[] = {0, 1, 16, 20, 28, 31, 33, 47, 48, 49, 64, 65, 66, 128, 500};
    for (size_t i = 0; i < COUNT_OF(lengths); i++)
        ecdsa_length(r, row, lengths[i], false);
    struct order o;
    order_make(&o, row, "SHA256");
    CK_MECHANISM with = {CKM_ECDSA, o.data, 4};
    EXPECT_NOT_BEGUN("curr §2.3.12", "CKM_ECDSA with a parameter",
                     r->f->C_SignInit(r->session, &with, r->key.private_key), CKR_MECHANISM_PARAM_INVALID);
    for (int i = 0; i < 40; i++) { /* now and then r or s is short: it is padded */
        CK_BYTE out[SIGNATURE_MAX];
        CK_ULONG len = sizeof out;
        o.data[0] = (CK_BYTE)i;
        EXPECT("curr §2.3.1", "CKM_ECDSA, forty times", sign_once(r, &o, out, &len), CKR_OK);
        check("curr §2.3.1", "r and s are each as long as the order", signature_is_good(&r->key, &o, out, len));
    }
}

static void eddsa_parameters(struct rig *r, const char *what, void *parameter, CK_ULONG len, bool may)
{
    CK_MECHANISM m = {CKM_EDDSA, parameter, len};
    CK_BYTE out[SIGNATURE_MAX];
    CK_ULONG out_len = sizeof out;
    CK_RV rv = r->f->C_SignInit(r->session, &m, r->key.private_key);
    if (!may) {
        EXPECT_NOT_BEGUN("curr §2.3.14", text("CKM_EDDSA with %s", what), rv, CKR_MECHANISM_PARAM_INVALID,
                         CKR_ARGUMENTS_BAD);
        return;
    }
    EXPECT("curr §2.3.14", text("CKM_EDDSA with %s", what), rv, CKR_OK, CKR_MECHANISM_PARAM_INVALID);
    if (rv == CKR_OK)
        EXPECT("curr §2.3.14", text("C_Sign with CKM_EDDSA with %s", what),
               r->f->C_Sign(r->session, (CK_BYTE *)"x", 1, out, &out_len), CKR_OK);
}

void eddsa_group(struct rig *r)
{
    const struct scheme_row *row = row_of_scheme(r, SCHEME_EDDSA, false);
    if (!row)
        return;
    struct order o;
    order_make(&o, row, "SHA256");
    CK_BYTE one[SIGNATURE_MAX], two[SIGNATURE_MAX];
    const CK_ULONG lengths[] = {0, 1, 31, 32, 64, MESSAGE_MAX};
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        CK_ULONG len = sizeof one, again = sizeof two;
        o.len = lengths[i];
        EXPECT("curr §2.3.14", text("CKM_EDDSA of %lu bytes", o.len), sign_once(r, &o, one, &len), CKR_OK);
        check("curr §2.3.14", text("OpenSSL verifies CKM_EDDSA of %lu bytes", o.len),
              signature_is_good(&r->key, &o, one, len));
        EXPECT("curr §2.3.14", "CKM_EDDSA again", sign_once(r, &o, two, &again), CKR_OK);
        check_bytes("RFC 8032 §5.1.6", "Ed25519 is deterministic", two, again, one, len);
    }
    CK_EDDSA_PARAMS pure = {.phFlag = CK_FALSE}, hashed = {.phFlag = CK_TRUE};
    CK_EDDSA_PARAMS context = {.phFlag = CK_FALSE, .ulContextDataLen = 3, .pContextData = (CK_BYTE *)"ctx"};
    eddsa_parameters(r, "parameters that ask for nothing", &pure, sizeof pure, true);
    eddsa_parameters(r, "phFlag", &hashed, sizeof hashed, true);
    eddsa_parameters(r, "a context", &context, sizeof context, true);
    eddsa_parameters(r, "parameters a byte short", &pure, sizeof pure - 1, false);
    eddsa_parameters(r, "parameters at NULL", NULL, sizeof pure, false);
    eddsa_parameters(r, "parameters of length ~0", &pure, ~0UL, false);
}

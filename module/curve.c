/* SPDX-License-Identifier: Apache-2.0 */
/* One row per curve. */
#include "module/curve.h"

enum { TAG_OID = 0x06, TAG_PRINTABLE = 0x13 };

#define DER(text)                                                                                                      \
    {                                                                                                                  \
        (const uint8_t *)(text), sizeof(text) - 1                                                                      \
    }
#define P256_OID "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
#define P384_OID "\x06\x05\x2b\x81\x04\x00\x22"
#define P521_OID "\x06\x05\x2b\x81\x04\x00\x23"
#define ED25519_OID "\x06\x03\x2b\x65\x70"
#define EC_PUBLIC_KEY "\x06\x07\x2a\x86\x48\xce\x3d\x02\x01"

/* CKA_EC_PARAMS is the curve's OID, or for Ed25519 its name, as SoftHSM and the tools write it. */
static const struct curve curves[] = {
    {KEY_TYPE_P256,
     65,
     DER(P256_OID),
     DER("\x30\x13" EC_PUBLIC_KEY P256_OID),
     DER(P256_OID),
     {"secp256r1", "prime256v1", "P-256", "p256"}},
    {KEY_TYPE_P384,
     97,
     DER(P384_OID),
     DER("\x30\x10" EC_PUBLIC_KEY P384_OID),
     DER(P384_OID),
     {"secp384r1", "P-384", "p384"}},
    {KEY_TYPE_P521,
     133,
     DER(P521_OID),
     DER("\x30\x10" EC_PUBLIC_KEY P521_OID),
     DER(P521_OID),
     {"secp521r1", "P-521", "p521"}},
    {KEY_TYPE_ED25519,
     32,
     DER("\x13\x0c"
         "edwards25519"),
     DER("\x30\x05" ED25519_OID),
     DER(ED25519_OID),
     {"edwards25519", "Ed25519", "ED25519", "ed25519"}},
};

const struct curve *curve_of(enum key_type type)
{
    for (size_t i = 0; i < COUNT_OF(curves); i++) {
        if (curves[i].type == type)
            return &curves[i];
    }
    return NULL;
}

static bool has_name(const struct curve *curve, struct slice name)
{
    for (size_t i = 0; i < COUNT_OF(curve->names); i++) {
        if (curve->names[i] && slice_equal(slice_of_text(curve->names[i]), name))
            return true;
    }
    return false;
}

/* One whole value of short form. */
static bool der_is(struct slice der, uint8_t tag)
{
    return der.len > 2 && der.data[0] == tag && der.data[1] < 0x80 && der.data[1] == der.len - 2;
}

/* Explicit and implicit parameters, and what is no DER, are no curve at all. */
CK_RV curve_find(struct slice params, const struct curve **out)
{
    bool is_oid = der_is(params, TAG_OID), is_name = der_is(params, TAG_PRINTABLE);
    if (!is_oid && !is_name)
        return CKR_DOMAIN_PARAMS_INVALID;
    for (size_t i = 0; i < COUNT_OF(curves); i++) {
        if (is_oid ? slice_equal(curves[i].oid, params)
                   : has_name(&curves[i], (struct slice){params.data + 2, params.len - 2})) {
            *out = &curves[i];
            return CKR_OK;
        }
    }
    return CKR_CURVE_NOT_SUPPORTED;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What the objects of one key tell of it, held against one another and against OpenSSL (base §4.7–4.9, curr §2.1,
 * §2.3). */
#include <openssl/objects.h>
#include <openssl/x509.h>
#include <string.h>

#include "attribute.h"
#include "group.h"
#include "key.h"
#include "mechanism.h"

static void same(struct rig *r, CK_ATTRIBUTE_TYPE type, const char *name, CK_OBJECT_HANDLE one, CK_OBJECT_HANDLE other,
                 const char *who)
{
    struct value a, b;
    value_read(r, r->session, one, type, &a);
    value_read(r, r->session, other, type, &b);
    check_bytes("base §4.9", text("%s is the same on %s", name, who), b.bytes, b.len, a.bytes, a.len);
}

void pair_identity_group(struct rig *r)
{
    const struct key *k = &r->key;
    CK_ULONG type = 0;
    same(r, CKA_ID, "CKA_ID", k->private_key, k->public_key, "private and public key");
    same(r, CKA_SUBJECT, "CKA_SUBJECT", k->private_key, k->public_key, "private and public key");
    same(r, CKA_PUBLIC_KEY_INFO, "CKA_PUBLIC_KEY_INFO", k->private_key, k->public_key, "private and public key");
    same(r, CKA_KEY_TYPE, "CKA_KEY_TYPE", k->private_key, k->public_key, "private and public key");
    struct value id;
    value_read(r, r->session, k->private_key, CKA_ID, &id);
    check("base §4.7", "CKA_ID is not empty", id.len > 0);
    check("base §4.7", "CKA_KEY_TYPE can be read", ulong_read(r, k->public_key, CKA_KEY_TYPE, &type));
    check("curr §2", "CKA_KEY_TYPE is what the numbers are",
          type == (EVP_PKEY_is_a(k->pkey, "RSA")  ? CKK_RSA
                   : EVP_PKEY_is_a(k->pkey, "EC") ? CKK_EC
                                                  : CKK_EC_EDWARDS));
    if (k->certificate == CK_INVALID_HANDLE)
        return;
    same(r, CKA_ID, "CKA_ID", k->private_key, k->certificate, "private key and certificate");
    same(r, CKA_SUBJECT, "CKA_SUBJECT", k->private_key, k->certificate, "private key and certificate");
    same(r, CKA_PUBLIC_KEY_INFO, "CKA_PUBLIC_KEY_INFO", k->private_key, k->certificate, "private key and certificate");
}

static void is(struct rig *r, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, const char *what, bool wanted)
{
    CK_BBOOL value = 77;
    CK_ATTRIBUTE a = {type, &value, sizeof value};
    CK_RV rv = r->f->C_GetAttributeValue(r->session, object, &a, 1);
    check("base §4.4, §4.7–4.9", text("%s is %s", what, wanted ? "true" : "false"),
          rv == CKR_OK && value == (wanted ? CK_TRUE : CK_FALSE));
}

void pair_flags_group(struct rig *r)
{
    const struct key *k = &r->key;
    is(r, k->private_key, CKA_TOKEN, "CKA_TOKEN of the private key", true);
    is(r, k->public_key, CKA_TOKEN, "CKA_TOKEN of the public key", true);
    is(r, k->public_key, CKA_PRIVATE, "CKA_PRIVATE of the public key", false);
    is(r, k->private_key, CKA_SIGN, "CKA_SIGN", true);
    is(r, k->public_key, CKA_VERIFY, "CKA_VERIFY", true);
    is(r, k->private_key, CKA_SENSITIVE, "CKA_SENSITIVE", true);
    is(r, k->private_key, CKA_EXTRACTABLE, "CKA_EXTRACTABLE", false);
    if (login_is_required(r))
        is(r, k->private_key, CKA_PRIVATE, "CKA_PRIVATE of the private key", true);
    if (bool_read(r, k->private_key, CKA_LOCAL)) { /* made inside: what was always so is so from the start */
        is(r, k->private_key, CKA_ALWAYS_SENSITIVE, "CKA_ALWAYS_SENSITIVE", true);
        is(r, k->private_key, CKA_NEVER_EXTRACTABLE, "CKA_NEVER_EXTRACTABLE", true);
    }
    if (bool_read(r, k->private_key, CKA_ALWAYS_AUTHENTICATE))
        is(r, k->private_key, CKA_PRIVATE, "CKA_PRIVATE with CKA_ALWAYS_AUTHENTICATE", true);
    CK_ULONG generator = 0;
    if (ulong_read(r, k->private_key, CKA_KEY_GEN_MECHANISM, &generator))
        check("base §4.7", text("CKA_KEY_GEN_MECHANISM 0x%lx is unavailable just when CKA_LOCAL is false", generator),
              bool_read(r, k->private_key, CKA_LOCAL) == (generator != CK_UNAVAILABLE_INFORMATION));
    is(r, k->public_key, CKA_LOCAL, "CKA_LOCAL, as on the private key,", bool_read(r, k->private_key, CKA_LOCAL));
}

static void rsa_numbers(struct rig *r)
{
    struct value n, e;
    CK_ULONG bits = 0;
    same(r, CKA_MODULUS, "CKA_MODULUS", r->key.public_key, r->key.private_key, "public and private key");
    same(r, CKA_PUBLIC_EXPONENT, "CKA_PUBLIC_EXPONENT", r->key.public_key, r->key.private_key,
         "public and private key");
    value_read(r, r->session, r->key.public_key, CKA_MODULUS, &n);
    value_read(r, r->session, r->key.public_key, CKA_PUBLIC_EXPONENT, &e);
    check("base §3.4", "CKA_MODULUS has no leading zero", n.len > 0 && n.bytes[0] != 0);
    check("base §3.4", "CKA_PUBLIC_EXPONENT has no leading zero", e.len > 0 && e.bytes[0] != 0);
    check("curr §2.1.2", "CKA_MODULUS_BITS can be read", ulong_read(r, r->key.public_key, CKA_MODULUS_BITS, &bits));
    check_number("curr §2.1.2", "CKA_MODULUS_BITS", bits, r->key.bits);
    struct value hidden;
    value_read(r, r->session, r->key.private_key, CKA_MODULUS_BITS, &hidden);
    EXPECT("curr §2.1.3", "CKA_MODULUS_BITS of the private key, which has none", hidden.rv, CKR_ATTRIBUTE_TYPE_INVALID,
           CKR_OK);
}

static void ec_numbers(struct rig *r)
{
    struct value params, point;
    same(r, CKA_EC_PARAMS, "CKA_EC_PARAMS", r->key.public_key, r->key.private_key, "public and private key");
    value_read(r, r->session, r->key.public_key, CKA_EC_PARAMS, &params);
    value_read(r, r->session, r->key.public_key, CKA_EC_POINT, &point);
    const unsigned char *at = params.bytes;
    if (r->key.type == CKK_EC_EDWARDS) { /* the OID or the curve's name, a PrintableString */
        static const unsigned char oid[] = {6, 3, 0x2b, 0x65, 0x70}, name[] = "\x13\x0c"
                                                                              "edwards25519";
        check("curr §2.3.5", "CKA_EC_PARAMS is the OID or the name of edwards25519",
              (params.len == sizeof oid && memcmp(params.bytes, oid, sizeof oid) == 0) ||
                  (params.len == sizeof name - 1 && memcmp(params.bytes, name, sizeof name - 1) == 0));
        check_number("curr §2.3.5", "bytes of CKA_EC_POINT, an OCTET STRING of 32", point.len, 34);
        return;
    }
    ASN1_OBJECT *oid = d2i_ASN1_OBJECT(NULL, &at, (long)params.len);
    check("curr §2.3.3", "CKA_EC_PARAMS is one OID", oid && at == params.bytes + params.len);
    ASN1_OBJECT_free(oid);
    size_t inner = 1 + 2 * ((r->key.bits + 7) / 8), header = inner > 127 ? 3 : 2;
    check_number("curr §2.3.3", "bytes of CKA_EC_POINT", point.len, header + inner);
    check("curr §2.3.3", "the point is not compressed", point.bytes[header] == 4);
}

void pair_numbers_group(struct rig *r)
{
    if (r->key.type == CKK_RSA)
        rsa_numbers(r);
    else
        ec_numbers(r);
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(r->key.pkey, &der);
    struct value info;
    value_read(r, r->session, r->key.public_key, CKA_PUBLIC_KEY_INFO, &info);
    if (info.len > 0) /* MAY be empty */
        check_bytes("base §4.8", "CKA_PUBLIC_KEY_INFO is the SubjectPublicKeyInfo of the numbers", info.bytes, info.len,
                    der, len > 0 ? (size_t)len : 0);
    OPENSSL_free(der);
}

static void allowed_are_listed(struct rig *r, CK_OBJECT_HANDLE object, const char *who)
{
    struct value allowed;
    struct mechanisms listed;
    mechanisms_read(r, &listed);
    value_read(r, r->session, object, CKA_ALLOWED_MECHANISMS, &allowed);
    for (CK_ULONG i = 0; i + sizeof(CK_ULONG) <= allowed.len; i += sizeof(CK_ULONG)) {
        CK_MECHANISM_TYPE type;
        memcpy(&type, allowed.bytes + i, sizeof type);
        check("base §4.7", text("mechanism 0x%lx, allowed for the %s, is on C_GetMechanismList", type, who),
              mechanisms_have(&listed, type));
    }
}

void pair_mechanisms_group(struct rig *r)
{
    allowed_are_listed(r, r->key.private_key, "private key");
    allowed_are_listed(r, r->key.public_key, "public key");
}

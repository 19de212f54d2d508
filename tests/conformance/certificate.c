/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates, held against what OpenSSL reads in them (base §4.6). */
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "attribute.h"
#include "group.h"
#include "search.h"

static void der_is(struct rig *r, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, const char *name, unsigned char *der,
                   int len)
{
    struct value value;
    value_read(r, r->session, object, type, &value);
    check_bytes("base §4.6.3", text("%s of the %s", name, object_name(r, object)), value.bytes, value.len, der,
                len > 0 ? (size_t)len : 0);
    OPENSSL_free(der);
}

static void names_are_right(struct rig *r, CK_OBJECT_HANDLE object, const X509 *crt)
{
    unsigned char *subject = NULL, *issuer = NULL, *serial = NULL, *info = NULL;
    int len = i2d_X509_NAME(X509_get_subject_name(crt), &subject);
    der_is(r, object, CKA_SUBJECT, "CKA_SUBJECT", subject, len);
    len = i2d_X509_NAME(X509_get_issuer_name(crt), &issuer);
    der_is(r, object, CKA_ISSUER, "CKA_ISSUER", issuer, len);
    len = i2d_ASN1_INTEGER(X509_get0_serialNumber(crt), &serial);
    der_is(r, object, CKA_SERIAL_NUMBER, "CKA_SERIAL_NUMBER, a DER INTEGER,", serial, len);
    len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(crt), &info);
    der_is(r, object, CKA_PUBLIC_KEY_INFO, "CKA_PUBLIC_KEY_INFO", info, len);
}

static void date_is(struct rig *r, CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type, const char *name,
                    const ASN1_TIME *time)
{
    struct tm tm = {0};
    char wanted[64];
    struct value value;
    value_read(r, r->session, object, type, &value);
    if (value.len == 0) /* default empty */
        return;
    (void)ASN1_TIME_to_tm(time, &tm);
    (void)snprintf(wanted, sizeof wanted, "%04d%02d%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
    check_bytes("base §4.6.2", name, value.bytes, value.len, wanted, 8);
}

static bool has_private_key(struct rig *r, CK_OBJECT_HANDLE certificate)
{
    CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
    struct value id;
    struct found found;
    value_read(r, r->session, certificate, CKA_ID, &id);
    CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &class, sizeof class}, {CKA_ID, id.bytes, id.len}};
    search(r, r->session, wanted, 2, &found);
    return id.len > 0 && found.count > 0;
}

static void category_is_right(struct rig *r, CK_OBJECT_HANDLE object, X509 *crt)
{
    CK_ULONG category = 99;
    bool is_user = has_private_key(r, object), is_ca = X509_check_ca(crt) > 0;
    if (!ulong_read(r, object, CKA_CERTIFICATE_CATEGORY, &category) || category == CK_CERTIFICATE_CATEGORY_UNSPECIFIED)
        return;
    CK_ULONG wanted = is_user ? CK_CERTIFICATE_CATEGORY_TOKEN_USER
                      : is_ca ? CK_CERTIFICATE_CATEGORY_AUTHORITY
                              : CK_CERTIFICATE_CATEGORY_OTHER_ENTITY;
    check_number("base §4.6.2", text("CKA_CERTIFICATE_CATEGORY of the %s", object_name(r, object)), category, wanted);
}

static X509 *certificate_read(struct rig *r, CK_OBJECT_HANDLE object)
{
    struct value value;
    value_read(r, r->session, object, CKA_VALUE, &value);
    const unsigned char *at = value.bytes;
    X509 *crt = d2i_X509(NULL, &at, (long)value.len);
    check("base §4.6.3", text("CKA_VALUE of the %s is one whole certificate", object_name(r, object)),
          crt && at == value.bytes + value.len);
    return crt;
}

static void checksum_is_right(struct rig *r, CK_OBJECT_HANDLE object)
{
    struct value value, sum;
    unsigned char digest[SHA_DIGEST_LENGTH];
    value_read(r, r->session, object, CKA_VALUE, &value);
    value_read(r, r->session, object, CKA_CHECK_VALUE, &sum);
    SHA1(value.bytes, value.len, digest);
    check_bytes("base §4.6.2", "CKA_CHECK_VALUE is the start of the certificate's SHA-1", sum.bytes, sum.len, digest,
                3);
}

/* Certificates on the token are a chain that a program can walk by subject and issuer. */
static void issuer_is_found(struct rig *r, CK_OBJECT_HANDLE object, X509 *crt)
{
    struct value issuer;
    CK_OBJECT_CLASS class = CKO_CERTIFICATE;
    value_read(r, r->session, object, CKA_ISSUER, &issuer);
    CK_ATTRIBUTE wanted[] = {{CKA_CLASS, &class, sizeof class}, {CKA_SUBJECT, issuer.bytes, issuer.len}};
    struct found found;
    search(r, r->session, wanted, 2, &found);
    if (found.rv != CKR_OK || found.count == 0)
        return;
    bool verifies = false;
    for (CK_ULONG i = 0; i < found.count; i++) {
        X509 *above = certificate_read(r, found.objects[i]);
        verifies = verifies || (above && X509_verify(crt, X509_get0_pubkey(above)) == 1);
        X509_free(above);
    }
    check("base §4.6.3", text("the issuer, found by CKA_SUBJECT, signed the %s", object_name(r, object)), verifies);
}

static void certificate_is_right(struct rig *r, CK_OBJECT_HANDLE object)
{
    CK_ULONG type = 99;
    X509 *crt = certificate_read(r, object);
    if (!crt)
        return;
    names_are_right(r, object, crt);
    checksum_is_right(r, object);
    date_is(r, object, CKA_START_DATE, "CKA_START_DATE", X509_get0_notBefore(crt));
    date_is(r, object, CKA_END_DATE, "CKA_END_DATE", X509_get0_notAfter(crt));
    check("base §4.6.2", "CKA_CERTIFICATE_TYPE is X.509",
          ulong_read(r, object, CKA_CERTIFICATE_TYPE, &type) && type == CKC_X_509);
    check("base §4.6.2", "a private object before login it is not", !bool_read(r, object, CKA_PRIVATE));
    category_is_right(r, object, crt);
    issuer_is_found(r, object, crt);
    X509_free(crt);
}

void certificate_group(struct rig *r)
{
    CK_OBJECT_CLASS class = CKO_CERTIFICATE;
    CK_ATTRIBUTE wanted = {CKA_CLASS, &class, sizeof class};
    struct found found;
    search(r, r->session, &wanted, 1, &found);
    if (found.count == 0)
        checks_note("the token has no certificate");
    for (CK_ULONG i = 0; i < found.count; i++)
        certificate_is_right(r, found.objects[i]);
}

/* The lookup of those who have a certificate at hand: CKA_ISSUER with CKA_SERIAL_NUMBER, and CKA_VALUE. */
void certificate_lookup_group(struct rig *r)
{
    struct value issuer, serial, whole;
    struct found found;
    CK_OBJECT_HANDLE crt = r->key.certificate;
    if (crt == CK_INVALID_HANDLE)
        return;
    value_read(r, r->session, crt, CKA_ISSUER, &issuer);
    value_read(r, r->session, crt, CKA_SERIAL_NUMBER, &serial);
    value_read(r, r->session, crt, CKA_VALUE, &whole);
    CK_ATTRIBUTE both[] = {{CKA_ISSUER, issuer.bytes, issuer.len}, {CKA_SERIAL_NUMBER, serial.bytes, serial.len}};
    search(r, r->session, both, 2, &found);
    check("base §4.6.3", "CKA_ISSUER and CKA_SERIAL_NUMBER find one certificate",
          found.count == 1 && found.objects[0] == crt);
    CK_ATTRIBUTE value = {CKA_VALUE, whole.bytes, whole.len};
    search(r, r->session, &value, 1, &found);
    check("base §4.6.3", "CKA_VALUE finds one certificate", found.count == 1 && found.objects[0] == crt);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes of X.509 certificates (PKCS#11 3.0 §4.6). The key's own certificate has the key's CKA_ID and label; that
 * of a CA has the CKA_ID its key would have, and its common name. */
#include "common/openssl_scope.h"
#include "module/object.h"

#include <openssl/x509.h>
#include <stdio.h>

#include "client/client.h"
#include "common/signature.h"

static void add_encoded(struct attributes *a, CK_ATTRIBUTE_TYPE type, uint8_t *der, int len)
{
    if (len < 0)
        a->failed = true;
    else
        attribute_add(a, type, der ? der : (const uint8_t *)"", (size_t)len);
    OPENSSL_free(der);
}

static void add_names(struct attributes *a, const X509 *crt)
{
    uint8_t *subject = NULL, *issuer = NULL, *serial = NULL;
    int subject_len = i2d_X509_NAME(X509_get_subject_name(crt), &subject);
    add_encoded(a, CKA_SUBJECT, subject, subject_len);
    int issuer_len = i2d_X509_NAME(X509_get_issuer_name(crt), &issuer);
    add_encoded(a, CKA_ISSUER, issuer, issuer_len);
    int serial_len = i2d_ASN1_INTEGER(X509_get0_serialNumber(crt), &serial);
    add_encoded(a, CKA_SERIAL_NUMBER, serial, serial_len);
    uint8_t *spki = NULL;
    int spki_len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(crt), &spki);
    add_encoded(a, CKA_PUBLIC_KEY_INFO, spki, spki_len);
}

/* A CK_DATE: YYYYMMDD. */
static void add_date(struct attributes *a, CK_ATTRIBUTE_TYPE type, const ASN1_TIME *time)
{
    struct tm tm = {0};
    char text[32];
    if (!ASN1_TIME_to_tm(time, &tm) || tm.tm_year < -900 || tm.tm_year > 8099) {
        attribute_add_empty(a, type);
        return;
    }
    (void)snprintf(text, sizeof text, "%04d%02d%02d", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday);
    attribute_add(a, type, text, sizeof(CK_DATE));
}

/* CKA_CHECK_VALUE: the first three bytes of the SHA-1 of the certificate. */
static bool add_check_value(struct attributes *a, struct slice der)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    if (!EVP_Digest(der.data, der.len, digest, NULL, EVP_sha1(), NULL))
        return false;
    attribute_add(a, CKA_CHECK_VALUE, digest, 3);
    return true;
}

/* As for our own keys; a CA may have a key of a kind we do not make, and then gets the SHA-1 of its key's bits. */
static bool authority_id(X509 *crt, uint8_t id[EVP_MAX_MD_SIZE])
{
    EVP_PKEY *pkey = X509_get0_pubkey(crt);
    if (pkey && is_ok(key_cka_id(pkey, id, NULL)))
        return true;
    return X509_pubkey_digest(crt, EVP_sha1(), id, NULL) == 1;
}

/* Labels are UTF-8 (PKCS#11 3.0 §4.4), whatever string type the certificate has. */
static void add_common_name(struct attributes *a, const X509 *crt)
{
    const X509_NAME *subject = X509_get_subject_name(crt);
    int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    uint8_t *name = NULL;
    int len = at < 0 ? -1 : ASN1_STRING_to_UTF8(&name, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    if (len > 0)
        object_fill_token(a, (struct slice){name, (size_t)len});
    else
        object_fill_token(a, slice_of_text("issuing CA"));
    OPENSSL_free(name);
}

static bool add_authority(struct attributes *a, X509 *crt)
{
    uint8_t id[EVP_MAX_MD_SIZE];
    if (!authority_id(crt, id))
        return false;
    attribute_add(a, CKA_ID, id, 20);
    add_common_name(a, crt);
    attribute_add_ulong(a, CKA_CERTIFICATE_CATEGORY, CK_CERTIFICATE_CATEGORY_AUTHORITY);
    return true;
}

static bool add_owner(struct attributes *a, X509 *crt, const struct client_key *key)
{
    if (!key)
        return add_authority(a, crt);
    attribute_add(a, CKA_ID, key->cka_id, sizeof key->cka_id);
    object_fill_token(a, slice_of_text(key->token_label));
    attribute_add_ulong(a, CKA_CERTIFICATE_CATEGORY, CK_CERTIFICATE_CATEGORY_TOKEN_USER);
    return true;
}

/* A CA may have a key here too: its certificate then stands as the key's own and as an issuer's. */
static bool add_unique_id(struct attributes *a, struct slice der, const char *kind)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    char text[sizeof "certificate/" + 40];
    if (!EVP_Digest(der.data, der.len, digest, NULL, EVP_sha256(), NULL))
        return false;
    int at = snprintf(text, sizeof text, "%s/", kind);
    for (int i = 0; i < 20; i++)
        at += snprintf(text + at, sizeof text - (size_t)at, "%02x", digest[i]);
    attribute_add_text(a, CKA_UNIQUE_ID, text);
    return true;
}

bool object_fill_certificate(struct attributes *a, struct slice der, const struct client_key *key)
{
    const uint8_t *at = der.data;
    cleanup_x509 X509 *crt = d2i_X509(NULL, &at, (long)der.len);
    if (!crt)
        return false;

    attribute_add_ulong(a, CKA_CLASS, CKO_CERTIFICATE);
    attribute_add_bool(a, CKA_PRIVATE, false);
    attribute_add_ulong(a, CKA_CERTIFICATE_TYPE, CKC_X_509);
    attribute_add_bool(a, CKA_TRUSTED, false);
    attribute_add_slice(a, CKA_VALUE, der);
    attribute_add_empty(a, CKA_URL);
    attribute_add_empty(a, CKA_HASH_OF_SUBJECT_PUBLIC_KEY);
    attribute_add_empty(a, CKA_HASH_OF_ISSUER_PUBLIC_KEY);
    attribute_add_ulong(a, CKA_JAVA_MIDP_SECURITY_DOMAIN, 0);
    attribute_add_ulong(a, CKA_NAME_HASH_ALGORITHM, CKM_SHA_1);
    add_names(a, crt);
    add_date(a, CKA_START_DATE, X509_get0_notBefore(crt));
    add_date(a, CKA_END_DATE, X509_get0_notAfter(crt));
    return add_check_value(a, der) && add_owner(a, crt, key) &&
           add_unique_id(a, der, key ? "certificate" : "authority");
}

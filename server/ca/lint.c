/* SPDX-License-Identifier: Apache-2.0 */
/* One function a rule of CSBR 3.10; the table is the list. */
#include "server/ca/lint.h"

#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/openssl_scope.h"
#include "server/ca/certificate.h"

enum { RSA_BITS_LEAST = 3072, DAYS_MOST = 460, SERIAL_BYTES_LEAST = 8, SHA256_BITS = 128 };

struct lint {
    X509 *crt;
    void (*each)(void *arg, const struct lint_finding *f);
    void *arg;
    const char *rule;
};

static void find(const struct lint *l, const char *severity, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void find(const struct lint *l, const char *severity, const char *format, ...)
{
    struct lint_finding f = {.rule = l->rule, .severity = severity};
    va_list args;

    va_start(args, format);
    (void)vsnprintf(f.text, sizeof(f.text), format, args);
    va_end(args);
    l->each(l->arg, &f);
}

static bool has(const struct lint *l, int nid)
{
    return X509_get_ext_by_NID(l->crt, nid, -1) >= 0;
}

static bool is_critical(const struct lint *l, int nid)
{
    int at = X509_get_ext_by_NID(l->crt, nid, -1);
    return at >= 0 && X509_EXTENSION_get_critical(X509_get_ext(l->crt, at));
}

/* CSBR 6.1.5 */
static void lint_key(const struct lint *l)
{
    EVP_PKEY *key = X509_get0_pubkey(l->crt);
    int type = key ? EVP_PKEY_get_base_id(key) : EVP_PKEY_NONE;
    int bits = key ? EVP_PKEY_get_bits(key) : 0;

    if (type == EVP_PKEY_RSA || type == EVP_PKEY_RSA_PSS) {
        if (bits < RSA_BITS_LEAST)
            find(l, "error", "the RSA key has %d bits, at least %d are required", bits, RSA_BITS_LEAST);
    } else if (type != EVP_PKEY_EC) {
        find(l, "error", "the key is neither RSA nor ECDSA on P-256, P-384 or P-521");
    } else if (bits != 256 && bits != 384 && bits != 521) {
        find(l, "error", "the curve is none of P-256, P-384, P-521");
    }
}

/* 7.1.3 */
static void lint_signature(const struct lint *l)
{
    int strength = 0;

    if (!X509_get_signature_info(l->crt, NULL, NULL, &strength, NULL) || strength < SHA256_BITS)
        find(l, "error", "the signature's hash is weaker than SHA-256");
}

/* 7.1.2.3 f */
static void lint_extended_key_usage(const struct lint *l)
{
    uint32_t usage = X509_get_extended_key_usage(l->crt);

    if (!has(l, NID_ext_key_usage) || !(usage & XKU_CODE_SIGN))
        find(l, "error", "extendedKeyUsage must have id-kp-codeSigning");
    else if (usage & (XKU_ANYEKU | XKU_SSL_SERVER | XKU_SSL_CLIENT | XKU_SMIME | XKU_OCSP_SIGN | XKU_TIMESTAMP))
        find(l, "error", "extendedKeyUsage has a purpose beside code signing");
}

/* 7.1.2.3 e */
static void lint_key_usage(const struct lint *l)
{
    uint32_t usage = X509_get_key_usage(l->crt);

    if (!has(l, NID_key_usage) || !(usage & KU_DIGITAL_SIGNATURE))
        find(l, "error", "keyUsage must have digitalSignature");
    else if (usage & (KU_KEY_CERT_SIGN | KU_CRL_SIGN))
        find(l, "error", "keyUsage must not have keyCertSign or cRLSign");
    else if (!is_critical(l, NID_key_usage))
        find(l, "error", "keyUsage must be critical");
}

/* 7.1.2.3 d */
static void lint_basic_constraints(const struct lint *l)
{
    if (X509_get_extension_flags(l->crt) & EXFLAG_CA)
        find(l, "error", "the certificate is a CA's");
}

/* 6.3.2 */
static void lint_validity(const struct lint *l)
{
    int days = 0, seconds = 0;

    if (!ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(l->crt), X509_get0_notAfter(l->crt)))
        find(l, "error", "the validity cannot be read");
    else if (days > DAYS_MOST || (days == DAYS_MOST && seconds > 0))
        find(l, "error", "the certificate is valid for %d days, at most %d are allowed", days + (seconds > 0),
             DAYS_MOST);
}

/* 7.1: 64 bits and more from a CSPRNG; what can be seen is the length. */
static void lint_serial(const struct lint *l)
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(l->crt);

    if (ASN1_STRING_type(serial) == V_ASN1_NEG_INTEGER || ASN1_STRING_length(serial) < SERIAL_BYTES_LEAST)
        find(l, "error", "the serial number is too short to have 64 random bits");
    else if (ASN1_STRING_length(serial) > 20)
        find(l, "error", "the serial number is longer than 20 bytes");
}

/* 7.1.2.3 g; RFC 5280 §4.2.1.2 */
static void lint_key_identifiers(const struct lint *l)
{
    if (!has(l, NID_authority_key_identifier))
        find(l, "error", "authorityKeyIdentifier is absent");
    if (!has(l, NID_subject_key_identifier))
        find(l, "warning", "subjectKeyIdentifier is absent");
}

/* 7.1.2.3 b: an http URL. */
static void lint_crl_distribution_points(const struct lint *l)
{
    if (!has(l, NID_crl_distribution_points))
        find(l, "error", "cRLDistributionPoints is absent: nobody finds the CRL");
}

static bool access_has(const AUTHORITY_INFO_ACCESS *info, int method)
{
    for (int i = 0; info && i < sk_ACCESS_DESCRIPTION_num(info); i++) {
        const ACCESS_DESCRIPTION *d = sk_ACCESS_DESCRIPTION_value(info, i);
        if (OBJ_obj2nid(d->method) == method && d->location->type == GEN_URI &&
            strncmp((const char *)ASN1_STRING_get0_data(d->location->d.uniformResourceIdentifier), "http://", 7) == 0)
            return true;
    }
    return false;
}

/* 7.1.2.3 c */
static void lint_authority_information_access(const struct lint *l)
{
    AUTHORITY_INFO_ACCESS *info = X509_get_ext_d2i(l->crt, NID_info_access, NULL, NULL);

    if (!access_has(info, NID_ad_ca_issuers))
        find(l, "error", "authorityInfoAccess has no http URL of the issuing CA's certificate");
    if (!access_has(info, NID_ad_OCSP))
        find(l, "warning", "authorityInfoAccess has no http URL of an OCSP responder");
    AUTHORITY_INFO_ACCESS_free(info);
}

/* 7.1.2.3 a */
static void lint_policies(const struct lint *l)
{
    if (!has(l, NID_certificate_policies))
        find(l, "error", "certificatePolicies is absent");
}

/* 7.1.4.2.2 */
static void lint_subject(const struct lint *l)
{
    static const struct {
        int nid;
        const char *name;
    } fields[] = {
        {NID_commonName, "commonName"}, {NID_organizationName, "organizationName"}, {NID_countryName, "countryName"}};
    const X509_NAME *subject = X509_get_subject_name(l->crt);

    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        if (X509_NAME_get_index_by_NID(subject, fields[i].nid, -1) < 0)
            find(l, "error", "the subject has no %s", fields[i].name);
    }
    if (X509_NAME_get_index_by_NID(subject, NID_localityName, -1) < 0 &&
        X509_NAME_get_index_by_NID(subject, NID_stateOrProvinceName, -1) < 0)
        find(l, "error", "the subject has neither localityName nor stateOrProvinceName");
}

static const struct {
    const char *name;
    void (*judge)(const struct lint *l);
} rules[] = {
    {"key", lint_key},
    {"signature", lint_signature},
    {"extended_key_usage", lint_extended_key_usage},
    {"key_usage", lint_key_usage},
    {"basic_constraints", lint_basic_constraints},
    {"validity", lint_validity},
    {"serial", lint_serial},
    {"key_identifiers", lint_key_identifiers},
    {"crl_distribution_points", lint_crl_distribution_points},
    {"authority_information_access", lint_authority_information_access},
    {"policies", lint_policies},
    {"subject", lint_subject},
};

status lint_certificate(struct slice certificate, void (*each)(void *arg, const struct lint_finding *f), void *arg,
                        struct error *err)
{
    cleanup_x509 X509 *crt = NULL;
    cleanup_err_mark bool marked = err_mark();

    TRY(certificate_decode(certificate, &crt, err));
    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        const struct lint l = {crt, each, arg, rules[i].name};
        rules[i].judge(&l);
    }
    return OK;
}

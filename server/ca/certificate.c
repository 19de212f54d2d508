/* SPDX-License-Identifier: Apache-2.0 */
/* Builds and signs one X.509 v3 certificate (RFC 5280). The key may be software or in the HSM: OpenSSL does not care.
 */
#include "server/ca/certificate.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#include "common/secret.h"

enum { SERIAL_LEN = 16, BACKDATE_SECONDS = 60, DAY_SECONDS = 86400 };

status certificate_failure(const char *what, struct error *err)
{
    const char *data = NULL;
    int flags = 0;
    unsigned long code = ERR_peek_last_error_all(NULL, NULL, NULL, &data, &flags);
    const char *reason = ERR_reason_error_string(code);

    status s = error_set(err, CODE_INTERNAL, "%s", what);
    error_detail(err, "OpenSSL: %s %s", reason ? reason : "no reason", flags & ERR_TXT_STRING ? data : "");
    ERR_clear_error();
    return s;
}

/* 16 bytes, positive, none of them a leading zero: 2^120 serials and more to choose from (CA/B asks for 64 bits). */
static status serial_set(X509 *crt, struct error *err)
{
    uint8_t bytes[SERIAL_LEN];

    TRY(secret_random(bytes, sizeof bytes, err));
    bytes[0] = (uint8_t)((bytes[0] & 0x7f) | 0x40);
    BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
    bool done = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(crt));
    BN_free(number);
    return done ? OK : certificate_failure("the serial number cannot be set", err);
}

/* Both ends count (RFC 5280 §4.1.2.5), so a day's certificate lasts one second less than the difference. */
static status validity_set(X509 *crt, int days, const X509 *issuer, struct error *err)
{
    time_t from = time(NULL) - BACKDATE_SECONDS;
    time_t until = from + (time_t)days * DAY_SECONDS - 1;

    if (issuer && X509_cmp_time(X509_get0_notAfter(issuer), &from) < 0)
        return error_set(err, CODE_CONFLICT, "the issuing certificate has expired");
    bool done = ASN1_TIME_set(X509_getm_notBefore(crt), from) && ASN1_TIME_set(X509_getm_notAfter(crt), until);
    if (done && issuer && X509_cmp_time(X509_get0_notAfter(issuer), &until) < 0)
        done = X509_set1_notAfter(crt, X509_get0_notAfter(issuer));
    return done ? OK : certificate_failure("the validity cannot be set", err);
}

static status names_set(X509 *crt, const struct certificate_plan *plan, const X509 *issuer, struct error *err)
{
    cleanup_x509_name X509_NAME *subject = NULL;

    TRY(subject_parse(plan->subject, &subject, err));
    if (!X509_set_subject_name(crt, subject) ||
        !X509_set_issuer_name(crt, issuer ? X509_get_subject_name(issuer) : subject))
        return certificate_failure("the names cannot be set", err);
    return OK;
}

static status extension_add(X509 *crt, X509V3_CTX *ctx, int nid, const char *value, struct error *err)
{
    if (!value)
        return OK;
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, ctx, nid, value);
    bool done = extension && X509_add_ext(crt, extension, -1);
    X509_EXTENSION_free(extension);
    return done ? OK : certificate_failure("an extension cannot be added", err);
}

/* OpenSSL makes this one from text only with a configuration file behind it. */
static status policy_add(X509 *crt, const char *oid, struct error *err)
{
    if (!oid)
        return OK;
    CERTIFICATEPOLICIES *policies = sk_POLICYINFO_new_null();
    POLICYINFO *policy = POLICYINFO_new();
    bool done = policies && policy && (policy->policyid = OBJ_txt2obj(oid, 1)) != NULL &&
                sk_POLICYINFO_push(policies, policy) > 0;
    if (!done)
        POLICYINFO_free(policy);
    done = done && X509_add1_ext_i2d(crt, NID_certificate_policies, policies, 0, X509V3_ADD_DEFAULT) > 0;
    sk_POLICYINFO_pop_free(policies, POLICYINFO_free);
    return done ? OK : certificate_failure("the certificate policy cannot be added", err);
}

static status extensions_add(X509 *crt, const struct certificate_plan *plan, X509 *issuer, struct error *err)
{
    X509V3_CTX ctx;

    X509V3_set_ctx(&ctx, issuer ? issuer : crt, crt, NULL, NULL, 0);
    X509V3_set_ctx_nodb(&ctx);
    TRY(extension_add(crt, &ctx, NID_basic_constraints, plan->basic_constraints, err));
    TRY(extension_add(crt, &ctx, NID_key_usage, plan->key_usage, err));
    TRY(extension_add(crt, &ctx, NID_ext_key_usage, plan->extended_key_usage, err));
    TRY(extension_add(crt, &ctx, NID_subject_alt_name, plan->alternative_names, err));
    TRY(extension_add(crt, &ctx, NID_crl_distribution_points, plan->crl_points, err));
    TRY(extension_add(crt, &ctx, NID_info_access, plan->information_access, err));
    TRY(policy_add(crt, plan->policy, err));
    TRY(extension_add(crt, &ctx, NID_id_pkix_OCSP_noCheck, plan->no_check ? "ignored" : NULL, err));
    TRY(extension_add(crt, &ctx, NID_subject_key_identifier, "hash", err));
    return extension_add(crt, &ctx, NID_authority_key_identifier, "keyid:always", err);
}

status certificate_sign(const struct certificate_plan *plan, X509 *issuer, EVP_PKEY *issuer_key, const EVP_MD *digest,
                        X509 **out, struct error *err)
{
    cleanup_x509 X509 *crt = X509_new_ex(plan->libctx, NULL);

    if (!crt || !X509_set_version(crt, X509_VERSION_3) || !X509_set_pubkey(crt, plan->public_key))
        return certificate_failure("the certificate cannot be made", err);
    TRY(serial_set(crt, err));
    TRY(validity_set(crt, plan->days, issuer, err));
    TRY(names_set(crt, plan, issuer, err));
    TRY(extensions_add(crt, plan, issuer, err));
    if (X509_sign(crt, issuer_key, digest) <= 0)
        return certificate_failure("the certificate cannot be signed", err);
    *out = steal(&crt);
    return OK;
}

status certificate_encode(X509 *crt, struct buf *der, struct error *err)
{
    unsigned char *bytes = NULL;
    int len = i2d_X509(crt, &bytes);

    if (len <= 0)
        return certificate_failure("the certificate cannot be encoded", err);
    buf_reset(der);
    buf_add(der, bytes, (size_t)len);
    OPENSSL_free(bytes);
    return buf_check(der, err);
}

status certificate_decode(struct slice der, X509 **out, struct error *err)
{
    const unsigned char *at = der.data;
    X509 *crt = d2i_X509(NULL, &at, (long)der.len);

    if (!crt || at != der.data + der.len) {
        X509_free(crt);
        return certificate_failure("a stored certificate cannot be read", err);
    }
    *out = crt;
    return OK;
}

status certificate_serial(const X509 *crt, char out[41], struct error *err)
{
    enum { SIZE = 41 };
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(crt), NULL);
    char *hex = number ? BN_bn2hex(number) : NULL;
    bool fits = hex && strlen(hex) < SIZE;

    if (fits)
        memcpy(out, hex, strlen(hex) + 1);
    OPENSSL_free(hex);
    BN_free(number);
    return fits ? OK : error_set(err, CODE_INVALID, "the serial number of the certificate is too long");
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Opens the built-in CAs and issues leaves by them: what a profile's row says, by a CA that may, from its key in the
 * HSM (I3). */
#include "server/ca/ca.h"

#include <openssl/x509v3.h>
#include <string.h>

#include "common/certificate.h"
#include "common/text.h"
#include "server/ca/authority.h"
#include "server/ca/ocsp_cache.h"

/* ---- opening */

static status issuing_check(struct ca *ca, struct error *err)
{
    cleanup_authority struct authority root = {0}, issuing = {0};

    status s = authority_open(ca, CA_ISSUING_NAME, &issuing, err);
    if (s.code == CODE_NOT_FOUND && !issuing.crt)
        return error_set(err, CODE_NOT_FOUND, "the store has no built-in CA");
    if (s.code != CODE_HSM_UNAVAILABLE) /* an HSM that is away is asked by the first call that needs the key */
        TRY(s);
    if (!*issuing.row.parent)
        return OK;
    TRY(authority_read(ca, issuing.row.parent, &root, err));
    if (!root.crt || X509_verify(issuing.crt, X509_get0_pubkey(root.crt)) != 1)
        return certificate_failure("the issuing CA's certificate is not signed by the root", err);
    return OK;
}

status ca_open(const struct ca_config *config, struct ca **out, struct error *err)
{
    cleanup_ca struct ca *ca = calloc(1, sizeof *ca);

    if (!ca)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    ca->config = *config;
    (void)pthread_mutex_init(&ca->crl_lock, NULL);
    (void)pthread_mutex_init(&ca->ocsp_lock, NULL);
    TRY(ocsp_cache_new(&ca->ocsp, err));
    TRY(issuing_check(ca, err));
    *out = steal(&ca);
    return OK;
}

void ca_close(struct ca *ca)
{
    if (!ca)
        return;
    ocsp_cache_free(ca->ocsp);
    (void)pthread_mutex_destroy(&ca->crl_lock);
    (void)pthread_mutex_destroy(&ca->ocsp_lock);
    free(ca);
}

const char *ca_public_url(const struct ca *ca)
{
    return ca->config.public_url ? ca->config.public_url : "";
}

/* ---- leaves */

static status request_key(struct ca *ca, struct slice spki, EVP_PKEY **out, struct error *err)
{
    enum key_type type;
    cleanup_pkey EVP_PKEY *key = NULL;

    if (!is_ok(public_key_decode(hsm_libctx(ca->config.hsm), spki, &key, NULL)))
        return error_set(err, CODE_INVALID, "the public key is no SubjectPublicKeyInfo");
    TRY(key_type_of(key, &type, err));
    *out = steal(&key);
    return OK;
}

static status issuer_judge(const struct authority *issuer, const struct profile *p, struct error *err)
{
    if (issuer->row.state != CA_ACTIVE)
        return error_set(err, CODE_CONFLICT, "the CA %s is retired", issuer->row.name);
    if (!(p->issuers & 1u << issuer->row.purpose))
        return error_set(err, CODE_CONFLICT, "the CA %s is for %s and issues no certificate for %s", issuer->row.name,
                         ca_purpose_name(issuer->row.purpose), p->name);
    return OK;
}

/* In days; 0 when it is none that this CA may give. */
static int days_choose(int asked, const struct profile *p, const struct authority *issuer)
{
    bool is_bounded = p == &profiles[PROFILE_CODE_SIGNING] && issuer->row.leaf_days < p->days_most;
    int most = is_bounded ? issuer->row.leaf_days : p->days_most;
    int days = asked ? asked : p->days < most ? p->days : most;
    return days >= 1 && days <= most ? days : 0;
}

static status leaf_sign(struct ca *ca, const struct authority *issuer, const struct ca_request *request, EVP_PKEY *key,
                        X509 **out, struct error *err)
{
    const struct profile *p = &profiles[request->profile];
    struct buf texts[4] = {0};
    struct certificate_plan plan = {
        .public_key = key,
        .subject = request->subject,
        .days = days_choose(request->days, p, issuer),
    };

    if (plan.days == 0)
        return error_set(err, CODE_INVALID, "days: 1 to %d are expected",
                         p == &profiles[PROFILE_CODE_SIGNING] ? issuer->row.leaf_days : p->days_most);
    status s = authority_plan(ca, issuer, request->profile, &plan, texts, err);
    if (is_ok(s))
        s = authority_sign(&plan, issuer->crt, issuer->key, out, err);
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        buf_clear(&texts[i]);
    return s;
}

status ca_issue(struct ca *ca, const struct ca_request *request, struct deadline d, struct issued_certificate *out,
                struct error *err)
{
    cleanup_pkey EVP_PKEY *key = NULL;
    cleanup_x509 X509 *crt = NULL;
    cleanup_authority struct authority issuer = {0};
    const char *name = request->ca && *request->ca ? request->ca : CA_ISSUING_NAME;

    TRY(ca_subject_check(request->subject, err));
    TRY(request_key(ca, request->spki, &key, err));
    TRY(authority_read(ca, name, &issuer, err));
    TRY(issuer_judge(&issuer, &profiles[request->profile], err));
    authority_clear(&issuer);
    TRY(authority_open(ca, name, &issuer, err));
    if (deadline_passed(d))
        return error_set(err, CODE_TIMEOUT, "the deadline passed before the certificate was signed");
    TRY(leaf_sign(ca, &issuer, request, key, &crt, err));
    TRY(certificate_encode(crt, &out->certificate, err));
    TRY(ca_issued_describe(buf_slice(&out->certificate), out, err));
    (void)text_copy(out->ca, sizeof(out->ca), name);
    (void)text_copy(out->profile, sizeof(out->profile), profiles[request->profile].name);
    return OK;
}

/* ---- what a certificate says */

static status subject_text(X509 *crt, char *subject, size_t size, struct error *err)
{
    return certificate_name_text(X509_get_subject_name(crt), subject, size)
               ? OK
               : error_set(err, CODE_INVALID, "the subject of the certificate is too long");
}

status ca_issued_describe(struct slice certificate, struct issued_certificate *out, struct error *err)
{
    cleanup_x509 X509 *crt = NULL;

    TRY(certificate_decode(certificate, &crt, err));
    TRY(certificate_serial(crt, out->serial, err));
    TRY(subject_text(crt, out->subject, sizeof(out->subject), err));
    (void)certificate_time_ms(X509_get0_notBefore(crt), &out->not_before_ms);
    (void)certificate_time_ms(X509_get0_notAfter(crt), &out->not_after_ms);
    out->issued_ms = clock_now_ms();
    return OK;
}

status ca_settings(struct slice certificate, char *subject, size_t size, int *days, struct error *err)
{
    cleanup_x509 X509 *crt = NULL;
    int seconds = 0;

    TRY(certificate_decode(certificate, &crt, err));
    if (!ASN1_TIME_diff(days, &seconds, X509_get0_notBefore(crt), X509_get0_notAfter(crt)))
        return certificate_failure("the certificate's time", err);
    *days += seconds > 0;
    if (*days > CA_LEAF_DAYS_MOST)
        *days = CA_LEAF_DAYS_MOST;
    TRY(subject_text(crt, subject, size, err));
    return ca_subject_check(subject, err);
}

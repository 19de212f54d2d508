/* SPDX-License-Identifier: Apache-2.0 */
/* A CA certificate from outside: the one of our key among those that were given, sorted and verified up to the root. */
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "server/ca/authority.h"

enum { BUNDLE_MOST = 32 };

DEFINE_CLEANUP_PTR(X509_STORE, X509_STORE_free)
#define cleanup_x509_store CLEANUP(X509_STORE_free_cleanup)
DEFINE_CLEANUP_PTR(X509_STORE_CTX, X509_STORE_CTX_free)
#define cleanup_x509_store_ctx CLEANUP(X509_STORE_CTX_free_cleanup)

static void bundle_free(STACK_OF(X509) * bundle)
{
    sk_X509_pop_free(bundle, X509_free);
}
DEFINE_CLEANUP_PTR(STACK_OF(X509), bundle_free)
#define cleanup_bundle CLEANUP(bundle_free_cleanup)

static status bundle_push(STACK_OF(X509) * bundle, X509 *crt, struct error *err)
{
    if (sk_X509_num(bundle) < BUNDLE_MOST && sk_X509_push(bundle, crt) > 0)
        return OK;
    X509_free(crt);
    return error_set(err, CODE_INVALID, "certificate: more than %d certificates", BUNDLE_MOST);
}

static status pem_add(STACK_OF(X509) * bundle, struct slice text, struct error *err)
{
    BIO *bio = BIO_new_mem_buf(text.data, (int)text.len);
    status s = OK;
    int before = sk_X509_num(bundle);
    X509 *crt;

    while (bio && is_ok(s) && (crt = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL)
        s = bundle_push(bundle, crt, err);
    bool ended = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    ERR_clear_error();
    BIO_free(bio);
    TRY(s);
    if (!ended || sk_X509_num(bundle) == before)
        return error_set(err, CODE_INVALID, "certificate: certificate %d of the PEM text cannot be read",
                         sk_X509_num(bundle) - before + 1);
    return OK;
}

static status certificates_add(STACK_OF(X509) * bundle, struct slice given, struct error *err)
{
    const unsigned char *at = given.data;

    if (given.len == 0)
        return OK;
    if (given.data[0] != 0x30) /* a SEQUENCE */
        return pem_add(bundle, given, err);
    X509 *crt = d2i_X509(NULL, &at, (long)given.len);
    ERR_clear_error();
    if (crt && at == given.data + given.len)
        return bundle_push(bundle, crt, err);
    X509_free(crt);
    return error_set(err, CODE_INVALID, "certificate: neither PEM nor DER of a certificate");
}

/* The newest of those that are of the key. */
static X509 *ours_find(const STACK_OF(X509) * bundle, EVP_PKEY *key)
{
    X509 *best = NULL;

    for (int i = 0; i < sk_X509_num(bundle); i++) {
        X509 *crt = sk_X509_value(bundle, i);
        if (X509_check_private_key(crt, key) == 1 &&
            (!best || ASN1_TIME_compare(X509_get0_notBefore(crt), X509_get0_notBefore(best)) > 0))
            best = crt;
    }
    ERR_clear_error();
    return best;
}

static status authority_judge(X509 *crt, struct error *err)
{
    uint32_t usage = X509_get_key_usage(crt);

    if (X509_check_ca(crt) != 1)
        return error_set(err, CODE_INVALID, "certificate: it is no CA certificate (basicConstraints CA:TRUE)");
    if (usage == UINT32_MAX || !(usage & KU_KEY_CERT_SIGN) || !(usage & KU_CRL_SIGN))
        return error_set(err, CODE_INVALID, "certificate: keyUsage needs keyCertSign and cRLSign");
    if (X509_cmp_current_time(X509_get0_notAfter(crt)) < 0)
        return error_set(err, CODE_INVALID, "certificate: it has expired");
    return OK;
}

static status roots_trust(X509_STORE *trusted, const STACK_OF(X509) * bundle, struct error *err)
{
    int count = 0;

    for (int i = 0; i < sk_X509_num(bundle); i++) {
        X509 *crt = sk_X509_value(bundle, i);
        if (X509_self_signed(crt, 1) == 1)
            count += X509_STORE_add_cert(trusted, crt) == 1;
    }
    ERR_clear_error();
    return count ? OK : error_set(err, CODE_INVALID, "root: the root certificate is not among those given");
}

/* Everything above `crt`, as DER one behind the other. */
static status chain_verify(X509 *crt, STACK_OF(X509) * bundle, struct buf *chain, struct error *err)
{
    cleanup_x509_store X509_STORE *trusted = X509_STORE_new();
    cleanup_x509_store_ctx X509_STORE_CTX *ctx = X509_STORE_CTX_new();

    if (!trusted || !ctx || !X509_STORE_CTX_init(ctx, trusted, crt, bundle))
        return error_set(err, CODE_NO_MEMORY, "certificate");
    TRY(roots_trust(trusted, bundle, err));
    X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_X509_STRICT);
    if (X509_verify_cert(ctx) != 1) {
        int why = X509_STORE_CTX_get_error(ctx);
        ERR_clear_error();
        return error_set(err, CODE_INVALID, "certificate: it does not verify up to the root: %s",
                         X509_verify_cert_error_string(why));
    }
    const STACK_OF(X509) *verified = X509_STORE_CTX_get0_chain(ctx);
    if (sk_X509_num(verified) > CA_CHAIN_MOST)
        return error_set(err, CODE_INVALID, "certificate: more than %d certificates up to the root", CA_CHAIN_MOST);
    for (int i = 1; i < sk_X509_num(verified); i++) {
        cleanup_buf struct buf der = {0};
        TRY(certificate_encode(sk_X509_value(verified, i), &der, err));
        buf_add(chain, der.data, der.len);
    }
    return buf_check(chain, err);
}

static void findings_write(X509 *crt, const struct ca_row *row, struct buf *out)
{
    int nid = row->purpose == CA_TIMESTAMPING ? NID_time_stamp : NID_code_sign;
    uint32_t wanted = nid == NID_time_stamp ? XKU_TIMESTAMP : XKU_CODE_SIGN;
    uint32_t usage = X509_get_extended_key_usage(crt);
    cleanup_x509_name X509_NAME *asked = NULL;

    if (usage != UINT32_MAX && !(usage & wanted))
        buf_printf(out, "extendedKeyUsage does not have %s: what this CA issues will not verify\n", OBJ_nid2ln(nid));
    if (usage == UINT32_MAX)
        buf_add_text(out, "extendedKeyUsage is absent: the CA is not limited to its purpose\n");
    if (X509_get_pathlen(crt) != 0)
        buf_add_text(out, "pathlen is not 0: the CA could certify others\n");
    if (X509_get_ext_by_NID(crt, NID_crl_distribution_points, -1) < 0)
        buf_add_text(out, "crlDistributionPoints is absent: nobody learns of a revocation of this CA\n");
    if (is_ok(subject_parse(row->subject, &asked, NULL)) && X509_NAME_cmp(asked, X509_get_subject_name(crt)) != 0)
        buf_add_text(out, "the subject is another one than was asked for\n");
}

status ca_certificate_take(struct ca *ca, struct ca_row *row, struct slice certificates, struct slice root,
                           struct buf *findings, struct error *err)
{
    cleanup_bundle STACK_OF(X509) *bundle = sk_X509_new_null();
    cleanup_pkey EVP_PKEY *key = NULL;
    cleanup_buf struct buf der = {0}, chain = {0};

    if (!bundle)
        return error_set(err, CODE_NO_MEMORY, "certificate");
    TRY(certificates_add(bundle, certificates, err));
    TRY(certificates_add(bundle, root, err));
    TRY(hsm_evp_key(ca->config.hsm, row->hsm_id, &key, err));
    X509 *crt = ours_find(bundle, key);
    if (!crt)
        return error_set(err, CODE_INVALID, "certificate: none of those given is of the key of the CA %s", row->name);
    TRY(authority_judge(crt, err));
    TRY(chain_verify(crt, bundle, &chain, err));
    TRY(certificate_encode(crt, &der, err));
    findings_write(crt, row, findings);
    TRY(buf_check(findings, err));
    buf_clear(&row->certificate);
    buf_clear(&row->chain);
    row->certificate = der;
    row->chain = chain;
    der = chain = (struct buf){0};
    row->state = CA_ACTIVE;
    return OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The authority's certificate: what asks for it, and what may become it (RFC 3161 §2.3). */
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "server/tsa/internal.h"

DEFINE_CLEANUP_PTR(X509_REQ, X509_REQ_free)
DEFINE_CLEANUP_PTR(EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free)

/* ---- the request */

static bool usage_ask(X509_REQ *request)
{
    STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
    X509_EXTENSION *usage = X509V3_EXT_conf_nid(NULL, NULL, NID_ext_key_usage, "critical,timeStamping");
    X509_EXTENSION *key_usage = X509V3_EXT_conf_nid(NULL, NULL, NID_key_usage, "critical,digitalSignature");

    bool done = extensions && usage && key_usage && sk_X509_EXTENSION_push(extensions, usage) &&
                sk_X509_EXTENSION_push(extensions, key_usage) && X509_REQ_add_extensions(request, extensions);
    X509_EXTENSION_free(usage);
    X509_EXTENSION_free(key_usage);
    sk_X509_EXTENSION_free(extensions);
    return done;
}

static status request_failure(struct error *err)
{
    struct error why = {0};

    if (is_ok(hsm_evp_failure(&why)))
        return error_set(err, CODE_INTERNAL, "the certification request cannot be made");
    if (err)
        *err = why;
    return (status){why.code};
}

static status request_encode(X509_REQ *request, struct buf *der, struct error *err)
{
    unsigned char *bytes = NULL;
    int len = i2d_X509_REQ(request, &bytes);

    if (len <= 0)
        return request_failure(err);
    buf_reset(der);
    buf_add(der, bytes, (size_t)len);
    OPENSSL_free(bytes);
    return buf_check(der, err);
}

status tsa_request_make(struct hsm *h, const uint8_t hsm_id[HSM_ID_LEN], X509_NAME *subject, struct buf *der,
                        struct error *err)
{
    cleanup_err_mark bool marked = err_mark();
    cleanup_pkey EVP_PKEY *key = NULL;
    CLEANUP(X509_REQ_free_cleanup) X509_REQ *request = X509_REQ_new_ex(hsm_libctx(h), NULL);

    TRY(hsm_evp_key(h, hsm_id, &key, err));
    ignore(hsm_evp_failure(NULL));
    if (!request || !X509_REQ_set_version(request, X509_REQ_VERSION_1) ||
        !X509_REQ_set_subject_name(request, subject) || !X509_REQ_set_pubkey(request, key) || !usage_ask(request) ||
        X509_REQ_sign(request, key, EVP_sha256()) <= 0)
        return request_failure(err);
    return request_encode(request, der, err);
}

/* ---- the leaf */

static bool usage_is_timestamps_alone(X509 *crt)
{
    int critical = -1;
    CLEANUP(EXTENDED_KEY_USAGE_free_cleanup)
    EXTENDED_KEY_USAGE *usage = X509_get_ext_d2i(crt, NID_ext_key_usage, &critical, NULL);

    return usage && critical == 1 && sk_ASN1_OBJECT_num(usage) == 1 &&
           OBJ_obj2nid(sk_ASN1_OBJECT_value(usage, 0)) == NID_time_stamp;
}

static status time_check(const X509 *crt, const char *which, struct error *err)
{
    if (X509_cmp_current_time(X509_get0_notBefore(crt)) > 0)
        return error_set(err, CODE_INVALID, "%s is not valid yet", which);
    if (X509_cmp_current_time(X509_get0_notAfter(crt)) < 0)
        return error_set(err, CODE_INVALID, "%s has expired", which);
    return OK;
}

static status leaf_check(X509 *crt, struct error *err)
{
    if (!usage_is_timestamps_alone(crt))
        return error_set(err, CODE_INVALID,
                         "the certificate's extended key usage is not critical and timeStamping alone");
    if (X509_check_ca(crt) != 0)
        return error_set(err, CODE_INVALID, "the certificate is one of a CA");
    if (X509_check_purpose(crt, X509_PURPOSE_TIMESTAMP_SIGN, 0) != 1)
        return error_set(err, CODE_INVALID, "the certificate's key usage is not one for timestamps");
    return time_check(crt, "the certificate", err);
}

status tsa_certificate_check(struct slice der, struct error *err)
{
    cleanup_err_mark bool marked = err_mark();
    const unsigned char *at = der.data;
    cleanup_x509 X509 *crt = d2i_X509(NULL, &at, (long)der.len);

    return crt ? leaf_check(crt, err) : error_set(err, CODE_INVALID, "the certificate is not DER");
}

/* ---- the chain */

static status pem_read(struct slice pem, STACK_OF(X509) * *out, struct error *err)
{
    cleanup_certificates STACK_OF(X509) *all = sk_X509_new_null();
    cleanup_bio BIO *in = BIO_new_mem_buf(pem.data, (int)pem.len);
    X509 *crt = NULL;

    while (all && in && (crt = PEM_read_bio_X509(in, NULL, NULL, NULL))) {
        if (sk_X509_num(all) == TSA_CERTIFICATES_MAX || !sk_X509_push(all, crt)) {
            X509_free(crt);
            return error_set(err, CODE_INVALID, "more than %d certificates", TSA_CERTIFICATES_MAX);
        }
    }
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
        return error_set(err, CODE_INVALID, "certificate %d is malformed", sk_X509_num(all) + 1);
    if (!all || sk_X509_num(all) == 0)
        return error_set(err, CODE_INVALID, "there is no -----BEGIN CERTIFICATE-----");
    *out = steal(&all);
    return OK;
}

static bool key_is(X509 *crt, struct slice spki)
{
    unsigned char *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(crt), &der);
    bool same = len > 0 && slice_equal((struct slice){der, (size_t)len}, spki);

    OPENSSL_free(der);
    return same;
}

static X509 *leaf_take(STACK_OF(X509) * all, struct slice spki)
{
    for (int i = 0; i < sk_X509_num(all); i++) {
        if (key_is(sk_X509_value(all, i), spki))
            return sk_X509_delete(all, i);
    }
    return NULL;
}

static X509 *issuer_take(STACK_OF(X509) * all, X509 *of)
{
    for (int i = 0; i < sk_X509_num(all); i++) {
        X509 *issuer = sk_X509_value(all, i);
        if (X509_check_issued(issuer, of) == X509_V_OK && X509_verify(of, X509_get0_pubkey(issuer)) == 1)
            return sk_X509_delete(all, i);
    }
    return NULL;
}

static bool is_root(X509 *crt)
{
    return X509_check_issued(crt, crt) == X509_V_OK && X509_verify(crt, X509_get0_pubkey(crt)) == 1;
}

/* of: who is to be issued; borrowed. */
static status chain_sort(STACK_OF(X509) * all, X509 *leaf, struct buf *chain, struct error *err)
{
    cleanup_certificates STACK_OF(X509) *sorted = sk_X509_new_null();

    for (X509 *of = leaf; !is_root(of);) {
        X509 *issuer = issuer_take(all, of);
        if (!issuer)
            return error_set(err, CODE_INVALID, "the chain ends before a root: an issuer's certificate is missing");
        if (!sorted || !sk_X509_push(sorted, issuer)) {
            X509_free(issuer);
            return error_set(err, CODE_NO_MEMORY, "out of memory");
        }
        if (X509_check_ca(issuer) != 1)
            return error_set(err, CODE_INVALID, "an issuer's certificate is not one of a CA");
        TRY(time_check(issuer, "an issuer's certificate", err));
        TRY(chain_append(issuer, chain, err));
        of = issuer;
    }
    if (sk_X509_num(all) > 0)
        return error_set(err, CODE_INVALID, "there are certificates that do not belong to the chain");
    return OK;
}

status tsa_certificates_read(struct slice pem, struct slice spki, struct buf *leaf, struct buf *chain,
                             struct error *err)
{
    cleanup_err_mark bool marked = err_mark();
    cleanup_certificates STACK_OF(X509) *all = NULL;

    buf_reset(leaf);
    buf_reset(chain);
    TRY(pem_read(pem, &all, err));
    cleanup_x509 X509 *crt = leaf_take(all, spki);
    if (!crt)
        return error_set(err, CODE_INVALID, "none of the certificates is for the authority's key");
    TRY(leaf_check(crt, err));
    TRY(chain_sort(all, crt, chain, err));
    return chain_append(crt, leaf, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate with its way up to an anchor, verified by OpenSSL (RFC 5280 §6), and what should be known of it. */
#include "server/connector/chain.h"

#include <openssl/x509v3.h>

#include "common/json.h"

DEFINE_CLEANUP_PTR(X509_STORE, X509_STORE_free)
DEFINE_CLEANUP_PTR(X509_STORE_CTX, X509_STORE_CTX_free)

enum { DAYS_CODE_SIGNING_MOST = 460, DAYS_SOON = 30, RSA_BITS_LEAST = 3072, SUBJECT_SHOWN = 160 };

void certificate_chain_clear(struct certificate_chain *c)
{
    buf_clear(&c->certificate);
    buf_clear(&c->chain);
    buf_clear(&c->findings);
}

static const char *subject_shown(X509 *crt, char out[SUBJECT_SHOWN])
{
    return X509_NAME_oneline(X509_get_subject_name(crt), out, SUBJECT_SHOWN) ? out : "?";
}

static bool is_self_signed(X509 *crt)
{
    return X509_self_signed(crt, 0) == 1;
}

static status leaf_check(X509 *leaf, struct error *err)
{
    char subject[SUBJECT_SHOWN];

    if (X509_check_purpose(leaf, -1, 0) != 1)
        return error_set(err, CODE_CONFLICT, "%s: an extension of the certificate is malformed",
                         subject_shown(leaf, subject));
    if (X509_get_extension_flags(leaf) & EXFLAG_CA)
        return error_set(err, CODE_CONFLICT, "%s is a CA's certificate", subject_shown(leaf, subject));
    if (!(X509_get_extension_flags(leaf) & EXFLAG_XKUSAGE) || !(X509_get_extended_key_usage(leaf) & XKU_CODE_SIGN))
        return error_set(err, CODE_CONFLICT,
                         "%s is not for code signing: the extended key usage codeSigning is missing",
                         subject_shown(leaf, subject));
    if (!(X509_get_key_usage(leaf) & KU_DIGITAL_SIGNATURE))
        return error_set(err, CODE_CONFLICT, "%s: its key usage has no digitalSignature", subject_shown(leaf, subject));
    return OK;
}

static status store_make(STACK_OF(X509) * all, STACK_OF(X509) * anchors, X509_STORE **out, struct error *err)
{
    CLEANUP(X509_STORE_free_cleanup) X509_STORE *store = X509_STORE_new();
    STACK_OF(X509) *from = anchors ? anchors : all;
    bool done = store != NULL;

    for (int i = 0; done && i < sk_X509_num(from); i++) {
        X509 *crt = sk_X509_value(from, i);
        if (anchors || is_self_signed(crt))
            done = X509_STORE_add_cert(store, crt) == 1;
    }
    if (!done)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    if (anchors) /* the one who configured them may have meant an intermediate one */
        (void)X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
    *out = steal(&store);
    return OK;
}

static status verification_failure(X509_STORE_CTX *ctx, struct error *err)
{
    char subject[SUBJECT_SHOWN];
    int code = X509_STORE_CTX_get_error(ctx);
    X509 *at = X509_STORE_CTX_get_current_cert(ctx);
    const char *who = at ? subject_shown(at, subject) : "the certificate";

    switch (code) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return error_set(err, CODE_CONFLICT, "%s has expired", who);
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return error_set(err, CODE_CONFLICT, "%s is not valid yet", who);
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return error_set(err, CODE_CONFLICT, "%s: its issuer is unknown; give the chain up to a root that is trusted",
                         who);
    default:
        return error_set(err, CODE_CONFLICT, "%s: %s", who, X509_verify_cert_error_string(code));
    }
}

static bool certificate_add(struct buf *out, X509 *crt)
{
    unsigned char *der = NULL;
    int len = i2d_X509(crt, &der);

    if (len > 0)
        buf_add(out, der, (size_t)len);
    OPENSSL_free(der);
    return len > 0;
}

/* ---- findings */

static int days_between(const ASN1_TIME *from, const ASN1_TIME *to)
{
    int days = 0, seconds = 0;

    return ASN1_TIME_diff(&days, &seconds, from, to) ? days : 0;
}

static bool is_weakly_signed(X509 *crt)
{
    int digest = NID_undef;

    return X509_get_signature_info(crt, &digest, NULL, NULL, NULL) == 1 && (digest == NID_sha1 || digest == NID_md5);
}

static void leaf_findings(struct json_writer *w, X509 *leaf)
{
    EVP_PKEY *key = X509_get0_pubkey(leaf);

    if (days_between(X509_get0_notBefore(leaf), X509_get0_notAfter(leaf)) > DAYS_CODE_SIGNING_MOST)
        json_add_text(w, NULL, "the certificate is valid for more than 460 days");
    if (days_between(NULL, X509_get0_notAfter(leaf)) < DAYS_SOON)
        json_add_text(w, NULL, "the certificate ends within 30 days");
    if (key && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA && EVP_PKEY_get_bits(key) < RSA_BITS_LEAST)
        json_add_text(w, NULL, "the RSA key has less than 3072 bits");
    if (X509_get_ext_by_NID(leaf, NID_crl_distribution_points, -1) < 0 &&
        X509_get_ext_by_NID(leaf, NID_info_access, -1) < 0)
        json_add_text(w, NULL, "the certificate names no place to ask whether it was revoked");
    if (is_self_signed(leaf))
        json_add_text(w, NULL, "the certificate is self-signed: whoever verifies must have it");
}

static void findings_write(struct buf *out, STACK_OF(X509) * chain, int given, bool has_anchors)
{
    struct json_writer w = json_writer_on(out);
    int used = sk_X509_num(chain);
    bool is_weak = false;

    for (int i = 0; i < used; i++)
        is_weak = is_weak || (is_weakly_signed(sk_X509_value(chain, i)) && !is_self_signed(sk_X509_value(chain, i)));
    json_begin_array(&w, NULL);
    leaf_findings(&w, sk_X509_value(chain, 0));
    if (is_weak)
        json_add_text(&w, NULL, "a certificate of the chain is signed with SHA-1 or MD5");
    if (!has_anchors && used > 1)
        json_add_text(&w, NULL, "the root is the one that came with the certificate");
    if (given > used)
        json_add_text(&w, NULL, "some of the certificates are not of this chain; they were left out");
    json_end_array(&w);
}

static status chain_take(X509_STORE_CTX *ctx, int given, bool has_anchors, struct certificate_chain *out,
                         struct error *err)
{
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
    cleanup_certificate_chain struct certificate_chain made = {0};
    bool done = certificate_add(&made.certificate, sk_X509_value(chain, 0));

    for (int i = 1; done && i < sk_X509_num(chain); i++)
        done = certificate_add(&made.chain, sk_X509_value(chain, i));
    findings_write(&made.findings, chain, given, has_anchors);
    if (!done)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    TRY(buf_check(&made.certificate, err));
    TRY(buf_check(&made.chain, err));
    TRY(buf_check(&made.findings, err));
    certificate_chain_clear(out);
    *out = made;
    made = (struct certificate_chain){0};
    return OK;
}

status certificate_chain_build(X509 *leaf, STACK_OF(X509) * all, STACK_OF(X509) * anchors,
                               struct certificate_chain *out, struct error *err)
{
    cleanup_err_mark bool marked = err_mark();
    CLEANUP(X509_STORE_free_cleanup) X509_STORE *store = NULL;
    CLEANUP(X509_STORE_CTX_free_cleanup) X509_STORE_CTX *ctx = X509_STORE_CTX_new();

    TRY(leaf_check(leaf, err));
    TRY(store_make(all, anchors, &store, err));
    if (!ctx || !X509_STORE_CTX_init(ctx, store, leaf, all))
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    if (X509_verify_cert(ctx) != 1)
        return verification_failure(ctx, err);
    return chain_take(ctx, sk_X509_num(all), anchors != NULL, out, err);
}

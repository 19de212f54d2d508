/* SPDX-License-Identifier: Apache-2.0 */
/* A CMP client's context from a connector's settings. The proof of possession is made by the HSM; what protects the
 * messages is the connector's own shared secret or certificate. */
#include <openssl/pem.h>
#include <string.h>

#include "common/encoding.h"
#include "common/file.h"
#include "common/secret.h"
#include "server/connector/chain.h"
#include "server/connector/cmp.h"

DEFINE_CLEANUP_PTR(X509_STORE, X509_STORE_free)
DEFINE_CLEANUP_PTR(X509_REQ, X509_REQ_free)
DEFINE_CLEANUP_PTR(X509_NAME, X509_NAME_free)
DEFINE_CLEANUP_PTR(ASN1_OCTET_STRING, ASN1_OCTET_STRING_free)
DEFINE_CLEANUP_PTR(BIO, BIO_free_all)

enum { PEM_MAX = 64 * 1024 };

void cmp_session_free(void *session)
{
    struct cmp_session *s = session;

    if (!s)
        return;
    OSSL_CMP_CTX_free(s->ctx);
    fetch_connection_free(s->http);
    free(s);
}

static status cmp_set(bool done, const char *what, struct error *err)
{
    return done ? OK : connector_failure(CODE_CONFIGURATION, what, err);
}

/* ---- what protects the messages */

static status secret_set(OSSL_CMP_CTX *ctx, const struct connector_settings *s, struct error *err)
{
    cleanup_buf struct buf secret = {0};
    size_t len = strlen(s->reference);

    TRY(file_read_secret(s->secret_file, &secret, err));
    bool done = OSSL_CMP_CTX_set1_secretValue(ctx, secret.data, (int)secret.len) &&
                (len == 0 || OSSL_CMP_CTX_set1_referenceValue(ctx, (const unsigned char *)s->reference, (int)len)) &&
                OSSL_CMP_CTX_set_option(ctx, OSSL_CMP_OPT_OWF_ALGNID, NID_sha256) &&
                OSSL_CMP_CTX_set_option(ctx, OSSL_CMP_OPT_MAC_ALGNID, NID_hmacWithSHA256);
    return cmp_set(done, "the shared secret of the connector cannot be used", err);
}

static int no_passphrase(char *out, int size, int writing, void *user)
{
    (void)out, (void)size, (void)writing, (void)user;
    return -1;
}

static status client_key_read(const char *path, OSSL_LIB_CTX *libctx, EVP_PKEY **out, struct error *err)
{
    cleanup_buf struct buf pem = {0};

    TRY(file_read(path, PEM_MAX, FILE_PRIVATE, &pem, err));
    CLEANUP(BIO_free_all_cleanup) BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    *out = bio ? PEM_read_bio_PrivateKey_ex(bio, NULL, no_passphrase, NULL, libctx, NULL) : NULL;
    return cmp_set(*out != NULL, "key_file holds no private key without a passphrase", err);
}

static status certificate_set(OSSL_CMP_CTX *ctx, const struct connector_call *call, struct error *err)
{
    cleanup_certificates STACK_OF(X509) *own = NULL;
    cleanup_pkey EVP_PKEY *key = NULL;

    TRY(connector_trust_read(call->settings->certificate_file, &own, err));
    TRY(client_key_read(call->settings->key_file, call->libctx, &key, err));
    X509 *leaf = sk_X509_value(own, 0);
    bool done = leaf && X509_check_private_key(leaf, key) == 1 && OSSL_CMP_CTX_set1_cert(ctx, leaf) &&
                OSSL_CMP_CTX_set1_pkey(ctx, key) && OSSL_CMP_CTX_build_cert_chain(ctx, NULL, own);
    return cmp_set(done, "certificate_file and key_file of the connector do not belong together", err);
}

static status trust_set(OSSL_CMP_CTX *ctx, const struct connector_settings *s, struct error *err)
{
    cleanup_certificates STACK_OF(X509) *anchors = NULL;
    CLEANUP(X509_STORE_free_cleanup) X509_STORE *store = X509_STORE_new();
    bool done = store != NULL;

    TRY(connector_trust_read(s->trust_file, &anchors, err));
    for (int i = 0; done && i < sk_X509_num(anchors); i++)
        done = X509_STORE_add_cert(store, sk_X509_value(anchors, i)) == 1;
    done = done && OSSL_CMP_CTX_set0_trustedStore(ctx, store);
    if (done)
        store = NULL;
    return cmp_set(done, "the connector's trust_file cannot be used", err);
}

/* ---- what is asked for */

static status name_set(OSSL_CMP_CTX *ctx, const struct connector_call *call, const char *text,
                       int (*set)(OSSL_CMP_CTX *, const X509_NAME *), struct error *err)
{
    CLEANUP(X509_NAME_free_cleanup) X509_NAME *name = NULL;

    if (!*text)
        return OK;
    TRY(call->builtin->subject_name(text, &name, err));
    return cmp_set(set(ctx, name), "a name of the connector cannot be used", err);
}

static status csr_set(OSSL_CMP_CTX *ctx, const struct connector_call *call, struct error *err)
{
    cleanup_buf struct buf der = {0};

    TRY(csr_make(call->key, call->type, call->name, &der, err));
    const unsigned char *at = der.data;
    CLEANUP(X509_REQ_free_cleanup) X509_REQ *req = d2i_X509_REQ(NULL, &at, (long)der.len);
    return cmp_set(req && OSSL_CMP_CTX_set1_p10CSR(ctx, req), "the certificate request cannot be used", err);
}

static status template_set(struct cmp_session *s, struct error *err)
{
    const struct connector_call *call = s->call;
    int days = call->days > 0 ? call->days : (int)call->settings->days;

    if (s->request == OSSL_CMP_P10CR)
        return csr_set(s->ctx, call, err);
    X509_EXTENSIONS *extensions = csr_extensions();
    bool done = extensions && OSSL_CMP_CTX_set0_reqExtensions(s->ctx, extensions);
    if (!done)
        sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    done = done && EVP_PKEY_up_ref(call->key) && OSSL_CMP_CTX_set0_newPkey(s->ctx, 1, call->key) &&
           OSSL_CMP_CTX_set1_subjectName(s->ctx, call->name) &&
           (days == 0 || OSSL_CMP_CTX_set_option(s->ctx, OSSL_CMP_OPT_VALIDITY_DAYS, days));
    if (done && call->current)
        done = OSSL_CMP_CTX_set1_oldCert(s->ctx, call->current);
    return cmp_set(done, "the certificate template cannot be made", err);
}

/* The same number for a request that is sent again, so that a CA that had the first one knows it. */
static status transaction_set(OSSL_CMP_CTX *ctx, const struct connector_call *call, struct error *err)
{
    cleanup_buf struct buf id = {0};

    if (!call->transaction || call->transaction->len == 0)
        return OK;
    TRY(hex_decode(buf_text(call->transaction), call->transaction->len, &id, err));
    CLEANUP(ASN1_OCTET_STRING_free_cleanup) ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
    bool done =
        octets && ASN1_OCTET_STRING_set(octets, id.data, (int)id.len) && OSSL_CMP_CTX_set1_transactionID(ctx, octets);
    return cmp_set(done, "the transaction's id cannot be set", err);
}

static status request_set(struct cmp_session *s, struct error *err)
{
    const struct connector_call *call = s->call;

    if (s->request == CMP_ASK)
        return OK;
    if (s->request == CMP_REVOKE)
        return cmp_set(OSSL_CMP_CTX_set1_oldCert(s->ctx, call->current) &&
                           OSSL_CMP_CTX_set_option(s->ctx, OSSL_CMP_OPT_REVOCATION_REASON, call->reason),
                       "the certificate to be revoked cannot be named", err);
    TRY(transaction_set(s->ctx, call, err));
    return template_set(s, err);
}

/* ---- the new certificate, before it is confirmed */

status cmp_certificates(OSSL_CMP_CTX *ctx, X509 *certificate, STACK_OF(X509) * *out, struct error *err)
{
    cleanup_certificates STACK_OF(X509) *all = sk_X509_new_null();
    cleanup_certificates STACK_OF(X509) *extra = OSSL_CMP_CTX_get1_extraCertsIn(ctx);
    cleanup_certificates STACK_OF(X509) *roots = OSSL_CMP_CTX_get1_caPubs(ctx);
    const int flags = X509_ADD_FLAG_UP_REF | X509_ADD_FLAG_NO_DUP;

    if (!all || !X509_add_cert(all, certificate, flags) || (extra && !X509_add_certs(all, extra, flags)) ||
        (roots && !X509_add_certs(all, roots, flags)))
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    if (sk_X509_num(all) > CERTIFICATES_MOST)
        return error_set(err, CODE_TOO_LARGE, "the CA sent more than %d certificates", CERTIFICATES_MOST);
    *out = steal(&all);
    return OK;
}

static status certificate_judge(struct cmp_session *s, X509 *certificate, struct error *err)
{
    cleanup_certificates STACK_OF(X509) *all = NULL, *anchors = NULL;
    cleanup_certificate_chain struct certificate_chain chain = {0};

    TRY(cmp_certificates(s->ctx, certificate, &all, err));
    TRY(connector_trust_read(s->call->settings->trust_file, &anchors, err));
    TRY(certificates_add(all, s->call->known, err));
    if (!certificates_find(all, s->call->spki))
        return error_set(err, CODE_CONFLICT, "the CA's certificate is not of the key");
    return certificate_chain_build(certificate, all, anchors, &chain, err);
}

/* OSSL_CMP_certConf_cb_t: what is not taken is rejected towards the CA, too. */
static int certificate_confirm(OSSL_CMP_CTX *ctx, X509 *certificate, int failure, const char **text)
{
    struct cmp_session *s = OSSL_CMP_CTX_get_certConf_cb_arg(ctx);

    if (failure != 0 || is_ok(certificate_judge(s, certificate, &s->why)))
        return failure;
    *text = s->why.text;
    return 1 << OSSL_CMP_PKIFAILUREINFO_badCertTemplate;
}

/* Else OpenSSL writes to standard error what cmp_failure tells. */
static int log_nothing(const char *function, const char *file, int line, OSSL_CMP_severity level, const char *text)
{
    (void)function, (void)file, (void)line, (void)level, (void)text;
    return 1;
}

status cmp_session_new(const struct connector_call *call, int request, struct cmp_session **out, struct error *err)
{
    const struct connector_settings *set = call->settings;
    cleanup_cmp_session struct cmp_session *s = calloc(1, sizeof(*s));

    if (!s)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    s->call = call;
    s->request = request;
    s->http = fetch_connection_new();
    s->ctx = OSSL_CMP_CTX_new(call->libctx, NULL);
    bool done = s->http && s->ctx && OSSL_CMP_CTX_set_log_cb(s->ctx, log_nothing) &&
                OSSL_CMP_CTX_set_transfer_cb(s->ctx, cmp_transfer) && OSSL_CMP_CTX_set_transfer_cb_arg(s->ctx, s) &&
                OSSL_CMP_CTX_set_certConf_cb(s->ctx, certificate_confirm) &&
                OSSL_CMP_CTX_set_certConf_cb_arg(s->ctx, s) &&
                OSSL_CMP_CTX_set_option(s->ctx, OSSL_CMP_OPT_IMPLICIT_CONFIRM, set->implicit_confirm);
    TRY(cmp_set(done, "the CMP client cannot be set up", err));
    TRY(*set->secret_file ? secret_set(s->ctx, set, err) : certificate_set(s->ctx, call, err));
    TRY(trust_set(s->ctx, set, err));
    TRY(name_set(s->ctx, call, set->recipient, OSSL_CMP_CTX_set1_recipient, err));
    TRY(name_set(s->ctx, call, set->issuer, OSSL_CMP_CTX_set1_issuer, err));
    TRY(request_set(s, err));
    *out = steal(&s);
    return OK;
}

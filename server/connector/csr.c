/* SPDX-License-Identifier: Apache-2.0 */
/* Certificate requests (PKCS#10), signed by keys in the HSM. */
#include <openssl/x509v3.h>

#include "server/connector/connector.h"

DEFINE_CLEANUP_PTR(X509_REQ, X509_REQ_free)

status connector_failure(enum code code, const char *what, struct error *err)
{
    struct error why = {0};
    const char *data = NULL;
    int flags = 0;
    unsigned long first = ERR_peek_last_error_all(NULL, NULL, NULL, &data, &flags);
    const char *reason = ERR_reason_error_string(first);

    if (!is_ok(hsm_evp_failure(&why))) {
        ERR_clear_error();
        if (err)
            *err = why;
        return (status){why.code};
    }
    status s = error_set(err, code, "%s", what);
    error_detail(err, "OpenSSL: %s %s", reason ? reason : "no reason", flags & ERR_TXT_STRING ? data : "");
    ERR_clear_error();
    return s;
}

/* Edwards keys take no digest; the others the one of their strength. */
static const EVP_MD *csr_digest(enum key_type type)
{
    if (key_type_family(type) == FAMILY_EDWARDS)
        return NULL;
    return type == KEY_TYPE_P384 ? EVP_sha384() : type == KEY_TYPE_P521 ? EVP_sha512() : EVP_sha256();
}

static bool extension_add(X509_EXTENSIONS **list, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    bool done = extension && X509v3_add_ext(list, extension, -1) != NULL;

    X509_EXTENSION_free(extension);
    return done;
}

/* A leaf for code signing is what is asked for; the CA decides. */
X509_EXTENSIONS *csr_extensions(void)
{
    X509_EXTENSIONS *list = NULL;

    if (extension_add(&list, NID_key_usage, "critical,digitalSignature") &&
        extension_add(&list, NID_ext_key_usage, "codeSigning"))
        return list;
    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
    return NULL;
}

static bool extensions_add(X509_REQ *req)
{
    X509_EXTENSIONS *list = csr_extensions();
    bool done = list && X509_REQ_add_extensions(req, list) == 1;

    sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
    return done;
}

status csr_make(EVP_PKEY *key, enum key_type type, const X509_NAME *name, struct buf *der, struct error *err)
{
    cleanup_err_mark bool marked = err_mark();
    CLEANUP(X509_REQ_free_cleanup) X509_REQ *req = X509_REQ_new();
    unsigned char *bytes = NULL;

    ignore(hsm_evp_failure(NULL));
    if (!req || !X509_REQ_set_version(req, X509_REQ_VERSION_1) || !X509_REQ_set_subject_name(req, name) ||
        !X509_REQ_set_pubkey(req, key) || !extensions_add(req) || X509_REQ_sign(req, key, csr_digest(type)) <= 0)
        return connector_failure(CODE_INTERNAL, "the certificate request cannot be made", err);
    int len = i2d_X509_REQ(req, &bytes);
    if (len <= 0)
        return connector_failure(CODE_INTERNAL, "the certificate request cannot be encoded", err);
    buf_add(der, bytes, (size_t)len);
    OPENSSL_free(bytes);
    return buf_check(der, err);
}

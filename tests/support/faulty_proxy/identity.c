/* SPDX-License-Identifier: Apache-2.0 */
#include "identity.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#define MUST(expr)                                                                                                     \
    do {                                                                                                               \
        if (!(expr))                                                                                                   \
            abort();                                                                                                   \
    } while (0)

enum { HOUR = 3600, DAY = 86400 };

struct issuer {
    EVP_PKEY *key;
    X509 *crt;
};
struct wish {
    const char *name;
    const char *alt_names;
    long from, until; /* seconds from now */
};

static SSL_CTX *contexts[FAULT_COUNT];

static void extension_add(X509 *crt, int nid, const char *value)
{
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    MUST(e && X509_add_ext(crt, e, -1));
    X509_EXTENSION_free(e);
}

/* by NULL: signed by itself, a CA. */
static X509 *certificate_make(EVP_PKEY *key, const struct issuer *by, const struct wish *w)
{
    static long serial;
    X509 *crt = X509_new();
    MUST(crt && X509_set_version(crt, X509_VERSION_3));
    ASN1_INTEGER_set(X509_get_serialNumber(crt), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(crt), w->from);
    X509_gmtime_adj(X509_getm_notAfter(crt), w->until);
    X509_NAME *subject = X509_get_subject_name(crt);
    MUST(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)w->name, -1, -1, 0));
    MUST(X509_set_issuer_name(crt, by ? X509_get_subject_name(by->crt) : subject) && X509_set_pubkey(crt, key));
    extension_add(crt, NID_basic_constraints, by ? "critical,CA:FALSE" : "critical,CA:TRUE");
    extension_add(crt, NID_key_usage, by ? "critical,digitalSignature" : "critical,keyCertSign");
    if (w->alt_names)
        extension_add(crt, NID_subject_alt_name, w->alt_names);
    MUST(X509_sign(crt, by ? by->key : key, EVP_sha256()));
    return crt;
}

static struct issuer issuer_make(const char *name)
{
    struct issuer ca = {.key = EVP_EC_gen("P-256")};
    MUST(ca.key);
    ca.crt = certificate_make(ca.key, NULL, &(struct wish){name, NULL, -HOUR, DAY});
    return ca;
}

static void issuer_free(struct issuer *ca)
{
    EVP_PKEY_free(ca->key);
    X509_free(ca->crt);
}

static SSL_CTX *context_make(const struct issuer *ca, const struct wish *w)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    EVP_PKEY *key = EVP_EC_gen("P-256");
    MUST(tls && key);
    X509 *crt = certificate_make(key, ca, w);
    MUST(SSL_CTX_use_certificate(tls, crt) == 1 && SSL_CTX_use_PrivateKey(tls, key) == 1);
    SSL_CTX_set_num_tickets(tls, 0); /* nothing but the answer comes behind a request */
    X509_free(crt);
    EVP_PKEY_free(key);
    return tls;
}

static void pem_write(X509 *crt, struct buf *out)
{
    char *text = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    MUST(bio && PEM_write_bio_X509(bio, crt));
    long len = BIO_get_mem_data(bio, &text);
    buf_add(out, text, (size_t)len);
    BIO_free(bio);
}

void identity_make(struct buf *ca_pem)
{
    static const char here[] = "IP:127.0.0.1,DNS:localhost";
    CLEANUP(issuer_free) struct issuer ca = issuer_make("Faulty proxy CA");
    CLEANUP(issuer_free) struct issuer stranger = issuer_make("Strange CA");

    contexts[FAULT_NONE] = context_make(&ca, &(struct wish){"127.0.0.1", here, -HOUR, DAY});
    contexts[FAULT_CERT_EXPIRED] = context_make(&ca, &(struct wish){"127.0.0.1", here, -2 * HOUR, -HOUR});
    contexts[FAULT_CERT_NAME] = context_make(&ca, &(struct wish){"other.invalid", "DNS:other.invalid", -HOUR, DAY});
    contexts[FAULT_CERT_ISSUER] = context_make(&stranger, &(struct wish){"127.0.0.1", here, -HOUR, DAY});
    contexts[FAULT_TLS_1_2] = context_make(&ca, &(struct wish){"127.0.0.1", here, -HOUR, DAY});
    MUST(SSL_CTX_set_max_proto_version(contexts[FAULT_TLS_1_2], TLS1_2_VERSION));
    pem_write(ca.crt, ca_pem);
}

SSL_CTX *identity_for(enum fault_kind kind)
{
    return contexts[contexts[kind] ? kind : FAULT_NONE];
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates from bytes that anybody may have written. Nothing is believed of them here. */
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/pkcs7.h>
#include <string.h>

#include "common/certificate.h"
#include "server/connector/chain.h"

DEFINE_CLEANUP_PTR(PKCS7, PKCS7_free)
DEFINE_CLEANUP_PTR(BIO, BIO_free_all)

static status certificate_take(STACK_OF(X509) * all, X509 *crt, struct error *err)
{
    if (sk_X509_num(all) >= CERTIFICATES_MOST) {
        X509_free(crt);
        return error_set(err, CODE_TOO_LARGE, "more than %d certificates", CERTIFICATES_MOST);
    }
    for (int i = 0; i < sk_X509_num(all); i++) {
        if (X509_cmp(sk_X509_value(all, i), crt) == 0) {
            X509_free(crt);
            return OK;
        }
    }
    if (sk_X509_push(all, crt) > 0)
        return OK;
    X509_free(crt);
    return error_set(err, CODE_NO_MEMORY, "out of memory");
}

static status certificate_decode_whole(struct slice der, STACK_OF(X509) * all, struct error *err)
{
    const unsigned char *at = der.data;
    X509 *crt = d2i_X509(NULL, &at, (long)der.len);

    if (crt && at == der.data + der.len)
        return certificate_take(all, crt, err);
    X509_free(crt);
    return error_set(err, CODE_INVALID, "what is given is neither a certificate nor PKCS#7");
}

static status pkcs7_take(struct slice der, STACK_OF(X509) * all, struct error *err)
{
    const unsigned char *at = der.data;
    CLEANUP(PKCS7_free_cleanup) PKCS7 *p7 = d2i_PKCS7(NULL, &at, (long)der.len);

    if (!p7 || at != der.data + der.len)
        return error_set(err, CODE_INVALID, "the PKCS#7 is malformed");
    if (!PKCS7_type_is_signed(p7) || !p7->d.sign || !p7->d.sign->cert)
        return error_set(err, CODE_INVALID, "the PKCS#7 holds no certificates");
    for (int i = 0; i < sk_X509_num(p7->d.sign->cert); i++) {
        X509 *crt = sk_X509_value(p7->d.sign->cert, i);
        if (!X509_up_ref(crt))
            return error_set(err, CODE_NO_MEMORY, "out of memory");
        TRY(certificate_take(all, crt, err));
    }
    return OK;
}

/* A ContentInfo begins with an object identifier, a certificate with a SEQUENCE. */
static bool is_content_info(struct slice der)
{
    const unsigned char *at = der.data;
    long len = 0;
    int tag = 0, class = 0;

    return !(ASN1_get_object(&at, &len, &tag, &class, (long)der.len) & 0x80) && at < der.data + der.len &&
           *at == V_ASN1_OBJECT;
}

status certificates_add(STACK_OF(X509) * to, struct slice der, struct error *err)
{
    struct slice one;

    while (der_next(&der, &one))
        TRY(certificate_decode_whole(one, to, err));
    return OK;
}

static status der_take(struct slice input, STACK_OF(X509) * all, struct error *err)
{
    struct slice rest = input, one;

    if (is_content_info(input)) /* which may be of indefinite length */
        return pkcs7_take(input, all, err);
    while (rest.len > 0) {
        if (!der_next(&rest, &one))
            return error_set(err, CODE_INVALID, "what is given is neither PEM nor DER");
        TRY(certificate_decode_whole(one, all, err));
    }
    return OK;
}

static status pem_block_take(const char *name, struct slice der, STACK_OF(X509) * all, struct error *err)
{
    if (strcmp(name, PEM_STRING_X509) == 0 || strcmp(name, PEM_STRING_X509_OLD) == 0)
        return certificate_decode_whole(der, all, err);
    if (strcmp(name, PEM_STRING_PKCS7) == 0 || strcmp(name, PEM_STRING_CMS) == 0 ||
        strcmp(name, PEM_STRING_PKCS7_SIGNED) == 0)
        return pkcs7_take(der, all, err);
    return error_set(err, CODE_INVALID, "the PEM holds a %.40s; certificates and PKCS#7 are expected", name);
}

static status pem_take(BIO *bio, STACK_OF(X509) * all, struct error *err)
{
    for (;;) {
        char *name = NULL, *header = NULL;
        unsigned char *data = NULL;
        long len = 0;
        if (!PEM_read_bio(bio, &name, &header, &data, &len)) {
            bool is_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
            return is_end ? OK : error_set(err, CODE_INVALID, "the PEM is malformed");
        }
        status s = pem_block_take(name, (struct slice){data, (size_t)len}, all, err);
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_clear_free(data, (size_t)len);
        TRY(s);
    }
}

status certificates_parse(struct slice input, STACK_OF(X509) * *out, struct error *err)
{
    cleanup_err_mark bool marked = err_mark();
    cleanup_certificates STACK_OF(X509) *all = sk_X509_new_null();
    static const char begin[] = "-----BEGIN ";

    if (input.len == 0)
        return error_set(err, CODE_INVALID, "there is no certificate in it");
    if (input.len > CERTIFICATES_BYTES_MOST)
        return error_set(err, CODE_TOO_LARGE, "more than %d bytes of certificates", CERTIFICATES_BYTES_MOST);
    bool is_pem = memmem(input.data, input.len, begin, sizeof(begin) - 1) != NULL;
    CLEANUP(BIO_free_all_cleanup) BIO *bio = is_pem ? BIO_new_mem_buf(input.data, (int)input.len) : NULL;
    if (!all || (is_pem && !bio))
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    TRY(is_pem ? pem_take(bio, all, err) : der_take(input, all, err));
    if (sk_X509_num(all) == 0)
        return error_set(err, CODE_INVALID, "there is no certificate in it");
    *out = steal(&all);
    return OK;
}

static bool has_public_key(X509 *crt, struct slice spki)
{
    unsigned char *der = NULL;
    int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(crt), &der);
    bool same = len > 0 && (size_t)len == spki.len && memcmp(der, spki.data, spki.len) == 0;

    OPENSSL_free(der);
    return same;
}

X509 *certificates_find(STACK_OF(X509) * all, struct slice spki)
{
    X509 *found = NULL;

    for (int i = 0; i < sk_X509_num(all); i++) {
        X509 *crt = sk_X509_value(all, i);
        if (has_public_key(crt, spki) &&
            (!found || ASN1_TIME_compare(X509_get0_notAfter(crt), X509_get0_notAfter(found)) > 0))
            found = crt;
    }
    return found;
}

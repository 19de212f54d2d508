/* SPDX-License-Identifier: Apache-2.0 */
#include "server/ca/certificate_text.h"

#include <string.h>

#include "common/certificate.h"
#include "server/ca/authority.h"

/* False: cut off, or not printed. */
bool certificate_name_text(const X509_NAME *name, char *out, size_t size)
{
    char *text = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    bool written = bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) >= 0;
    long len = written ? BIO_get_mem_data(bio, &text) : 0;
    size_t kept = (size_t)len < size ? (size_t)len : size - 1;

    memcpy(out, len > 0 ? text : "", kept);
    out[kept] = '\0';
    BIO_free(bio);
    return written && (size_t)len < size;
}

status certificate_text_read(struct slice certificate, struct certificate_text *out, struct error *err)
{
    cleanup_x509 X509 *crt = NULL;

    TRY(certificate_decode(certificate, &crt, err));
    TRY(certificate_serial(crt, out->serial, err));
    (void)certificate_name_text(X509_get_subject_name(crt), out->subject, sizeof(out->subject));
    (void)certificate_name_text(X509_get_issuer_name(crt), out->issuer, sizeof(out->issuer));
    (void)certificate_time_ms(X509_get0_notBefore(crt), &out->not_before_ms);
    (void)certificate_time_ms(X509_get0_notAfter(crt), &out->not_after_ms);
    return OK;
}

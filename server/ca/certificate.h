/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate from a plan, signed with any EVP_PKEY; and the subject's text. Inside this folder. */
#pragma once

#include <openssl/x509.h>

#include "common/buf.h"
#include "common/openssl_scope.h"

DEFINE_CLEANUP_PTR(X509_NAME, X509_NAME_free)
#define cleanup_x509_name CLEANUP(X509_NAME_free_cleanup)

/* Extension values are OpenSSL's text (x509v3_config(5)), written by this program, never by a caller. */
struct certificate_plan {
    OSSL_LIB_CTX *libctx; /* of the issuer's key; NULL: OpenSSL's default */
    EVP_PKEY *public_key;
    const char *subject;
    int days; /* cut off at the issuer's end */
    const char *basic_constraints, *key_usage;
    const char *extended_key_usage, *alternative_names; /* NULL: none, here and below */
    const char *crl_points, *information_access, *policy /* OID */;
    bool no_check; /* id-pkix-ocsp-nocheck */
};

/* issuer NULL: self-signed. digest NULL for Edwards keys. SKI and AKI are always there; the serial is 16 random bytes.
 */
status certificate_sign(const struct certificate_plan *plan, X509 *issuer, EVP_PKEY *issuer_key, const EVP_MD *digest,
                        X509 **out, struct error *err);
status certificate_encode(X509 *crt, struct buf *der, struct error *err);
/* Hex, upper case; SERIAL_SIZE bytes. */
status certificate_serial(const X509 *crt, char out[41], struct error *err);
status certificate_decode(struct slice der, X509 **out, struct error *err);
/* CODE_INTERNAL with OpenSSL's reason in the detail; its error queue is emptied. */
status certificate_failure(const char *what, struct error *err);

/* A value with backslashes where subject_parse wants them. */
void subject_escape(const char *value, struct buf *out);
/* "CN=…,O=…" (RFC 4514): the first in the text is the last, most specific, in the name. CODE_INVALID says what is
 * wrong. */
status subject_parse(const char *text, X509_NAME **out, struct error *err);

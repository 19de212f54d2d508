/* SPDX-License-Identifier: Apache-2.0 */
/* The built-in CA: root and issuing key live in the HSM; certificates are rows of the store. */
#pragma once

#include <openssl/x509.h>

#include "server/hsm/hsm.h"
#include "server/store/store.h"

struct ca;

/* Generates root and issuing key (P-384) and their certificates, and stores them (once, at init). */
status ca_create(struct hsm *h, struct db *db, const char *organisation, struct error *err);
status ca_open(struct hsm *h, struct store *s, struct ca **out, struct error *err);
void ca_close(struct ca *ca);
DEFINE_CLEANUP_PTR(struct ca, ca_close)
#define cleanup_ca CLEANUP(ca_close_cleanup)

struct ca_request {
    struct slice spki;
    const char *subject; /* RFC 4514-like "CN=…,O=…,C=…" */
    int days;            /* at most 460; 0: 365 */
};
/* A code-signing leaf: EKU codeSigning, KU digitalSignature (critical), SKI, AKI, CA:false, 16-byte random serial.
 * DER out. CODE_INVALID names what is wrong with the subject. */
status ca_issue(struct ca *ca, const struct ca_request *request, struct deadline d, struct buf *der, struct error *err);
/* What to ask for to get another one like this: subject as text (size bytes), and days. CODE_INVALID when this CA would
 * not issue it. */
status ca_settings(struct slice certificate, char *subject, size_t size, int *days, struct error *err);
/* Issuing certificate, then root: DER. */
status ca_chain(struct ca *ca, struct buf *issuing, struct buf *root, struct error *err);
/* A subject's text as a name. */
status ca_subject_name(const char *subject, X509_NAME **out, struct error *err);
/* Judges a subject without issuing. */
status ca_subject_check(const char *subject, struct error *err);

/* Server TLS: a software root and a P-256 server certificate for the names ("127.0.0.1", "localhost", …), PEM each. */
status tls_certificate_create(const char *const *names, size_t count, struct buf *root_pem, struct buf *root_key_pem,
                              struct buf *cert_pem, struct buf *key_pem, struct error *err);

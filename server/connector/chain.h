/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates that somebody gives for a key: read in any form and order, matched, sorted, judged. */
#pragma once

#include "server/connector/connector.h"

enum { CERTIFICATES_MOST = 16, CERTIFICATES_BYTES_MOST = 128 * 1024 };

/* PEM (certificates and PKCS#7), or DER: certificates one behind the other, or one PKCS#7 (RFC 2315, certs-only).
 * CODE_INVALID, CODE_TOO_LARGE. */
status certificates_parse(struct slice input, STACK_OF(X509) * *out, struct error *err);
/* Adds those that stand one behind the other in DER. */
status certificates_add(STACK_OF(X509) * to, struct slice der, struct error *err);
/* The certificate of this public key; of several the one that lasts longest. NULL: there is none. */
X509 *certificates_find(STACK_OF(X509) * all, struct slice spki);

struct certificate_chain {
    struct buf certificate; /* DER */
    struct buf chain;       /* its issuers up to the anchor, DER one behind the other */
    struct buf findings;    /* JSON: array of text; what is not wrong, but should be known */
};
void certificate_chain_clear(struct certificate_chain *c);
#define cleanup_certificate_chain CLEANUP(certificate_chain_clear)

/* leaf up to one of anchors; NULL: up to a self-signed one of all. CODE_CONFLICT says what is wrong: expired, not for
 * code signing, a CA, unknown issuer, … */
status certificate_chain_build(X509 *leaf, STACK_OF(X509) * all, STACK_OF(X509) * anchors,
                               struct certificate_chain *out, struct error *err);

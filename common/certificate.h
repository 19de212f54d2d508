/* SPDX-License-Identifier: Apache-2.0 */
/* What is read from X.509 certificates in more than one place. */
#pragma once

#include <openssl/types.h>

#include "common/buf.h"

/* A time of a certificate, CRL or OCSP answer (RFC 5280 §4.1.2.5) in Unix milliseconds, which are negative before 1970.
 * False, and out as it was: it is none. */
bool certificate_time_ms(const ASN1_TIME *t, int64_t *out);
/* The same of when the certificate ends. */
bool certificate_end_ms(struct slice der, int64_t *out);
/* When it ends; 0 when it cannot be read, or was before 1970. */
int64_t certificate_not_after_ms(struct slice der);
/* Takes the first of several DER values that stand one behind the other: false when there is none, or it is broken. */
bool der_next(struct slice *rest, struct slice *one);

/* SPDX-License-Identifier: Apache-2.0 */
/* The delegated signer of a CA's OCSP answers (RFC 6960 §4.2.2.2): a key of its own in the HSM, with a certificate that
 * lasts two weeks and is made anew after one. Inside this folder. */
#pragma once

#include "server/ca/authority.h"

struct responder {
    X509 *crt;
    EVP_PKEY *key;
};
void responder_clear(struct responder *r);
#define cleanup_responder CLEANUP(responder_clear)
/* Makes key and certificate when it is time. */
status responder_open(struct ca *ca, const char *name, struct deadline d, struct responder *out, struct error *err);

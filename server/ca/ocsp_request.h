/* SPDX-License-Identifier: Apache-2.0 */
/* An OCSP request, judged before anything is asked of store or HSM: what anybody may send. */
#pragma once

#include <openssl/ocsp.h>

#include "server/ca/ca.h"

enum { OCSP_SINGLES_MOST = 16, OCSP_NONCE_MOST = 32 /* RFC 8954 */ };

struct ocsp_request {
    OCSP_REQUEST *der;
    int count;
    OCSP_CERTID *ids[OCSP_SINGLES_MOST];          /* borrowed from der */
    char serials[OCSP_SINGLES_MOST][SERIAL_SIZE]; /* "": longer than any of ours */
    bool has_nonce, echoes_nonce;
};
void ocsp_request_clear(struct ocsp_request *r);
#define cleanup_ocsp_request CLEANUP(ocsp_request_clear)
/* An OCSP_RESPONSE_STATUS_…: successful; malformed request; unauthorized, where an id is not of the issuer. */
int ocsp_request_read(struct slice request, X509 *issuer, struct ocsp_request *out);

/* SPDX-License-Identifier: Apache-2.0 */
/* One CMP transaction (RFC 4210, profile RFC 9483) of OpenSSL's client. */
#pragma once

#include <openssl/cmp.h>

#include "server/connector/connector.h"
#include "server/fetch/fetch.h"

enum { CMP_TRANSACTION_LEN = 16, CMP_REVOKE = -2, CMP_ASK = -3 }; /* beside OSSL_CMP_IR and the like */

/* Lives over the polls of one transaction, in the memory of one process. */
struct cmp_session {
    OSSL_CMP_CTX *ctx;
    struct fetch_connection *http;
    int request;                       /* OSSL_CMP_IR and the like */
    const struct connector_call *call; /* the present one */
    struct error why;                  /* of a message that did not come through, or a certificate that was refused */
};
void cmp_session_free(void *session);
DEFINE_CLEANUP_PTR(struct cmp_session, cmp_session_free)
#define cleanup_cmp_session CLEANUP(cmp_session_free_cleanup)

/* Credentials, trust, names; request: OSSL_CMP_IR and the like, CMP_REVOKE, CMP_ASK. */
status cmp_session_new(const struct connector_call *call, int request, struct cmp_session **out, struct error *err);
/* Over HTTP (RFC 6712), the one way of all messages. */
OSSL_CMP_MSG *cmp_transfer(OSSL_CMP_CTX *ctx, const OSSL_CMP_MSG *message);
/* All certificates that came: the new one, extraCerts, caPubs. */
status cmp_certificates(OSSL_CMP_CTX *ctx, X509 *certificate, STACK_OF(X509) * *out, struct error *err);

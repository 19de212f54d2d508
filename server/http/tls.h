/* SPDX-License-Identifier: Apache-2.0 */
/* The server's certificate and key for GnuTLS, which libmicrohttpd speaks TLS with. */
#pragma once

#include <gnutls/abstract.h>

#include "common/status.h"

/* TLS 1.3 and nothing older. */
#define TLS_PRIORITY "NORMAL:-VERS-ALL:+VERS-TLS1.3"

struct tls_identity {
    struct tls_identity *next;
    gnutls_privkey_t key;
    unsigned count; /* certificates, leaf first */
    gnutls_pcert_st certificates[8];
};

/* CODE_CONFIGURATION when a PEM is malformed or the key is not the certificate's. */
status tls_identity_new(const char *certificate_pem, const char *key_pem, struct tls_identity **out, struct error *err);
/* The whole list. */
void tls_identity_free(struct tls_identity *list);

/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates made at start, and the TLS contexts that show them. */
#pragma once

#include <openssl/ssl.h>

#include "common/buf.h"
#include "fault.h"

/* Aborts when OpenSSL cannot. */
void identity_make(struct buf *ca_pem);
SSL_CTX *identity_for(enum fault_kind kind);

/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys and certificates in files. */
#pragma once

#include <openssl/evp.h>

#include "common/buf.h"

/* From a certificate or a public key, each PEM or DER; freed by the caller. */
status public_key_from_certificate(const char *path, EVP_PKEY **out, struct error *err);
status public_key_from_file(const char *path, EVP_PKEY **out, struct error *err);
/* -----BEGIN CERTIFICATE----- around DER. */
void certificate_pem(struct slice der, struct buf *out);

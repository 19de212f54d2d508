/* SPDX-License-Identifier: Apache-2.0 */
/* Makes compact JWS for tests, good ones and bad ones, with OpenSSL and without the code under test. */
#pragma once

#include <openssl/evp.h>

#include "common/buf.h"

/* alg: EdDSA ES256 ES384 RS256 PS256 sign with key; HS256 uses hmac_secret; "none" leaves the signature empty. What the
 * header says of itself is up to the caller. */
void jws_make(struct buf *out, const char *header, const char *payload, const char *alg, EVP_PKEY *key,
              struct slice hmac_secret);
/* type: "ED25519", "P-256", "P-384", "RSA2048". */
EVP_PKEY *jws_key_make(const char *type);
void public_key_pem(EVP_PKEY *key, struct buf *out);

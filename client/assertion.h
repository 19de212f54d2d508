/* SPDX-License-Identifier: Apache-2.0 */
/* The self-signed assertion of a service account (RFC 7523 §3): a compact JWS (RFC 7515 §7.1) over five claims. */
#pragma once

#include <openssl/evp.h>
#include <stdint.h>

#include "common/buf.h"

struct assertion {
    const char *account;  /* iss and sub */
    const char *audience; /* the server's token URL */
    int64_t issued_at_s;  /* Unix seconds */
    int64_t life_s;       /* at most LIMIT_ASSERTION_SECONDS */
};

/* EdDSA (Ed25519), ES256, ES384, or PS256 for RSA, as the key's type says; the jti is 128 random bits. Inside a libctx
 * scope. CODE_CREDENTIAL for a key of another type. out is for one use and wiped like a secret. */
status assertion_sign(const struct assertion *a, EVP_PKEY *key, struct buf *out, struct error *err);

/* SPDX-License-Identifier: Apache-2.0 */
/* Key pairs for the tests of signatures, made once a program and kept. */
#pragma once

#include "common/signature.h"

/* A key pair of this type. Owned by keys.c; freed by keys_clear. */
EVP_PKEY *key_of(enum key_type type);
void keys_clear(void);
/* Signs with OpenSSL; the result is in the form of PKCS#11. */
void sign_with(EVP_PKEY *key, const struct sign_input *in, struct buf *signature);
/* A public key from an RSA modulus (e = 65537), an uncompressed or compressed point, or 32 raw bytes. Freed by the
 * caller. */
EVP_PKEY *public_rsa(struct slice modulus);
EVP_PKEY *public_ec(const char *group, struct slice point);
EVP_PKEY *public_ed25519(struct slice raw);

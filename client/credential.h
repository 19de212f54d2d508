/* SPDX-License-Identifier: Apache-2.0 */
/* The secret a client proves itself with: a private key (PKCS#8 PEM) or an API key. Plain value without a lock: the
 * client's lock protects it. */
#pragma once

#include <openssl/evp.h>

#include "common/buf.h"

/* The private key is kept as bytes that are wiped, and made OpenSSL's object for the moments it is needed: an object
 * belongs to the OSSL_LIB_CTX it was made in, which a forked child must not use. */
struct credential {
    struct buf key;     /* service account: PKCS#8 DER */
    struct buf api_key; /* user */
};
void credential_clear(struct credential *c); /* wipes */
#define cleanup_credential CLEANUP(credential_clear)
bool credential_is_set(const struct credential *c);

/* A private key from PEM, inside a libctx scope. passphrase NULL: none is given; then *encrypted tells that one is
 * wanted and *key stays NULL. CODE_CREDENTIAL for a wrong passphrase, CODE_CONFIGURATION for what is no private key. */
status private_key_read(struct slice pem, const struct slice *passphrase, EVP_PKEY **key, bool *encrypted,
                        struct error *err);
/* PKCS#8 PEM; encrypted with AES-256-CBC and PBKDF2 when passphrase.len > 0. */
status private_key_write(EVP_PKEY *key, struct slice passphrase, struct buf *pem, struct error *err);
/* PKCS#8 DER and back, inside a libctx scope. */
status private_key_encode(EVP_PKEY *key, struct buf *der, struct error *err);
status private_key_decode(struct slice der, EVP_PKEY **key, struct error *err);
status public_key_write(EVP_PKEY *key, struct buf *pem, struct error *err);

/* CODE_CREDENTIAL unless the text has the form of an API key. */
status api_key_check(struct slice text, struct error *err);

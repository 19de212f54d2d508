/* SPDX-License-Identifier: Apache-2.0 */
/* A digest (or Ed25519 message) to be signed, and the check of the result with the public half: used by the server
 * before it lets a signature go, by the module before it hands one on, and by `chancery verify`. */
#pragma once

#include <openssl/evp.h>

#include "common/algorithm.h"

struct sign_input {
    enum mechanism mechanism;
    enum hash hash;      /* HASH_NONE for eddsa */
    struct slice digest; /* hash_len bytes; for eddsa the message */
    enum hash mgf_hash;  /* rsa_pss */
    size_t salt_len;     /* rsa_pss */
};

/* CODE_DIGEST_MALFORMED, CODE_MECHANISM_DENIED or CODE_INVALID when mechanism, key type, digest length or salt do not
 * fit. */
status sign_input_check(const struct sign_input *in, enum key_type type, struct error *err);
/* signature in the form of PKCS#11 (ECDSA r||s, fixed width). CODE_BAD_SIGNATURE when it does not verify.
 * libctx NULL is OpenSSL's default. */
status signature_verify(OSSL_LIB_CTX *libctx, EVP_PKEY *public_key, const struct sign_input *in, struct slice signature,
                        struct error *err);
/* r||s to the DER ECDSA-Sig-Value that OpenSSL wants, and back (padded to 2 * field bytes). */
status ecdsa_raw_to_der(struct slice raw, struct buf *der, struct error *err);
status ecdsa_der_to_raw(struct slice der, size_t field_len, struct buf *raw, struct error *err);
/* Key type of a public key; CODE_INVALID for one Chancery does not make. */
status key_type_of(EVP_PKEY *key, enum key_type *out, struct error *err);
/* A DER SubjectPublicKeyInfo, whole. libctx NULL is the thread's default. The caller frees. */
status public_key_decode(OSSL_LIB_CTX *libctx, struct slice spki, EVP_PKEY **out, struct error *err);
/* CKA_ID as NSS computes it: SHA-1 of modulus (RSA), of the point (EC, uncompressed) or of the raw public key
 * (Edwards). */
status key_cka_id(EVP_PKEY *key, uint8_t out[20], struct error *err);

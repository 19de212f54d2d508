/* SPDX-License-Identifier: Apache-2.0 */
/* What is signed or verified, on its way from the caller to a struct sign_input: judged by the mechanism, hashed here
 * as it streams in (only digests travel), or taken as the digest, DigestInfo or Ed25519 message that it is. */
#pragma once

#include <openssl/evp.h>

#include "chancery/pkcs11.h"
#include "common/signature.h"
#include "module/mechanism.h"

struct message {
    const struct mechanism_row *row;
    enum key_type type;
    enum hash pss_hash; /* of the parameters; equals the digest's */
    enum hash mgf_hash;
    size_t salt_len;
    EVP_MD_CTX *digest; /* hashing mechanisms */
    struct buf bytes;   /* Ed25519 in parts */
    uint8_t digest_bytes[EVP_MAX_MD_SIZE];
};

/* CKR_MECHANISM_INVALID, CKR_MECHANISM_PARAM_INVALID, CKR_KEY_TYPE_INCONSISTENT. On failure the message stays zero. */
CK_RV message_init(struct message *m, const CK_MECHANISM *mechanism, const struct client_key *key);
void message_clear(struct message *m);
bool message_takes_parts(const struct message *m);
CK_RV message_add(struct message *m, struct slice part);
/* The input, borrowing from the message and from whole: the one part of a single-part call, or the end of a series when
 * whole.data is NULL. */
CK_RV message_finish(struct message *m, const struct slice *whole, struct sign_input *out);

/* A plain digest (C_Digest*). */
CK_RV message_digest_begin(enum hash hash, EVP_MD_CTX **out);
CK_RV message_digest_add(EVP_MD_CTX *digest, struct slice part);
CK_RV message_digest_end(EVP_MD_CTX *digest, uint8_t out[EVP_MAX_MD_SIZE]);

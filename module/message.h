/* SPDX-License-Identifier: Apache-2.0 */
/* What is signed or verified, on its way from the caller to a struct sign_input: judged by the mechanism, hashed here
 * as it streams in (only digests travel), or taken as the digest, DigestInfo or Ed25519 message that it is. */
#pragma once

#include "chancery/pkcs11.h"
#include "common/signature.h"
#include "module/hasher.h"
#include "module/mechanism.h"

struct message {
    const struct mechanism_row *row;
    enum key_type type;
    unsigned hashes;    /* that the key allows */
    enum hash pss_hash; /* of the parameters; equals the digest's */
    enum hash mgf_hash;
    size_t salt_len;
    struct hasher hasher; /* hashing mechanisms */
    struct buf bytes;     /* Ed25519 in parts */
    uint8_t digest_bytes[HASHER_DIGEST_MAX];
};

/* CKR_MECHANISM_INVALID, CKR_MECHANISM_PARAM_INVALID, CKR_KEY_TYPE_INCONSISTENT. On failure the message stays zero. */
CK_RV message_init(struct message *m, const CK_MECHANISM *mechanism, const struct client_key *key);
void message_clear(struct message *m);
bool message_hashes(const struct message *m); /* here, as it streams in */
bool message_takes_parts(const struct message *m);
CK_RV message_add(struct message *m, struct slice part);
/* The input, borrowing from the message and from whole: the one part of a single-part call, or NULL at the end of a
 * series. */
CK_RV message_finish(struct message *m, const struct slice *whole, struct sign_input *out);

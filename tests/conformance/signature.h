/* SPDX-License-Identifier: Apache-2.0 */
/* Signing through the module, and judging what comes out with OpenSSL alone. */
#pragma once

#include "mechanism.h"

enum { SIGNATURE_MAX = 1024, MESSAGE_MAX = 512 };

/* A mechanism with parameters in place, and a message of the form it takes. Not to be moved once made. */
struct order {
    const struct scheme_row *row;
    CK_MECHANISM mechanism;
    CK_RSA_PKCS_PSS_PARAMS pss;
    const struct hash_row *hash; /* of the message, whoever hashes */
    CK_BYTE data[MESSAGE_MAX];
    CK_ULONG len;
    CK_BYTE message[64]; /* what was hashed, where the caller hashes */
};
void order_make(struct order *o, const struct scheme_row *row, const char *hash_name);

/* The bytes the caller gives for RSA_PKCS: hash in a DigestInfo. Returns their number. */
size_t digest_info_make(const struct hash_row *hash, const CK_BYTE *digest, CK_BYTE *out);
void digest_make(const struct hash_row *hash, const CK_BYTE *data, size_t len, CK_BYTE *out);

/* Does OpenSSL find the signature good for the order? */
bool signature_is_good(const struct key *key, const struct order *o, const CK_BYTE *signature, size_t len);

/* SignInit and Sign in one; len holds room, then the length. */
CK_RV sign_once(struct rig *r, struct order *o, CK_BYTE *signature, CK_ULONG *len);

/* The mechanism is listed with CKF_SIGN, fits the key's type and is allowed for it. */
bool order_is_possible(struct rig *r, const struct scheme_row *row);
/* A row of the key's that it can be signed with, and one that hashes, or NULL. */
const struct scheme_row *row_any(struct rig *r);
const struct scheme_row *row_hashing(struct rig *r);
const struct scheme_row *row_of_scheme(struct rig *r, enum scheme scheme, bool hashing);

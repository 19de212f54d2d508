/* SPDX-License-Identifier: Apache-2.0 */
/* The mechanism table (include/chancery/mechanisms.def) as PKCS#11 asks for it. */
#pragma once

#include "common/algorithm.h"
#include "module/slot.h"

struct client_key;

struct mechanism_row {
    CK_MECHANISM_TYPE type;
    enum mechanism mechanism; /* MECHANISM_NONE: a digest */
    enum hash hash;           /* HASH_NONE: the caller brings the digest (or Ed25519 message) */
    CK_ULONG min_bits;
    CK_ULONG max_bits;
};

CK_RV mechanism_list(struct module *m, CK_SLOT_ID slot, CK_MECHANISM_TYPE *list, CK_ULONG *count);
CK_RV mechanism_info(struct module *m, CK_SLOT_ID slot, CK_MECHANISM_TYPE type, CK_MECHANISM_INFO *info);
/* NULL: not one of ours. */
const struct mechanism_row *mechanism_find_sign(CK_MECHANISM_TYPE type);
const struct mechanism_row *mechanism_find_digest(CK_MECHANISM_TYPE type);
/* Is it in the key's CKA_ALLOWED_MECHANISMS? */
bool mechanism_is_allowed(const struct mechanism_row *row, const struct client_key *key);
/* CKA_ALLOWED_MECHANISMS: an array of CK_MECHANISM_TYPE. */
void mechanism_allowed_list(const struct client_key *key, struct buf *out);
/* HASH_NONE when it is none of ours: CKM_SHA256 and CKG_MGF1_SHA256 are both HASH_SHA256. */
enum hash mechanism_hash(CK_MECHANISM_TYPE digest);
enum hash mechanism_mgf_hash(CK_RSA_PKCS_MGF_TYPE mgf);

/* SPDX-License-Identifier: Apache-2.0 */
/* Hashes, key types and signing mechanisms as both sides name them; see include/chancery/algorithms.def. */
#pragma once

#include "common/buf.h"

enum hash {
    HASH_NONE = 0,
#define HASH(name, wire, len, ossl) HASH_##name,
#include "chancery/algorithms.def"
#undef HASH
    HASH_COUNT
};
enum key_family { FAMILY_RSA, FAMILY_EC, FAMILY_EDWARDS };
enum key_type {
    KEY_TYPE_NONE = 0,
#define KEY_TYPE(name, wire, family, bits, sig) KEY_TYPE_##name,
#include "chancery/algorithms.def"
#undef KEY_TYPE
    KEY_TYPE_COUNT
};
enum mechanism {
    MECHANISM_NONE = 0,
#define MECHANISM(name, wire, family) MECHANISM_##name,
#include "chancery/algorithms.def"
#undef MECHANISM
    MECHANISM_COUNT
};

const char *hash_name(enum hash h); /* wire; "none" for HASH_NONE */
const char *hash_openssl(enum hash h);
size_t hash_len(enum hash h);
bool hash_parse(const char *wire, enum hash *out); /* not "none" */
/* What a bare digest of this length is: a hash of the set `preferred` before others, SHA-2 before SHA-3. HASH_NONE when
 * no hash has this length. */
enum hash hash_by_len(size_t digest_len, unsigned preferred);
/* The DER DigestInfo of RFC 8017 §9.2 for this hash; digest.len must be hash_len. */
void digest_info_encode(enum hash h, struct slice digest, struct buf *out);
/* The reverse; accepts only the exact encodings of §9.2 note 1. False when it is none. digest borrows from in. */
bool digest_info_decode(struct slice in, enum hash *h, struct slice *digest);

const char *key_type_name(enum key_type t);
bool key_type_parse(const char *wire, enum key_type *out);
enum key_family key_type_family(enum key_type t);
int key_type_bits(enum key_type t);
size_t key_type_signature_len(enum key_type t); /* bytes of the PKCS#11 signature */

const char *mechanism_name(enum mechanism m);
bool mechanism_parse(const char *wire, enum mechanism *out);
enum key_family mechanism_family(enum mechanism m);

/* Sets of hashes as a bit mask and as comma-separated text, e.g. "sha256,sha384". */
unsigned hash_set_parse(const char *text, bool *valid);
enum {
    HASH_SET_SIZE = 1 /* every name and a comma */
#define HASH(name, wire, len, ossl) +sizeof(wire)
#include "chancery/algorithms.def"
#undef HASH
};
void hash_set_format(unsigned set, char out[HASH_SET_SIZE]);
static inline unsigned hash_bit(enum hash h)
{
    return 1u << h;
}
enum {
    HASH_SET_DEFAULT = (1u << HASH_SHA256) | (1u << HASH_SHA384) | (1u << HASH_SHA512),
    HASH_SET_ALL = (1u << HASH_COUNT) - 2,
};

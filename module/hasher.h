/* SPDX-License-Identifier: Apache-2.0 */
/* Streaming hashes, by libnettle: a state is plain memory without pointers, so that it can be copied, saved and
 * restored, and a forked child may go on with it. No OpenSSL context is needed. */
#pragma once

#include <nettle/sha1.h>
#include <nettle/sha2.h>
#include <nettle/sha3.h>

#include "common/algorithm.h"

enum { HASHER_DIGEST_MAX = 64 };

struct hasher {
    enum hash hash; /* HASH_NONE: not in use */
    union {
        struct sha1_ctx sha1;
        struct sha256_ctx sha256; /* SHA-224 too */
        struct sha512_ctx sha512; /* SHA-384 too */
        struct sha3_224_ctx sha3_224;
        struct sha3_256_ctx sha3_256;
        struct sha3_384_ctx sha3_384;
        struct sha3_512_ctx sha3_512;
    } state;
};

void hasher_begin(struct hasher *h, enum hash hash);
/* false, and nothing hashed, for a part no object in memory can have: a length of ~0, or one that wraps around. */
bool hasher_add(struct hasher *h, struct slice part);
/* hash_len bytes; the hasher is not in use any more. */
void hasher_end(struct hasher *h, uint8_t *out);

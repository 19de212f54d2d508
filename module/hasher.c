/* SPDX-License-Identifier: Apache-2.0 */
/* One row per hash. Lengths are size_t all the way down since nettle 3, and its counters have 64 bits or more. */
#include "module/hasher.h"

#include <assert.h>
#include <nettle/nettle-meta.h>
#include <string.h>

static const struct nettle_hash *const rows[HASH_COUNT] = {
    [HASH_SHA1] = &nettle_sha1,         [HASH_SHA224] = &nettle_sha224,     [HASH_SHA256] = &nettle_sha256,
    [HASH_SHA384] = &nettle_sha384,     [HASH_SHA512] = &nettle_sha512,     [HASH_SHA3_224] = &nettle_sha3_224,
    [HASH_SHA3_256] = &nettle_sha3_256, [HASH_SHA3_384] = &nettle_sha3_384, [HASH_SHA3_512] = &nettle_sha3_512,
};

/* The length is the second parameter; were it an unsigned int, parts of 4 GiB would be cut. */
static_assert(_Generic((nettle_hash_update_func *)NULL, void (*)(void *, size_t, const uint8_t *) : 1, default : 0),
              "nettle takes lengths as size_t");

void hasher_begin(struct hasher *h, enum hash hash)
{
    h->hash = hash;
    memset(&h->state, 0, sizeof h->state);
    rows[hash]->init(&h->state);
}

bool hasher_add(struct hasher *h, struct slice part)
{
    if (part.len > PTRDIFF_MAX || (uintptr_t)part.data > UINTPTR_MAX - part.len)
        return false;
    if (part.len > 0)
        rows[h->hash]->update(&h->state, part.len, part.data);
    return true;
}

void hasher_end(struct hasher *h, uint8_t *out)
{
    rows[h->hash]->digest(&h->state, hash_len(h->hash), out);
    *h = (struct hasher){0};
}

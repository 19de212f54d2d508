/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of include/chancery/algorithms.def, and the DigestInfo of PKCS #1. */
#include "common/algorithm.h"

#include <string.h>

struct hash_row {
    const char *wire;
    const char *openssl;
    size_t len;
};
static const struct hash_row hashes[HASH_COUNT] = {
    [HASH_NONE] = {"none", NULL, 0},
#define HASH(name, wire, len, ossl) [HASH_##name] = {wire, ossl, len},
#include "chancery/algorithms.def"
#undef HASH
};

struct key_type_row {
    const char *wire;
    enum key_family family;
    int bits;
    size_t signature_len;
};
static const struct key_type_row key_types[KEY_TYPE_COUNT] = {
    [KEY_TYPE_NONE] = {"none", FAMILY_RSA, 0, 0},
#define KEY_TYPE(name, wire, family, bits, sig) [KEY_TYPE_##name] = {wire, FAMILY_##family, bits, sig},
#include "chancery/algorithms.def"
#undef KEY_TYPE
};

struct mechanism_row {
    const char *wire;
    enum key_family family;
};
static const struct mechanism_row mechanisms[MECHANISM_COUNT] = {
    [MECHANISM_NONE] = {"none", FAMILY_RSA},
#define MECHANISM(name, wire, family) [MECHANISM_##name] = {wire, FAMILY_##family},
#include "chancery/algorithms.def"
#undef MECHANISM
};

/* What stands before the digest in a DigestInfo: RFC 8017 §9.2 note 1; SHA-3 the same with its own OIDs (RFC 8702 §2).
 * The last byte is the digest's length. */
static const struct {
    uint8_t len;
    uint8_t bytes[19];
} digest_info_prefixes[HASH_COUNT] = {
    [HASH_SHA1] = {15, {0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14}},
    [HASH_SHA224] = {19,
                     {0x30, 0x2d, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x04, 0x05,
                      0x00, 0x04, 0x1c}},
    [HASH_SHA256] = {19,
                     {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
                      0x00, 0x04, 0x20}},
    [HASH_SHA384] = {19,
                     {0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05,
                      0x00, 0x04, 0x30}},
    [HASH_SHA512] = {19,
                     {0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05,
                      0x00, 0x04, 0x40}},
    [HASH_SHA3_224] = {19,
                       {0x30, 0x2d, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x07, 0x05,
                        0x00, 0x04, 0x1c}},
    [HASH_SHA3_256] = {19,
                       {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x08, 0x05,
                        0x00, 0x04, 0x20}},
    [HASH_SHA3_384] = {19,
                       {0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x09, 0x05,
                        0x00, 0x04, 0x30}},
    [HASH_SHA3_512] = {19,
                       {0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x0a, 0x05,
                        0x00, 0x04, 0x40}},
};

/* A value from outside an enum is read as its NONE. */
static const struct hash_row *hash_row(enum hash h)
{
    return &hashes[(unsigned)h < HASH_COUNT ? h : HASH_NONE];
}

static const struct key_type_row *key_type_row(enum key_type t)
{
    return &key_types[(unsigned)t < KEY_TYPE_COUNT ? t : KEY_TYPE_NONE];
}

static const struct mechanism_row *mechanism_row(enum mechanism m)
{
    return &mechanisms[(unsigned)m < MECHANISM_COUNT ? m : MECHANISM_NONE];
}

const char *hash_name(enum hash h)
{
    return hash_row(h)->wire;
}

const char *hash_openssl(enum hash h)
{
    return hash_row(h)->openssl;
}

size_t hash_len(enum hash h)
{
    return hash_row(h)->len;
}

static bool hash_parse_part(const char *text, size_t len, enum hash *out)
{
    for (int h = HASH_NONE + 1; h < HASH_COUNT; h++) {
        if (strlen(hashes[h].wire) == len && memcmp(hashes[h].wire, text, len) == 0) {
            *out = (enum hash)h;
            return true;
        }
    }
    return false;
}

bool hash_parse(const char *wire, enum hash *out)
{
    return wire && hash_parse_part(wire, strlen(wire), out);
}

enum hash hash_by_len(size_t digest_len, unsigned preferred)
{
    enum hash any = HASH_NONE;
    for (int h = HASH_NONE + 1; h < HASH_COUNT; h++) {
        if (hashes[h].len != digest_len)
            continue;
        if (preferred & hash_bit((enum hash)h))
            return (enum hash)h;
        if (any == HASH_NONE)
            any = (enum hash)h;
    }
    return any;
}

void digest_info_encode(enum hash h, struct slice digest, struct buf *out)
{
    /* A digest of another length would make a DigestInfo that lies; the buffer fails instead. */
    if (hash_len(h) == 0 || digest.len != hash_len(h)) {
        out->failed = true;
        return;
    }
    buf_add(out, digest_info_prefixes[h].bytes, digest_info_prefixes[h].len);
    buf_add(out, digest.data, digest.len);
}

bool digest_info_decode(struct slice in, enum hash *h, struct slice *digest)
{
    for (int i = HASH_NONE + 1; i < HASH_COUNT; i++) {
        size_t prefix_len = digest_info_prefixes[i].len;
        if (in.len == prefix_len + hashes[i].len && memcmp(in.data, digest_info_prefixes[i].bytes, prefix_len) == 0) {
            *h = (enum hash)i;
            *digest = (struct slice){in.data + prefix_len, hashes[i].len};
            return true;
        }
    }
    return false;
}

const char *key_type_name(enum key_type t)
{
    return key_type_row(t)->wire;
}

bool key_type_parse(const char *wire, enum key_type *out)
{
    for (int t = KEY_TYPE_NONE + 1; wire && t < KEY_TYPE_COUNT; t++) {
        if (strcmp(key_types[t].wire, wire) == 0) {
            *out = (enum key_type)t;
            return true;
        }
    }
    return false;
}

enum key_family key_type_family(enum key_type t)
{
    return key_type_row(t)->family;
}

int key_type_bits(enum key_type t)
{
    return key_type_row(t)->bits;
}

size_t key_type_signature_len(enum key_type t)
{
    return key_type_row(t)->signature_len;
}

const char *mechanism_name(enum mechanism m)
{
    return mechanism_row(m)->wire;
}

bool mechanism_parse(const char *wire, enum mechanism *out)
{
    for (int m = MECHANISM_NONE + 1; wire && m < MECHANISM_COUNT; m++) {
        if (strcmp(mechanisms[m].wire, wire) == 0) {
            *out = (enum mechanism)m;
            return true;
        }
    }
    return false;
}

enum key_family mechanism_family(enum mechanism m)
{
    return mechanism_row(m)->family;
}

/* "" is the empty set. An unknown or repeated name makes the whole text invalid, and the set then is empty. */
unsigned hash_set_parse(const char *text, bool *valid)
{
    unsigned set = 0;
    *valid = text != NULL;
    if (!text || *text == '\0')
        return 0;

    for (;;) {
        size_t len = strcspn(text, ",");
        enum hash h = HASH_NONE;
        if (!hash_parse_part(text, len, &h) || (set & hash_bit(h))) {
            *valid = false;
            return 0;
        }
        set |= hash_bit(h);
        if (text[len] == '\0')
            return set;
        text += len + 1;
    }
}

void hash_set_format(unsigned set, char out[HASH_SET_SIZE])
{
    size_t used = 0;
    for (int h = HASH_NONE + 1; h < HASH_COUNT; h++) {
        if (!(set & hash_bit((enum hash)h)))
            continue;
        if (used > 0)
            out[used++] = ',';
        size_t len = strlen(hashes[h].wire);
        memcpy(out + used, hashes[h].wire, len);
        used += len;
    }
    out[used] = '\0';
}

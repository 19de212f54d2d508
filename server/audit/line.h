/* SPDX-License-Identifier: Apache-2.0 */
/* The canonical line of a record: one JSON object, members in fixed order, no white space, chained to the line before
 * by SHA-256 (I7). record_hash covers every byte of the line but the record_hash member itself. */
#pragma once

#include <openssl/evp.h>

#include "server/audit/audit.h"

enum { RECORD_HASH_LEN = 32 };

struct line { /* kept from record to record: one buffer, one fetched SHA-256 */
    struct buf text;
    EVP_MD *sha256;
    EVP_MD_CTX *context;
    int64_t time_ms; /* of time_text */
    char time_text[TIME_TEXT_SIZE];
};
status line_init(struct line *l, struct error *err);
void line_clear(struct line *l);

/* Writes the line of r (seq and time_ms are set) into l->text and its record_hash into hash, which may be previous. */
status line_build(struct line *l, const struct audit_record *r, const uint8_t previous[RECORD_HASH_LEN],
                  uint8_t hash[RECORD_HASH_LEN], struct error *err);
/* The record_hash that the bytes of a line have, whatever it says; false when it has no such member at its end. */
bool line_hash(struct line *l, struct slice text, uint8_t hash[RECORD_HASH_LEN]);

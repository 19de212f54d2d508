/* SPDX-License-Identifier: Apache-2.0 */
/* Timestamp queries for tests. */
#pragma once

#include <openssl/ts.h>

#include "common/buf.h"

struct query_plan {
    int version, nid; /* 0: 1, and SHA-256 */
    int digest_len;   /* 0: that of the hash */
    uint8_t byte;     /* that the digest is made of */
    const char *policy;
    long nonce; /* 0: none */
    bool wants_certificate, has_extension, has_parameter;
};
void query_make(const struct query_plan *plan, struct buf *der);

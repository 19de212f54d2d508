/* SPDX-License-Identifier: Apache-2.0 */
/* Every signing mechanism of the module, with a key, parameters and an input that fit it. */
#pragma once

#include "host.h"

struct row {
    CK_MECHANISM_TYPE type;
    enum mechanism mechanism;
    enum hash hash; /* HASH_NONE: the caller brings the digest, DigestInfo or message */
};
extern const struct row rows[];
extern const size_t row_count;

const struct client_key *row_key(const struct row *row);
CK_SLOT_ID row_slot(const struct row *row);
bool row_takes_parts(const struct row *row);
/* With PSS parameters for the row's hash, or SHA-256 where the row has none; valid until the next call. */
CK_MECHANISM row_mechanism(const struct row *row);
/* What the caller hands to C_Sign: the data, their digest, or their DigestInfo; valid until the next call. */
struct slice row_input(const struct row *row, struct slice data);
/* Fails the test when this is not the row's signature of data. */
void row_assert_verifies(const struct row *row, struct slice data, struct slice signature);

struct slice digest_of(enum hash hash, struct slice bytes); /* by OpenSSL; valid until the next call */

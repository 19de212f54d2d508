/* SPDX-License-Identifier: Apache-2.0 */
/* Compact JWS (RFC 7515 §7.1) with a JSON object in it, verified over EVP. Only the five algorithms of the table exist:
 * `none` and HS* cannot be asked for. What is used is fixed by the registered key, never by the header. */
#pragma once

#include <openssl/evp.h>

#include "common/json.h"
#include "common/signature.h"

enum { JWS_TEXT_MAX = 8192 };

struct jws_algorithm {
    const char *name;
    enum mechanism mechanism;
    enum hash hash;
    enum key_type type; /* KEY_TYPE_NONE: any of the mechanism's family */
};
const struct jws_algorithm *jws_algorithm_find(const char *name);  /* NULL: not one of ours */
const struct jws_algorithm *jws_algorithm_for(enum key_type type); /* default of a key type; NULL: none fits */
bool jws_algorithm_fits(const struct jws_algorithm *a, enum key_type type);

struct jws {
    struct slice signed_part;      /* header.payload; borrows from the text */
    struct json *header, *payload; /* objects */
    struct buf signature;
    const struct jws_algorithm *algorithm; /* as the header says */
    const char *kid;                       /* borrowed from header; NULL: none */
};
void jws_clear(struct jws *j);
#define cleanup_jws CLEANUP(jws_clear)

/* CODE_NOT_AUTHENTICATED says what is wrong. Refused: `crit`, `b64`, a `typ` other than JWT, duplicate names, padding.
 */
status jws_parse(struct slice text, struct jws *out, struct error *err);
/* CODE_BAD_SIGNATURE too when the header names another algorithm than the registered one. */
status jws_verify(const struct jws *j, const char *registered_algorithm, EVP_PKEY *key, struct error *err);
/* The cost of a verification with a key that nobody has: whether an account exists is not to be read from the clock. */
void jws_verify_for_nobody(const struct jws *j);

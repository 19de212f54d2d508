/* SPDX-License-Identifier: Apache-2.0 */
/* The text of API keys and access tokens: 256 random bits in base62, and for API keys the id and a checksum around
 * them, so that scanners for leaked secrets find them and a mistyped one is told apart without a look into the store.
 */
#pragma once

#include "common/secret.h"
#include "server/auth/auth.h"

#define ACCESS_TOKEN_PREFIX "chancery-token."
#define API_KEY_ID_PREFIX "ak" /* the id "ak_…" stands in the text without it: '_' separates the parts there */

enum {
    BASE62_SECRET_LEN = 43, /* 62^43 > 2^256 */
    API_KEY_ID_LEN = 20,    /* of an id, behind its prefix */
    API_KEY_CHECKSUM_LEN = 6,
    CREDENTIAL_TEXT_MAX = 128,
};

/* BASE62_SECRET_LEN characters, each with the same probability. */
status base62_secret_add(struct buf *out, struct error *err);

status api_key_text_format(const char *id, struct slice secret, struct buf *text, struct error *err);
/* False when the form or the checksum is wrong. id gets "ak_…"; secret borrows from text. */
bool api_key_text_parse(struct slice text, char id[ID_SIZE], struct slice *secret);

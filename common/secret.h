/* SPDX-License-Identifier: Apache-2.0 */
/* Secret bytes: random, compare, wipe. */
#pragma once

#include "common/buf.h"

void secret_wipe(void *data, size_t len);
bool secret_equal(const void *a, const void *b, size_t len); /* constant time */
status secret_random(void *out, size_t len, struct error *err);
/* SHA-256 of the bytes. */
status sha256(struct slice in, uint8_t out[32], struct error *err);

/* New object id: prefix, '_' and 20 characters of [a-z2-7] (100 random bits). out holds LIMIT_ID + 1 characters. */
status id_new(const char *prefix, char *out, struct error *err);

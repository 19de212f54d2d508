/* SPDX-License-Identifier: Apache-2.0 */
/* The answer of GET /v1/signing/keys as a snapshot. */
#pragma once

#include "client/client.h"

enum { KEYS_MAX_BYTES = 16 * 1024 * 1024 };

/* A snapshot; refs is the count behind client_keys_ref. */
struct keys_snapshot {
    struct client_keys keys; /* first: a client_keys pointer is a pointer to it */
    _Atomic int refs;
    struct buf json; /* the answer as it came */
    char etag[128];
};

/* A key with something this version does not know (type, curve) is left out; a malformed one is CODE_INTERNAL. Enters
 * the libctx by itself. The snapshot has one reference. */
status keys_parse(struct slice answer, const char *etag, const struct client_keys **out, struct error *err);
/* The same from an answer that was parsed already; text are its bytes. */
status keys_of_json(const struct json *root, struct slice text, const char *etag, const struct client_keys **out,
                    struct error *err);
const char *keys_text(const struct client_keys *keys); /* the answer as it came */
const char *keys_etag(const struct client_keys *keys);

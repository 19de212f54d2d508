/* SPDX-License-Identifier: Apache-2.0 */
/* The answer of GET /v1/signing/keys as a snapshot, and the public data kept on disk. */
#pragma once

#include "client/client.h"

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
/* {"url": …, "keys_answer": {…}}: what was kept for another server is CODE_NOT_FOUND. */
status public_data_parse(struct slice text, const char *url, const struct client_keys **out, struct error *err);
void public_data_write(const char *url, const struct client_keys *keys, struct buf *out);
const char *keys_etag(const struct client_keys *keys);

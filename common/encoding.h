/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 (RFC 4648 §4), base64url without padding (§5) and hex. Decoders are strict: no white space, canonical trailing
 * bits, right padding; CODE_INVALID otherwise. */
#pragma once

#include "common/buf.h"

void base64_encode(struct slice in, struct buf *out);
status base64_decode(const char *text, size_t len, struct buf *out, struct error *err);
void base64url_encode(struct slice in, struct buf *out);
status base64url_decode(const char *text, size_t len, struct buf *out, struct error *err);
void hex_encode(struct slice in, struct buf *out); /* lower case */
status hex_decode(const char *text, size_t len, struct buf *out, struct error *err);
/* out must hold 2 * in.len + 1 characters. */
void hex_format(struct slice in, char *out);

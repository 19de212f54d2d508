/* SPDX-License-Identifier: Apache-2.0 */
/* The body of a signature request. */
#pragma once

#include "server/api/api.h"

/* bytes holds the decoded digest or message that order->input borrows. CODE_INVALID names the field,
 * CODE_DIGEST_MALFORMED when the digest's length is not that of its hash (I5). */
status sign_order_parse(struct sign_order *order, struct request *req, struct buf *bytes, struct error *err);
/* program, host, user and up to SIGN_CONTEXT_MAX other fields; context NULL: none. Borrowed from it. */
status sign_context_parse(struct sign_order *order, const struct json *context, struct error *err);

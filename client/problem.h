/* SPDX-License-Identifier: Apache-2.0 */
/* What a server's refusal says: problem+json (RFC 9457) to code and text. */
#pragma once

#include "client/transport.h"

/* Never OK: the code of the body where it is one a server may send, else one by HTTP status; the text is
 * "<title>: <detail> (request req_…, HTTP 503, https://host:port)", or the general meaning where the body says nothing
 * printable. */
status problem_status(const struct transport_answer *answer, struct error *err);

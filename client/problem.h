/* SPDX-License-Identifier: Apache-2.0 */
/* What a server's refusal says: problem+json (RFC 9457) to code and text. */
#pragma once

#include "client/transport.h"

/* Never OK: the code of the body where it is one a server may send, else one by HTTP status; the text is
 * "<title>: <detail> (request req_…)", or the status where the body says nothing printable. The request's id is that of
 * the header where the body names none. */
status problem_status(const struct transport_answer *answer, struct error *err);

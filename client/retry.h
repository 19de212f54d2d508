/* SPDX-License-Identifier: Apache-2.0 */
/* When an attempt is repeated: the connection failed or broke, or the server says 502, 503, 504, or 429 with
 * Retry-After. Never beyond the deadline: a wait that would end behind it is not begun, and the failure stands. */
#pragma once

#include "client/transport.h"
#include "common/json.h"

struct retry {
    struct deadline deadline;
    int attempts_left;
    int64_t wait_ms;
};
struct retry retry_until(struct deadline d);
struct retry retry_at_most(struct deadline d, int attempts);
/* True after the wait: try again. False: what came stands. */
bool retry_again(struct retry *r, status sent, const struct transport_answer *answer);

/* The body as one JSON value; CODE_INTERNAL when it is none. */
status answer_json(const struct transport_answer *answer, size_t max_bytes, struct json **out, struct error *err);

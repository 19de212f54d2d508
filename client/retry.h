/* SPDX-License-Identifier: Apache-2.0 */
/* The attempts of one call, over all servers and within one deadline. What may go better elsewhere goes on to the next
 * server at once: the connection or its handshake failed or broke, the attempt's share of the time is over, or the
 * server says 429, 502, 503 or 504. When every server was tried, a new round begins after a wait, unless none may do
 * better later. Never beyond the deadline: a wait that would end behind it is not begun, and the failure stands. */
#pragma once

#include "client/servers.h"
#include "common/json.h"

struct failure {
    enum code code; /* CODE_OK: none */
    char text[sizeof(((struct error *)0)->text)];
};

struct retry {
    struct servers *servers;
    struct deadline deadline;
    int rounds_left; /* behind this one */
    bool once;       /* what reached a server is not sent again */
    int64_t wait_ms;
    unsigned tried;                     /* in this round; a bit a server */
    unsigned hopeless;                  /* refused in a way that time does not mend */
    int64_t not_before_ms[SERVERS_MAX]; /* each server's own Retry-After */
    struct failure failures[SERVERS_MAX];
    size_t last; /* server that was tried last */
    bool stands; /* its answer is the result, whatever befell the others */
};
/* Rounds until the deadline; so many at most; and what is sent to one server only. */
struct retry retry_until(struct servers *s, struct deadline d);
struct retry retry_at_most(struct servers *s, struct deadline d, int rounds);
struct retry retry_once(struct servers *s, struct deadline d);
/* For another request of the same call. */
struct retry retry_of_same_call(const struct retry *r);

struct attempt {
    size_t server;
    const char *url;
    struct transport *transport;
    struct deadline deadline; /* a fair share of what is left while other servers remain */
};
struct attempt retry_next(struct retry *r);
/* The same server again, at once. */
void retry_same(struct retry *r, const struct attempt *a);
/* After each attempt, with its result and the text of a failure. True, maybe after a wait: make another one. */
bool retry_again(struct retry *r, const struct attempt *a, status sent, const struct transport_answer *answer,
                 const struct error *err);
/* When it says no: what came stands, or, where several servers failed, one failure that names each. */
status retry_end(const struct retry *r, status sent, struct error *err);

/* The body as one JSON value; CODE_INTERNAL when it is none. */
status answer_json(const struct transport_answer *answer, size_t max_bytes, struct json **out, struct error *err);

/* SPDX-License-Identifier: Apache-2.0 */
/* One request without a credential: whether the server can be reached and trusted, and what it thinks the time is. */
#include "client/client.h"

#include "chancery/protocol.h"
#include "client/answer.h"
#include "client/problem.h"
#include "client/state.h"

enum { ANSWER_MAX = 16 * 1024 };

status client_probe(struct client *c, size_t server, struct deadline d, struct client_probe *out, struct error *err)
{
    cleanup_answer struct transport_answer answer = {0};
    const struct transport_request request = {.method = "GET", .path = ROUTE_LIVEZ, .answer_max = ANSWER_MAX};
    int64_t asked_ms = clock_now_ms();
    TRY(transport_send(servers_transport(c->servers, server), &request, d, &answer, err));
    int64_t answered_ms = clock_now_ms();

    if (answer.status != 200)
        return problem_status(&answer, err);
    int64_t date_ms = 0;
    bool knows_time = http_date_parse(answer.date, &date_ms);
    *out = (struct client_probe){.round_trip_ms = answered_ms - asked_ms, .knows_time = knows_time};
    if (out->knows_time) /* the header has whole seconds: half of one is the best guess */
        out->clock_ahead_ms = (asked_ms + answered_ms) / 2 - (date_ms + 500);
    return OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* One request without a credential: whether the server can be reached and trusted, and what it thinks the time is. */
#include "client/client.h"

#include <stdio.h>
#include <string.h>

#include "chancery/protocol.h"
#include "client/problem.h"
#include "client/state.h"

enum { ANSWER_MAX = 16 * 1024 };

/* IMF-fixdate (RFC 9110 §5.6.7), to whole seconds; 0 when it is something else. */
static int64_t http_date_ms(const char *text)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct tm tm = {0};
    char month[4] = "";
    int end = 0;
    if (sscanf(text, "%*3s, %2d %3s %4d %2d:%2d:%2d GMT%n", &tm.tm_mday, month, &tm.tm_year, &tm.tm_hour, &tm.tm_min,
               &tm.tm_sec, &end) != 6 ||
        end == 0 || text[end] != '\0')
        return 0;
    const char *at = strstr(months, month);
    if (strlen(month) != 3 || !at || (at - months) % 3 != 0)
        return 0;
    tm.tm_mon = (int)(at - months) / 3;
    tm.tm_year -= 1900;
    return (int64_t)timegm(&tm) * 1000;
}

status client_probe(struct client *c, struct deadline d, struct client_probe *out, struct error *err)
{
    cleanup_answer struct transport_answer answer = {0};
    const struct transport_request request = {.method = "GET", .path = ROUTE_LIVEZ, .answer_max = ANSWER_MAX};
    int64_t asked_ms = clock_now_ms();
    TRY(transport_send(c->transport, &request, d, &answer, err));
    int64_t answered_ms = clock_now_ms();

    if (answer.status != 200)
        return problem_status(&answer, err);
    int64_t date_ms = http_date_ms(answer.date);
    *out = (struct client_probe){.round_trip_ms = answered_ms - asked_ms, .knows_time = date_ms != 0};
    if (out->knows_time) /* the header has whole seconds: half of one is the best guess */
        out->clock_ahead_ms = (asked_ms + answered_ms) / 2 - (date_ms + 500);
    return OK;
}

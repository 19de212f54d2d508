/* SPDX-License-Identifier: Apache-2.0 */
/* Back-off doubles from 50 ms to one second, less a random part, so that many clients of a server that comes back do
 * not call in step. A Retry-After of the server takes its place. */
#include "client/retry.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <time.h>

#include "chancery/protocol.h"
#include "client/answer.h"
#include "common/secret.h"

enum { WAIT_FIRST_MS = 50, WAIT_MAX_MS = 1000 };

struct retry retry_until(struct deadline d)
{
    return retry_at_most(d, INT_MAX);
}

struct retry retry_at_most(struct deadline d, int attempts)
{
    return (struct retry){.deadline = d, .attempts_left = attempts - 1, .wait_ms = WAIT_FIRST_MS};
}

static bool is_transient(status sent, const struct transport_answer *answer)
{
    if (sent.code == CODE_UNAVAILABLE)
        return true;
    if (!is_ok(sent))
        return false;
    if (answer->status == 429)
        return answer->retry_after_ms >= 0;
    return answer->status == 502 || answer->status == 503 || answer->status == 504;
}

static int64_t next_wait_ms(struct retry *r)
{
    uint8_t random = 0;
    ignore(secret_random(&random, sizeof(random), NULL));
    int64_t wait = r->wait_ms - r->wait_ms * random / 1024; /* up to a quarter less */
    r->wait_ms = r->wait_ms * 2 < WAIT_MAX_MS ? r->wait_ms * 2 : WAIT_MAX_MS;
    return wait;
}

static void sleep_ms(int64_t ms)
{
    struct timespec until = deadline_timespec(deadline_in(ms));
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
        ;
}

bool retry_again(struct retry *r, status sent, const struct transport_answer *answer)
{
    if (!is_transient(sent, answer) || r->attempts_left <= 0)
        return false;

    int64_t wait = next_wait_ms(r);
    if (is_ok(sent) && answer->retry_after_ms > wait)
        wait = answer->retry_after_ms;
    if (wait >= deadline_left_ms(r->deadline))
        return false;

    r->attempts_left--;
    sleep_ms(wait);
    return true;
}

status answer_json(const struct transport_answer *answer, size_t max_bytes, struct json **out, struct error *err)
{
    struct error reason = {0};
    status parsed = json_parse(buf_slice(&answer->body), max_bytes, LIMIT_JSON_DEPTH, out, &reason);
    if (is_ok(parsed))
        return parsed;
    if (parsed.code == CODE_NO_MEMORY)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    return answer_fault(answer, error_set(err, CODE_INTERNAL, "the server's answer is not understood: %s", reason.text),
                        err);
}

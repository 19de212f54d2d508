/* SPDX-License-Identifier: Apache-2.0 */
/* Between rounds the back-off doubles from 50 ms to one second, less a random part, so that many clients of a server
 * that comes back do not call in step. A Retry-After holds for the server that sent it. */
#include "client/retry.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "chancery/protocol.h"
#include "client/answer.h"
#include "client/problem.h"
#include "common/secret.h"
#include "common/text.h"

enum { WAIT_FIRST_MS = 50, WAIT_MAX_MS = 1000 };

struct retry retry_at_most(struct servers *s, struct deadline d, int rounds)
{
    return (struct retry){.servers = s, .deadline = d, .rounds_left = rounds - 1, .wait_ms = WAIT_FIRST_MS};
}

struct retry retry_until(struct servers *s, struct deadline d)
{
    return retry_at_most(s, d, INT_MAX);
}

struct retry retry_once(struct servers *s, struct deadline d)
{
    struct retry r = retry_at_most(s, d, 1);
    r.once = true;
    return r;
}

struct retry retry_of_same_call(const struct retry *r)
{
    return retry_at_most(r->servers, r->deadline, r->rounds_left + 1);
}

/* ---- which server */

/* Bits of those that are not to be asked now. */
static unsigned excluded_now(const struct retry *r)
{
    unsigned bits = r->tried | r->hopeless;
    int64_t now_ms = clock_monotonic_ms();
    for (size_t i = 0; i < servers_count(r->servers); i++)
        if (r->not_before_ms[i] > now_ms)
            bits |= 1u << i;
    return bits;
}

static int64_t count_left(const struct retry *r, unsigned excluded)
{
    int64_t left = 0;
    for (size_t i = 0; i < servers_count(r->servers); i++)
        left += !(excluded & 1u << i);
    return left;
}

struct attempt retry_next(struct retry *r)
{
    unsigned excluded = excluded_now(r);
    int64_t candidates = count_left(r, excluded);
    if (candidates == 0) { /* the clock of a Retry-After and that of the sleep may differ by a tick */
        excluded = r->tried | r->hopeless;
        candidates = count_left(r, excluded);
    }
    struct attempt a = {.deadline = r->deadline};
    if (candidates > 1)
        a.deadline = deadline_in(deadline_left_ms(r->deadline) / candidates);
    a.server = servers_pick(r->servers, excluded, a.deadline.at_ms);
    a.url = servers_url(r->servers, a.server);
    a.transport = servers_transport(r->servers, a.server);
    r->tried |= 1u << a.server;
    return a;
}

void retry_same(struct retry *r, const struct attempt *a)
{
    servers_note(r->servers, a->server, SERVERS_GOOD, 0);
    r->tried &= ~(1u << a->server);
}

/* ---- what came of it */

enum verdict {
    VERDICT_STANDS,
    VERDICT_ELSEWHERE, /* another server may do better */
    VERDICT_LATER,     /* so may this one, in a while */
};

static enum verdict judge(status sent, const struct transport_answer *answer)
{
    if (sent.code == CODE_UNAVAILABLE || sent.code == CODE_TIMEOUT)
        return VERDICT_LATER;
    if (sent.code == CODE_CONFIGURATION)
        return VERDICT_ELSEWHERE;
    if (!is_ok(sent))
        return VERDICT_STANDS;
    if (answer->status == 429)
        return answer->retry_after_ms >= 0 ? VERDICT_LATER : VERDICT_ELSEWHERE;
    return answer->status == 502 || answer->status == 503 || answer->status == 504 ? VERDICT_LATER : VERDICT_STANDS;
}

static void failure_keep(struct retry *r, size_t server, status sent, const struct transport_answer *answer,
                         const struct error *err)
{
    struct error reason = {0};
    status why = is_ok(sent) ? problem_status(answer, &reason) : sent;
    r->failures[server].code = why.code;
    (void)text_copy(r->failures[server].text, sizeof(r->failures[server].text), is_ok(sent) ? reason.text : err->text);
}

static int64_t next_wait_ms(struct retry *r)
{
    uint8_t random = 0;
    ignore(secret_random(&random, sizeof(random), NULL));
    int64_t wait = r->wait_ms - r->wait_ms * random / 1024; /* up to a quarter less */
    r->wait_ms = r->wait_ms * 2 < WAIT_MAX_MS ? r->wait_ms * 2 : WAIT_MAX_MS;
    return wait;
}

static void sleep_until(int64_t at_ms)
{
    struct timespec until = deadline_timespec((struct deadline){at_ms});
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
        ;
}

/* Until the back-off is over and at least one server may be asked. */
static bool round_begin(struct retry *r)
{
    int64_t rested_ms = clock_monotonic_ms() + next_wait_ms(r);
    int64_t earliest_ms = INT64_MAX;
    for (size_t i = 0; i < servers_count(r->servers); i++) {
        int64_t from_ms = r->not_before_ms[i] > rested_ms ? r->not_before_ms[i] : rested_ms;
        if (!(r->hopeless & 1u << i) && from_ms < earliest_ms)
            earliest_ms = from_ms;
    }
    if (r->rounds_left <= 0 || earliest_ms >= r->deadline.at_ms)
        return false;
    r->rounds_left--;
    r->tried = 0;
    sleep_until(earliest_ms);
    return true;
}

bool retry_again(struct retry *r, const struct attempt *a, status sent, const struct transport_answer *answer,
                 const struct error *err)
{
    enum verdict verdict = judge(sent, answer);
    bool by_server = is_ok(sent) && answer->retry_after_ms > 0;
    r->last = a->server;
    r->stands = verdict == VERDICT_STANDS;
    if (r->stands) {
        servers_note(r->servers, a->server, is_ok(sent) ? SERVERS_GOOD : SERVERS_NOTHING, 0);
        return false;
    }
    servers_note(r->servers, a->server, SERVERS_BAD, by_server ? answer->retry_after_ms : 0);
    failure_keep(r, a->server, sent, answer, err);
    if (by_server)
        r->not_before_ms[a->server] = clock_monotonic_ms() + answer->retry_after_ms;
    if (verdict == VERDICT_ELSEWHERE)
        r->hopeless |= 1u << a->server;

    if ((r->once && answer->sent) || deadline_passed(r->deadline))
        return false;
    return count_left(r, excluded_now(r)) > 0 || round_begin(r);
}

/* ---- the end */

/* As much as fits, no character cut in two. */
static size_t fitting(const char *text, size_t room)
{
    size_t len = strlen(text);
    if (len <= room)
        return len;
    while (room > 0 && ((unsigned char)text[room] & 0xC0) == 0x80)
        room--;
    return room;
}

status retry_end(const struct retry *r, status sent, struct error *err)
{
    size_t count = 0;
    for (size_t i = 0; i < servers_count(r->servers); i++)
        count += r->failures[i].code != CODE_OK;
    if (r->stands || count < 2)
        return sent;

    char text[sizeof(err->text)] = "";
    size_t room = sizeof(text) / count - sizeof("; ");
    for (size_t i = 0; i < servers_count(r->servers); i++) {
        const struct failure *f = &r->failures[i];
        if (f->code == CODE_OK)
            continue;
        size_t used = strlen(text);
        (void)snprintf(text + used, sizeof(text) - used, "%s%.*s", used ? "; " : "", (int)fitting(f->text, room),
                       f->text);
    }
    return error_set(err, r->failures[r->last].code, "%s", text);
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

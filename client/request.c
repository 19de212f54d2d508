/* SPDX-License-Identifier: Apache-2.0 */
/* Authenticated requests. What changes something reaches one server once, as only signatures carry an idempotency key;
 * what reads is tried three times on each. */
#include "client/request.h"

#include <stdio.h>
#include <string.h>

#include "client/problem.h"
#include "client/token.h"

enum { ANSWER_MAX = 64 * 1024 * 1024, READ_ROUNDS = 3, ETAG_SIZE = 24 };

static void exchange_log(const struct attempt *a, const struct transport_request *r, status sent,
                         const struct transport_answer *answer, int64_t started_ms)
{
    if (!log_is_on(LOG_LEVEL_DEBUG))
        return;
    char http[16];
    char took[24];
    (void)snprintf(http, sizeof(http), "%d", is_ok(sent) ? answer->status : 0);
    (void)snprintf(took, sizeof(took), "%lld", (long long)(clock_monotonic_ms() - started_ms));
    log_event(LOG_LEVEL_DEBUG, "request", "server", a->url, "method", r->method, "path", r->path, "status", http,
              "result", code_wire(sent.code), "ms", took, NULL);
}

static status authorized_send(const struct attempt *a, const struct transport_request *request,
                              const struct buf *authorization, struct transport_answer *answer, struct error *err)
{
    struct transport_request authorized = *request;
    authorized.authorization = buf_text(authorization);
    int64_t started_ms = clock_monotonic_ms();
    status sent = transport_send(a->transport, &authorized, a->deadline, answer, err);
    exchange_log(a, request, sent, answer, started_ms);
    return sent;
}

status exchange_run(struct client *c, const struct transport_request *request, struct retry retry,
                    struct transport_answer *answer, struct error *err)
{
    cleanup_buf struct buf authorization = {0};
    struct error reason = {0};
    bool renewed = false;
    for (;;) {
        TRY(authorization_get(c, &retry, &authorization, err));
        struct attempt a = retry_next(&retry);
        status sent = authorized_send(&a, request, &authorization, answer, &reason);
        if (is_ok(sent) && answer->status == 401 && !renewed && authorization_refused(c, &authorization)) {
            renewed = true;
            retry_same(&retry, &a);
            continue;
        }
        if (!retry_again(&retry, &a, sent, answer, &reason)) {
            if (!is_ok(sent) && err)
                *err = reason;
            return retry_end(&retry, sent, err);
        }
    }
}

static status request_run(struct client *c, const struct client_call *call, struct deadline d,
                          struct transport_answer *answer, struct error *err)
{
    char etag[ETAG_SIZE];
    bool reads = strcmp(call->method, "GET") == 0;
    (void)snprintf(etag, sizeof(etag), "\"%lld\"", (long long)call->revision);
    const struct transport_request request = {.method = call->method,
                                              .path = call->path,
                                              .content_type = call->body ? "application/json" : NULL,
                                              .body = call->body ? buf_slice(call->body) : (struct slice){0},
                                              .if_match = call->revision >= 0 ? etag : NULL,
                                              .once = !reads,
                                              .answer_max = ANSWER_MAX};
    struct retry retry = reads ? retry_at_most(c->servers, d, READ_ROUNDS) : retry_once(c->servers, d);
    TRY(exchange_run(c, &request, retry, answer, err));
    return answer->status >= 200 && answer->status < 300 ? OK : problem_status(answer, err);
}

status client_request_at(struct client *c, const struct client_call *call, struct deadline d, struct json **answer,
                         struct error *err)
{
    cleanup_answer struct transport_answer got = {0};
    TRY(request_run(c, call, d, &got, err));
    if (!answer)
        return OK;
    if (got.body.len == 0) {
        *answer = NULL;
        return OK;
    }
    return answer_json(&got, ANSWER_MAX, answer, err);
}

status client_request(struct client *c, const char *method, const char *path, const struct buf *body, struct deadline d,
                      struct json **answer, struct error *err)
{
    const struct client_call call = {.method = method, .path = path, .body = body, .revision = -1};
    return client_request_at(c, &call, d, answer, err);
}

status client_request_raw(struct client *c, const char *method, const char *path, const struct buf *body,
                          struct deadline d, struct buf *answer, struct error *err)
{
    const struct client_call call = {.method = method, .path = path, .body = body, .revision = -1};
    cleanup_answer struct transport_answer got = {0};
    TRY(request_run(c, &call, d, &got, err));
    buf_clear(answer);
    *answer = got.body;
    got.body = (struct buf){0};
    return OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* One request through `before` and its handler to a complete response: the same path for a socket and for a test in
 * memory. */
#include "server/http/exchange.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"

static void exchange_log(const struct request *req, const struct response *res, const struct error *err)
{
    enum log_level level = res->status >= 500 ? LOG_LEVEL_WARNING : LOG_LEVEL_DEBUG;
    if (!log_is_on(level))
        return;
    char status_text[12];
    snprintf(status_text, sizeof status_text, "%d", res->status);
    log_event(level, "request", "request_id", req->id, "method", req->method, "path", req->path, "address",
              req->address, "status", status_text, "code", code_wire(err->code), "reason", err->code ? err->text : "",
              "detail", err->code ? err->detail : "", NULL);
}

static status exchange_handle(const struct http_config *config, struct request *req, struct response *res,
                              struct error *err)
{
    if (req->refusal.code != CODE_OK) {
        *err = req->refusal;
        return (status){err->code};
    }
    if (deadline_passed(req->deadline))
        return error_set(err, CODE_UNAVAILABLE, "the server is overloaded; the request was not begun");
    if (config->before)
        TRY(config->before(config->api, req, res, err));
    return req->route->handler(config->api, req, res, err);
}

void exchange_run(const struct http_config *config, struct request *req, struct response *res)
{
    struct error err;
    err.code = CODE_OK;
    err.text[0] = err.detail[0] = '\0';
    status s = exchange_handle(config, req, res, &err);
    if (!is_ok(s)) {
        err.code = s.code;
        response_problem(res, req->id, &err);
        if (err.code == CODE_METHOD_NOT_ALLOWED && req->allow[0])
            response_header(res, "Allow", req->allow);
    } else {
        err.code = CODE_OK; /* what a handler tried in vain on its way is not the request's error */
    }
    response_complete(res, req->id);
    exchange_log(req, res, &err);
    request_finish(req);
}

void exchange_refuse(struct request *req, struct response *res, enum code code, const char *why)
{
    struct error err = {.code = CODE_OK};
    ignore(error_set(&err, code, "%s", why));
    response_problem(res, req->id, &err);
    response_complete(res, req->id);
    exchange_log(req, res, &err);
    request_finish(req);
}

static status header_lines_add(struct request *req, const char *const *lines, struct error *err)
{
    for (; lines && *lines; lines++) {
        const char *colon = strchr(*lines, ':');
        if (!colon)
            return error_set(err, CODE_INVALID, "header without a colon: %s", *lines);
        const char *name = arena_copy(&req->arena, *lines, (size_t)(colon - *lines));
        if (!name)
            return error_set(err, CODE_NO_MEMORY, "header");
        TRY(request_add_header(req, name, colon + 1 + strspn(colon + 1, " "), err));
    }
    return OK;
}

static void memory_answer(struct http_exchange *x, const struct response *res)
{
    x->status = res->status;
    buf_reset(&x->response_headers);
    buf_reset(&x->response_body);
    for (size_t i = 0; i < res->header_count; i++)
        buf_printf(&x->response_headers, "%s: %s\n", res->headers[i].name, res->headers[i].value);
    buf_add(&x->response_body, res->body.data, res->body.len);
}

static void memory_run(const struct http_config *config, const struct router *router, struct http_exchange *x,
                       struct request *req, struct response *res)
{
    int64_t timeout = config->request_timeout_ms > 0 ? config->request_timeout_ms : 30000;
    const char *address = x->address ? x->address : "127.0.0.1";
    ignore(request_begin(req, x->target, address, deadline_in(timeout), &req->refusal));
    ignore(header_lines_add(req, x->headers, &req->refusal));
    request_client_find(req, &config->proxies);
    request_route_find(req, router, x->method);
    if (x->body.len > req->body_cap)
        ignore(error_set(&req->refusal, CODE_TOO_LARGE, "the body is longer than %zu bytes", req->body_cap));
    else
        buf_add(&req->body, x->body.data, x->body.len);
    exchange_run(config, req, res);
    memory_answer(x, res);
}

status http_route_in_memory(const struct http_config *config, struct http_exchange *exchange, struct error *err)
{
    cleanup_router struct router *router = NULL;
    TRY(router_new(config->tables, &router, err));
    struct request *req = calloc(1, sizeof *req);
    struct response *res = calloc(1, sizeof *res);
    status s = OK;
    if (!req || !res) {
        s = error_set(err, CODE_NO_MEMORY, "request");
    } else {
        response_reset(res);
        memory_run(config, router, exchange, req, res);
    }
    if (req)
        request_clear(req);
    if (res)
        response_clear(res);
    free(req);
    free(res);
    return s;
}

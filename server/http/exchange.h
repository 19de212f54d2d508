/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of server/http: one request with its response, as the listener and the in-memory door fill and read them. They
 * are kept with their connection and reset between requests, so that keep-alive costs few allocations. */
#pragma once

#include "chancery/protocol.h"
#include "server/http/arena.h"
#include "server/http/http.h"
#include "server/http/router.h"

enum {
    REQUEST_HEADERS = 64,  /* fields in a request */
    REQUEST_TARGET = 8192, /* bytes of path and query */
    REQUEST_QUERY_PARAMS = 32,
    RESPONSE_HEADERS = 16,
    BODY_KEPT = 64 * 1024, /* a body buffer larger than this is freed between requests */
};

struct field {
    const char *name, *value;
};

struct request {
    struct arena arena;
    const char *method, *path; /* path: as sent, without the query */
    const char *query;         /* as sent; "" when there is none */
    const char *address;
    struct field headers[REQUEST_HEADERS];
    size_t header_count;
    struct field params[ROUTE_PARAMS];
    size_t param_count;
    struct field query_params[REQUEST_QUERY_PARAMS];
    size_t query_count;
    const struct route *route; /* NULL: the answer is already known, see refusal */
    struct error refusal;
    char allow[64];
    size_t body_cap;
    struct buf body;
    char id[65];
    struct deadline deadline;
    struct json *json;
    void *context;
    void (*context_clean)(void *);
};

struct response {
    struct arena arena;
    int status;
    const char *content_type; /* NULL: none */
    struct field headers[RESPONSE_HEADERS];
    size_t header_count;
    bool failed; /* a header was lost */
    struct buf body;
    struct json_writer writer;
};

/* Target and client; the arena holds copies. */
status request_begin(struct request *req, const char *target, const char *address, struct deadline d,
                     struct error *err);
/* Name and value are borrowed. CODE_INVALID when there are too many. */
status request_add_header(struct request *req, const char *name, const char *value, struct error *err);
/* Once the headers are there: whom the request is from. What a trusted proxy says wrongly becomes the refusal. */
void request_client_find(struct request *req, const struct proxies *proxies);
/* Once method, target and headers are there: id, route, decoded parameters, body cap. A refusal (404, 405, 400) is kept
 * in the request and answered by exchange_run when the body has been read. */
void request_route_find(struct request *req, const struct router *router, const char *method);
/* What the handler leaves behind: context, JSON, body. The text of the arena stays. */
void request_finish(struct request *req);
void request_reset(struct request *req);
void request_clear(struct request *req);

void response_reset(struct response *res);
void response_clear(struct response *res);
/* Headers that every answer has. */
void response_complete(struct response *res, const char *request_id);

/* before, then handler; a failure becomes problem+json. Logs the request. */
void exchange_run(const struct http_config *config, struct request *req, struct response *res);
/* Answers a refusal without any handler. */
void exchange_refuse(struct request *req, struct response *res, enum code code, const char *why);

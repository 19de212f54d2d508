/* SPDX-License-Identifier: Apache-2.0 */
/* HTTPS server: listener, TLS 1.3, request, response, router. Only this folder sees libmicrohttpd. A thread per
 * connection moves bytes; a gate bounds how many handlers run and how many requests wait; beyond that 503 with
 * Retry-After. The same without TLS for what is public and signed by itself (CRLs, OCSP, timestamps). */
#pragma once

#include "common/buf.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/network.h"

struct request;
struct response;
struct route;

typedef status (*route_handler)(void *api, struct request *req, struct response *res, struct error *err);

/* permission is a number of the caller's own; 0 is no permission at all and the server does not start on such a row. */
struct route {
    const char *method;
    const char *pattern; /* "/v1/projects/{project}/keys"; a last "{name...}" takes the rest of the path */
    int permission;
    route_handler handler;
    size_t max_body; /* 0: LIMIT_BODY */
};

/* Request: everything is borrowed for the life of the request. */
const char *request_method(const struct request *req);
const char *request_path(const struct request *req);
const char *request_param(const struct request *req,
                          const char *name); /* "" when the pattern has no such name; percent-decoded */
const char *request_query(const struct request *req, const char *name);  /* NULL when absent */
const char *request_header(const struct request *req, const char *name); /* NULL when absent */
struct slice request_body(const struct request *req);
const char *request_client_address(const struct request *req); /* numeric, no port; as trusted proxies tell it */
const char *
request_id(const struct request *req); /* "req_…"; the client's X-Request-Id when it is [A-Za-z0-9_-]{1,64} */
struct deadline request_deadline(const struct request *req); /* by when the answer must be out */
const struct route *request_route(const struct request *req);
void request_set_context(struct request *req, void *context, void (*clean)(void *)); /* whom `before` found */
void *request_context(const struct request *req);
/* Refuses query parameters that are not in the NULL-ended list. */
status request_query_only(const struct request *req, const char *const *names, struct error *err);
/* Content-Type must be application/json; parses within LIMIT_JSON_DEPTH; an empty body is CODE_INVALID. Owned by the
 * request. */
status request_json(struct request *req, const struct json **out, struct error *err);
/* CODE_UNSUPPORTED_MEDIA unless Content-Type is this one; parameters may follow it. */
status request_media(const struct request *req, const char *media_type, struct error *err);

/* Response: status 200 and an empty body unless told. */
void response_status(struct response *res, int http_status);
void response_header(struct response *res, const char *name, const char *value);
/* A writer on the body; Content-Type application/json. The caller writes exactly one value. */
struct json_writer *response_json(struct response *res, int http_status);
struct buf *response_body(struct response *res, const char *content_type); /* raw body */
/* Status, headers and body that are already set are replaced by problem+json when a handler returns a failure. */
void response_problem(struct response *res, const char *request_id, const struct error *err);

struct proxies { /* whose word on the client's address is believed */
    const struct network *trusted;
    size_t count;
};

struct http_config {
    const char *address;
    int port;                    /* 0: any free one; ask http_server_port */
    int listen_fd;               /* > 0: a socket of http_listen, taken over; then address and port are not used */
    bool is_plain;               /* http, without TLS: no certificate, no key */
    const char *certificate_pem; /* content, not paths */
    const char *key_pem;
    int workers; /* handlers at once */
    int queue;   /* requests that may wait for one */
    int max_connections;
    int64_t request_timeout_ms; /* first byte of the request to last byte of the answer */
    int64_t idle_timeout_ms;
    struct proxies proxies;            /* believed in what they say of the client's address */
    const struct route *const *tables; /* NULL-ended list of tables, each ended by a row with method NULL */
    /* Runs before each handler: authenticates and judges route->permission. */
    status (*before)(void *api, struct request *req, struct response *res, struct error *err);
    void *api;
};
struct http_server;
/* For whoever must know the port before the server starts. The caller closes the socket if the server never takes it.
 */
status http_listen(const char *address, int port, int *fd, struct error *err);
int http_socket_port(int fd);
/* CODE_INTERNAL names a row that is not fit to serve; CODE_CONFIGURATION for certificate, key or address. */
status http_server_start(const struct http_config *config, struct http_server **out, struct error *err);
int http_server_port(const struct http_server *s);
/* CODE_CONFIGURATION when a PEM is malformed or the key is not the certificate's. */
status http_certificate_check(const char *certificate_pem, const char *key_pem, struct error *err);
/* New certificate and key for new connections (SIGHUP). */
status http_server_set_certificate(struct http_server *s, const char *certificate_pem, const char *key_pem,
                                   struct error *err);
/* Stops accepting, answers what is in flight with Connection: close, waits for it up to the deadline, frees. False: a
 * handler was still running then; what it uses must not be freed, and the process should end. */
bool http_server_stop(struct http_server *s, struct deadline d);

/* For tests, no sockets: route one request in memory through `before` and the handler. */
struct http_exchange {
    const char *method, *target; /* path?query */
    const char *const *headers;  /* "Name: value", NULL-ended; may be NULL */
    struct slice body;
    const char *address;
    /* out */
    int status;
    struct buf response_headers; /* "Name: value\n" lines */
    struct buf response_body;
};
status http_route_in_memory(const struct http_config *config, struct http_exchange *exchange, struct error *err);

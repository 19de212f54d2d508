/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP request to a CA, and its answer within bounds. The only file of the server that sees libcurl. */
#pragma once

#include "server/connector/connector.h"

/* Keeps its connection from one call to the next: some CAs tie a transaction to it. */
struct http_client;
struct http_client *http_client_new(void); /* NULL when out of memory */
void http_client_free(struct http_client *c);

struct http_call {
    struct http_client *client; /* NULL: a connection for this call alone */
    const char *method;         /* GET, POST */
    const char *url;
    const char *content_type, *accept; /* NULL: none */
    const char *transfer_encoding;     /* Content-Transfer-Encoding; NULL: none */
    struct slice body;
    const char *username;                             /* NULL: none */
    struct slice password;                            /* I8: the caller wipes it */
    struct slice tls_trust, tls_certificate, tls_key; /* PEM; trust empty: the system's */
    struct deadline deadline;
    const atomic_bool *is_stopping; /* NULL: never */
};
struct http_answer {
    int status;
    char content_type[96]; /* without parameters, lower case; "" when there is none */
    int64_t retry_after_s; /* -1: none */
    struct buf body;
};
void http_answer_clear(struct http_answer *a);
#define cleanup_http_answer CLEANUP(http_answer_clear)

/* An answer of any status is OK. CODE_UNAVAILABLE, CODE_TIMEOUT, CODE_TOO_LARGE. Redirects are not followed. */
status http_client_call(const struct http_call *call, struct http_answer *out, struct error *err);

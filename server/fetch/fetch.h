/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP request to somebody outside: timestamp authorities, certification authorities. Only this folder of the
 * server sees libcurl. No redirect is followed, no proxy or anything else is taken from the environment, TLS is 1.2 or
 * newer and always verified, every answer is bounded. */
#pragma once

#include <stdatomic.h>

#include "common/buf.h"
#include "common/clock.h"

/* Keeps its connection from one request to the next, for those whose transactions are tied to it. One thread at a
 * time. NULL: out of memory. */
struct fetch_connection;
struct fetch_connection *fetch_connection_new(void);
void fetch_connection_free(struct fetch_connection *c);

struct fetch_request {
    struct fetch_connection *connection; /* NULL: one for this request alone */
    const char *method;                  /* "GET", "POST", … */
    const char *url;                     /* http:// or https://, see fetch_url_check */
    const char *const *headers;          /* "Name: value", NULL-ended; NULL: none */
    struct slice body;
    struct slice anchors;            /* PEM; len 0: the system's certificates */
    struct slice certificate, key;   /* the client's, PEM; len 0: none */
    const char *username, *password; /* Basic (RFC 7617); NULL: none. I8: the caller wipes them */
    const atomic_bool *is_stopping;  /* gives up when it becomes true; NULL: never */
    size_t answer_max;               /* bytes of the answer's body; 0: FETCH_ANSWER_MAX */
    struct deadline deadline;        /* of everything: name, connection, answer */
};
enum { FETCH_ANSWER_MAX = 1024 * 1024, FETCH_URL_MAX = 1024 };

struct fetch_answer {
    int status;         /* of HTTP, whatever it is */
    struct buf headers; /* "Name: value\n" lines, as they came */
    struct buf body;
};
void fetch_answer_clear(struct fetch_answer *a);
#define cleanup_fetch_answer CLEANUP(fetch_answer_clear)

/* http or https, a host, no user information, nothing unprintable. */
status fetch_url_check(const char *url, struct error *err);
/* OK with any HTTP status. CODE_TIMEOUT: the deadline passed; CODE_UNAVAILABLE: no connection, or it broke, or TLS
 * refused; CODE_TOO_LARGE: more than answer_max. The text names the host. Threads may call at once. */
status fetch(const struct fetch_request *request, struct fetch_answer *answer, struct error *err);
/* The value of a header, "" when there is none; the first of several. False when it does not fit. */
bool fetch_answer_header(const struct fetch_answer *a, const char *name, char *out, size_t size);
enum { FETCH_RETRY_AFTER_MOST_S = 7 * 24 * 3600 };
/* Seconds of Retry-After, given so or as a date (RFC 9110 §10.2.3), at most FETCH_RETRY_AFTER_MOST_S. -1: none. */
int64_t fetch_answer_retry_after_s(const struct fetch_answer *a);
/* Is the media type this one ("application/timestamp-reply"), whatever its parameters? */
bool fetch_answer_is(const struct fetch_answer *a, const char *media_type);

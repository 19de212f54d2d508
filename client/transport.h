/* SPDX-License-Identifier: Apache-2.0 */
/* HTTPS to the server: a pool of connections, one per concurrent call, kept alive. One call of transport_send is one
 * attempt; retries and their deadline belong to the callers. No locks: a connection is claimed by an atomic flag. */
#pragma once

#include "common/clock.h"
#include "common/status.h"
#include "common/buf.h"

struct transport;

struct transport_request {
    const char *method;
    const char *path;         /* begins with '/', query included, percent-encoded by the caller */
    const char *content_type; /* NULL: no body */
    struct slice body;
    const char *authorization;   /* whole header value, or NULL; wiped copy only */
    const char *idempotency_key; /* or NULL */
    const char *if_none_match;   /* or NULL */
    bool once;         /* not to be sent twice: a fresh connection, so that nothing is repeated behind our back */
    size_t answer_max; /* bytes */
};

struct transport_answer {
    int status; /* HTTP */
    struct buf body;
    char content_type[64]; /* lower case, without parameters */
    char etag[128];
    char date[40];          /* "" when absent */
    int64_t retry_after_ms; /* -1 when absent; at most a day when given in seconds */
    char request_id[80];    /* "" when absent */
};
void transport_answer_clear(struct transport_answer *a);
#define cleanup_answer CLEANUP(transport_answer_clear)

/* ca_path NULL: the system's trust store. The CA file is read here, and must not be writable by others. */
status transport_new(const char *url, const char *ca_path, struct transport **out, struct error *err);
void transport_free(struct transport *t);
/* In a forked child: closes the sockets that were inherited, without a byte on them, and lets the memory go. The
 * transport can be used on. */
void transport_abandon_after_fork(struct transport *t);
/* Around a fork() whose child goes on with its copy: nobody is inside libcurl's own locks meanwhile. */
void transport_fork_lock(struct transport *t);
void transport_fork_unlock(struct transport *t);
/* CKF_LIBRARY_CANT_CREATE_OS_THREADS: host names are looked up in the calling thread, beyond the deadline if the
 * system's resolver takes longer. */
void transport_forbid_threads(struct transport *t);

/* Any HTTP answer is OK here. CODE_UNAVAILABLE: no connection, or it broke; may be tried again. CODE_TIMEOUT at the
 * deadline. CODE_INTERNAL: the answer is too large or no HTTP. CODE_CONFIGURATION: the server's certificate is not
 * trusted. */
status transport_send(struct transport *t, const struct transport_request *r, struct deadline d,
                      struct transport_answer *answer, struct error *err);

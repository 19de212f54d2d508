/* SPDX-License-Identifier: Apache-2.0 */
/* HTTPS to one server: a pool of connections, one per concurrent call, kept alive; a new one resumes the TLS session of
 * an earlier one. One call of transport_send is one attempt; retries, other servers and their deadline belong to the
 * callers. A connection is claimed by an atomic flag; the one lock, of the TLS sessions, is never held across I/O. */
#pragma once

#include "client/transport_settings.h"
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
    const char *if_match;        /* or NULL */
    bool once;         /* not to be sent twice: a fresh connection, so that nothing is repeated behind our back */
    size_t answer_max; /* bytes */
};

struct transport_answer {
    const char *url; /* of the server, borrowed from its transport */
    int status;      /* HTTP */
    struct buf body;
    char content_type[64]; /* lower case, without parameters */
    char etag[128];
    char date[40];          /* "" when absent */
    int64_t retry_after_ms; /* -1 when absent; at most a day when given in seconds */
    char request_id[80];    /* "" when absent */
    bool sent;              /* bytes of the request may have reached the server, whatever came of it */
};
void transport_answer_clear(struct transport_answer *a);
#define cleanup_answer CLEANUP(transport_answer_clear)

/* No I/O. Borrows the settings, which must outlive it. */
status transport_new(const char *url, const struct transport_settings *settings, struct transport **out,
                     struct error *err);
void transport_free(struct transport *t);
/* In a forked child: closes the sockets that were inherited, without a byte on them, and lets the memory go. The
 * transport can be used on. */
void transport_abandon_after_fork(struct transport *t);
/* Around a fork() whose child goes on with its copy: nobody is inside libcurl's own locks meanwhile. */
void transport_fork_lock(struct transport *t);
void transport_fork_unlock(struct transport *t);

/* Any HTTP answer is OK here. CODE_UNAVAILABLE: no connection, or it broke; may be tried again. CODE_TIMEOUT at the
 * deadline, or when no connection came about within the settings' connect_timeout_ms. CODE_INTERNAL: the answer is too
 * large or no HTTP. CODE_CONFIGURATION: the server speaks no TLS 1.3, its certificate is not trusted or its key not
 * pinned, or it or the proxy asks for a credential that is not configured. */
status transport_send(struct transport *t, const struct transport_request *r, struct deadline d,
                      struct transport_answer *answer, struct error *err);

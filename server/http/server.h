/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of server/http: the running server and its connections, as listener, sweeper and handler share them. */
#pragma once

#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>

#include "server/http/exchange.h"
#include "server/http/gate.h"
#include "server/http/tickets.h"
#include "server/http/tls.h"

enum {
    ANSWER_GRACE_MS = 2000, /* behind the request's deadline, for the answer that says so */
    LINGER_MS = 5000,       /* a refused upload keeps its socket so long, so that the answer is not lost to a reset */
    LINGER_SOCKETS = 64,
};

enum phase {
    PHASE_IDLE,   /* between requests */
    PHASE_TARGET, /* the request line was read */
    PHASE_BODY,   /* headers judged, body under way */
    PHASE_ANSWERED,
};

struct connection {
    struct http_server *server;
    struct MHD_Connection *mhd;
    struct connection *next, *previous; /* the sweeper's list, under its lock */
    int fd;
    _Atomic int64_t cut_at_ms; /* monotonic; the sweeper shuts the socket down then */
    enum phase phase;
    bool in_flight; /* counted in the server's in_flight */
    bool linger;
    bool more; /* the record sent next is the head of an answer whose body follows */
    struct MHD_Response *answer;
    char address[INET6_ADDRSTRLEN];
    struct request req;
    struct response res;
};

struct lingering {
    int fd;
    int64_t until_ms;
};

struct sweeper {
    pthread_mutex_t lock;
    pthread_cond_t stop_signal;
    pthread_t thread;
    bool started, stopping;
    int64_t period_ms;
    struct connection *connections;
    struct lingering lingering[LINGER_SOCKETS];
    size_t linger_count;
};

struct http_server {
    struct http_config config;
    struct router *router;
    struct gate *gate;
    struct MHD_Daemon *daemon;
    int port;
    _Atomic(struct tls_identity *) identity; /* head of the list; the older ones may still be in a handshake */
    pthread_mutex_t identity_lock;           /* of setters */
    struct tickets tickets;
    atomic_bool draining;
    atomic_int in_flight; /* requests with complete headers whose answer is not out */
    struct sweeper sweeper;
};

/* sweeper.c */
status sweeper_start(struct http_server *s, struct error *err);
void sweeper_stop(struct sweeper *w);
void sweeper_add(struct sweeper *w, struct connection *c);
/* Called before the descriptor is closed. */
void sweeper_remove(struct sweeper *w, struct connection *c);

/* handler.c: what libmicrohttpd calls */
enum MHD_Result handler_access(void *cls, struct MHD_Connection *mhd, const char *url, const char *method,
                               const char *version, const char *upload, size_t *upload_len, void **request);
void *handler_target(void *cls, const char *uri, struct MHD_Connection *mhd);
void handler_completed(void *cls, struct MHD_Connection *mhd, void **request, enum MHD_RequestTerminationCode why);
void handler_connection(void *cls, struct MHD_Connection *mhd, void **socket_context,
                        enum MHD_ConnectionNotificationCode what);

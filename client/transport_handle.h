/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the transport: one libcurl handle with its own connection, and what all handles of a server share. */
#pragma once

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "client/transport.h"

enum { SOCKETS_MAX = 8 };

/* Never unlinked while the transport lives: the list may be walked at any moment, even in a child forked in the middle
 * of a change. */
struct connection {
    struct connection *next;
    atomic_bool busy;
    CURL *curl;
    _Atomic int sockets[SOCKETS_MAX]; /* descriptor + 1; 0 is empty */
    char reason[CURL_ERROR_SIZE];
};

/* Makes the handles of one server. They share TLS sessions, so that a second connection resumes what the first
 * negotiated (RFC 8446 §2.2). */
struct handle_maker {
    /* libcurl guards its global state with a spin lock, which a child forked in that moment would wait on for ever.
     * Held for the making of a handle, never across I/O. */
    pthread_mutex_t making;
    pthread_mutex_t sessions; /* libcurl holds it while it looks a session up or puts one in */
    CURLSH *share;            /* NULL: not made yet */
};
void handle_maker_init(struct handle_maker *m);
void handle_maker_clear(struct handle_maker *m); /* after all its handles are gone */
/* Around a fork(): nobody is inside libcurl's own locks or ours meanwhile. */
void handle_maker_lock(struct handle_maker *m);
void handle_maker_unlock(struct handle_maker *m);
/* In a forked child: leaves the sessions, which are of the parent's OSSL_LIB_CTX, to the handles that came over. */
void handle_maker_abandon(struct handle_maker *m);

/* What the callbacks of one exchange write to. */
struct receiving {
    struct transport_answer *answer;
    size_t answer_max;
    size_t header_bytes;
    bool too_large;
};

struct connection *connection_new(const struct transport_settings *settings, struct handle_maker *maker);
void connection_free(struct connection *c); /* NULL is fine */
/* Closes its descriptors and nothing else. */
void connection_abandon(struct connection *c);

/* SPDX-License-Identifier: Apache-2.0 */
/* A small TLS server of our own on 127.0.0.1, in threads of the test: it records what arrives and answers as the test
 * says, also in ways no real server would. */
#pragma once

#include <openssl/evp.h>
#include <stdbool.h>

#include "common/buf.h"

enum { FAKE_REQUESTS_MAX = 4096 };

struct fake_request {
    char method[16];
    char path[1024];
    char authorization[512];
    char idempotency_key[80];
    char if_none_match[80];
    char client_name[64]; /* of the client's certificate, "" without one */
    struct buf body;
    int connection; /* which one it came on, from 1 */
};

enum fake_action {
    FAKE_ANSWER,
    FAKE_DROP,    /* close the connection without a byte */
    FAKE_STALL,   /* say nothing until the server is stopped */
    FAKE_HALF,    /* the head and half of the body, then the end of the connection */
    FAKE_TRICKLE, /* the body byte by byte, 50 ms apart */
    FAKE_HUGE,    /* the head of a body of 4 GiB, and nothing more until the server is stopped */
    FAKE_ENDLESS, /* a body without an end, as long as the other side takes it */
};

struct fake_answer {
    enum fake_action action;
    int status;
    const char *content_type; /* application/json when NULL */
    const char *headers;      /* more lines, each with CRLF, or NULL */
    struct buf body;
};

/* Ends the test program where the test itself is broken. */
#define must(condition) must_hold(condition, #condition, __FILE__, __LINE__)
void must_hold(bool holds, const char *what, const char *file, int line);

struct fake_server;
/* Runs on the connection's thread. */
typedef void fake_handler(struct fake_server *s, const struct fake_request *request, struct fake_answer *answer,
                          void *user);

struct fake_options {
    fake_handler *handler;
    void *user;
    bool tls12;            /* the best it can do */
    bool asks_certificate; /* of the client; any will do */
};
struct fake_server *fake_server_start(const struct fake_options *options);
void fake_server_stop(struct fake_server *s); /* ends all its threads; NULL is fine */

const char *fake_server_url(const struct fake_server *s);
const char *fake_server_ca(const struct fake_server *s); /* PEM, to be put into a file */
int fake_server_connections(struct fake_server *s);
int fake_server_handshakes(struct fake_server *s); /* completed */
int fake_server_resumed(struct fake_server *s);    /* of those, the ones that resumed a session */
/* SHA-256 of its public key, as libcurl wants a pin. */
void fake_server_pin(const struct fake_server *s, char out[64]);
/* From now on a connection is accepted and then nothing happens on it, or again all is well. */
void fake_server_stall_handshakes(struct fake_server *s, bool stalls);
int fake_server_count(struct fake_server *s, const char *method, const char *path_part);
/* The n-th request (from 0) whose path holds path_part; NULL when there is none. Stays until the server is stopped. */
const struct fake_request *fake_server_request(struct fake_server *s, const char *path_part, int n);
/* Closes every connection from this side, as an idle timeout does. */
void fake_server_hang_up(struct fake_server *s);

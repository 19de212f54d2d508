/* SPDX-License-Identifier: Apache-2.0 */
/* A small HTTPS client for tests, every wait bounded: bytes can be sent one by one, and what the server does with the
 * connection can be seen. */
#pragma once

#include <openssl/ssl.h>

#include "common/buf.h"

/* A self-signed P-256 certificate for localhost, with its key; cn tells certificates apart. */
void certificate_make(const char *cn, struct buf *certificate_pem, struct buf *key_pem);

struct client {
    int fd;
    SSL *ssl;      /* NULL: plain */
    struct buf in; /* read and not yet consumed */
};

enum { CLIENT_WAIT_MS = 10000 };

/* tls_version: 0 for any. False when no connection or handshake came about. */
bool client_open(struct client *c, int port, int tls_version);
/* The same, offering a session to be resumed; SSL_session_reused tells whether it was. NULL: none. */
bool client_open_again(struct client *c, int port, int tls_version, SSL_SESSION *session);
/* Without TLS. */
bool client_open_plain(struct client *c, int port);
void client_close(struct client *c);
bool client_send(struct client *c, const char *text, size_t len);
bool client_send_text(struct client *c, const char *text);
/* True when the server ended the connection within wait_ms; what it sent meanwhile is in c->in. */
bool client_sees_end(struct client *c, int wait_ms);

struct answer {
    int status;
    char head[4096];
    struct buf body;
};
/* Reads one whole answer (Content-Length). False at the end of the connection or after CLIENT_WAIT_MS. */
bool client_read(struct client *c, struct answer *out);
void answer_clear(struct answer *a);
/* The value of a header, or NULL; static storage. */
const char *answer_header(const struct answer *a, const char *name);
/* Common name of the certificate the server showed. */
void client_peer_name(struct client *c, char out[64]);

/* SPDX-License-Identifier: Apache-2.0 */
/* Just enough HTTP/1.1 to pass messages on: a head, and a body of a Content-Length. */
#pragma once

#include <openssl/ssl.h>

#include "common/buf.h"
#include "fault.h"

struct message {
    struct buf head; /* with its empty line */
    struct buf body;
};
void message_clear(struct message *m);
#define cleanup_message CLEANUP(message_clear)

bool head_read(SSL *ssl, struct message *m);
bool body_read(SSL *ssl, struct message *m);
bool tls_write(SSL *ssl, const void *data, size_t len);
bool message_write(SSL *ssl, const struct message *m);
/* Gives the head the Content-Length of the body, and more. */
void length_set(struct message *m, int more);
enum path path_of(const struct message *request);

/* Where the server is. False: it cannot be reached. */
bool upstream_open(const char *port, const char *ca_file);
bool upstream_ask(const struct message *request, struct message *answer);

/* SPDX-License-Identifier: Apache-2.0 */
#include "http.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "common/cleanup.h"

enum { HEAD_MAX = 64 * 1024, UPSTREAM_SECONDS = 30 };

static SSL_CTX *upstream_tls;
static struct sockaddr_in upstream_address = {.sin_family = AF_INET};

void message_clear(struct message *m)
{
    buf_clear(&m->head);
    buf_clear(&m->body);
}

bool head_read(SSL *ssl, struct message *m)
{
    while (m->head.len < HEAD_MAX) {
        char byte;
        if (SSL_read(ssl, &byte, 1) != 1)
            return false;
        buf_add_byte(&m->head, (uint8_t)byte);
        if (m->head.len >= 4 && memcmp(m->head.data + m->head.len - 4, "\r\n\r\n", 4) == 0)
            return true;
    }
    return false;
}

/* The line of this header, with its end; NULL when there is none. */
static char *header_find(const struct buf *head, const char *name, size_t *len)
{
    char *line = strstr((char *)head->data, "\r\n");
    for (; line && line[2] != '\r'; line = strstr(line + 2, "\r\n")) {
        char *end = strstr(line + 2, "\r\n");
        if (strncasecmp(line + 2, name, strlen(name)) == 0 && line[2 + strlen(name)] == ':') {
            *len = (size_t)(end + 2 - (line + 2));
            return line + 2;
        }
    }
    return NULL;
}

bool body_read(SSL *ssl, struct message *m)
{
    size_t line_len = 0;
    const char *line = header_find(&m->head, "Content-Length", &line_len);
    size_t left = line ? strtoul(strchr(line, ':') + 1, NULL, 10) : 0;
    while (left > 0) {
        char piece[16384];
        int n = SSL_read(ssl, piece, (int)(left < sizeof piece ? left : sizeof piece));
        if (n <= 0)
            return false;
        buf_add(&m->body, piece, (size_t)n);
        left -= (size_t)n;
    }
    return !m->body.failed;
}

bool tls_write(SSL *ssl, const void *data, size_t len)
{
    return len == 0 || SSL_write(ssl, data, (int)len) == (int)len;
}

bool message_write(SSL *ssl, const struct message *m)
{
    cleanup_buf struct buf whole = {0};
    buf_add(&whole, m->head.data, m->head.len);
    buf_add(&whole, m->body.data, m->body.len);
    return tls_write(ssl, whole.data, whole.len);
}

void length_set(struct message *m, int more)
{
    cleanup_buf struct buf head = {0};
    size_t len = 0;
    char *line = header_find(&m->head, "Content-Length", &len);
    if (!line)
        return;
    buf_add(&head, m->head.data, (size_t)(line - (char *)m->head.data));
    buf_printf(&head, "Content-Length: %d\r\n", (int)m->body.len + more);
    buf_add_text(&head, line + len);
    buf_clear(&m->head);
    m->head = head;
    head = (struct buf){0};
}

enum path path_of(const struct message *request)
{
    const char *head = buf_text(&request->head);
    if (strncmp(head, "POST /v1/oauth/token ", 21) == 0)
        return PATH_TOKEN;
    if (strncmp(head, "GET /v1/signing/keys ", 21) == 0)
        return PATH_KEYS;
    return strncmp(head, "POST /v1/signing/keys/", 22) == 0 ? PATH_SIGNATURES : PATH_OTHER;
}

bool upstream_open(const char *port, const char *ca_file)
{
    upstream_address.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
    upstream_address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    upstream_tls = SSL_CTX_new(TLS_client_method());
    if (!upstream_tls || SSL_CTX_load_verify_file(upstream_tls, ca_file) != 1)
        return false;
    SSL_CTX_set_verify(upstream_tls, SSL_VERIFY_PEER, NULL);
    return true;
}

static void ssl_free(SSL **ssl)
{
    SSL_free(*ssl);
}

/* A connection for each request: nothing of an earlier fault is left on it. */
bool upstream_ask(const struct message *request, struct message *answer)
{
    cleanup_fd int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct timeval limit = {.tv_sec = UPSTREAM_SECONDS};
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (fd < 0 || connect(fd, (struct sockaddr *)&upstream_address, sizeof upstream_address) != 0)
        return false;
    CLEANUP(ssl_free) SSL *ssl = SSL_new(upstream_tls);
    return ssl && SSL_set_fd(ssl, fd) == 1 && SSL_connect(ssl) == 1 && message_write(ssl, request) &&
           head_read(ssl, answer) && body_read(ssl, answer);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "canned_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum { WAIT_MS = 10000, STEP_MS = 20 };

struct slice canned_body(struct slice request)
{
    const uint8_t *blank = memmem(request.data, request.len, "\r\n\r\n", 4);

    return blank ? (struct slice){blank + 4, request.len - (size_t)(blank + 4 - request.data)} : (struct slice){0};
}

static bool is_complete(const struct buf *in)
{
    const char *text = buf_text(in);
    const char *blank = in->len ? memmem(in->data, in->len, "\r\n\r\n", 4) : NULL;
    const char *length = blank ? strcasestr(text, "\r\nContent-Length:") : NULL;

    if (!blank)
        return false;
    size_t body = length && length < blank ? strtoul(length + 17, NULL, 10) : 0;
    return in->len >= (size_t)(blank + 4 - text) + body;
}

/* False when the client is gone, the server stops or nothing came for long. */
static bool readable(struct canned_server *s, int fd)
{
    for (int waited = 0; waited < WAIT_MS && !atomic_load(&s->stopping); waited += STEP_MS) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        if (poll(&p, 1, STEP_MS) > 0)
            return true;
    }
    return false;
}

static bool bytes_take(struct canned_server *s, int fd, struct buf *in)
{
    uint8_t some[4096];

    if (!readable(s, fd))
        return false;
    ssize_t got = recv(fd, some, sizeof some, 0);
    if (got <= 0)
        return false;
    buf_add(in, some, (size_t)got);
    return true;
}

static void connection_serve(struct canned_server *s, int fd)
{
    cleanup_buf struct buf in = {0}, out = {0};

    while (!is_complete(&in)) {
        if (!bytes_take(s, fd, &in))
            return;
    }
    atomic_fetch_add(&s->requests, 1);
    s->answer(s->arg, buf_slice(&in), &out);
    if (out.len == 0) {
        while (bytes_take(s, fd, &in))
            ;
        return;
    }
    for (size_t sent = 0; sent < out.len;) {
        ssize_t n = send(fd, out.data + sent, out.len - sent, MSG_NOSIGNAL);
        if (n <= 0)
            return;
        sent += (size_t)n;
    }
}

static void *serve(void *arg)
{
    struct canned_server *s = arg;

    while (!atomic_load(&s->stopping)) {
        struct pollfd p = {.fd = s->fd, .events = POLLIN};
        if (poll(&p, 1, STEP_MS) <= 0)
            continue;
        cleanup_fd int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            connection_serve(s, fd);
    }
    return NULL;
}

bool canned_server_start(struct canned_server *s, canned_answer answer, void *arg)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;

    *s = (struct canned_server){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .answer = answer, .arg = arg};
    if (s->fd < 0 || bind(s->fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(s->fd, 16) != 0 ||
        getsockname(s->fd, (struct sockaddr *)&at, &len) != 0)
        return false;
    s->port = ntohs(at.sin_port);
    return pthread_create(&s->thread, NULL, serve, s) == 0;
}

void canned_server_stop(struct canned_server *s)
{
    atomic_store(&s->stopping, true);
    (void)pthread_join(s->thread, NULL);
    (void)close(s->fd);
}

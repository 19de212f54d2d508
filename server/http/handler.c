/* SPDX-License-Identifier: Apache-2.0 */
/* What libmicrohttpd calls. An I/O thread reads the request into the connection's struct, suspends the connection and
 * queues it; a worker makes the answer and resumes; the I/O thread sends it. Between suspend and resume the struct is
 * the worker's. */
#include "server/http/server.h"

#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "common/secret.h"
#include "common/text.h"

static struct connection *connection_of(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static void cut_at(struct connection *c, int64_t at_ms)
{
    atomic_store_explicit(&c->cut_at_ms, at_ms, memory_order_relaxed);
}

/* ---- connections */

static void address_format(struct MHD_Connection *mhd, char out[INET6_ADDRSTRLEN])
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *a = info ? info->client_addr : NULL;
    out[0] = '\0';
    if (a && a->sa_family == AF_INET) {
        (void)inet_ntop(AF_INET, &((const struct sockaddr_in *)a)->sin_addr, out, INET6_ADDRSTRLEN);
    } else if (a && a->sa_family == AF_INET6) {
        const struct in6_addr *six = &((const struct sockaddr_in6 *)a)->sin6_addr;
        if (IN6_IS_ADDR_V4MAPPED(six))
            (void)inet_ntop(AF_INET, &six->s6_addr[12], out, INET6_ADDRSTRLEN);
        else
            (void)inet_ntop(AF_INET6, six, out, INET6_ADDRSTRLEN);
    }
}

/* The library sends head and body of an answer as two records. MSG_MORE lets the kernel put them into one segment, so
 * that the client wakes once. */
static ssize_t records_push(gnutls_transport_ptr_t transport, const giovec_t *records, int count)
{
    struct connection *c = transport;
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)records, .msg_iovlen = (size_t)count};
    int flags = MSG_NOSIGNAL | (c->more ? MSG_MORE : 0);
    c->more = false;
    return sendmsg(c->fd, &message, flags);
}

static struct connection *connection_open(struct http_server *s, struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct connection *c = info ? calloc(1, sizeof *c) : NULL;
    if (!c)
        return NULL; /* its requests are refused in handler_target */
    c->server = s;
    c->mhd = mhd;
    c->fd = info->connect_fd;
    response_reset(&c->res);
    address_format(mhd, c->address);
    int on = 1;
    (void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    info = s->config.is_plain ? NULL : MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    if (info) {
        gnutls_transport_set_ptr2(info->tls_session, (gnutls_transport_ptr_t)(intptr_t)c->fd, c);
        gnutls_transport_set_vec_push_function(info->tls_session, records_push);
        tickets_enable(&s->tickets, info->tls_session);
    }
    cut_at(c, clock_monotonic_ms() + s->config.request_timeout_ms);
    sweeper_add(&s->sweeper, c);
    return c;
}

static void request_end(struct connection *c)
{
    if (c->in_flight)
        atomic_fetch_sub(&c->server->in_flight, 1);
    c->in_flight = false;
    if (c->answer)
        MHD_destroy_response(c->answer);
    c->answer = NULL;
    request_reset(&c->req);
    response_reset(&c->res);
    c->phase = PHASE_IDLE;
}

static void connection_close(struct connection *c)
{
    sweeper_remove(&c->server->sweeper, c);
    request_end(c);
    request_clear(&c->req);
    response_clear(&c->res);
    free(c);
}

void handler_connection(void *cls, struct MHD_Connection *mhd, void **socket_context,
                        enum MHD_ConnectionNotificationCode what)
{
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        *socket_context = connection_open(cls, mhd);
    } else if (*socket_context) {
        connection_close(*socket_context);
        *socket_context = NULL;
    }
}

void handler_completed(void *cls, struct MHD_Connection *mhd, void **request, enum MHD_RequestTerminationCode why)
{
    (void)mhd, (void)why;
    const struct http_server *s = cls;
    struct connection *c = *request;
    *request = NULL;
    if (!c)
        return;
    request_end(c);
    /* The library cuts what is idle; this bounds a next header that drips. */
    cut_at(c, clock_monotonic_ms() + s->config.idle_timeout_ms + s->config.request_timeout_ms);
}

/* ---- answers */

static void answer_make(struct connection *c)
{
    struct response *res = &c->res;
    bool has_body = res->status != 204 && res->status != 304;
    c->answer = MHD_create_response_from_buffer(has_body ? res->body.len : 0, res->body.data, MHD_RESPMEM_PERSISTENT);
    for (size_t i = 0; c->answer && i < res->header_count; i++)
        (void)MHD_add_response_header(c->answer, res->headers[i].name, res->headers[i].value);
    if (c->answer && atomic_load_explicit(&c->server->draining, memory_order_relaxed))
        (void)MHD_add_response_header(c->answer, "Connection", "close");
}

static enum MHD_Result answer_send(struct connection *c)
{
    if (!c->answer)
        return MHD_NO;
    c->phase = PHASE_ANSWERED;
    c->more = c->res.body.len > 0;
    enum MHD_Result sent = MHD_queue_response(c->mhd, (unsigned)c->res.status, c->answer);
    MHD_destroy_response(c->answer);
    c->answer = NULL;
    return sent;
}

static enum MHD_Result answer_refusal(struct connection *c, enum code code, const char *why)
{
    exchange_refuse(&c->req, &c->res, code, why);
    answer_make(c);
    return answer_send(c);
}

/* The credential lies in the library's buffer, which is ours while the request lasts (I8). */
static void credentials_wipe(struct request *req)
{
    static const char *const names[] = {"Authorization", "Cookie"};
    for (size_t i = 0; i < req->header_count; i++)
        for (size_t n = 0; n < COUNT_OF(names); n++)
            if (strcasecmp(req->headers[i].name, names[n]) == 0)
                secret_wipe((char *)(uintptr_t)req->headers[i].value, strlen(req->headers[i].value));
}

/* ---- requests */

void *handler_target(void *cls, const char *uri, struct MHD_Connection *mhd)
{
    const struct http_server *s = cls;
    struct connection *c = connection_of(mhd);
    if (!c)
        return NULL;
    struct deadline d = deadline_in(s->config.request_timeout_ms);
    cut_at(c, d.at_ms);
    c->phase = PHASE_TARGET;
    c->req.refusal.code = CODE_OK;
    ignore(request_begin(&c->req, uri, c->address, d, &c->req.refusal));
    return c;
}

static enum MHD_Result header_take(void *cls, enum MHD_ValueKind kind, const char *name, const char *value)
{
    (void)kind;
    struct request *req = cls;
    return is_ok(request_add_header(req, name, value, &req->refusal)) ? MHD_YES : MHD_NO;
}

static bool body_is_announced_too_long(const struct request *req)
{
    const char *text = request_header(req, "Content-Length");
    int64_t len = 0;
    return text && (!text_to_int64(text, &len) || len < 0 || (uint64_t)len > req->body_cap);
}

static enum MHD_Result headers_done(struct connection *c, const char *method)
{
    struct request *req = &c->req;
    (void)MHD_get_connection_values(c->mhd, MHD_HEADER_KIND, header_take, req);
    request_client_find(req, &c->server->config.proxies);
    request_route_find(req, c->server->router, method);
    c->phase = PHASE_BODY;
    c->in_flight = true;
    atomic_fetch_add(&c->server->in_flight, 1);
    if (!body_is_announced_too_long(req))
        return MHD_YES;
    c->linger = true; /* the library closes after an answer that is earlier than the body */
    return answer_refusal(c, CODE_TOO_LARGE, "the body is longer than this path accepts");
}

/* The library takes no answer in the middle of a body of unannounced length, so this one is written past it; the
 * connection ends here. */
static void answer_write_directly(struct connection *c)
{
    cleanup_buf struct buf text = {0};
    const union MHD_ConnectionInfo *info =
        c->server->config.is_plain ? NULL : MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    buf_printf(&text, "HTTP/1.1 %d Content Too Large\r\nConnection: close\r\nContent-Length: %zu\r\n", c->res.status,
               c->res.body.len);
    for (size_t i = 0; i < c->res.header_count; i++)
        buf_printf(&text, "%s: %s\r\n", c->res.headers[i].name, c->res.headers[i].value);
    buf_add_text(&text, "\r\n");
    buf_add(&text, c->res.body.data, c->res.body.len);
    if (text.failed)
        return;
    if (info)
        (void)gnutls_record_send(info->tls_session, text.data, text.len);
    else if (c->server->config.is_plain)
        (void)send(c->fd, text.data, text.len, MSG_NOSIGNAL);
}

static enum MHD_Result body_take(struct connection *c, const char *upload, size_t *upload_len)
{
    struct request *req = &c->req;
    if (req->body.len + *upload_len > req->body_cap) {
        exchange_refuse(req, &c->res, CODE_TOO_LARGE, "the body is longer than this path accepts");
        answer_write_directly(c);
        c->linger = true;
        return MHD_NO;
    }
    buf_add(&req->body, upload, *upload_len);
    *upload_len = 0;
    return MHD_YES;
}

static enum MHD_Result request_complete(struct connection *c)
{
    struct request *req = &c->req;
    struct gate *gate = c->server->gate;
    if (req->refusal.code == CODE_OK && req->body.failed)
        ignore(error_set(&req->refusal, CODE_NO_MEMORY, "request body"));
    cut_at(c, req->deadline.at_ms + ANSWER_GRACE_MS);
    bool passes = req->refusal.code == CODE_OK; /* no handler is run for a refusal */
    if (passes && gate_enter(gate, req->deadline) != GATE_ENTERED)
        return answer_refusal(c, CODE_UNAVAILABLE, "the server is overloaded; the request was not begun");
    exchange_run(&c->server->config, req, &c->res);
    if (passes)
        gate_leave(gate);
    credentials_wipe(req);
    answer_make(c);
    return answer_send(c);
}

enum MHD_Result handler_access(void *cls, struct MHD_Connection *mhd, const char *url, const char *method,
                               const char *version, const char *upload, size_t *upload_len, void **request)
{
    (void)cls, (void)mhd, (void)url, (void)version;
    struct connection *c = *request;
    if (!c)
        return MHD_NO;
    switch (c->phase) {
    case PHASE_TARGET:
        return headers_done(c, method);
    case PHASE_BODY:
        return *upload_len > 0 ? body_take(c, upload, upload_len) : request_complete(c);
    case PHASE_IDLE:
    case PHASE_ANSWERED:
        break;
    }
    return MHD_NO;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Starts and stops the server: socket, TLS, threads, sweeper. A thread per connection: handlers block (on the
 * committer, on the HSM), and handing each request from an I/O thread to a worker and back was measured to cost twice
 * as much as all the rest of HTTP and TLS. The gate bounds how many handlers run. Stopping drains: nothing new is
 * accepted, what is in flight is answered with Connection: close. */
#include "server/http/server.h"

#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/log.h"

enum { LISTEN_BACKLOG = 1024, STOP_GRACE_MS = 1000, THREAD_STACK = 1024 * 1024 };

/* ---- socket */

static status address_refuse(const char *address, int port, const char *why, struct error *err)
{
    return error_set(err, CODE_CONFIGURATION, "cannot listen on %s port %d: %s", address, port, why);
}

static int socket_open(const struct addrinfo *a)
{
    int on = 1;
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 && bind(fd, a->ai_addr, a->ai_addrlen) == 0 &&
        listen(fd, LISTEN_BACKLOG) == 0)
        return fd;
    int saved = errno;
    (void)close(fd);
    errno = saved;
    return -1;
}

status http_listen(const char *address, int port, int *fd, struct error *err)
{
    char service[16];
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM}, *found = NULL;
    snprintf(service, sizeof service, "%d", port);
    int rc = getaddrinfo(address, service, &hints, &found);
    if (rc != 0)
        return address_refuse(address, port, gai_strerror(rc), err);
    int opened = socket_open(found);
    int saved = errno;
    freeaddrinfo(found);
    if (opened < 0)
        return address_refuse(address, port, strerror(saved), err);
    *fd = opened;
    return OK;
}

int http_socket_port(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
    } a = {.six = {0}};
    socklen_t len = sizeof a;
    if (getsockname(fd, &a.any, &len) != 0)
        return 0;
    return ntohs(a.any.sa_family == AF_INET6 ? a.six.sin6_port : a.four.sin_port);
}

/* ---- callbacks of the library */

static void library_log(void *cls, const char *format, va_list args)
{
    (void)cls;
    char text[256];
    if (!log_is_on(LOG_LEVEL_DEBUG))
        return;
    vsnprintf(text, sizeof text, format, args);
    text[strcspn(text, "\r\n")] = '\0';
    log_event(LOG_LEVEL_DEBUG, "http.library", "text", text, NULL);
}

/* Asked in each handshake: so a new certificate serves the next connection. */
static int certificate_choose(gnutls_session_t session, const gnutls_datum_t *names, int name_count,
                              const gnutls_pk_algorithm_t *algorithms, int algorithm_count, gnutls_pcert_st **out,
                              unsigned *count, gnutls_privkey_t *key)
{
    (void)names, (void)name_count, (void)algorithms, (void)algorithm_count;
    struct MHD_Connection *mhd = gnutls_session_get_ptr(session); /* the library's own use of the pointer */
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct connection *c = info ? info->socket_context : NULL;
    if (!c)
        return -1;
    struct tls_identity *t = atomic_load(&c->server->identity);
    *out = t->certificates;
    *count = t->count;
    *key = t->key;
    return 0;
}

/* ---- start */

static status config_check(const struct http_config *c, struct error *err)
{
    if (c->workers < 1 || c->queue < 1 || c->max_connections < 1 || c->request_timeout_ms < 1 ||
        c->idle_timeout_ms < 1 || (!c->is_plain && (!c->certificate_pem || !c->key_pem)))
        return error_set(err, CODE_INTERNAL,
                         "http: threads, queue, connections, time-outs and certificate must be set");
    return OK;
}

static struct MHD_Daemon *daemon_start(struct http_server *s, int fd)
{
    const struct http_config *c = &s->config;
    const struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)TLS_PRIORITY},
        {MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)(uintptr_t)certificate_choose},
        {MHD_OPTION_END, 0, NULL},
    };
    const struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
    return MHD_start_daemon(MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_ITC |
                                MHD_USE_ERROR_LOG | (c->is_plain ? 0 : MHD_USE_TLS),
                            0, NULL, NULL, handler_access, s, MHD_OPTION_EXTERNAL_LOGGER, library_log, NULL,
                            MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_ARRAY, c->is_plain ? none : tls,
                            MHD_OPTION_CONNECTION_LIMIT, (unsigned)c->max_connections, MHD_OPTION_CONNECTION_TIMEOUT,
                            (unsigned)((c->idle_timeout_ms + 999) / 1000), MHD_OPTION_URI_LOG_CALLBACK, handler_target,
                            s, MHD_OPTION_NOTIFY_COMPLETED, handler_completed, s, MHD_OPTION_NOTIFY_CONNECTION,
                            handler_connection, s, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_THREAD_STACK_SIZE,
                            (size_t)THREAD_STACK, MHD_OPTION_END);
}

static void server_free(struct http_server *s)
{
    sweeper_stop(&s->sweeper);
    tls_identity_free(atomic_load(&s->identity));
    tickets_clear(&s->tickets);
    gate_free(s->gate);
    router_free(s->router);
    pthread_mutex_destroy(&s->identity_lock);
    pthread_mutex_destroy(&s->sweeper.lock);
    pthread_cond_destroy(&s->sweeper.stop_signal);
    free(s);
}

static status threads_start(struct http_server *s, int fd, struct error *err)
{
    TRY(gate_new(s->config.workers, s->config.queue, &s->gate, err));
    TRY(sweeper_start(s, err));
    s->daemon = daemon_start(s, fd);
    if (!s->daemon)
        return error_set(err, CODE_INTERNAL, "http: the server's thread cannot be started");
    return OK;
}

static status server_begin(struct http_server *s, struct error *err)
{
    cleanup_fd int fd = s->config.listen_fd > 0 ? s->config.listen_fd : -1;
    struct tls_identity *identity = NULL;
    TRY(config_check(&s->config, err));
    TRY(router_new(s->config.tables, &s->router, err));
    if (!s->config.is_plain) {
        TRY(tls_identity_new(s->config.certificate_pem, s->config.key_pem, &identity, err));
        atomic_store(&s->identity, identity);
        s->config.certificate_pem = s->config.key_pem = NULL;
        TRY(tickets_init(&s->tickets, err));
    }
    if (fd < 0)
        TRY(http_listen(s->config.address, s->config.port, &fd, err));
    s->port = http_socket_port(fd);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are for the main thread */
    status started = threads_start(s, fd, err);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (is_ok(started))
        fd = -1;
    return started;
}

status http_server_start(const struct http_config *config, struct http_server **out, struct error *err)
{
    struct http_server *s = calloc(1, sizeof *s);
    if (!s)
        return error_set(err, CODE_NO_MEMORY, "http server");
    s->config = *config;
    pthread_mutex_init(&s->identity_lock, NULL);
    pthread_mutex_init(&s->sweeper.lock, NULL);
    pthread_cond_init(&s->sweeper.stop_signal, NULL);
    status begun = server_begin(s, err);
    if (!is_ok(begun)) {
        server_free(s);
        return begun;
    }
    *out = s;
    return OK;
}

int http_server_port(const struct http_server *s)
{
    return s->port;
}

status http_certificate_check(const char *certificate_pem, const char *key_pem, struct error *err)
{
    struct tls_identity *t = NULL;
    TRY(tls_identity_new(certificate_pem, key_pem, &t, err));
    tls_identity_free(t);
    return OK;
}

status http_server_set_certificate(struct http_server *s, const char *certificate_pem, const char *key_pem,
                                   struct error *err)
{
    struct tls_identity *fresh = NULL;
    TRY(tls_identity_new(certificate_pem, key_pem, &fresh, err));
    pthread_mutex_lock(&s->identity_lock);
    fresh->next = atomic_load(&s->identity);
    atomic_store(&s->identity, fresh);
    pthread_mutex_unlock(&s->identity_lock);
    tickets_forget(&s->tickets);
    return OK;
}

/* ---- stop */

static void drain_wait(const struct http_server *s, struct deadline d)
{
    static const struct timespec pause = {.tv_nsec = 2000000};
    while (atomic_load(&s->in_flight) > 0 && !deadline_passed(d))
        (void)nanosleep(&pause, NULL);
}

bool http_server_stop(struct http_server *s, struct deadline d)
{
    if (!s)
        return true;
    atomic_store(&s->draining, true);
    int fd = MHD_quiesce_daemon(s->daemon);
    if (fd >= 0)
        (void)shutdown(fd, SHUT_RDWR); /* connections are refused from here on; the library may still look at it */
    drain_wait(s, d);
    int64_t left = deadline_left_ms(d);
    if (!gate_close(s->gate, deadline_in(left > STOP_GRACE_MS ? left : STOP_GRACE_MS))) {
        /* Its memory is in use: the process is ending, so it is left where it is. */
        log_event(LOG_LEVEL_ERROR, "http.stop", "reason", "a handler is still running past the deadline", NULL);
        return false;
    }
    drain_wait(s, deadline_in(STOP_GRACE_MS));
    MHD_stop_daemon(s->daemon);
    if (fd >= 0)
        (void)close(fd);
    server_free(s);
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A TLS proxy before a real server that breaks what is asked of it: faulty-proxy SERVER-PORT SERVER-CA CA-FILE. It
 * listens on three ports of 127.0.0.1, writes the root of its own certificate to CA-FILE, and prints "<port>
 * <control port> <trap port>"; it ends with SIGTERM. To the trap nobody is to go. Control port, one command a
 * connection, answered with a line: set KIND PATH FIRST COUNT LENGTH\n<payload of LENGTH bytes>      see faults.def;
 * PATH any, token, keys, signatures off counts                            "token keys signatures connections" since
 * set; those to the trap since asked last
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/file.h"
#include "http.h"
#include "identity.h"
#include "inject.h"

enum { CLIENTS_MAX = 256, PAYLOAD_MAX = 16 * 1024 * 1024 };

static atomic_int listener = -1;
static uint16_t port;
static pthread_mutex_t clients_lock = PTHREAD_MUTEX_INITIALIZER;
static int clients[CLIENTS_MAX]; /* descriptor + 1; 0 is empty */

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* Port 0: any. SO_REUSEPORT, so that a socket that does not listen keeps the port while the one that does is closed. */
static int socket_bind(uint16_t *number)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(*number)};
    socklen_t len = sizeof a;
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, len) != 0 || getsockname(fd, (struct sockaddr *)&a, &len) != 0)
        die("bind");
    *number = ntohs(a.sin_port);
    return fd;
}

static int socket_listen(uint16_t *number)
{
    int fd = socket_bind(number);
    if (listen(fd, 64) != 0)
        die("listen");
    return fd;
}

static void client_keep(int fd, int known)
{
    (void)pthread_mutex_lock(&clients_lock);
    for (int i = 0; i < CLIENTS_MAX; i++) {
        if (clients[i] == known) {
            clients[i] = fd;
            break;
        }
    }
    (void)pthread_mutex_unlock(&clients_lock);
}

/* A fault of connections needs new ones. */
static void clients_hang_up(void)
{
    (void)pthread_mutex_lock(&clients_lock);
    for (int i = 0; i < CLIENTS_MAX; i++)
        if (clients[i])
            (void)shutdown(clients[i] - 1, SHUT_RDWR);
    (void)pthread_mutex_unlock(&clients_lock);
}

/* Reads the client's hello, sends the server's half of the handshake, and goes without waiting for more. */
static void half_handshake(SSL *ssl, int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    (void)poll(&p, 1, 10000);
    (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    (void)SSL_accept(ssl);
}

static void connection_serve(int fd, enum fault_kind kind)
{
    if (kind == FAULT_STALL_TLS) {
        stall(fd);
        return;
    }
    SSL *ssl = SSL_new(identity_for(kind));
    if (!ssl || SSL_set_fd(ssl, fd) != 1)
        die("SSL_new");
    SSL_set_quiet_shutdown(ssl, 1);
    if (kind == FAULT_HALF_TLS)
        half_handshake(ssl, fd);
    else if (SSL_accept(ssl) == 1)
        while (exchange_run(ssl, fd))
            ;
    SSL_free(ssl);
}

static void *connection_run(void *arg)
{
    int fd = (int)(intptr_t)arg;
    connection_serve(fd, fault_for_connection());
    client_keep(0, fd + 1);
    (void)close(fd);
    return NULL;
}

static void *accept_run(void *arg)
{
    (void)arg;
    for (;;) {
        pthread_t thread;
        int fd = accept4(atomic_load(&listener), NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0) { /* the listener was closed for a while */
            (void)usleep(5000);
            continue;
        }
        client_keep(fd + 1, 0);
        if (pthread_create(&thread, NULL, connection_run, (void *)(intptr_t)fd) != 0)
            die("thread");
        (void)pthread_detach(thread);
    }
    return NULL;
}

/* Opens or closes the listener as the fault has it. shutdown(2) wakes the thread that accepts. */
static void listener_settle(void)
{
    int fd = atomic_load(&listener);
    if (fault_refuses() && fd >= 0) {
        atomic_store(&listener, -1);
        (void)shutdown(fd, SHUT_RDWR);
        (void)close(fd);
    } else if (!fault_refuses() && fd < 0) {
        atomic_store(&listener, socket_listen(&port));
    }
}

/* Connections to the trap since this was asked last. */
static int trapped(int trap)
{
    for (int count = 0;;) {
        int fd = accept4(trap, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            return count;
        count++;
        (void)close(fd);
    }
}

static bool command_set(FILE *in, const char *line, int trap)
{
    size_t len = 0;
    cleanup_buf struct buf payload = {0};
    if (sscanf(line, "%*s %*s %*d %*d %zu", &len) != 1 || len > PAYLOAD_MAX)
        return false;
    uint8_t *room = buf_reserve(&payload, len + 1);
    if (!room || fread(room, 1, len, in) != len)
        return false;
    payload.len = len;
    if (!fault_set(line, &payload))
        return false;
    (void)trapped(trap);
    if (fault_is_of_connections())
        clients_hang_up();
    return true;
}

static void command_run(FILE *stream, int trap)
{
    char line[256], counts[64] = "";
    bool done = fgets(line, sizeof line, stream) != NULL;
    if (done && strncmp(line, "set ", 4) == 0)
        done = command_set(stream, line + 4, trap);
    else if (done && strncmp(line, "off", 3) == 0)
        fault_off();
    else if (done && strncmp(line, "counts", 6) == 0)
        fault_counts(counts, sizeof counts);
    else
        done = false;

    listener_settle();
    if (done && *counts)
        (void)fprintf(stream, "%s %d\n", counts, trapped(trap));
    else
        (void)fprintf(stream, "%s\n", done ? "ok" : "not understood");
}

static void control_run(int control, int trap)
{
    for (;;) {
        int fd = accept4(control, NULL, NULL, SOCK_CLOEXEC);
        FILE *stream = fd >= 0 ? fdopen(fd, "r+") : NULL;
        if (!stream)
            die("control");
        command_run(stream, trap);
        (void)fclose(stream);
    }
}

int main(int argc, char **argv)
{
    cleanup_buf struct buf ca = {0};
    pthread_t thread;
    uint16_t control_port = 0, trap_port = 0;
    if (argc != 4 || !upstream_open(argv[1], argv[2])) {
        (void)fprintf(stderr, "usage: %s SERVER-PORT SERVER-CA CA-FILE\n", argv[0]);
        return 2;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    identity_make(&ca);
    struct error err = {0};
    if (!is_ok(file_write(argv[3], buf_slice(&ca), 0644, &err))) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    int control = socket_listen(&control_port), trap = socket_listen(&trap_port);
    (void)fcntl(trap, F_SETFL, O_NONBLOCK);
    (void)socket_bind(&port);
    listener_settle();
    if (pthread_create(&thread, NULL, accept_run, NULL) != 0)
        die("thread");
    (void)printf("%d %d %d\n", port, control_port, trap_port);
    (void)fflush(stdout);
    control_run(control, trap);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* See proxy.h. One thread, poll over all pairs; blocking writes are small and local. */
#include "proxy.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cluster.h"

enum { PAIRS = 32, CLIENT = 0, SERVER = 1 };

static int pairs[PAIRS][2]; /* -1: closed */
static int listener = -1;
static char directory[64], path[108];
static pthread_t thread;
static atomic_bool stopping;
static atomic_int wanted, cuts;
static int losing = -1; /* the pair whose COMMIT is under way */

static void close_one(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
}

static int connect_to_server(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    cluster_socket(address.sun_path, sizeof(address.sun_path));
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0)
        close_one(&fd);
    return fd;
}

static void accept_one(void)
{
    int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    for (int i = 0; client >= 0 && i < PAIRS; i++) {
        if (pairs[i][CLIENT] < 0 && pairs[i][SERVER] < 0) {
            pairs[i][CLIENT] = client;
            pairs[i][SERVER] = connect_to_server();
            return;
        }
    }
    close_one(&client);
}

/* The query message: 'Q', length, text. */
static int is_commit(const char *data, ssize_t len)
{
    return len >= 11 && data[0] == 'Q' && memcmp(data + 5, "COMMIT", 6) == 0;
}

static void cut(int i)
{
    close_one(&pairs[i][CLIENT]);
    close_one(&pairs[i][SERVER]);
    atomic_fetch_add(&cuts, 1);
}

static void forward(int i, int from)
{
    char data[16384];
    ssize_t len = read(pairs[i][from], data, sizeof(data));
    if (from == SERVER && losing == i) {
        losing = -1;
        cut(i);
        return;
    }
    if (len <= 0 || (pairs[i][!from] >= 0 && write(pairs[i][!from], data, (size_t)len) != len)) {
        close_one(&pairs[i][CLIENT]);
        close_one(&pairs[i][SERVER]);
        return;
    }
    int lose = PROXY_LOSE_COMMIT;
    if (from == CLIENT && is_commit(data, len) && atomic_compare_exchange_strong(&wanted, &lose, PROXY_NONE))
        losing = i;
}

static void drop_clients(void)
{
    for (int i = 0; i < PAIRS; i++) {
        if (pairs[i][CLIENT] >= 0)
            atomic_fetch_add(&cuts, 1);
        close_one(&pairs[i][CLIENT]);
    }
}

static void *run(void *arg)
{
    (void)arg;
    while (!atomic_load(&stopping)) {
        struct pollfd polled[1 + 2 * PAIRS] = {{.fd = listener, .events = POLLIN}};
        for (int i = 0; i < 2 * PAIRS; i++)
            polled[1 + i] = (struct pollfd){.fd = pairs[i / 2][i % 2], .events = POLLIN};
        (void)poll(polled, 1 + 2 * PAIRS, 5);
        int drop = PROXY_DROP_CLIENT;
        if (atomic_load(&wanted) == drop) {
            drop_clients();
            atomic_store(&wanted, PROXY_NONE);
            continue;
        }
        for (int i = 0; i < 2 * PAIRS; i++) {
            if (polled[1 + i].revents && pairs[i / 2][i % 2] == polled[1 + i].fd)
                forward(i / 2, i % 2);
        }
        if (polled[0].revents)
            accept_one();
    }
    return NULL;
}

void proxy_start(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memset(pairs, 0xff, sizeof(pairs));
    atomic_store(&stopping, false);
    atomic_store(&wanted, PROXY_NONE);
    atomic_store(&cuts, 0);
    losing = -1;
    (void)snprintf(directory, sizeof(directory), "/tmp/chancery-proxy-XXXXXX");
    if (!mkdtemp(directory))
        abort();
    (void)snprintf(path, sizeof(path), "%s/.s.PGSQL.5432", directory);
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(listener, 16) != 0 || pthread_create(&thread, NULL, run, NULL) != 0)
        abort();
}

void proxy_stop(void)
{
    atomic_store(&stopping, true);
    (void)pthread_join(thread, NULL);
    for (int i = 0; i < 2 * PAIRS; i++)
        close_one(&pairs[i / 2][i % 2]);
    close_one(&listener);
    (void)unlink(path);
    (void)rmdir(directory);
}

void proxy_set(enum proxy_fault fault)
{
    atomic_store(&wanted, fault);
    /* Cutting is done by the other thread; the caller goes on when it is. */
    for (int i = 0; i < 2000 && fault == PROXY_DROP_CLIENT && atomic_load(&wanted) == (int)fault; i++)
        (void)usleep(1000);
}

int proxy_cuts(void)
{
    return atomic_load(&cuts);
}

void proxy_url(const char *url, char *out, size_t size)
{
    const char *host = strstr(url, "host=");
    const char *rest = host ? strchr(host, '&') : NULL;
    if (!rest)
        abort();
    (void)snprintf(out, size, "%.*shost=%s%s", (int)(host - url), url, directory, rest);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "proxy.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host.h"

static void ask(const char *command, const char *payload, size_t len, char *answer, size_t size)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(environment("FAULT_CONTROL")))};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, (struct sockaddr *)&a, sizeof a) != 0)
        fail_msg("the proxy is gone");
    FILE *stream = fdopen(fd, "r+");
    assert_non_null(stream);
    (void)fputs(command, stream);
    (void)fwrite(payload, 1, len, stream);
    (void)fflush(stream);
    (void)shutdown(fd, SHUT_WR);
    if (!fgets(answer, (int)size, stream))
        fail_msg("the proxy does not answer: %s", command);
    (void)fclose(stream);
}

void proxy_set(const char *kind, const char *path, int first, int count, const char *payload, size_t len)
{
    char command[128], answer[64];
    (void)snprintf(command, sizeof command, "set %s %s %d %d %zu\n", kind, path, first, count, len);
    ask(command, payload, len, answer, sizeof answer);
    assert_string_equal(answer, "ok\n");
}

void proxy_off(void)
{
    char answer[64];
    ask("off\n", "", 0, answer, sizeof answer);
    assert_string_equal(answer, "ok\n");
}

struct proxy_counts proxy_counts(void)
{
    struct proxy_counts c = {0};
    char answer[64];
    ask("counts\n", "", 0, answer, sizeof answer);
    int read = sscanf(answer, "%d %d %d %d %d", &c.token, &c.keys, &c.signatures, &c.connections, &c.trapped);
    assert_int_equal(read, 5);
    return c;
}

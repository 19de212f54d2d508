/* SPDX-License-Identifier: Apache-2.0 */
/* getaddrinfo(3) starts no thread and knows no deadline. */
#include "client/resolve.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>

enum { HOST_SIZE = 256, PORT_SIZE = 8 };

DEFINE_CLEANUP_PTR(struct addrinfo, freeaddrinfo)
#define cleanup_addrinfo CLEANUP(freeaddrinfo_cleanup)

/* False for what is no name: an IPv6 address stands in brackets. */
static bool name_of(const char *url, char host[HOST_SIZE], char port[PORT_SIZE])
{
    static const char scheme[] = "https://";
    const char *at = strncmp(url, scheme, sizeof(scheme) - 1) == 0 ? url + sizeof(scheme) - 1 : url;
    size_t len = strcspn(at, ":/");
    struct in_addr address;
    if (*at == '[' || len == 0 || len >= HOST_SIZE)
        return false;
    memcpy(host, at, len);
    host[len] = '\0';

    const char *digits = at[len] == ':' ? at + len + 1 : "443";
    size_t digits_len = strspn(digits, "0123456789");
    if (digits_len == 0 || digits_len >= PORT_SIZE)
        return false;
    memcpy(port, digits, digits_len);
    port[digits_len] = '\0';
    return inet_pton(AF_INET, host, &address) != 1;
}

static bool address_add(struct buf *out, const struct addrinfo *a, bool first)
{
    char text[NI_MAXHOST];
    if (getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof(text), NULL, 0, NI_NUMERICHOST) != 0)
        return false;
    buf_printf(out, a->ai_family == AF_INET6 ? "%s[%s]" : "%s%s", first ? "" : ",", text);
    return true;
}

status resolve_url(const char *url, struct buf *out, struct error *err)
{
    char host[HOST_SIZE];
    char port[PORT_SIZE];
    if (!name_of(url, host, port))
        return OK;

    const struct addrinfo wanted = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    cleanup_addrinfo struct addrinfo *found = NULL;
    int failed = getaddrinfo(host, NULL, &wanted, &found);
    if (failed)
        return error_set(err, CODE_UNAVAILABLE, "%s: %s", host, gai_strerror(failed));

    buf_printf(out, "%s:%s:", host, port);
    bool first = true;
    for (const struct addrinfo *a = found; a; a = a->ai_next)
        first = !address_add(out, a, first) && first;
    return buf_check(out, err);
}

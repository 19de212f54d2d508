/* SPDX-License-Identifier: Apache-2.0 */
/* See forwarded.h. Strict, and whole lines at a time, so that a quote that a client left open swallows nothing of what
 * a proxy added in a line of its own. */
#include "server/http/forwarded.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { VALUE_SIZE = 256 };

_Static_assert(HOP_SIZE == INET6_ADDRSTRLEN, "an address fits");

static status malformed(const char *header, const char *why, struct error *err)
{
    return error_set(err, CODE_INVALID, "%s: %s", header, why);
}

/* ":" and one to five digits, or nothing. */
static bool is_port(const char *text)
{
    size_t digits = *text == ':' ? strspn(text + 1, "0123456789") : 0;
    return *text == '\0' || (digits >= 1 && digits <= 5 && text[1 + digits] == '\0');
}

/* In one spelling: IPv4-mapped IPv6 is IPv4. */
static bool six_format(const char *text, char out[HOP_SIZE])
{
    struct in6_addr six;
    if (inet_pton(AF_INET6, text, &six) != 1)
        return false;
    if (IN6_IS_ADDR_V4MAPPED(&six))
        return inet_ntop(AF_INET, &six.s6_addr[12], out, HOP_SIZE) != NULL;
    return inet_ntop(AF_INET6, &six, out, HOP_SIZE) != NULL;
}

/* RFC 7239 §6: IPv4, or [IPv6], each with a port or without; and IPv6 without brackets, as X-Forwarded-For has it. */
static bool node_parse(const char *text, char out[HOP_SIZE])
{
    char address[HOP_SIZE];
    struct in_addr four;
    bool is_bracketed = *text == '[';
    size_t len = is_bracketed ? strcspn(text + 1, "]") : strcspn(text, ":");
    const char *rest = text + len;

    if (!is_bracketed && six_format(text, out))
        return true;
    if (len >= sizeof(address))
        return false;
    (void)snprintf(address, sizeof(address), "%.*s", (int)len, text + is_bracketed);
    if (is_bracketed)
        return rest[1] == ']' && is_port(rest + 2) && six_format(address, out);
    return is_port(rest) && inet_pton(AF_INET, address, &four) == 1 && inet_ntop(AF_INET, &four, out, HOP_SIZE) != NULL;
}

static status hop_add(struct hops *h, const char *header, const char *node, struct error *err)
{
    if (h->count == FORWARDED_HOPS)
        return malformed(header, "too many hops", err);
    char *to = h->addresses[h->count++];
    if (!node_parse(node, to))
        *to = '\0';
    return OK;
}

/* ---- X-Forwarded-For: a, b, c */

status forwarded_for_add(struct hops *h, const char *value, struct error *err)
{
    static const char header[] = "X-Forwarded-For";
    for (;;) {
        char node[VALUE_SIZE];
        value += strspn(value, " \t");
        size_t len = strcspn(value, ",");
        const char *end = value + len;
        while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t'))
            len--;
        if (len == 0 || len >= sizeof(node))
            return malformed(header, "an address is expected between commas", err);
        (void)snprintf(node, sizeof(node), "%.*s", (int)len, value);
        TRY(hop_add(h, header, node, err));
        if (*end == '\0')
            return OK;
        value = end + 1;
    }
}

/* ---- Forwarded: for=a;proto=https, for="[b]:1" */

static size_t token_len(const char *text)
{
    return strspn(text, "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
}

/* Behind a quoted string; NULL when it has no end or is too long. */
static const char *quoted_read(const char *text, char out[VALUE_SIZE])
{
    size_t n = 0;
    for (text++; *text && *text != '"'; text++) {
        text += *text == '\\' && text[1];
        if (n + 1 == VALUE_SIZE)
            return NULL;
        out[n++] = *text;
    }
    out[n] = '\0';
    return *text == '"' ? text + 1 : NULL;
}

/* "name=value"; behind it, or NULL. */
static const char *pair_read(const char *text, bool *is_for, char value[VALUE_SIZE])
{
    size_t name = token_len(text);
    *is_for = name == 3 && strncasecmp(text, "for", 3) == 0;
    if (name == 0 || text[name] != '=')
        return NULL;
    text += name + 1;
    if (*text == '"')
        return quoted_read(text, value);
    size_t len = token_len(text);
    if (len == 0 || len >= VALUE_SIZE)
        return NULL;
    (void)snprintf(value, VALUE_SIZE, "%.*s", (int)len, text);
    return text + len;
}

/* The pairs of one hop; behind them, or NULL. node: what "for" says, "" when nothing does. */
static const char *element_read(const char *text, char node[VALUE_SIZE])
{
    node[0] = '\0';
    for (;;) {
        char value[VALUE_SIZE];
        bool is_for = false;
        text = pair_read(text + strspn(text, " \t"), &is_for, value);
        if (!text || (is_for && *node))
            return NULL;
        if (is_for)
            memcpy(node, value, sizeof(value));
        text += strspn(text, " \t");
        if (*text != ';')
            return text;
        text++;
    }
}

status forwarded_add(struct hops *h, const char *value, struct error *err)
{
    static const char header[] = "Forwarded";
    for (;;) {
        char node[VALUE_SIZE];
        value = element_read(value, node);
        if (!value || (*value != '\0' && *value != ','))
            return malformed(header, "it is malformed (RFC 7239 §4)", err);
        TRY(hop_add(h, header, node, err));
        if (*value == '\0')
            return OK;
        value++;
    }
}

/* ---- the client */

bool proxies_have(const struct proxies *p, const char *address)
{
    for (size_t i = 0; i < p->count; i++) {
        if (network_has(&p->trusted[i], address))
            return true;
    }
    return false;
}

status forwarded_client(const struct proxies *p, const struct hops *h, const char *peer, const char **out,
                        struct error *err)
{
    const char *client = peer;
    for (int i = h->count - 1; i >= 0 && proxies_have(p, client); i--) {
        client = h->addresses[i];
        if (!*client)
            return error_set(err, CODE_INVALID, "the proxy does not tell the client's address");
    }
    *out = client;
    return OK;
}

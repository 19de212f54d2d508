/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/audiences.h"

#include <stdio.h>
#include <string.h>

#include "chancery/protocol.h"
#include "server/http/http.h"

static status audience_add(struct audiences *a, const char *url, struct error *err)
{
    size_t len = strlen(url);
    while (len > 0 && url[len - 1] == '/')
        len--;
    char **items = realloc(a->items, (a->count + 2) * sizeof *items);
    if (!items)
        return error_set(err, CODE_NO_MEMORY, "token URLs");
    a->items = items;
    struct buf text = {0};
    buf_printf(&text, "%.*s%s", (int)len, url, ROUTE_TOKEN);
    TRY(buf_check(&text, err));
    if (a->count == 0)
        snprintf(a->first_url, sizeof a->first_url, "%.*s", (int)len, url);
    a->items[a->count++] = (char *)text.data;
    a->items[a->count] = NULL;
    return OK;
}

static status host_add(struct audiences *a, const char *host, int port, struct error *err)
{
    char url[320];
    bool is_v6 = strchr(host, ':') != NULL;
    snprintf(url, sizeof url, "https://%s%s%s:%d", is_v6 ? "[" : "", host, is_v6 ? "]" : "", port);
    return audience_add(a, url, err);
}

status audiences_make(struct audiences *a, const struct config *c, int listen_fd, struct error *err)
{
    for (size_t i = 0; i < c->public_url.count; i++)
        TRY(audience_add(a, c->public_url.items[i], err));
    if (a->count > 0)
        return OK;
    int port = http_socket_port(listen_fd);
    const char *address = c->listen_address;
    bool is_any = strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0;
    if (!is_any)
        TRY(host_add(a, address, port, err));
    if (is_any || strcmp(address, "127.0.0.1") == 0 || strcmp(address, "::1") == 0)
        TRY(host_add(a, "localhost", port, err));
    return OK;
}

void audiences_clear(struct audiences *a)
{
    for (size_t i = 0; i < a->count; i++)
        free(a->items[i]);
    free(a->items);
    *a = (struct audiences){0};
}

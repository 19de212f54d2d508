/* SPDX-License-Identifier: Apache-2.0 */
/* It has a gate of its own: relying parties of the whole world do not take the places of those who sign. */
#include "server/app/public_http.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/text.h"

static status public_url_check(const char *url, struct error *err)
{
    static const char scheme[] = "http://";
    const char *rest = url + sizeof(scheme) - 1;
    if (strncmp(url, scheme, sizeof(scheme) - 1) == 0 && *rest && *rest != '/' &&
        strspn(rest, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_~:[]/%") == strlen(rest))
        return OK;
    return error_set(err, CODE_CONFIGURATION, "public_http_url: http://<host>[:<port>][/<path>] is expected");
}

status public_http_url(const struct config *c, int port, char out[PUBLIC_URL_SIZE], struct error *err)
{
    const char *address = c->public_http_address;
    bool is_v6 = strchr(address, ':') != NULL;

    out[0] = '\0';
    if (*c->public_http_url) {
        TRY(public_url_check(c->public_http_url, err));
        (void)text_copy(out, PUBLIC_URL_SIZE, c->public_http_url);
    } else if (strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0) {
        return error_set(err, CODE_CONFIGURATION, "public_http_url is needed where public_http_address is %s", address);
    } else if (*address) {
        (void)snprintf(out, PUBLIC_URL_SIZE, "http://%s%s%s:%d", is_v6 ? "[" : "", address, is_v6 ? "]" : "", port);
    }
    for (size_t len = strlen(out); len > 0 && out[len - 1] == '/'; len--)
        out[len - 1] = '\0';
    return OK;
}

status public_http_listen(struct public_http *p, const struct config *c, struct error *err)
{
    if (!*c->public_http_address && c->public_http_port != 0)
        return error_set(err, CODE_CONFIGURATION, "public_http_port has no meaning without public_http_address");
    if (*c->public_http_address)
        TRY(http_listen(c->public_http_address, (int)c->public_http_port, &p->fd, err));
    return public_http_url(c, p->fd > 0 ? http_socket_port(p->fd) : 0, p->url, err);
}

status public_http_start(struct public_http *p, const struct config *c, struct api *api, struct error *err)
{
    if (p->fd <= 0)
        return OK;
    const struct http_config http = {
        .listen_fd = p->fd,
        .is_plain = true,
        .workers = (int)c->http_workers,
        .queue = (int)c->http_queue,
        .max_connections = (int)c->http_max_connections,
        .request_timeout_ms = c->request_timeout_ms,
        .idle_timeout_ms = c->idle_timeout_ms,
        .tables = api_public_tables,
        .api = api,
    };
    p->fd = 0; /* taken over, whatever becomes of it */
    return http_server_start(&http, &p->server, err);
}

bool public_http_stop(struct public_http *p, struct deadline d)
{
    if (p->fd > 0)
        (void)close(p->fd);
    p->fd = 0;
    bool ended = http_server_stop(p->server, d);
    p->server = NULL;
    return ended;
}

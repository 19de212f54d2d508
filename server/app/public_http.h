/* SPDX-License-Identifier: Apache-2.0 */
/* The listener without TLS, for those who verify. It serves api_public_tables and nothing else. */
#pragma once

#include "server/api/api.h"
#include "server/config/config.h"

enum { PUBLIC_URL_SIZE = 320 };

struct public_http {
    int fd;                    /* of a listener that does not serve yet; 0: none */
    char url[PUBLIC_URL_SIZE]; /* without a slash at the end; "": none */
    struct http_server *server;
};

/* The base URL that certificates name, without a slash at the end; "" where there is none. port: the one that is really
 * listened on. */
status public_http_url(const struct config *c, int port, char out[PUBLIC_URL_SIZE], struct error *err);
/* Takes address and port, so that the URL is known, and does not answer yet. */
status public_http_listen(struct public_http *p, const struct config *c, struct error *err);
status public_http_start(struct public_http *p, const struct config *c, struct api *api, struct error *err);
/* As http_server_stop. */
bool public_http_stop(struct public_http *p, struct deadline d);

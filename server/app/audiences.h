/* SPDX-License-Identifier: Apache-2.0 */
/* Under which token URLs a service account's assertion is accepted (RFC 7523 §3): from public_url, or from address and
 * port when it is empty. */
#pragma once

#include "server/config/config.h"

struct audiences {
    char **items; /* NULL-ended: "<url>/v1/oauth/token" */
    size_t count;
    char first_url[300];
};

/* listen_fd: the bound socket, since the port may have been chosen by the system. */
status audiences_make(struct audiences *a, const struct config *c, int listen_fd, struct error *err);
void audiences_clear(struct audiences *a);

/* SPDX-License-Identifier: Apache-2.0 */
/* Stands between the store and the cluster and cuts connections at chosen moments. One at a time. */
#pragma once

#include <stddef.h>

enum proxy_fault {
    PROXY_NONE,
    PROXY_LOSE_COMMIT, /* the next COMMIT reaches the server; its answer does not come back */
    PROXY_DROP_CLIENT, /* clients are cut off now; the server does not notice */
};

void proxy_start(void);
void proxy_stop(void);
void proxy_set(enum proxy_fault fault);
int proxy_cuts(void); /* connections cut so far */
/* The URL again, through the proxy. */
void proxy_url(const char *url, char *out, size_t size);

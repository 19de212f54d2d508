/* SPDX-License-Identifier: Apache-2.0 */
/* How every server of a configuration is reached: roots, pin, client certificate, proxy. The files are read and judged
 * here, once, so that a wrong one is told before anything is sent. */
#pragma once

#include "client/config.h"

struct transport_settings {
    struct buf ca;          /* PEM; empty: the system's trust store */
    struct buf certificate; /* PEM, leaf first; empty: none */
    struct buf key;         /* PEM, plain */
    const char *pin;        /* the configuration's; NULL: none */
    const char *proxy;      /* the configuration's; NULL: none */
    struct buf proxy_user;
    struct buf proxy_password;
    int64_t connect_timeout_ms;
    bool no_threads; /* host names are looked up in the calling thread, beyond the deadline if the resolver takes longer
                      */
};

/* CODE_CONFIGURATION or CODE_IO name the file. Borrows from config, which must outlive it. */
status transport_settings_load(const struct client_config *config, struct transport_settings *out, struct error *err);
void transport_settings_clear(struct transport_settings *s); /* wipes */

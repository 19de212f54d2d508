/* SPDX-License-Identifier: Apache-2.0 */
/* The server as a program: `init` makes an installation in a directory, `run` serves it. */
#pragma once

#include "common/buf.h"

enum { INIT_NAMES = 16 };

struct init_options {
    const char *directory;
    const char *names[INIT_NAMES]; /* of the TLS certificate and of the public URLs */
    size_t name_count;
    const char *listen_address;
    int port;
    int public_http_port;                  /* 0: no public listener is written */
    const char *public_http_url;           /* NULL: made from address and port */
    const char *tls_certificate, *tls_key; /* NULL: own ones are made */
    const char *hsm_module;                /* NULL: SoftHSM */
    const char *hsm_token;                 /* NULL: "chancery" */
    const char *hsm_pin_file;              /* NULL: a token is initialised; else it exists and this is its user PIN */
    const char *organisation, *admin;      /* NULL: "Chancery", "admin" */
    const char *store;                     /* NULL: SQLite in the directory */
    const char *api_key_file;              /* NULL: the API key is in the report */
};

/* Makes the installation. report is what the administrator must see; it may hold the API key, once. After a failure
 * nothing is left in the directory. */
status init_run(const struct init_options *o, struct buf *report, struct error *err);

struct run_options {
    const char *config;    /* file or directory */
    const char *port_file; /* NULL: none; written when the server is ready */
    const char *pid_file;  /* NULL: none */
};

/* Serves until SIGTERM or SIGINT. */
status run_server(const struct run_options *o, struct error *err);

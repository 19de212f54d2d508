/* SPDX-License-Identifier: Apache-2.0 */
/* The fake server as a Chancery with one P-256 key, whose behaviour the test turns; and a client of it in a directory
 * of its own. */
#pragma once

#include <stdatomic.h>

#include "client/client.h"
#include "fake_server.h"

enum { ALWAYS = 1 << 20 };

struct chancery {
    struct fake_server *server;
    EVP_PKEY *key;
    char directory[64];
    char config[192];
    /* Each counts down: so many of the next answers are like this. */
    atomic_int drop_signatures;
    atomic_int stall_signatures;
    atomic_int half_signatures; /* made, but the answer breaks off */
    atomic_int spoil_signatures;
    atomic_int busy_signatures;       /* 503 */
    atomic_int die_at_signature;      /* that many are asked for until the process ends in the middle of one */
    const char *busy_headers;         /* with that */
    int busy_status;                  /* instead of it */
    atomic_int unapproved_signatures; /* 403 approval_required */
    bool unapproved_stays;            /* whatever is approved */
    atomic_int unauthorized;          /* 401 to whatever is not the token request */
    atomic_int refuse_tokens;
    atomic_int drop_tokens;
    enum fake_action keys_action;
    const char *keys_answer;  /* instead of the right one */
    const char *token_etag;   /* of the list, told with a token; NULL: not told */
    const char *other_answer; /* of every other path */
    int other_status;
    const char *other_type;
    enum fake_action other_action;
    atomic_int tokens;   /* given */
    fake_handler *other; /* answers what is not the signing path, when set */
    void *other_user;
};

/* A server, a directory with its CA, an unencrypted Ed25519 key and client.conf. */
void chancery_start(struct chancery *c);
void chancery_start_locked(struct chancery *c, const char *passphrase); /* the key is encrypted */
/* The same with another server's options; handler and user are set here. passphrase NULL: a plain key. */
void chancery_start_with(struct chancery *c, struct fake_options options, const char *passphrase);
void chancery_stop(struct chancery *c); /* and removes the directory */
/* Writes client.conf: the usual [server], then this. NULL: service account with build-1.key and public data. */
void chancery_configure(struct chancery *c, const char *rest);
struct client *chancery_client(struct chancery *c);
/* A signature over a fixed digest with the only key; the deadline in milliseconds. */
status chancery_sign(struct client *client, int64_t timeout_ms, struct error *err);
void chancery_path(const struct chancery *c, const char *name, char out[192]);
/* Writes client.conf with these lines in [server] instead of url, ca and timeout. */
void chancery_configure_server(struct chancery *c, const char *lines);
void file_put(const char *path, const char *text, int mode);

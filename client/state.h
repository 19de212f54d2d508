/* SPDX-License-Identifier: Apache-2.0 */
/* What a struct client is, for the files of this folder. One lock protects it; it is never held across I/O (I10). */
#pragma once

#include <pthread.h>

#include "client/client.h"
#include "client/credential.h"
#include "client/public_data.h"
#include "client/servers.h"

/* An access token of POST /v1/oauth/token. */
struct token {
    struct buf value;
    int64_t renew_at_ms; /* monotonic */
    int64_t expires_at_ms;
    bool renewing;       /* by some thread; the others use the old one meanwhile */
    char keys_etag[128]; /* of the list of keys when the token was made; "" when the server did not tell */
};

struct key_cache {
    const struct client_keys *keys; /* what the server said last, or the public data that stand for it */
    struct public_data disk;        /* once read */
    int64_t checked_at_ms;          /* monotonic; an unreachable server counts as asked a while ago */
    int64_t asked_at_ms;            /* monotonic: when the server was last asked; 0: not since the login */
    int64_t saved_at_ms;            /* monotonic: when the public data were last written; 0: not since the login */
    bool from_disk;                 /* the server did not confirm keys yet */
    bool stale;                     /* client_keys_refresh was called */
    bool refreshing;
};

/* Advisory context of a signature; "" where nothing is known. */
struct origin {
    char program[64];
    char host[65];
    char user[64];
};

struct client {
    struct client_config *config;
    struct servers *servers;
    struct origin origin;
    bool needs_login;

    pthread_mutex_t lock; /* of everything below */
    struct credential credential;
    uint64_t login_serial; /* changes with every login and logout: what was asked for before is not kept after */
    struct token token;
    struct key_cache cache;
};

static inline void client_unlock_p(pthread_mutex_t **lock)
{
    if (*lock)
        (void)pthread_mutex_unlock(*lock);
}
static inline pthread_mutex_t *client_lock(struct client *c)
{
    (void)pthread_mutex_lock(&c->lock);
    return &c->lock;
}
#define cleanup_client_lock __attribute__((unused)) CLEANUP(client_unlock_p)

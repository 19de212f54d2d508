/* SPDX-License-Identifier: Apache-2.0 */
/* A store with a timestamp authority whose key is in a SoftHSM token, and a clock that tests set. */
#pragma once

#include "../hsm/fixture.h"

#include <openssl/err.h>
#include <openssl/ts.h>

#include "server/ca/ca.h"
#include "server/tsa/tsa.h"
#include "tests/support/timestamp_query.h"

#define POLICY "1.3.6.1.4.1.99999.1"

struct world {
    struct fixture hsm;
    struct store *store;
    struct audit *audit;
    struct ca *ca;
    struct tsa *tsa;
    struct tsa_config config;
    struct tsa_reading reading; /* is_set: what the clock says; else the kernel's time, synchronised */
    bool is_set;
    struct buf root; /* DER */
    struct error err;
    struct buf query, reply; /* of the last call */
};

int world_open(void **state); /* struct world, with an authority of P-256 */
int world_close(void **state);
/* A new authority object on the same store: what a restart does. */
void world_restart(struct world *w);
/* The authority's key and certificate are these from now on. */
void world_certify(struct world *w, enum key_type type);

/* The answer to a query; freed by the caller. */
TS_RESP *world_ask(struct world *w, const struct query_plan *plan);
/* The same; it must be granted, and its token must verify with the CA's root. Freed by the caller. */
TS_RESP *world_granted(struct world *w, const struct query_plan *plan);
void world_refused(struct world *w, const struct query_plan *plan, int failure, const char *part);
/* Of w->reply: failure and text as expected. */
void reply_refused(const struct buf *reply, int failure, const char *part);

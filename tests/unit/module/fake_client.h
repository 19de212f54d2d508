/* SPDX-License-Identifier: Apache-2.0 */
/* A client without a server, put below the module by the linker: it has real keys and signs with them. What it does is
 * set in `fake`, and what was asked of it is counted there. */
#pragma once

#include <stdatomic.h>

#include "client/client.h"

enum { FAKE_KEYS_MAX = 8 };

struct fake {
    bool no_configuration;
    enum code configuration_fails;
    enum code client_fails;
    bool needs_login;
    bool eddsa_same;
    bool no_public_data; /* none is kept on disk */
    const char *pin;
    enum code keys_fail;
    enum code sign_fails;
    bool sign_spoils_length;
    const char *hidden; /* label of a key that is not listed any more */
    unsigned hashes;    /* of every key; 0: all */
    bool asked_lately;  /* a search that finds nothing asks no more */
    /* While holding is set, client_sign waits (at most ten seconds). */
    atomic_bool holding;
    atomic_int held;
    atomic_int clients; /* that live */
    atomic_int keys_calls;
    atomic_int refreshes;
    atomic_int sign_calls;
    atomic_int logins;
    atomic_int logouts;
    atomic_int abandoned; /* left by a child that begins anew */
    atomic_int continued; /* by a child that goes on */
    struct sign_input last_input;
    uint8_t last_digest[64];
};
extern struct fake fake;

/* The settings of a token with a PIN ("open sesame") and all keys. Makes the keys at the first call: rsa2048, p256,
 * p521, ed25519, each with a certificate of one CA, in Project "demo". */
void fake_reset(void);
const struct client_key *fake_key(const char *label);
struct slice fake_ca_certificate(void);

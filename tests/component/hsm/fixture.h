/* SPDX-License-Identifier: Apache-2.0 */
/* A SoftHSM token in a directory of its own, for one test program. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/hsm/hsm.h"

#define TOKEN_LABEL "chancery test"
#define TOKEN_PIN "1234-user"
#define TOKEN_SO_PIN "1234-officer"

/* SoftHSM's slots.mechanisms for the next fixture_init; 2.6.1 overlooks the first name of a negative list. */
extern const char *fixture_mechanisms;

struct fixture {
    char dir[64];
    char lock_path[96];
    const char *module;
    struct hsm *h;
    struct error err;
};

/* Makes the directory, SOFTHSM2_CONF and the token; opens nothing. */
void fixture_init(struct fixture *f, const char *module);
void fixture_clear(struct fixture *f);
struct hsm_config fixture_config(const struct fixture *f);
void fixture_open(struct fixture *f, int sessions, int64_t timeout_ms);
void fixture_close(struct fixture *f);

/* Fails the test with the error's text and detail. */
#define assert_ok(f, expr) fixture_assert((expr), CODE_OK, &(f)->err, #expr, __FILE__, __LINE__)
#define assert_code(f, expr, code) fixture_assert((expr), code, &(f)->err, #expr, __FILE__, __LINE__)
void fixture_assert(status s, enum code expected, const struct error *err, const char *expr, const char *file,
                    int line);

/* A key of this type; deadline and label are the fixture's matter. */
void fixture_key(struct fixture *f, enum key_type type, struct hsm_key *out);
EVP_PKEY *fixture_public_key(const struct hsm_key *k);
struct sign_input fixture_input(enum mechanism mechanism, enum hash hash);

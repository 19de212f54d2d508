/* SPDX-License-Identifier: Apache-2.0 */
/* A real store in memory for the tests of server/auth. */
#pragma once

#include "server/auth/auth.h"

struct fixture {
    struct store *store;
    struct db *db;
};
int fixture_open(void **state);
int fixture_close(void **state);
void principal_add(struct fixture *f, const char *id, const char *name, enum principal_type type);
void principal_change(struct fixture *f, const char *id, bool disabled, int64_t expires_ms);

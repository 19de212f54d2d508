/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of store and audit share: an empty, migrated store for each test, on whatever database the program
 * that runs the suite chose (world_fresh), and short ways to put rows in. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/store/store.h"

/* The wire name is compared, so that a failure shows it. */
#define assert_code(expr, expected) assert_string_equal(code_wire((expr).code), code_wire(expected))
#define assert_ok(expr, err) assert_ok_at((expr), (err), __FILE__, __LINE__)

static inline void assert_ok_at(status s, const struct error *err, const char *file, int line)
{
    if (!is_ok(s)) {
        print_error("%s: %s %s\n", code_wire(s.code), err->text, err->detail);
        _fail(file, line);
    }
}

struct world {
    char url[512];
    char directory[64]; /* removed at the end; "" none */
    struct store *store;
    struct db *db; /* the writer */
    struct error err;
};

/* Fills url (and directory) with an empty database of its own. Set by the program that runs the suite. */
extern void (*world_fresh)(struct world *w);
void world_fresh_memory(struct world *w);
void world_fresh_file(struct world *w);

int world_setup(void **state); /* fresh, opened, migrated */
int world_teardown(void **state);
void world_reopen(struct world *w);
void world_directory_make(struct world *w);

struct project world_project(struct world *w, const char *id, const char *name);
struct principal world_principal(struct world *w, const char *id, const char *name, enum principal_type type);
void world_member(struct world *w, const char *project_id, const char *principal_id, enum member_role role);
/* An RSA-3072 key; hsm_byte makes its CKA_ID. */
void world_key(struct world *w, const char *id, const char *project_id, const char *label, uint8_t hsm_byte);

void assert_same_principal(const struct principal *a, const struct principal *b);

/* Collects one text of each row of a list, joined by commas. */
struct collected {
    char text[2048];
    int count;
};
void collect(struct collected *c, const char *text);

/* One suite each; all need world_setup and world_teardown as set-up and tear-down of every test. */
#define WORLD_TEST(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)
extern const struct CMUnitTest project_tests[], principal_tests[], credential_tests[], key_tests[], log_tests[],
    policy_tests[], approval_tests[], idempotent_tests[], team_tests[], sign_in_tests[], timestamp_tests[], ca_tests[],
    count_tests[];
extern const size_t project_test_count, principal_test_count, credential_test_count, key_test_count, log_test_count,
    policy_test_count, approval_test_count, idempotent_test_count, team_test_count, sign_in_test_count,
    timestamp_test_count, ca_test_count, count_test_count;

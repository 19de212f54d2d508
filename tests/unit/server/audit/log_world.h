/* SPDX-License-Identifier: Apache-2.0 */
/* The store's world plus an open audit log, and records to put in. */
#pragma once

#include "server/audit/audit.h"
#include "world.h"

struct log_world {
    struct world *w;
    struct audit *audit;
    struct error err;
};

int log_setup(void **state); /* world_setup, one project, key, principal; audit open with log_now */
int log_teardown(void **state);
void log_reopen(struct log_world *l);
/* The clock of the log: what log_now_ms says. */
extern int64_t log_now_ms;
int64_t log_now(void);

struct audit_record intent_record(void);
struct audit_record outcome_record(int64_t intent, const char *outcome);
struct audit_record admin_record(void);
/* Commits and expects success; the record's seq. */
int64_t log_append(struct log_world *l, struct audit_record record);
struct deadline soon(void);

int64_t log_count(struct log_world *l); /* by audit_verify, which must find nothing */
void log_line(struct log_world *l, int64_t seq, char out[4096]);
void log_expect_bad(struct log_world *l, int64_t first_bad, const char *why);
/* Writes behind the log's back. */
void log_tamper(struct log_world *l, const char *sql);
void usage_expect(struct log_world *l, int success, int refused, int failed);

#define LOG_TEST(test) cmocka_unit_test_setup_teardown(test, log_setup, log_teardown)
extern const struct CMUnitTest append_tests[], group_tests[], recovery_tests[], verify_tests[];
extern const size_t append_test_count, group_test_count, recovery_test_count, verify_test_count;
/* Makes its own stores, by world_fresh; not in memory, for it opens them again. */
extern const struct CMUnitTest upgrade_tests[];
extern const size_t upgrade_test_count;

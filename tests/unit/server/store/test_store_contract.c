/* SPDX-License-Identifier: Apache-2.0 */
/* The contract suite on SQLite, in memory and in a file. */
#include "world.h"

static int run_all(const char *where)
{
    print_message("== SQLite %s\n", where);
    return _cmocka_run_group_tests("project", project_tests, project_test_count, NULL, NULL) +
           _cmocka_run_group_tests("principal", principal_tests, principal_test_count, NULL, NULL) +
           _cmocka_run_group_tests("team", team_tests, team_test_count, NULL, NULL) +
           _cmocka_run_group_tests("sign_in", sign_in_tests, sign_in_test_count, NULL, NULL) +
           _cmocka_run_group_tests("credential", credential_tests, credential_test_count, NULL, NULL) +
           _cmocka_run_group_tests("ca", ca_tests, ca_test_count, NULL, NULL) +
           _cmocka_run_group_tests("key", key_tests, key_test_count, NULL, NULL) +
           _cmocka_run_group_tests("count", count_tests, count_test_count, NULL, NULL) +
           _cmocka_run_group_tests("log", log_tests, log_test_count, NULL, NULL) +
           _cmocka_run_group_tests("policy", policy_tests, policy_test_count, NULL, NULL) +
           _cmocka_run_group_tests("approval", approval_tests, approval_test_count, NULL, NULL) +
           _cmocka_run_group_tests("idempotent", idempotent_tests, idempotent_test_count, NULL, NULL) +
           _cmocka_run_group_tests("timestamp", timestamp_tests, timestamp_test_count, NULL, NULL);
}

int main(void)
{
    world_fresh = world_fresh_memory;
    int failed = run_all("in memory");
    world_fresh = world_fresh_file;
    return failed + run_all("in a file");
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log's contract suite on SQLite: in a file, and what needs no reopening in memory too. */
#include "log_world.h"

int main(void)
{
    world_fresh = world_fresh_memory;
    int failed = _cmocka_run_group_tests("group, in memory", group_tests, group_test_count, NULL, NULL);

    world_fresh = world_fresh_file;
    failed += _cmocka_run_group_tests("append", append_tests, append_test_count, NULL, NULL);
    failed += _cmocka_run_group_tests("group", group_tests, group_test_count, NULL, NULL);
    failed += _cmocka_run_group_tests("recovery", recovery_tests, recovery_test_count, NULL, NULL);
    failed += _cmocka_run_group_tests("upgrade", upgrade_tests, upgrade_test_count, NULL, NULL);
    return failed + _cmocka_run_group_tests("verify", verify_tests, verify_test_count, NULL, NULL);
}

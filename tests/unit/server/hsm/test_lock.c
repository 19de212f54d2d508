/* SPDX-License-Identifier: Apache-2.0 */
/* The lock file. */
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static char dir[64], path[96];

static int setup(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof dir, "%s/chancery-lock-XXXXXX", P_tmpdir);
    assert_non_null(mkdtemp(dir));
    (void)snprintf(path, sizeof path, "%s/lock", dir);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    (void)unlink(path);
    assert_int_equal(rmdir(dir), 0);
    return 0;
}

static void the_second_holder_is_refused_and_told_the_file_and_the_process(void **state)
{
    int first = -1, second = -1;
    struct error err = {0};
    char pid[32];

    (void)state;
    (void)snprintf(pid, sizeof pid, "process %ld;", (long)getpid());
    assert_true(is_ok(lock_acquire(path, &first, &err)));
    assert_int_equal(lock_acquire(path, &second, &err).code, CODE_CONFLICT);
    assert_non_null(strstr(err.text, path));
    assert_non_null(strstr(err.text, pid));
    lock_release(&first);
    assert_true(is_ok(lock_acquire(path, &second, &err)));
    lock_release(&second);
    assert_int_equal(second, -1);
}

static void the_file_is_private(void **state)
{
    int fd = -1;
    struct stat st;

    (void)state;
    assert_true(is_ok(lock_acquire(path, &fd, NULL)));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    lock_release(&fd);
}

static void a_symbolic_link_is_not_followed(void **state)
{
    int fd = -1;

    (void)state;
    assert_int_equal(symlink("elsewhere", path), 0);
    assert_int_equal(lock_acquire(path, &fd, NULL).code, CODE_IO);
    assert_int_equal(fd, -1);
}

static void garbage_in_the_file_is_not_repeated(void **state)
{
    int fd = -1, other = -1;
    struct error err = {0};

    (void)state;
    assert_true(is_ok(lock_acquire(path, &fd, &err)));
    assert_int_equal(pwrite(fd, "\x1b[31mred", 8, 0), 8);
    assert_int_equal(lock_acquire(path, &other, &err).code, CODE_CONFLICT);
    assert_non_null(strstr(err.text, "process unknown;"));
    lock_release(&fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_second_holder_is_refused_and_told_the_file_and_the_process, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_file_is_private, setup, teardown),
        cmocka_unit_test_setup_teardown(a_symbolic_link_is_not_followed, setup, teardown),
        cmocka_unit_test_setup_teardown(garbage_in_the_file_is_not_repeated, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

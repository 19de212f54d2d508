/* SPDX-License-Identifier: Apache-2.0 */
/* I10: a SIGPIPE of ours never reaches the host, and one of the host's is never lost. */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "client/sigpipe.h"
#include "tests/unit/common/expect.h"

static volatile sig_atomic_t seen;

static void on_sigpipe(int number)
{
    (void)number;
    seen++;
}

static void write_to_nobody(void)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    assert_int_equal(write(ends[1], "x", 1), -1);
    close(ends[1]);
}

static void i10_a_sigpipe_inside_the_scope_is_swallowed(void **state)
{
    (void)state;
    seen = 0;
    struct sigpipe_scope scope = sigpipe_enter();
    write_to_nobody();
    sigpipe_leave(&scope);
    assert_int_equal(seen, 0);
}

static void i10_behind_the_scope_the_host_gets_its_own(void **state)
{
    (void)state;
    seen = 0;
    struct sigpipe_scope scope = sigpipe_enter();
    sigpipe_leave(&scope);
    write_to_nobody();
    assert_int_equal(seen, 1);
}

static void i10_one_that_was_pending_before_stays_pending(void **state)
{
    (void)state;
    sigset_t only;
    sigset_t pending;
    seen = 0;
    sigemptyset(&only);
    sigaddset(&only, SIGPIPE);
    assert_int_equal(pthread_sigmask(SIG_BLOCK, &only, NULL), 0);
    write_to_nobody();
    struct sigpipe_scope scope = sigpipe_enter();
    write_to_nobody();
    sigpipe_leave(&scope);
    sigpending(&pending);
    assert_int_equal(sigismember(&pending, SIGPIPE), 1);
    assert_int_equal(seen, 0);
    assert_int_equal(pthread_sigmask(SIG_UNBLOCK, &only, NULL), 0);
    assert_int_equal(seen, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(i10_a_sigpipe_inside_the_scope_is_swallowed),
        cmocka_unit_test(i10_behind_the_scope_the_host_gets_its_own),
        cmocka_unit_test(i10_one_that_was_pending_before_stays_pending),
    };
    signal(SIGPIPE, on_sigpipe);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

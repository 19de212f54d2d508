/* SPDX-License-Identifier: Apache-2.0 */
/* When a time may be attested, with a clock that says what each test wants. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "server/tsa/internal.h"

static struct tsa_reading reading;

static void clock_read(void *arg, struct tsa_reading *out)
{
    (void)arg;
    *out = reading;
}

static struct tsa t;
static struct refusal r;

static int setup(void **state)
{
    (void)state;
    t = (struct tsa){
        .config = {.checks_clock = true, .accuracy_ms = 1000, .clock_error_ms = 1500, .clock = clock_read}};
    (void)pthread_mutex_init(&t.time.lock, NULL);
    r = (struct refusal){0};
    reading = (struct tsa_reading){.now = {.tv_sec = 1800000000, .tv_nsec = 500},
                                   .is_synchronised = true,
                                   .maximum_error_us = 1000,
                                   .estimated_error_us = 10};
    return 0;
}

static bool take(void)
{
    struct timespec at = {0};
    bool taken = time_take(&t, &at, &r);

    if (taken)
        assert_memory_equal(&at, &reading.now, sizeof at);
    return taken;
}

static void assert_not_taken(const char *part)
{
    assert_false(take());
    assert_int_equal(r.failure, TS_INFO_TIME_NOT_AVAILABLE);
    assert_non_null(strstr(r.text, part));
}

static void a_synchronised_clock_is_taken(void **state)
{
    (void)state;
    assert_true(take());
}

static void an_unsynchronised_clock_is_not_taken(void **state)
{
    (void)state;
    reading.is_synchronised = false;
    assert_not_taken("not synchronised");
    t.config.checks_clock = false;
    assert_true(take());
}

static void errors_have_bounds_that_are_inside(void **state)
{
    (void)state;
    reading.maximum_error_us = 1500 * 1000;
    assert_true(take());
    reading.maximum_error_us++;
    assert_not_taken("1500 ms are allowed");
    reading.maximum_error_us = 0;
    reading.estimated_error_us = 1000 * 1000;
    assert_true(take());
    reading.estimated_error_us++;
    assert_not_taken("1000 ms are allowed");
    t.config.checks_clock = false;
    assert_true(take());
}

static void a_leap_second_has_no_name(void **state)
{
    (void)state;
    reading.is_leap = true;
    assert_not_taken("leap second");
    t.config.checks_clock = false;
    assert_not_taken("leap second");
}

static void a_time_behind_the_last_one_is_not_taken(void **state)
{
    (void)state;
    assert_true(take());
    assert_true(take()); /* the same is not behind */
    reading.now.tv_nsec--;
    assert_not_taken("set back");
    reading.now.tv_nsec += 2;
    assert_true(take());
    reading.now.tv_sec--;
    assert_not_taken("set back");
    time_forget(&t);
    assert_true(take());
}

/* What was refused is not what was attested. */
static void a_time_that_was_refused_binds_nothing(void **state)
{
    (void)state;
    assert_true(take());
    reading.is_synchronised = false;
    reading.now.tv_sec += 1000;
    assert_not_taken("not synchronised");
    reading.is_synchronised = true;
    reading.now.tv_sec -= 999;
    assert_true(take());
}

static void the_kernel_tells_time_and_errors(void **state)
{
    struct tsa_reading kernel = {0};
    int64_t before = clock_now_ms();

    (void)state;
    tsa_clock_kernel(NULL, &kernel);
    assert_true((int64_t)kernel.now.tv_sec * 1000 + kernel.now.tv_nsec / 1000000 >= before);
    assert_true(kernel.maximum_error_us >= 0 && kernel.estimated_error_us >= 0);
}

#define CLOCK_TEST(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLOCK_TEST(a_synchronised_clock_is_taken),           CLOCK_TEST(an_unsynchronised_clock_is_not_taken),
        CLOCK_TEST(errors_have_bounds_that_are_inside),      CLOCK_TEST(a_leap_second_has_no_name),
        CLOCK_TEST(a_time_behind_the_last_one_is_not_taken), CLOCK_TEST(a_time_that_was_refused_binds_nothing),
        cmocka_unit_test(the_kernel_tells_time_and_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

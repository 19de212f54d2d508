/* SPDX-License-Identifier: Apache-2.0 */
#include "common/clock.h"

#include <stdio.h>

#include "expect.h"

/* The examples of RFC 3339 §5.8 and edges of the calendar; Unix times from date(1). */
static const struct {
    const char *text;
    int64_t unix_ms;
    const char *formatted;
} times[] = {
    {"1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00.000Z"},
    {"1985-04-12T23:20:50.52Z", 482196050520, "1985-04-12T23:20:50.520Z"},
    {"1996-12-19T16:39:57-08:00", 851042397000, "1996-12-20T00:39:57.000Z"},
    {"1990-12-31T23:59:60Z", 662688000000, "1991-01-01T00:00:00.000Z"},
    {"1990-12-31T15:59:60-08:00", 662688000000, "1991-01-01T00:00:00.000Z"},
    {"1937-01-01T12:00:27.87+00:20", -1041337172130, "1937-01-01T11:40:27.870Z"},
    {"2026-01-31t12:34:56.789z", 1769862896789, "2026-01-31T12:34:56.789Z"},
    {"2000-02-29T00:00:00Z", 951782400000, "2000-02-29T00:00:00.000Z"},
    {"2024-02-29T23:59:59.999999999Z", 1709251199999, "2024-02-29T23:59:59.999Z"},
    {"2100-03-01T00:00:00Z", 4107542400000, "2100-03-01T00:00:00.000Z"},
    {"1969-12-31T23:59:59.999Z", -1, "1969-12-31T23:59:59.999Z"},
    {"0000-01-01T00:00:00Z", -62167219200000, "0000-01-01T00:00:00.000Z"},
    {"9999-12-31T23:59:59.999Z", 253402300799999, "9999-12-31T23:59:59.999Z"},
    {"2026-01-31T12:34:56-00:00", 1769862896000, "2026-01-31T12:34:56.000Z"},
};

static void rfc_3339_times_are_read_and_written_in_utc(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(times); i++) {
        int64_t unix_ms = 0;
        assert_ok(time_parse(times[i].text, &unix_ms, NULL));
        assert_true(unix_ms == times[i].unix_ms);
        char text[TIME_TEXT_SIZE];
        time_format(unix_ms, text);
        assert_string_equal(text, times[i].formatted);
        time_format_day(unix_ms, text);
        assert_int_equal(strlen(text), 10);
        assert_memory_equal(text, times[i].formatted, 10);
    }
}

static void anything_else_is_not_a_time(void **state)
{
    (void)state;
    static const char *const rows[] = {"",
                                       "2026",
                                       "2026-01-31",
                                       "2026-01-31T12:34:56",
                                       "2026-01-31 12:34:56Z",
                                       "2026-01-31T12:34Z",
                                       "2026-13-01T00:00:00Z",
                                       "2026-00-01T00:00:00Z",
                                       "2026-01-00T00:00:00Z",
                                       "2026-01-32T00:00:00Z",
                                       "2026-02-29T00:00:00Z",
                                       "2100-02-29T00:00:00Z",
                                       "2026-04-31T00:00:00Z",
                                       "2026-01-31T24:00:00Z",
                                       "2026-01-31T12:60:00Z",
                                       "2026-01-31T12:34:61Z",
                                       "2026-01-31T12:34:60Z",
                                       "2026-01-31T12:34:56.Z",
                                       "2026-01-31T12:34:56.1234567890Z",
                                       "2026-01-31T12:34:56,5Z",
                                       "2026-01-31T12:34:56+24:00",
                                       "2026-01-31T12:34:56+01:60",
                                       "2026-01-31T12:34:56+0100",
                                       "2026-01-31T12:34:56+01",
                                       "2026-01-31T12:34:56ZZ",
                                       "2026-01-31T12:34:56Z ",
                                       " 2026-01-31T12:34:56Z",
                                       "02026-01-31T12:34:56Z",
                                       "-026-01-31T12:34:56Z",
                                       "2026-1-31T12:34:56Z",
                                       "2026-01-31T1:34:56Z",
                                       "2026-01-31T12:34:56Y",
                                       "20260131T123456Z"};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t unix_ms = 7;
        struct error err;
        assert_code(time_parse(rows[i], &unix_ms, &err), CODE_INVALID);
        assert_int_equal(unix_ms, 7);
    }
    assert_code(time_parse(NULL, &(int64_t){0}, NULL), CODE_INVALID);
}

static void every_day_agrees_with_the_c_library(void **state)
{
    (void)state;
    for (int64_t day = -720000; day < 2932000; day += 13) {
        time_t seconds = day * 86400 + 12345;
        struct tm tm;
        assert_non_null(gmtime_r(&seconds, &tm));
        char expected[TIME_TEXT_SIZE], text[TIME_TEXT_SIZE];
        assert_true(snprintf(expected, sizeof(expected), "%04d-%02d-%02dT03:25:45.000Z", tm.tm_year + 1900,
                             tm.tm_mon + 1, tm.tm_mday) > 0);
        if (tm.tm_year + 1900 < 0 || tm.tm_year + 1900 > 9999)
            continue;
        time_format((int64_t)seconds * 1000, text);
        assert_string_equal(text, expected);
        int64_t back = 0;
        assert_ok(time_parse(text, &back, NULL));
        assert_true(back == (int64_t)seconds * 1000);
    }
}

static void times_outside_four_digit_years_are_clamped(void **state)
{
    (void)state;
    char text[TIME_TEXT_SIZE];
    time_format(INT64_MAX, text);
    assert_string_equal(text, "9999-12-31T23:59:59.999Z");
    time_format(INT64_MIN, text);
    assert_string_equal(text, "0000-01-01T00:00:00.000Z");
}

static void a_deadline_passes_after_its_time_and_not_before(void **state)
{
    (void)state;
    struct deadline d = deadline_in(40);
    assert_false(deadline_passed(d));
    assert_in_range(deadline_left_ms(d), 1, 40);
    struct timespec until = deadline_timespec(d);
    assert_int_equal(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL), 0);
    assert_true(deadline_passed(d));
    assert_int_equal(deadline_left_ms(d), 0);
}

static void *lock_of_another(void *mutex)
{
    return deadline_lock(mutex, deadline_in(30)) ? mutex : NULL;
}

static void a_lock_is_waited_for_until_the_deadline(void **state)
{
    (void)state;
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_t other;
    void *taken = NULL;
    assert_true(deadline_lock(&mutex, deadline_in(0))); /* it is free */
    int64_t begun = clock_monotonic_ms();
    assert_int_equal(pthread_create(&other, NULL, lock_of_another, &mutex), 0);
    assert_int_equal(pthread_join(other, &taken), 0);
    assert_null(taken);
    assert_in_range(clock_monotonic_ms() - begun, 29, 60000);
    assert_int_equal(pthread_mutex_unlock(&mutex), 0);
}

static void extreme_timeouts_do_not_overflow(void **state)
{
    (void)state;
    assert_false(deadline_passed(deadline_in(INT64_MAX)));
    assert_true(deadline_passed(deadline_in(0)));
    assert_true(deadline_passed(deadline_in(-5)));
    assert_true(deadline_passed(deadline_in(INT64_MIN)));
    assert_true(deadline_timespec(deadline_in(INT64_MIN)).tv_nsec >= 0);
}

static void both_clocks_count_milliseconds(void **state)
{
    (void)state;
    int64_t wall = clock_now_ms(), monotonic = clock_monotonic_ms();
    assert_true(wall > 1700000000000 && wall < 253402300800000);
    assert_true(clock_monotonic_ms() - monotonic < 10000);
    assert_true(clock_monotonic_ms() >= monotonic);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc_3339_times_are_read_and_written_in_utc),
        cmocka_unit_test(anything_else_is_not_a_time),
        cmocka_unit_test(every_day_agrees_with_the_c_library),
        cmocka_unit_test(times_outside_four_digit_years_are_clamped),
        cmocka_unit_test(a_deadline_passes_after_its_time_and_not_before),
        cmocka_unit_test(a_lock_is_waited_for_until_the_deadline),
        cmocka_unit_test(extreme_timeouts_do_not_overflow),
        cmocka_unit_test(both_clocks_count_milliseconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

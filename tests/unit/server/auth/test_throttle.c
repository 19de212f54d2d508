/* SPDX-License-Identifier: Apache-2.0 */
/* How long a further attempt must wait, and for whom attempts are counted together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "server/auth/throttle.h"

enum { NOW = 1700000000 };

static void the_wait_doubles_up_to_its_bound_and_ends(void **state)
{
    static const struct {
        int64_t count, passed_ms, wait_ms;
    } rows[] = {
        {0, 0, 0},       {9, 0, 0},       {10, 0, 1000},       {10, 999, 1},      {10, 1000, 0},
        {11, 0, 2000},   {15, 0, 32000},  {19, 0, 512000},     {20, 0, 900000},   {1000000, 0, 900000},
        {20, 899999, 1}, {20, 900000, 0}, {20, -5000, 900000}, {20, 86400000, 0}, {INT64_MAX, 0, 900000},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct sign_in_failures f = {.count = rows[i].count, .last_ms = NOW};
        int64_t wait = throttle_wait_ms(&throttle_user, &f, NOW + rows[i].passed_ms);
        if (wait != rows[i].wait_ms)
            fail_msg("row %zu: %lld", i, (long long)wait);
    }
}

static void an_attempt_that_must_wait_is_not_counted_and_told_for_how_long(void **state)
{
    struct sign_in_failures f = {.count = 12, .last_ms = NOW};
    struct error err = {0};
    (void)state;
    assert_int_equal(throttle_take(&throttle_user, &f, NOW + 500, &err).code, CODE_RATE_LIMITED);
    assert_int_equal(err.retry_after_s, 4);
    assert_int_equal(f.count, 12);
    assert_int_equal(f.last_ms, NOW);
    assert_true(is_ok(throttle_take(&throttle_user, &f, NOW + 4000, &err)));
    assert_int_equal(f.count, 13);
}

static void a_day_without_a_failure_forgives_all(void **state)
{
    struct sign_in_failures f = {.count = 100, .last_ms = NOW};
    (void)state;
    assert_true(is_ok(throttle_take(&throttle_user, &f, (int64_t)NOW + 24 * 3600 * 1000, NULL)));
    assert_int_equal(f.count, 1);
}

static void names_that_are_no_users_share_a_bounded_number_of_counts(void **state)
{
    char who[THROTTLE_WHO_SIZE], name[32];
    (void)state;
    throttle_who("usr_a", "alice", who);
    assert_string_equal(who, "usr_a");
    for (int i = 0; i < 10000; i++) {
        int number = -1;
        (void)snprintf(name, sizeof(name), "name %d", i);
        throttle_who(NULL, name, who);
        assert_int_equal(sscanf(who, "nobody_%d", &number), 1);
        assert_in_range(number, 0, 4095);
    }
}

static int attempts_until_refused(struct throttle_slot *slots, size_t count, const char *address)
{
    int n = 0;
    while (n < 1000 && is_ok(throttle_address_take(slots, count, address, NOW, NULL)))
        n++;
    return n;
}

static void an_ipv6_network_counts_as_one_address_and_an_ipv4_address_alone(void **state)
{
    static struct throttle_slot slots[THROTTLE_ADDRESSES];
    (void)state;
    assert_int_equal(attempts_until_refused(slots, COUNT_OF(slots), "2001:db8::1"), 50);
    assert_int_equal(attempts_until_refused(slots, COUNT_OF(slots), "2001:db8::ffff:2"), 0);
    assert_int_equal(attempts_until_refused(slots, COUNT_OF(slots), "2001:db8:0:1::1"), 50);
    assert_int_equal(attempts_until_refused(slots, COUNT_OF(slots), "192.0.2.1"), 50);
    assert_int_equal(attempts_until_refused(slots, COUNT_OF(slots), "192.0.2.2"), 50);
    assert_int_equal(attempts_until_refused(slots, COUNT_OF(slots), "::ffff:192.0.2.1"), 50);
    assert_int_equal(attempts_until_refused(slots, COUNT_OF(slots), "::ffff:192.0.2.3"), 50);
}

static void good_attempts_cost_an_address_nothing(void **state)
{
    static struct throttle_slot slots[THROTTLE_ADDRESSES];
    (void)state;
    for (int i = 0; i < 1000; i++) {
        assert_true(is_ok(throttle_address_take(slots, COUNT_OF(slots), "192.0.2.1", NOW, NULL)));
        throttle_address_forgive(slots, COUNT_OF(slots), "192.0.2.1");
    }
}

static void many_addresses_take_the_place_of_the_oldest_alone(void **state)
{
    static struct throttle_slot slots[THROTTLE_PROBES];
    char address[32];
    (void)state;
    for (int i = 0; i < 100; i++) {
        (void)snprintf(address, sizeof(address), "198.51.100.%d", i);
        assert_true(is_ok(throttle_address_take(slots, COUNT_OF(slots), address, NOW + i, NULL)));
    }
    for (size_t i = 0; i < COUNT_OF(slots); i++)
        assert_in_range(slots[i].failures.last_ms, NOW + 92, NOW + 99);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_wait_doubles_up_to_its_bound_and_ends),
        cmocka_unit_test(an_attempt_that_must_wait_is_not_counted_and_told_for_how_long),
        cmocka_unit_test(a_day_without_a_failure_forgives_all),
        cmocka_unit_test(names_that_are_no_users_share_a_bounded_number_of_counts),
        cmocka_unit_test(an_ipv6_network_counts_as_one_address_and_an_ipv4_address_alone),
        cmocka_unit_test(good_attempts_cost_an_address_nothing),
        cmocka_unit_test(many_addresses_take_the_place_of_the_oldest_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

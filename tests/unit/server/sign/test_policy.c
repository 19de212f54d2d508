/* SPDX-License-Identifier: Apache-2.0 */
/* Policies: what documents say, and what is said of documents that say nothing sensible. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/clock.h"
#include "server/sign/policy.h"
#include "server/sign/rate.h"

static struct policy *parsed(const char *text)
{
    struct policy *p = NULL;
    struct error err = {0};
    if (!is_ok(policy_parse_text(slice_of_text(text), &p, &err)))
        fail_msg("%s: %s", text, err.text);
    return p;
}

static void a_policy_holds_what_its_document_says(void **state)
{
    (void)state;
    cleanup_policy struct policy *p = parsed(
        "{\"mechanisms\":[\"ecdsa\"],\"hashes\":[\"sha256\",\"sha384\"],\"certificate\":{\"refuse_expired\":true,"
        "\"min_days_left\":7},\"quota\":{\"total\":100,\"day\":10,\"month\":50},\"rate\":{\"per_key\":{\"count\":5,"
        "\"seconds\":60}},\"networks\":[\"10.0.0.0/8\",\"::1\"],\"windows\":[{\"days\":[\"mon\",\"fri\"],"
        "\"from\":\"08:30\",\"to\":\"18:00\",\"zone\":\"Europe/Berlin\"}],\"releases\":[{\"from\":"
        "\"2026-01-01T00:00:00Z\",\"to\":\"2026-01-02T00:00:00Z\",\"name\":\"1.0\"}],\"context\":[\"build_id\"],"
        "\"programs\":[\"jarsigner\"],\"digests\":\"listed\",\"approval\":{\"needed\":2,\"max_count\":3}}");

    assert_true(p->has_mechanisms && p->mechanisms == 1u << MECHANISM_ECDSA);
    assert_true(p->has_hashes && p->hashes == (hash_bit(HASH_SHA256) | hash_bit(HASH_SHA384)));
    assert_true(p->refuse_expired && p->min_days_left == 7);
    assert_true(p->quota_total == 100 && p->quota_day == 10 && p->quota_month == 50);
    assert_true(p->per_key.count == 5 && p->per_key.seconds == 60 && p->per_principal.count == 0);
    assert_int_equal(p->network_count, 2);
    assert_int_equal(p->windows[0].days, 1u << 0 | 1u << 4);
    assert_true(p->windows[0].from_minute == 510 && p->windows[0].to_minute == 1080);
    assert_string_equal(p->windows[0].zone, "Europe/Berlin");
    assert_string_equal(p->releases[0].name, "1.0");
    assert_string_equal(p->context[0], "build_id");
    assert_string_equal(p->programs[0], "jarsigner");
    assert_true(p->digests_listed && p->approval.needed == 2 && p->approval.max_count == 3);
}

static void the_empty_policy_restricts_nothing(void **state)
{
    (void)state;
    cleanup_policy struct policy *p = parsed("{}");
    assert_false(p->has_mechanisms || p->has_hashes || p->digests_listed || p->refuse_expired);
    assert_true(p->refuse_revoked); /* unless the document says otherwise */
    assert_int_equal(p->network_count + p->window_count + p->release_count + p->context_count, 0);
    assert_int_equal(p->quota_total + p->quota_day + p->quota_month + p->approval.needed, 0);
}

static void a_revoked_certificate_is_allowed_only_in_so_many_words(void **state)
{
    (void)state;
    cleanup_policy struct policy *silent = parsed("{\"certificate\":{\"refuse_expired\":true}}");
    cleanup_policy struct policy *allows = parsed("{\"certificate\":{\"refuse_revoked\":false}}");
    assert_true(silent->refuse_revoked);
    assert_false(allows->refuse_revoked);
}

static void a_refused_document_is_told_by_its_member(void **state)
{
    (void)state;
    static const struct {
        const char *text, *said;
    } rows[] = {
        {"{\"quotas\":{}}", "quotas"},
        {"{\"hashes\":[]}", "hashes: an empty list"},
        {"{\"hashes\":[\"md5\"]}", "hashes[0]: a hash"},
        {"{\"mechanisms\":[\"ecdsa\",7]}", "mechanisms[1]"},
        {"{\"networks\":[\"10.0.0.1/8\"]}", "networks[0]: a network"},
        {"{\"networks\":[\"10.0.0.0/33\"]}", "networks[0]"},
        {"{\"networks\":[\"::ffff:0:0/\"]}", "networks[0]"},
        {"{\"networks\":[{}]}", "networks[0]"},
        {"{\"windows\":[{\"from\":\"8:30\"}]}", "windows[0]: from: a time of day"},
        {"{\"windows\":[{\"from\":\"24:30\"}]}", "windows[0]: from"},
        {"{\"windows\":[{\"from\":\"18:00\",\"to\":\"08:00\"}]}", "windows[0]: to: later than from"},
        {"{\"windows\":[{\"zone\":\"Mars/Olympus\"}]}", "windows[0]: zone"},
        {"{\"windows\":[{\"zone\":\"../etc/passwd\"}]}", "windows[0]: zone"},
        {"{\"windows\":[{\"zone\":\"+02:00\"}]}", "windows[0]: zone"},
        {"{\"windows\":[{\"zone\":\"\"}]}", "windows[0]: zone"},
        {"{\"windows\":[{\"days\":[\"monday\"]}]}", "windows[0]: days[0]"},
        {"{\"windows\":[{\"days\":[]}]}", "windows[0]: days"},
        {"{\"releases\":[{\"from\":\"2026-01-02T00:00:00Z\",\"to\":\"2026-01-02T00:00:00Z\"}]}", "releases[0]: to"},
        {"{\"releases\":[{\"from\":\"2026-01-02\"}]}", "releases[0]"},
        {"{\"certificate\":{\"min_days_left\":-1}}", "certificate: min_days_left"},
        {"{\"quota\":{\"day\":-1}}", "quota: day"},
        {"{\"quota\":{\"day\":1000000001}}", "quota: day"},
        {"{\"rate\":{\"per_key\":{\"count\":0,\"seconds\":1}}}", "rate: per_key"},
        {"{\"rate\":{\"per_key\":{\"count\":1}}}", "rate: per_key"},
        {"{\"context\":[\"Build Id\"]}", "context[0]"},
        {"{\"programs\":[\"a\\u0007\"]}", "programs[0]"},
        {"{\"digests\":\"some\"}", "digests: any or listed"},
        {"{\"approval\":{}}", "approval: needed"},
        {"{\"approval\":{\"needed\":17}}", "approval: needed"},
        {"[]", "object"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct policy *p = NULL;
        struct error err = {0};
        assert_int_equal(policy_parse_text(slice_of_text(rows[i].text), &p, &err).code, CODE_INVALID);
        assert_null(p);
        if (!strstr(err.text, rows[i].said))
            fail_msg("%s: %s", rows[i].text, err.text);
    }
}

static void a_network_has_its_addresses_and_no_others(void **state)
{
    (void)state;
    static const struct {
        const char *network, *address;
        bool has;
    } rows[] = {
        {"10.0.0.0/8", "10.255.255.255", true},      {"10.0.0.0/8", "11.0.0.0", false},
        {"10.0.0.0/8", "::ffff:10.1.2.3", true},     {"192.168.1.7", "192.168.1.7", true},
        {"192.168.1.7", "192.168.1.6", false},       {"0.0.0.0/0", "203.0.113.9", true},
        {"0.0.0.0/0", "2001:db8::1", false},         {"::/0", "2001:db8::1", true},
        {"2001:db8::/33", "2001:db8:7fff::1", true}, {"2001:db8::/33", "2001:db8:8000::1", false},
        {"10.0.0.0/8", "localhost", false},          {"10.0.0.0/8", "", false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct network n;
        assert_true(network_parse(rows[i].network, &n));
        if (network_has(&n, rows[i].address) != rows[i].has)
            fail_msg("%s %s", rows[i].network, rows[i].address);
    }
    struct network n = {0};
    assert_false(network_has(&n, NULL));
}

/* Clocks go forward in Berlin on 2026-03-29 at 02:00, and back on 2026-10-25 at 03:00. */
static void a_window_is_open_in_its_own_time(void **state)
{
    (void)state;
    static const struct {
        const char *zone, *when;
        bool open;
    } rows[] = {
        {"UTC", "2026-01-05T08:00:00Z", true},
        {"UTC", "2026-01-05T07:59:59Z", false},
        {"UTC", "2026-01-05T18:00:00Z", false},
        {"UTC", "2026-01-05T17:59:59.999Z", true},
        {"UTC", "2026-01-04T12:00:00Z", false},
        {"Europe/Berlin", "2026-03-23T07:00:00Z", true},
        {"Europe/Berlin", "2026-03-23T06:59:00Z", false},
        {"Europe/Berlin", "2026-03-30T06:00:00Z", true},
        {"Europe/Berlin", "2026-03-30T05:59:00Z", false},
        {"Europe/Berlin", "2026-10-26T07:00:00Z", true},
        {"Europe/Berlin", "2026-10-26T06:59:00Z", false},
        {"America/New_York", "2026-01-06T00:00:00Z", false},
        {"Asia/Tokyo", "2026-01-04T23:00:00Z", true},
        {"Asia/Tokyo", "2026-01-04T22:59:00Z", false},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct window w = {.days = 1u, .from_minute = 480, .to_minute = 1080};
        int64_t when_ms = 0;
        assert_true(window_set_zone(&w, rows[i].zone));
        assert_true(is_ok(time_parse(rows[i].when, &when_ms, NULL)));
        if (window_has(&w, when_ms) != rows[i].open)
            fail_msg("%s %s", rows[i].zone, rows[i].when);
        window_clear(&w);
    }
}

static void a_window_until_24_00_has_the_last_minute_of_the_day(void **state)
{
    (void)state;
    cleanup_policy struct policy *p = parsed("{\"windows\":[{\"days\":[\"mon\"]}]}");
    int64_t when_ms = 0;
    assert_true(is_ok(time_parse("2026-01-05T23:59:59Z", &when_ms, NULL)));
    assert_true(window_has(&p->windows[0], when_ms));
    assert_false(window_has(&p->windows[0], when_ms + 1000));
}

static void a_rate_lets_its_count_through_and_then_makes_wait(void **state)
{
    (void)state;
    struct rate_limiter *l = NULL;
    const struct rate limit = {.count = 3, .seconds = 60};
    assert_true(is_ok(rate_limiter_new(&l, NULL)));
    for (int i = 0; i < 3; i++)
        assert_int_equal(rate_limiter_take(l, "key", &limit, 1000000), 0);
    assert_int_equal(rate_limiter_take(l, "key", &limit, 1000000), 20000);
    assert_int_equal(rate_limiter_take(l, "other", &limit, 1000000), 0);
    assert_int_equal(rate_limiter_take(l, "key", &limit, 1019999), 1);
    assert_int_equal(rate_limiter_take(l, "key", &limit, 1020000), 0);
    assert_int_equal(rate_limiter_take(l, "key", &limit, 1020000), 20000);
    for (int i = 0; i < 3; i++)
        assert_int_equal(rate_limiter_take(l, "key", &limit, 2000000), 0);
    rate_limiter_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_policy_holds_what_its_document_says),
        cmocka_unit_test(a_revoked_certificate_is_allowed_only_in_so_many_words),
        cmocka_unit_test(the_empty_policy_restricts_nothing),
        cmocka_unit_test(a_refused_document_is_told_by_its_member),
        cmocka_unit_test(a_network_has_its_addresses_and_no_others),
        cmocka_unit_test(a_window_is_open_in_its_own_time),
        cmocka_unit_test(a_window_until_24_00_has_the_last_minute_of_the_day),
        cmocka_unit_test(a_rate_lets_its_count_through_and_then_makes_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "client/answer.h"

static struct transport_answer take(const char *line)
{
    struct transport_answer a = {0};
    char copy[256];
    transport_answer_clear(&a);
    assert_true(strlen(line) < sizeof copy);
    strcpy(copy, line);
    answer_header_take(&a, copy);
    return a;
}

static void retry_after_is_seconds_of_any_length(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        int64_t ms;
    } rows[] = {
        {"Retry-After: 0\r\n", 0},
        {"retry-after:7", 7000},
        {"Retry-After: 86400 \r\n", 86400000},
        {"Retry-After: 86401\r\n", 86400000},
        {"Retry-After: 9223372036854775807\r\n", 86400000},
        {"Retry-After: 99999999999999999999999999\r\n", 86400000},
        {"Retry-After: \r\n", -1},
        {"Retry-After: -1\r\n", -1},
        {"Retry-After: 1.5\r\n", -1},
        {"Retry-After: soon\r\n", -1},
        {"Retry-After 5\r\n", -1},
        {"X-Retry-After: 5\r\n", -1},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (take(rows[i].line).retry_after_ms != rows[i].ms)
            fail_msg("%s", rows[i].line);
}

static void retry_after_is_a_date(void **state)
{
    (void)state;
    static const char *const not_dates[] = {
        "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT+1\r\n", "Retry-After: Sun, 06 Nov 1994 08:49:37 CET\r\n",
        "Retry-After: Sun, 06 nov 1994 08:49:37 GMT\r\n",   "Retry-After: Sun, 06 anF 1994 08:49:37 GMT\r\n",
        "Retry-After: Sun, 31 Feb 1994 08:49:37 GMT\r\n",   "Retry-After: Sun, 06 No 1994 08:49:37 GMT\r\n",
        "Retry-After: Sun, -6 Nov 1994 08:49:37 GMT\r\n",   "Retry-After: Sunday, 06-Nov-94 08:49:37 GMT\r\n",
        "Retry-After: Sun, 06 Nov 1994 25:49:37 GMT\r\n",   "Retry-After: Sun, 06 Nov 1994\r\n",
    };
    assert_int_equal(take("Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n").retry_after_ms, 0);
    assert_true(take("Retry-After: Fri, 31 Dec 2999 23:59:59 GMT\r\n").retry_after_ms > 86400000);
    for (size_t i = 0; i < COUNT_OF(not_dates); i++)
        if (take(not_dates[i]).retry_after_ms != -1)
            fail_msg("%s", not_dates[i]);
}

static void a_content_type_is_lower_case_and_without_parameters(void **state)
{
    (void)state;
    assert_string_equal(take("Content-Type:  Application/JSON; charset=utf-8\r\n").content_type, "application/json");
    assert_string_equal(take("CONTENT-TYPE: a/b c\r\n").content_type, "a/b");
}

static void an_etag_or_request_id_that_is_not_printable_or_too_long_is_passed_over(void **state)
{
    (void)state;
    char line[200];
    assert_string_equal(take("ETag: \"v1\"\r\n").etag, "\"v1\"");
    assert_string_equal(take("X-Request-Id: req_1\r\n").request_id, "req_1");
    assert_string_equal(take("ETag: a\033[2J\r\n").etag, "");
    assert_string_equal(take("X-Request-Id: a\033[2J\r\n").request_id, "");
    memset(line, 'x', sizeof line);
    memcpy(line, "X-Request-Id: ", 14);
    line[14 + 80] = '\0';
    assert_string_equal(take(line).request_id, "");
    line[14 + 79] = '\0';
    assert_int_equal(strlen(take(line).request_id), 79);
}

static void a_failure_names_the_request(void **state)
{
    (void)state;
    struct error err = {0};
    struct transport_answer a = take("X-Request-Id: req_1\r\n");
    struct transport_answer nameless = take("");
    assert_true(is_ok(answer_fault(&a, OK, &err)));
    assert_string_equal(err.text, "");
    assert_int_equal(answer_fault(&a, error_set(&err, CODE_INTERNAL, "no"), &err).code, CODE_INTERNAL);
    assert_string_equal(err.text, "no (request req_1)");
    assert_int_equal(answer_fault(&nameless, error_set(&err, CODE_INTERNAL, "no"), &err).code, CODE_INTERNAL);
    assert_string_equal(err.text, "no");
    assert_int_equal(answer_fault(&a, error_set(NULL, CODE_INTERNAL, "no"), NULL).code, CODE_INTERNAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(retry_after_is_seconds_of_any_length),
        cmocka_unit_test(retry_after_is_a_date),
        cmocka_unit_test(a_content_type_is_lower_case_and_without_parameters),
        cmocka_unit_test(an_etag_or_request_id_that_is_not_printable_or_too_long_is_passed_over),
        cmocka_unit_test(a_failure_names_the_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Every refusal of a server becomes one code and one printable sentence, never success. */
#include <stdio.h>

#include "client/problem.h"
#include "tests/unit/common/expect.h"

static struct error err;

static status judge(int http, const char *type, const char *body)
{
    cleanup_answer struct transport_answer a = {.status = http};
    (void)snprintf(a.content_type, sizeof(a.content_type), "%s", type);
    buf_add_text(&a.body, body);
    return problem_status(&a, &err);
}

static void every_code_of_the_table_comes_through(void **state)
{
    (void)state;
    for (int code = CODE_OK + 1; code < CODE_NO_MEMORY; code++) {
        char body[160];
        (void)snprintf(body, sizeof(body), "{\"code\":\"%s\",\"title\":\"t\"}", code_wire((enum code)code));
        assert_code(judge(code_http((enum code)code), "application/problem+json", body), (enum code)code);
    }
}

static void the_text_is_title_detail_and_request(void **state)
{
    (void)state;
    assert_code(judge(403, "application/problem+json",
                      "{\"code\":\"key_disabled\",\"title\":\"the key is disabled\",\"detail\":\"rotated out\","
                      "\"request_id\":\"req_7\"}"),
                CODE_KEY_DISABLED);
    assert_string_equal(err.text, "the key is disabled: rotated out (request req_7, HTTP 403)");
}

static void a_detail_equal_to_the_title_stands_once(void **state)
{
    (void)state;
    (void)judge(404, "application/problem+json", "{\"code\":\"not_found\",\"title\":\"no\",\"detail\":\"no\"}").code;
    assert_string_equal(err.text, "no (HTTP 404)");
}

static void what_is_not_printable_is_left_out(void **state)
{
    (void)state;
    assert_code(judge(404, "application/problem+json",
                      "{\"code\":\"not_found\",\"title\":\"\\u001b[2Jx\",\"detail\":\"\\u202eevil\"}"),
                CODE_NOT_FOUND);
    char expected[160];
    (void)snprintf(expected, sizeof(expected), "%s (HTTP 404)", code_text(CODE_NOT_FOUND));
    assert_string_equal(err.text, expected);
}

static void without_a_reason_the_http_status_decides(void **state)
{
    (void)state;
    static const struct {
        int http;
        enum code code;
    } rows[] = {{400, CODE_INVALID},     {401, CODE_NOT_AUTHENTICATED},  {403, CODE_FORBIDDEN},
                {404, CODE_NOT_FOUND},   {405, CODE_METHOD_NOT_ALLOWED}, {409, CODE_CONFLICT},
                {412, CODE_STALE},       {413, CODE_TOO_LARGE},          {415, CODE_UNSUPPORTED_MEDIA},
                {418, CODE_INVALID},     {429, CODE_RATE_LIMITED},       {500, CODE_INTERNAL},
                {502, CODE_UNAVAILABLE}, {503, CODE_UNAVAILABLE},        {504, CODE_TIMEOUT},
                {599, CODE_INTERNAL},    {302, CODE_INTERNAL},           {200, CODE_INTERNAL},
                {100, CODE_INTERNAL}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_code(judge(rows[i].http, "text/html", "<html>"), rows[i].code);
        assert_code(judge(rows[i].http, "application/problem+json", "{broken"), rows[i].code);
        assert_code(judge(rows[i].http, "application/problem+json", "[]"), rows[i].code);
    }
}

static void a_code_that_is_ours_alone_or_unknown_is_not_believed(void **state)
{
    (void)state;
    static const char *const codes[] = {"ok", "credential", "no_memory", "configuration", "io", "bad_signature", "new"};
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        char body[80];
        (void)snprintf(body, sizeof(body), "{\"code\":\"%s\"}", codes[i]);
        assert_code(judge(403, "application/problem+json", body), CODE_FORBIDDEN);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_of_the_table_comes_through),
        cmocka_unit_test(the_text_is_title_detail_and_request),
        cmocka_unit_test(a_detail_equal_to_the_title_stands_once),
        cmocka_unit_test(what_is_not_printable_is_left_out),
        cmocka_unit_test(without_a_reason_the_http_status_decides),
        cmocka_unit_test(a_code_that_is_ours_alone_or_unknown_is_not_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

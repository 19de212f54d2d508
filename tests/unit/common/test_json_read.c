/* SPDX-License-Identifier: Apache-2.0 */
#include "common/json.h"

#include <stdio.h>

#include "expect.h"
#include "failing_malloc.h"

enum { MAX_BYTES = 1 << 20, MAX_DEPTH = 16 };

static status parse(struct slice text, struct json **out, struct error *err)
{
    return json_parse(text, MAX_BYTES, MAX_DEPTH, out, err);
}

/* What is refused leaves the output alone, and the message holds this text. */
static void assert_refused(struct slice text, const char *reason)
{
    struct json *out = NULL;
    struct error err = {0};
    status s = parse(text, &out, &err);
    if (s.code != CODE_INVALID || !strstr(err.text, reason))
        print_error("for %.*s: %s, %s\n", (int)text.len, (const char *)text.data, code_wire(s.code), err.text);
    assert_code(s, CODE_INVALID);
    assert_null(out);
    assert_non_null(strstr(err.text, reason));
}

/* Parsed and written again. */
static void assert_reads_as(const char *text, const char *expected)
{
    cleanup_json struct json *v = NULL;
    struct error err = {0};
    assert_ok(parse(slice_of_text(text), &v, &err));
    cleanup_buf struct buf out = {0};
    struct json_writer w = json_writer_on(&out);
    json_add_value(&w, NULL, v);
    assert_buf(&out, expected);
}

static void json_of_every_type_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } rows[] = {
        {"null", "null"},
        {"true", "true"},
        {" false\n", "false"},
        {"0", "0"},
        {"-0", "0"},
        {"1.50", "1.50"},
        {"-1E+400", "-1E+400"},
        {"\"\"", "\"\""},
        {"[]", "[]"},
        {"{}", "{}"},
        {"\t[ 1 ,\r\n 2 , [ ] ]", "[1,2,[]]"},
        {"{\"a\":{\"b\":[true,null,\"c\"]},\"A\":-5}", "{\"a\":{\"b\":[true,null,\"c\"]},\"A\":-5}"},
        {"{\"\":1}", "{\"\":1}"},
        {"[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]", "[\"\\\"\\\\/\\b\\f\\n\\r\\t\"]"},
        {"\"\\u00e9\\u20AC\\ud83d\\udd11\"", "\"\u00e9\u20ac\U0001F511\""},
        {"\"\u00e9 \U0010FFFF\"", "\"\u00e9 \U0010FFFF\""},
        {"\"\\\\ud800\"", "\"\\\\ud800\""}, /* a backslash and letters, no escape */
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_reads_as(rows[i].text, rows[i].expected);
}

static void what_is_not_json_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        " ",
        "nul",
        "nulll",
        "True",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "{'a':1}",
        "{\"a\":1,}",
        "{1:2}",
        "[",
        "]",
        "{",
        "}",
        "[}",
        "\"",
        "\"abc",
        "\"\\x\"",
        "\"\\\"",
        "01",
        "-01",
        "-",
        "+1",
        "1.",
        ".5",
        "1e",
        "1e+",
        "0x10",
        "NaN",
        "Infinity",
        "[1]]",
        "\"a\nb\"",
        "\"a\tb\"",
        "// c\n1",
        "/* c */ 1",
        "1 /* c */",
        "\xEF\xBB\xBF{}",
        "\xEF\xBB\xBF",
        "\"\\u12\"",
        "\"\\u123g\"",
        "\"\\",
        "\"\\u",
        "\\",
        "\\\\",
        "\"\\u\"",
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_refused(slice_of_text(rows[i]), "JSON, line ");
}

static void bytes_behind_the_value_are_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {"{}{}", "{} x",  "1 2",      "[] ,",   "{}\"", "{} \"open", "{} tr", "{} -",
                                       "{} 1", "null]", "\"a\"\"b", "1\n\"x", "{} {", "{} /",      "{}\\"};
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_refused(slice_of_text(rows[i]), "JSON, line ");
    assert_refused(SLICE("{}\0"), "JSON, line 1");
    assert_refused(SLICE("1\0"), "JSON, line 1");
}

static void a_name_twice_in_one_object_is_refused(void **state)
{
    (void)state;
    assert_refused(SLICE("{\"a\":1,\"a\":1}"), "byte 11: the name appears twice");
    assert_refused(SLICE("{\"a\":1,\"b\":2,\n\"\\u0061\":3}"), "line 2, byte 23: the name appears twice");
    assert_refused(SLICE("[{\"x\":{\"\":1,\"\":2}}]"), "twice");
    assert_reads_as("[{\"a\":1},{\"a\":{\"a\":1}}]", "[{\"a\":1},{\"a\":{\"a\":1}}]");
}

static void a_long_object_costs_no_quadratic_search(void **state)
{
    (void)state;
    cleanup_buf struct buf text = {0};
    for (int i = 0; i < 60000; i++)
        buf_printf(&text, "%c\"%x\":0", i == 0 ? '{' : ',', i);
    cleanup_buf struct buf twice = {0};
    buf_add(&twice, text.data, text.len);
    buf_add_text(&text, "}");
    buf_add_text(&twice, ",\"0\":1}");

    cleanup_json struct json *v = NULL;
    assert_ok(parse(buf_slice(&text), &v, NULL));
    assert_int_equal(json_count(v), 60000);
    assert_refused(buf_slice(&twice), "twice");
}

static void integers_are_int64_and_larger_ones_are_refused(void **state)
{
    (void)state;
    assert_reads_as("[9223372036854775807,-9223372036854775808]", "[9223372036854775807,-9223372036854775808]");
    static const char *const rows[] = {
        "9223372036854775808",      "-9223372036854775809",
        "[18446744073709551616]",   "{\"n\":100000000000000000000000000000000000000000000000}",
        "123456789012345678901234", "00000000000000000000000"};
    for (size_t i = 0; i < COUNT_OF(rows) - 1; i++)
        assert_refused(slice_of_text(rows[i]), "the integer is out of range");
    assert_refused(slice_of_text(rows[5]), "JSON");
}

static void nul_in_a_string_is_refused_in_every_spelling(void **state)
{
    (void)state;
    assert_refused(SLICE("\"a\\u0000b\""), "byte 3: NUL");
    assert_refused(SLICE("{\"a\\u0000\":1}"), "NUL");
    assert_refused(SLICE("\"a\0b\""), "invalid character");
    assert_refused(SLICE("\0"), "JSON");
}

static void utf8_must_be_well_formed(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "\"\x80\"",
        "\"\xff\"",
        "\"\xc3\"",
        "\"\xc3(\"",
        "\"\xe2\x82\"",
        "\"\xc0\xaf\"",
        "\"\xc1\x81\"",
        "\"\xe0\x9f\xbf\"",
        "\"\xf0\x8f\xbf\xbf\"",
        "\"\xed\xa0\x80\"",
        "\"\xed\xbf\xbf\"",
        "\"\xf4\x90\x80\x80\"",
        "\"\xf8\x88\x80\x80\x80\"",
        "{\"\xfe\":1}",
        "\"\xc0\x80\"",
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_refused(slice_of_text(rows[i]), "invalid UTF-8");
}

static void lone_surrogates_are_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "\"\\ud800\"",        "\"\\udbffx\"",   "\"\\udc00\"",         "\"\\udfff\\ud800\"", "\"\\ud800\\u0041\"",
        "\"\\ud800\\ud800\"", "\"\\ud83d\\n\"", "\"\\uD83D \\uDD11\"", "\"\\ud800\\u12\"",   "{\"\\ud800\":1}",
        "\"\\ud800",          "\"\\ud800\\",    "\"\\ud800\\u",        "\"\\ud800\\udc0",
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_refused(slice_of_text(rows[i]), "a lone surrogate");
}

static void repeat(struct buf *b, const char *text, int times)
{
    for (int i = 0; i < times; i++)
        buf_add_text(b, text);
}

static void nesting_is_allowed_up_to_the_cap(void **state)
{
    (void)state;
    cleanup_buf struct buf good = {0}, deep = {0}, mixed = {0}, bomb = {0};
    repeat(&good, "[", MAX_DEPTH);
    repeat(&good, "]", MAX_DEPTH);
    assert_reads_as(buf_text(&good), buf_text(&good));

    repeat(&deep, "[", MAX_DEPTH + 1);
    repeat(&deep, "]", MAX_DEPTH + 1);
    assert_refused(buf_slice(&deep), "byte 18: nested too deeply");
    repeat(&mixed, "[{\"a\":", MAX_DEPTH);
    assert_refused(buf_slice(&mixed), "nested too deeply");
    repeat(&bomb, "[", MAX_BYTES - 1);
    assert_refused(buf_slice(&bomb), "nested too deeply");
}

static void no_caller_gets_more_than_64_levels(void **state)
{
    (void)state;
    cleanup_buf struct buf text = {0};
    repeat(&text, "[", 65);
    repeat(&text, "]", 65);
    struct json *v = NULL;
    assert_code(json_parse(buf_slice(&text), MAX_BYTES, 100000, &v, NULL), CODE_INVALID);
    assert_code(json_parse(SLICE("[]"), MAX_BYTES, 0, &v, NULL), CODE_INVALID);
    assert_code(json_parse(SLICE("[]"), MAX_BYTES, -1, &v, NULL), CODE_INVALID);
    assert_null(v);
}

static void a_text_above_the_byte_cap_is_too_large(void **state)
{
    (void)state;
    struct json *v = NULL;
    assert_code(json_parse(SLICE("[1,2]"), 4, MAX_DEPTH, &v, NULL), CODE_TOO_LARGE);
    assert_null(v);
    assert_ok(json_parse(SLICE("[1,2]"), 5, MAX_DEPTH, &v, NULL));
    json_free(v);
}

/* yajl's memory is one block: these make it use the most. */
static void strings_and_numbers_of_any_length_fit_the_memory_set_aside(void **state)
{
    (void)state;
    static const int lengths[] = {1, 2047, 2048, 2049, 4095, 4096, 4097, 70000, 262143, 300000};
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        cleanup_buf struct buf text = {0}, number = {0}, open = {0};
        buf_add_text(&text, "\"\\n");
        repeat(&text, "x", lengths[i]);
        buf_add_text(&open, buf_text(&text));
        buf_add_text(&text, "\\n\"");
        assert_reads_as(buf_text(&text), buf_text(&text));
        assert_refused(buf_slice(&open), "JSON");
        buf_add_text(&number, "1.");
        repeat(&number, "5", lengths[i]);
        assert_reads_as(buf_text(&number), buf_text(&number));
    }
}

static void the_place_of_an_error_is_told_by_line_and_byte(void **state)
{
    (void)state;
    assert_refused(SLICE("{\n  \"a\": 1,\n  \"b\": ?\n}"), "JSON, line 3, byte");
    assert_refused(SLICE("\n\n\"\xff\""), "JSON, line 3, byte 4: invalid UTF-8");
    assert_refused(SLICE("[1,\n99999999999999999999]"), "JSON, line 2, byte 25: the integer");
}

static void an_allocation_that_fails_anywhere_is_reported_and_leaks_nothing(void **state)
{
    (void)state;
    struct slice text =
        SLICE("{\"a\":[1,2,3,4,5,6],\"b\":\"x\\ny\",\"c\":{\"d\":1.5,\"e\":null},\"f\":true,\"g\":\"\"}");
    int nth = 1;
    for (;; nth++) {
        struct json *v = NULL;
        struct error err = {0};
        failing_malloc_arm(nth);
        status s = parse(text, &v, &err);
        if (!failing_malloc_hit()) {
            assert_ok(s);
            json_free(v);
            break;
        }
        assert_code(s, CODE_NO_MEMORY);
        assert_string_equal(err.text, "out of memory");
        assert_null(v);
    }
    assert_true(nth > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_of_every_type_is_read),
        cmocka_unit_test(what_is_not_json_is_refused),
        cmocka_unit_test(bytes_behind_the_value_are_refused),
        cmocka_unit_test(a_name_twice_in_one_object_is_refused),
        cmocka_unit_test(a_long_object_costs_no_quadratic_search),
        cmocka_unit_test(integers_are_int64_and_larger_ones_are_refused),
        cmocka_unit_test(nul_in_a_string_is_refused_in_every_spelling),
        cmocka_unit_test(utf8_must_be_well_formed),
        cmocka_unit_test(lone_surrogates_are_refused),
        cmocka_unit_test(nesting_is_allowed_up_to_the_cap),
        cmocka_unit_test(no_caller_gets_more_than_64_levels),
        cmocka_unit_test(a_text_above_the_byte_cap_is_too_large),
        cmocka_unit_test(strings_and_numbers_of_any_length_fit_the_memory_set_aside),
        cmocka_unit_test(the_place_of_an_error_is_told_by_line_and_byte),
        cmocka_unit_test(an_allocation_that_fails_anywhere_is_reported_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

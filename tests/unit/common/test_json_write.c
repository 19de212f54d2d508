/* SPDX-License-Identifier: Apache-2.0 */
#include "common/json.h"

#include "expect.h"

static void members_stand_in_the_order_given_with_commas_between(void **state)
{
    (void)state;
    cleanup_buf struct buf out = {0};
    struct json_writer w = json_writer_on(&out);
    json_begin_object(&w, NULL);
    json_add_text(&w, "z", "last first");
    json_add_integer(&w, "n", INT64_MIN);
    json_add_bool(&w, "t", true);
    json_begin_array(&w, "list");
    json_add_integer(&w, NULL, 1);
    json_begin_object(&w, NULL);
    json_end_object(&w);
    json_begin_array(&w, NULL);
    json_add_null(&w, NULL);
    json_add_bool(&w, NULL, false);
    json_end_array(&w);
    json_end_array(&w);
    json_begin_object(&w, "empty");
    json_end_object(&w);
    json_add_text(&w, "none", NULL);
    json_end_object(&w);
    assert_buf(&out, "{\"z\":\"last first\",\"n\":-9223372036854775808,\"t\":true,"
                     "\"list\":[1,{},[null,false]],\"empty\":{},\"none\":null}");
}

static void bytes_and_times_have_their_own_forms(void **state)
{
    (void)state;
    cleanup_buf struct buf out = {0};
    struct json_writer w = json_writer_on(&out);
    json_begin_object(&w, NULL);
    json_add_base64(&w, "b", SLICE("\xfb\xff\x00"));
    json_add_hex(&w, "h", SLICE("\xfb\xff\x00"));
    json_add_base64(&w, "e", (struct slice){0});
    json_add_time(&w, "t", 1769862896789);
    json_add_time(&w, "never", 0);
    json_add_raw(&w, "raw", "[1,2]");
    json_end_object(&w);
    assert_buf(&out, "{\"b\":\"+/8A\",\"h\":\"fbff00\",\"e\":\"\",\"t\":\"2026-01-31T12:34:56.789Z\",\"never\":null,"
                     "\"raw\":[1,2]}");
}

static void strings_are_escaped_so_that_they_are_read_back_the_same(void **state)
{
    (void)state;
    static const struct {
        const char *text, *escaped;
    } rows[] = {
        {"", "\"\""},
        {"a\"b\\c/d", "\"a\\\"b\\\\c/d\""},
        {"\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\""},
        {"\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\""},
        {"\u00e9\u20ac\U0001F511", "\"\u00e9\u20ac\U0001F511\""},
        {"\xc2\x85|\u2028|\u202e", "\"\\u0085|\\u2028|\\u202e\""},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cleanup_buf struct buf out = {0};
        json_escape(&out, rows[i].text);
        assert_buf(&out, rows[i].escaped);
        cleanup_json struct json *v = NULL;
        assert_ok(json_parse(buf_slice(&out), 1000, 1, &v, NULL));
        assert_string_equal(json_text(v, NULL), rows[i].text);
    }
}

static void invalid_utf8_becomes_the_replacement_character(void **state)
{
    (void)state;
    static const struct {
        const char *text, *escaped;
    } rows[] = {
        {"a\xff"
         "b",
         "\"a\uFFFDb\""},
        {"\xc3", "\"\uFFFD\""},
        {"\xc0\xaf", "\"\uFFFD\uFFFD\""},
        {"\xed\xa0\x80", "\"\uFFFD\uFFFD\uFFFD\""},
        {"\xe2\x82"
         "x",
         "\"\uFFFD\uFFFDx\""},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cleanup_buf struct buf out = {0};
        json_escape(&out, rows[i].text);
        assert_buf(&out, rows[i].escaped);
    }
}

static void names_are_escaped_too(void **state)
{
    (void)state;
    cleanup_buf struct buf out = {0};
    struct json_writer w = json_writer_on(&out);
    json_begin_object(&w, NULL);
    json_add_null(&w, "a\"b");
    json_end_object(&w);
    assert_buf(&out, "{\"a\\\"b\":null}");
}

static void a_writer_may_nest_as_deep_as_the_reader_reads(void **state)
{
    (void)state;
    cleanup_buf struct buf out = {0};
    struct json_writer w = json_writer_on(&out);
    for (int i = 0; i < 63; i++) {
        json_begin_array(&w, NULL);
        json_add_integer(&w, NULL, i);
    }
    for (int i = 0; i < 63; i++) {
        json_end_array(&w);
        if (w.depth > 0)
            json_add_bool(&w, NULL, true);
    }
    assert_false(out.failed);
    cleanup_json struct json *v = NULL;
    assert_ok(json_parse(buf_slice(&out), 10000, 63, &v, NULL));
    assert_int_equal(json_count(v), 3);
}

static void nesting_beyond_that_fails_the_buffer(void **state)
{
    (void)state;
    cleanup_buf struct buf out = {0};
    struct json_writer w = json_writer_on(&out);
    for (int i = 0; i < 70; i++)
        json_begin_array(&w, NULL);
    for (int i = 0; i < 70; i++)
        json_end_array(&w);
    assert_true(out.failed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_stand_in_the_order_given_with_commas_between),
        cmocka_unit_test(bytes_and_times_have_their_own_forms),
        cmocka_unit_test(strings_are_escaped_so_that_they_are_read_back_the_same),
        cmocka_unit_test(invalid_utf8_becomes_the_replacement_character),
        cmocka_unit_test(names_are_escaped_too),
        cmocka_unit_test(a_writer_may_nest_as_deep_as_the_reader_reads),
        cmocka_unit_test(nesting_beyond_that_fails_the_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

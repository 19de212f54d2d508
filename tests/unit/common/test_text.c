/* SPDX-License-Identifier: Apache-2.0 */
#include "common/text.h"

#include "common/utf8.h"
#include "expect.h"

#define X63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void a_name_is_lower_case_with_dots_dashes_and_underlines_inside(void **state)
{
    (void)state;
    static const char *const names[] = {"a", "0", "release-2026", "a.b_c-d", "a-", X63};
    static const char *const others[] = {"",  "A",   "aB",  "-a",    ".a", "_a",    "a b", "a/b",
                                         "ä", "a\n", "a:b", X63 "a", "..", "a\x80", "a,b"};
    assert_int_equal(strlen(X63), 63);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        assert_true(text_is_name(names[i]));
    for (size_t i = 0; i < COUNT_OF(others); i++)
        assert_false(text_is_name(others[i]));
    assert_false(text_is_name(NULL));
}

static void printable_text_is_valid_utf8_without_controls(void **state)
{
    (void)state;
    static const char *const good[] = {"", "plain", "Grüße, 世界 🔑", "e\u0301", "\u00a0", "\U0010FFFF"};
    static const char *const bad[] = {
        "a\nb",
        "\x01",
        "\x7f",
        "a\x1b[31m",
        "\xc2\x80",
        "\xc2\x9f", /* C0, DEL, C1 */
        "\u202a",
        "x\u202ey",
        "\u2066",
        "\u2069",
        "\u2028", /* bidi, separators */
        "\xff",
        "\xc3",
        "\xc3(",
        "\xe2\x82",
        "\xf0\x9f\x94", /* cut off */
        "\xc0\xaf",
        "\xc1\xbf",
        "\xe0\x80\xaf",
        "\xf0\x80\x80\xaf", /* overlong */
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xf4\x90\x80\x80",
        "\xf8\x88\x80\x80\x80", /* surrogates, too high */
    };
    for (size_t i = 0; i < COUNT_OF(good); i++)
        assert_true(text_is_printable(good[i], 255));
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(text_is_printable(bad[i], 255));
    assert_false(text_is_printable(NULL, 255));
}

static void printable_text_is_measured_in_bytes(void **state)
{
    (void)state;
    assert_true(text_is_printable("\u00fc\u00fc", 4));
    assert_false(text_is_printable("\u00fc\u00fc", 3));
}

static void every_code_point_that_encodes_decodes_to_itself(void **state)
{
    (void)state;
    for (uint32_t c = 1; c <= 0x10FFFF; c++) {
        uint8_t text[4];
        size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        static const uint8_t first[] = {0, 0x00, 0xC0, 0xE0, 0xF0};
        text[0] = (uint8_t)(first[len] | c >> (6 * (len - 1)));
        for (size_t i = 1; i < len; i++)
            text[i] = (uint8_t)(0x80 | (c >> (6 * (len - 1 - i)) & 0x3F));

        uint32_t back = 0;
        size_t expected = c >= 0xD800 && c <= 0xDFFF ? 0 : len;
        assert_int_equal(utf8_decode(text, len, &back), expected);
        if (expected)
            assert_int_equal(back, c);
        assert_int_equal(utf8_decode(text, len - 1, &back), 0);
    }
}

static void a_copy_is_cut_to_its_room_and_says_so(void **state)
{
    (void)state;
    char out[4] = "zzz";
    assert_true(text_copy(out, sizeof(out), "abc"));
    assert_string_equal(out, "abc");
    assert_false(text_copy(out, sizeof(out), "defg"));
    assert_string_equal(out, "def");
    assert_false(text_copy(out, 0, ""));
    assert_true(text_copy(out, 1, ""));
    assert_string_equal(out, "");
}

static void an_integer_is_the_whole_text_and_fits(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {{"0", 0},
                {"-0", 0},
                {"42", 42},
                {"-7", -7},
                {"007", 7},
                {"9223372036854775807", INT64_MAX},
                {"-9223372036854775808", INT64_MIN}};
    static const char *const bad[] = {"",
                                      "-",
                                      "+1",
                                      " 1",
                                      "1 ",
                                      "1.0",
                                      "0x10",
                                      "1e3",
                                      "--1",
                                      "a",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "99999999999999999999999"};
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        int64_t value = 99;
        assert_true(text_to_int64(good[i].text, &value));
        assert_true(value == good[i].value);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        int64_t value = 99;
        assert_false(text_to_int64(bad[i], &value));
        assert_int_equal(value, 99);
    }
    assert_false(text_to_int64(NULL, &(int64_t){0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_lower_case_with_dots_dashes_and_underlines_inside),
        cmocka_unit_test(printable_text_is_valid_utf8_without_controls),
        cmocka_unit_test(printable_text_is_measured_in_bytes),
        cmocka_unit_test(every_code_point_that_encodes_decodes_to_itself),
        cmocka_unit_test(a_copy_is_cut_to_its_room_and_says_so),
        cmocka_unit_test(an_integer_is_the_whole_text_and_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

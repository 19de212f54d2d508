/* SPDX-License-Identifier: Apache-2.0 */
/* What the reader reports, and what it refuses. */
#include "common/ini.h"

#include "expect.h"

/* Writes down what is reported: "line|section|key|value|" or "line|section|", a line each. */
static status note(void *arg, const struct ini_entry *entry, struct error *err)
{
    buf_printf(arg, "%d|%s|", entry->line, entry->section);
    if (entry->key)
        buf_printf(arg, "%s|%s|", entry->key, entry->value);
    else
        assert_null(entry->value);
    buf_add_byte(arg, '\n');
    if (entry->key && strcmp(entry->key, "bad") == 0)
        return error_set(err, CODE_NOT_FOUND, "no such thing");
    return OK;
}

struct row {
    struct slice text;
    const char *expected;
};
#define ROW(text, expected)                                                                                            \
    {                                                                                                                  \
        SLICE(text), expected                                                                                          \
    }

static void assert_read(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        cleanup_buf struct buf seen = {0};
        struct error err = {0};
        if (!is_ok(ini_read("x.conf", rows[i].text, note, &seen, &err)))
            fail_msg("row %zu: %s", i, err.text);
        assert_string_equal(buf_text(&seen), rows[i].expected);
    }
}

static void assert_refused(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        cleanup_buf struct buf seen = {0};
        struct error err = {0};
        assert_code(ini_read("x.conf", rows[i].text, note, &seen, &err), CODE_CONFIGURATION);
        assert_string_equal(err.text, rows[i].expected);
        assert_string_equal(buf_text(&seen), "");
    }
}

static void sections_and_keys_are_reported_in_order_with_their_lines(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {{NULL, 0}, ""},
        ROW("\n\n", ""),
        ROW("a = 1", "1||a|1|\n"),
        ROW("a = 1\n[s]\nb=2\n\n[t]\n[s]\n", "1||a|1|\n2|s|\n3|s|b|2|\n5|t|\n6|s|\n"),
        ROW("a = 1\na = 1\n", "1||a|1|\n2||a|1|\n"),
        ROW("[a b]\n[ c ]\n", "1|a b|\n2| c |\n"),
    };
    assert_read(rows, COUNT_OF(rows));
}

static void a_comment_has_a_line_of_its_own(void **state)
{
    (void)state;
    static const struct row rows[] = {
        ROW("# a = 1\n;b\n  # c\n\t; [d]\n#", ""),
        ROW("a = 1 ; one\nb = 2 # two\nc = ;\nd = #\n", "1||a|1 ; one|\n2||b|2 # two|\n3||c|;|\n4||d|#|\n"),
        ROW("# \xff\x01\n", ""),
    };
    assert_read(rows, COUNT_OF(rows));
}

static void blanks_around_key_and_value_are_cut_and_those_inside_kept(void **state)
{
    (void)state;
    static const struct row rows[] = {
        ROW(" \ta\t =  b  c \t\n", "1||a|b  c|\n"), ROW("a b=\n", "1||a b||\n"),
        ROW("a = b = c\n", "1||a|b = c|\n"),        ROW(" [s] \n", "1|s|\n"),
        ROW("a = \"b \"", "1||a|\"b \"|\n"),
    };
    assert_read(rows, COUNT_OF(rows));
}

static void an_indented_line_is_a_line_of_its_own(void **state)
{
    (void)state;
    static const struct row rows[] = {ROW("a = 1\n  b = 2\n", "1||a|1|\n2||b|2|\n")};
    assert_read(rows, COUNT_OF(rows));
}

static void line_ends_of_windows_and_a_byte_order_mark_are_tolerated(void **state)
{
    (void)state;
    static const struct row rows[] = {
        ROW("[s]\r\na = 1\r\n\r\n# c\r\nb = 2\r", "1|s|\n2|s|a|1|\n5|s|b|2|\n"),
        ROW("\xef\xbb\xbf[s]\n", "1|s|\n"),
        ROW("\xef\xbb\xbf", ""),
    };
    assert_read(rows, COUNT_OF(rows));
}

static void text_is_utf8(void **state)
{
    (void)state;
    static const struct row rows[] = {
        ROW("[\xc3\xa4]\n\xc3\xb6 = \xc3\xbc\n", "1|\xc3\xa4|\n2|\xc3\xa4|\xc3\xb6|\xc3\xbc|\n")};
    assert_read(rows, COUNT_OF(rows));
}

static void what_is_neither_section_nor_key_is_refused(void **state)
{
    (void)state;
    static const struct row rows[] = {
        ROW("\n\nword\n", "x.conf:3: key = value is expected, not word"),
        ROW("  a: b\n", "x.conf:1: key = value is expected, not a: b"),
        ROW(" = 1\n", "x.conf:1: key = value is expected, not = 1"),
        ROW("[s\n", "x.conf:1: key = value or [section] is expected, not [s"),
        ROW("[]\n", "x.conf:1: key = value or [section] is expected, not []"),
        ROW("[s] ; c\n", "x.conf:1: key = value or [section] is expected, not [s] ; c"),
        ROW("[s]]\n", "x.conf:1: key = value or [section] is expected, not [s]]"),
        ROW("# c\n\xef\xbb\xbf\n", "x.conf:2: key = value is expected, not \xef\xbb\xbf"),
    };
    assert_refused(rows, COUNT_OF(rows));
}

static void what_is_not_text_is_refused_and_not_repeated(void **state)
{
    (void)state;
    static const struct row rows[] = {
        ROW("a = 1\0\n", "x.conf:1: the line has a NUL byte in it"),
        ROW("\0", "x.conf:1: the line has a NUL byte in it"),
        ROW("# c\n# a\0b\n", "x.conf:2: the line has a NUL byte in it"),
        ROW("# c\ra = 1\r", "x.conf:1: the line has a carriage return in it"),
        ROW("# c\r\r\n", "x.conf:1: the line has a carriage return in it"),
        ROW("a = b\tc\n", "x.conf:1: a: the value is not printable text"),
        ROW("a = \x1b[31m\n", "x.conf:1: a: the value is not printable text"),
        ROW("a = \xff\n", "x.conf:1: a: the value is not printable text"),
        ROW("a\x07 = b\n", "x.conf:1: the key is not printable text"),
        ROW("[\x1b[31m]\n", "x.conf:1: key = value or [section] is expected"),
        ROW("\x1b[31m\n", "x.conf:1: key = value is expected"),
    };
    assert_refused(rows, COUNT_OF(rows));
}

static void a_line_has_at_most_8192_bytes(void **state)
{
    (void)state;
    static char text[8195];
    cleanup_buf struct buf seen = {0};
    struct error err = {0};
    memset(text, 'v', sizeof(text));
    memcpy(text, "a=", 2);
    text[8192] = '\r';
    text[8193] = '\n';
    assert_ok(ini_read("x.conf", (struct slice){(const uint8_t *)text, 8194}, note, &seen, &err));
    assert_int_equal(seen.len, strlen("1||a||\n") + 8190);

    buf_reset(&seen);
    text[8192] = 'v';
    assert_code(ini_read("x.conf", (struct slice){(const uint8_t *)text, 8194}, note, &seen, &err), CODE_CONFIGURATION);
    assert_string_equal(err.text, "x.conf:1: the line is longer than 8192 bytes");
    assert_int_equal(seen.len, 0);
}

static void the_callers_refusal_gets_name_and_line_and_ends_the_reading(void **state)
{
    (void)state;
    cleanup_buf struct buf seen = {0};
    struct error err = {0};
    const struct slice text = SLICE("a = 1\n\nbad = 2\nc = 3\n");
    assert_code(ini_read("x.conf", text, note, &seen, &err), CODE_NOT_FOUND);
    assert_string_equal(err.text, "x.conf:3: no such thing");
    assert_string_equal(buf_text(&seen), "1||a|1|\n3||bad|2|\n");
    assert_code(ini_read("x.conf", text, note, &seen, NULL), CODE_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sections_and_keys_are_reported_in_order_with_their_lines),
        cmocka_unit_test(a_comment_has_a_line_of_its_own),
        cmocka_unit_test(blanks_around_key_and_value_are_cut_and_those_inside_kept),
        cmocka_unit_test(an_indented_line_is_a_line_of_its_own),
        cmocka_unit_test(line_ends_of_windows_and_a_byte_order_mark_are_tolerated),
        cmocka_unit_test(text_is_utf8),
        cmocka_unit_test(what_is_neither_section_nor_key_is_refused),
        cmocka_unit_test(what_is_not_text_is_refused_and_not_repeated),
        cmocka_unit_test(a_line_has_at_most_8192_bytes),
        cmocka_unit_test(the_callers_refusal_gets_name_and_line_and_ends_the_reading),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

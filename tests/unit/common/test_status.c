/* SPDX-License-Identifier: Apache-2.0 */
#include "common/text.h"
#include "expect.h"

static void every_error_has_a_wire_name_that_leads_back_to_it(void **state)
{
    (void)state;
    for (int i = CODE_OK + 1; i < CODE_COUNT; i++) {
        enum code back = CODE_OK;
        assert_true(code_from_wire(code_wire((enum code)i), &back));
        assert_int_equal(back, i);
        assert_in_range(code_http((enum code)i), 400, 599);
        assert_true(strlen(code_text((enum code)i)) > 0);
    }
}

static void ok_on_the_wire_is_not_taken_for_success(void **state)
{
    (void)state;
    enum code out = CODE_INTERNAL;
    assert_false(code_from_wire("ok", &out));
    assert_false(code_from_wire("no_such_code", &out));
    assert_false(code_from_wire("", &out));
    assert_false(code_from_wire(NULL, &out));
    assert_int_equal(out, CODE_INTERNAL);
}

static void a_code_outside_the_enum_reads_as_internal(void **state)
{
    (void)state;
    assert_string_equal(code_wire((enum code)9999), "internal");
    assert_string_equal(code_wire((enum code) - 1), "internal");
    assert_int_equal(code_http((enum code)9999), 500);
}

static void error_set_stores_code_and_text_and_clears_the_detail(void **state)
{
    (void)state;
    struct error err = {.detail = "old"};
    assert_code(error_set(&err, CODE_DIGEST_MALFORMED, "digest: %d bytes", 31), CODE_DIGEST_MALFORMED);
    assert_int_equal(err.code, CODE_DIGEST_MALFORMED);
    assert_string_equal(err.text, "digest: 31 bytes");
    assert_string_equal(err.detail, "");
}

static void an_error_may_be_built_from_its_own_text(void **state)
{
    (void)state;
    struct error err;
    ignore(error_set(&err, CODE_IO, "first"));
    error_detail(&err, "errno 2");
    error_detail(&err, "%s, again", err.detail);
    assert_string_equal(err.detail, "errno 2, again");
    ignore(error_set(&err, CODE_IO, "second after %s", err.text));
    assert_string_equal(err.text, "second after first");
}

static void a_prefix_stands_before_the_text(void **state)
{
    (void)state;
    struct error err;
    ignore(error_set(&err, CODE_INVALID, "missing"));
    error_prefix(&err, "field %s", "label");
    assert_string_equal(err.text, "field label: missing");
}

static void too_long_texts_are_cut_and_ended(void **state)
{
    (void)state;
    char longer[2000];
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';

    struct error err;
    ignore(error_set(&err, CODE_INVALID, "%s", longer));
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
    error_prefix(&err, "%s", "context");
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
    assert_memory_equal(err.text, "context: xxx", 12);
    error_prefix(&err, "%s", longer);
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
    error_detail(&err, "%s", longer);
    assert_int_equal(strlen(err.detail), sizeof(err.detail) - 1);
}

static void a_text_is_not_cut_in_the_middle_of_a_character(void **state)
{
    (void)state;
    static const char *const characters[] = {"\xC3\xBC", "\xE2\x82\xAC", "\xF0\x9F\x94\x91"};
    for (size_t c = 0; c < COUNT_OF(characters); c++) {
        for (int before = 0; before < 4; before++) {
            struct error err = {0};
            char text[600] = "xxxx";
            text[before] = '\0';
            while (strlen(text) < 400)
                strcat(text, characters[c]);
            ignore(error_set(&err, CODE_INTERNAL, "%s", text));
            assert_true(strlen(err.text) > sizeof(err.text) - 5 && text_is_printable(err.text, sizeof(err.text)));
            error_prefix(&err, "prefix");
            assert_true(text_is_printable(err.text, sizeof(err.text)));
            error_suffix(&err, "%s", "suffix");
            assert_true(text_is_printable(err.text, sizeof(err.text)));
            ignore(error_set(&err, CODE_INTERNAL, "y"));
            error_suffix(&err, "%s", text);
            assert_true(strlen(err.text) > sizeof(err.text) - 5 && text_is_printable(err.text, sizeof(err.text)));
        }
    }
}

static void a_suffix_stands_behind_the_text(void **state)
{
    (void)state;
    struct error err = {0};
    ignore(error_set(&err, CODE_INTERNAL, "text"));
    error_suffix(&err, " (request %d)", 7);
    assert_string_equal(err.text, "text (request 7)");
}

static void an_error_nobody_wants_may_be_null(void **state)
{
    (void)state;
    assert_code(error_set(NULL, CODE_CONFLICT, "%s", "text"), CODE_CONFLICT);
    error_detail(NULL, "detail");
    error_prefix(NULL, "prefix");
    error_suffix(NULL, "suffix");
}

static status twice(status inner, int *reached)
{
    TRY(inner);
    *reached = 1;
    return OK;
}

static void try_returns_a_failure_as_it_is_and_goes_on_after_success(void **state)
{
    (void)state;
    int reached = 0;
    assert_code(twice((status){CODE_STALE}, &reached), CODE_STALE);
    assert_int_equal(reached, 0);
    assert_ok(twice(OK, &reached));
    assert_int_equal(reached, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_has_a_wire_name_that_leads_back_to_it),
        cmocka_unit_test(ok_on_the_wire_is_not_taken_for_success),
        cmocka_unit_test(a_code_outside_the_enum_reads_as_internal),
        cmocka_unit_test(error_set_stores_code_and_text_and_clears_the_detail),
        cmocka_unit_test(an_error_may_be_built_from_its_own_text),
        cmocka_unit_test(a_prefix_stands_before_the_text),
        cmocka_unit_test(too_long_texts_are_cut_and_ended),
        cmocka_unit_test(a_text_is_not_cut_in_the_middle_of_a_character),
        cmocka_unit_test(a_suffix_stands_behind_the_text),
        cmocka_unit_test(an_error_nobody_wants_may_be_null),
        cmocka_unit_test(try_returns_a_failure_as_it_is_and_goes_on_after_success),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "common/json.h"

#include "expect.h"

static struct json *parsed(const char *text)
{
    struct json *v = NULL;
    assert_ok(json_parse(slice_of_text(text), 10000, 16, &v, NULL));
    return v;
}

static void values_are_reached_by_name_and_by_place(void **state)
{
    (void)state;
    cleanup_json struct json *v = parsed("{\"s\":\"text\",\"n\":7,\"b\":true,\"a\":[10,20],\"o\":{\"x\":1}}");
    assert_int_equal(json_type(v), JSON_OBJECT);
    assert_int_equal(json_count(v), 5);
    assert_string_equal(json_name_at(v, 3), "a");
    assert_string_equal(json_get_text(v, "s", NULL), "text");
    assert_int_equal(json_get_integer(v, "n", 0), 7);
    assert_true(json_get_bool(v, "b", false));
    assert_int_equal(json_count(json_get(v, "a")), 2);
    assert_int_equal(json_integer(json_at(json_get(v, "a"), 1), 0), 20);
    assert_int_equal(json_integer(json_at(json_get(v, "o"), 0), 0), 1);
}

static void lenient_readers_give_the_default_for_anything_else(void **state)
{
    (void)state;
    cleanup_json struct json *v = parsed("{\"s\":\"1\",\"n\":7,\"d\":7.0,\"z\":null,\"a\":[1]}");
    assert_string_equal(json_get_text(v, "n", "none"), "none");
    assert_string_equal(json_get_text(v, "absent", "none"), "none");
    assert_string_equal(json_get_text(v, "z", "none"), "none");
    assert_int_equal(json_get_integer(v, "s", -1), -1);
    assert_int_equal(json_get_integer(v, "d", -1), -1);
    assert_true(json_get_bool(v, "n", true));
    assert_null(json_at(json_get(v, "a"), 1));
    assert_null(json_name_at(json_get(v, "a"), 0));
    assert_null(json_name_at(v, 5));
    assert_null(json_get(json_get(v, "a"), "s"));
}

static void null_stands_for_an_absent_value_everywhere(void **state)
{
    (void)state;
    assert_int_equal(json_type(NULL), JSON_NULL);
    assert_int_equal(json_count(NULL), 0);
    assert_null(json_get(NULL, "a"));
    assert_null(json_at(NULL, 0));
    assert_null(json_name_at(NULL, 0));
    assert_string_equal(json_text(NULL, "x"), "x");
    assert_int_equal(json_integer(NULL, 3), 3);
    assert_true(json_bool(NULL, true));
    json_free(NULL);
}

struct target {
    const char *label;
    int64_t days;
    bool flag;
    const struct json *list, *object, *number;
};

static status read_target(const struct json *v, struct target *t, struct error *err)
{
    const struct json_field fields[] = {
        {"label", JSON_STRING, JSON_REQUIRED, &t->label},
        {"days", JSON_INTEGER, 0, &t->days},
        {"flag", JSON_BOOL, 0, &t->flag},
        {"list", JSON_ARRAY, 0, &t->list},
        {"object", JSON_OBJECT, 0, &t->object},
        {"number", JSON_NUMBER, 0, &t->number},
    };
    return json_read_object(v, fields, COUNT_OF(fields), err);
}

static void fields_are_stored_by_type(void **state)
{
    (void)state;
    cleanup_json struct json *v =
        parsed("{\"flag\":true,\"label\":\"x\",\"days\":-3,\"list\":[1,2],\"object\":{},\"number\":1.5}");
    struct target t = {0};
    assert_ok(read_target(v, &t, NULL));
    assert_string_equal(t.label, "x");
    assert_int_equal(t.days, -3);
    assert_true(t.flag);
    assert_int_equal(json_count(t.list), 2);
    assert_int_equal(json_type(t.object), JSON_OBJECT);
    assert_int_equal(json_type(t.number), JSON_NUMBER);
}

static void absent_and_null_fields_keep_their_defaults(void **state)
{
    (void)state;
    cleanup_json struct json *v = parsed("{\"label\":\"x\",\"days\":null}");
    struct target t = {.days = 365, .flag = true};
    assert_ok(read_target(v, &t, NULL));
    assert_int_equal(t.days, 365);
    assert_true(t.flag);
    assert_null(t.list);
}

static void refused_objects_name_the_field_and_store_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *text, *reason;
    } rows[] = {
        {"{\"label\":5}", "label: a string is expected"},
        {"{\"label\":\"x\",\"days\":\"5\"}", "days: an integer is expected"},
        {"{\"label\":\"x\",\"days\":5.0}", "days: an integer is expected"},
        {"{\"label\":\"x\",\"flag\":1}", "flag: true or false is expected"},
        {"{\"label\":\"x\",\"list\":{}}", "list: an array is expected"},
        {"{\"label\":\"x\",\"object\":[]}", "object: an object is expected"},
        {"{\"label\":\"x\",\"number\":true}", "number: a number is expected"},
        {"{}", "label: missing"},
        {"{\"label\":null}", "label: missing"},
        {"{\"label\":\"x\",\"lable\":\"y\"}", "lable: no such field"},
        {"{\"label\":\"x\",\"Days\":null}", "Days: no such field"},
        {"[]", "an object is expected"},
        {"null", "an object is expected"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cleanup_json struct json *v = parsed(rows[i].text);
        struct target t = {.days = 365};
        struct error err;
        assert_code(read_target(v, &t, &err), CODE_INVALID);
        assert_string_equal(err.text, rows[i].reason);
        assert_null(t.label);
        assert_int_equal(t.days, 365);
    }
    assert_code(read_target(NULL, &(struct target){0}, NULL), CODE_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_reached_by_name_and_by_place),
        cmocka_unit_test(lenient_readers_give_the_default_for_anything_else),
        cmocka_unit_test(null_stands_for_an_absent_value_everywhere),
        cmocka_unit_test(fields_are_stored_by_type),
        cmocka_unit_test(absent_and_null_fields_keep_their_defaults),
        cmocka_unit_test(refused_objects_name_the_field_and_store_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

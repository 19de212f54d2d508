/* SPDX-License-Identifier: Apache-2.0 */
/* docs/openapi.yaml and the route tables say the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "openapi.h"
#include "server/api/api.h"

static const char *const permission_names[PERMISSION_COUNT] = {
    [PERMISSION_PUBLIC] = "public",
    [PERMISSION_ANY] = "any",
    [PERMISSION_SIGN] = "sign",
    [PERMISSION_READ_ALL] = "read_all",
    [PERMISSION_ADMINISTER] = "administer",
    [PERMISSION_PROJECT_READ] = "project_read",
    [PERMISSION_PROJECT_MANAGE] = "project_manage",
    [PERMISSION_SELF_OR_ADMINISTER] = "self_or_administer",
    [PERMISSION_SELF_OR_READ_ALL] = "self_or_read_all",
};

static int load(void **state)
{
    *state = openapi_load(OPENAPI_PATH);
    return 0;
}

static int unload(void **state)
{
    json_free(*state);
    return 0;
}

static const struct route *route_find(const char *method, const char *pattern)
{
    for (const struct route *const *table = api_tables; *table; table++) {
        for (const struct route *r = *table; r->method; r++) {
            if (strcasecmp(r->method, method) == 0 && strcmp(r->pattern, pattern) == 0)
                return r;
        }
    }
    return NULL;
}

static void every_route_is_in_the_document_with_its_permission(void **state)
{
    for (const struct route *const *table = api_tables; *table; table++) {
        for (const struct route *r = *table; r->method; r++) {
            const struct json *operation = openapi_operation(*state, r->method, r->pattern);
            if (!operation)
                fail_msg("%s %s is not in the document", r->method, r->pattern);
            if (!permission_names[r->permission])
                fail_msg("%s %s has no permission", r->method, r->pattern);
            assert_string_equal(json_get_text(operation, "x-permission", ""), permission_names[r->permission]);
        }
    }
}

static void every_operation_of_the_document_is_a_route(void **state)
{
    const struct json *paths = json_get(*state, "paths");

    assert_true(json_count(paths) > 0);
    for (size_t i = 0; i < json_count(paths); i++) {
        const struct json *path = json_at(paths, i);
        for (size_t m = 0; m < json_count(path); m++) {
            if (!route_find(json_name_at(path, m), json_name_at(paths, i)))
                fail_msg("%s %s is not a route", json_name_at(path, m), json_name_at(paths, i));
        }
    }
}

static bool parameter_is_declared(const struct json *document, const struct json *operation, const char *in,
                                  const char *name, size_t len)
{
    const struct json *parameters = json_get(operation, "parameters");

    for (size_t i = 0; i < json_count(parameters); i++) {
        const struct json *p = openapi_resolve(document, json_at(parameters, i));
        const char *declared = json_get_text(p, "name", "");
        if (strcmp(json_get_text(p, "in", ""), in) == 0 && strlen(declared) == len && memcmp(declared, name, len) == 0)
            return true;
    }
    return false;
}

static void every_name_in_a_path_is_a_parameter_of_its_operation(void **state)
{
    for (const struct route *const *table = api_tables; *table; table++) {
        for (const struct route *r = *table; r->method; r++) {
            const struct json *operation = openapi_operation(*state, r->method, r->pattern);
            for (const char *at = strchr(r->pattern, '{'); at; at = strchr(at + 1, '{')) {
                if (!parameter_is_declared(*state, operation, "path", at + 1, strcspn(at + 1, "}")))
                    fail_msg("%s %s: %s", r->method, r->pattern, at);
            }
        }
    }
}

static void every_code_that_can_be_answered_is_in_the_document(void **state)
{
    const struct json *codes = json_get(json_get(json_get(json_get(*state, "components"), "schemas"), "Code"), "enum");
    size_t answerable = 0;

    for (int code = CODE_OK + 1; code <= CODE_TIMEOUT; code++, answerable++) {
        size_t i = 0;
        while (i < json_count(codes) && strcmp(json_text(json_at(codes, i), ""), code_wire((enum code)code)) != 0)
            i++;
        if (i == json_count(codes))
            fail_msg("%s is not in the document", code_wire((enum code)code));
    }
    assert_int_equal(json_count(codes), answerable);
}

static void what_can_be_stale_takes_if_match_and_nothing_else_does(void **state)
{
    for (const struct route *const *table = api_tables; *table; table++) {
        for (const struct route *r = *table; r->method; r++) {
            const struct json *operation = openapi_operation(*state, r->method, r->pattern);
            bool takes = parameter_is_declared(*state, operation, "header", "If-Match", strlen("If-Match"));
            if (takes != (json_get(json_get(operation, "responses"), "412") != NULL))
                fail_msg("%s %s: its If-Match and its answer 412", r->method, r->pattern);
        }
    }
}

static void a_value_that_does_not_fit_its_schema_is_found(void **state)
{
    static const struct {
        const char *schema, *value;
        bool holds;
    } rows[] = {
        {"Live", "{\"status\":\"ok\"}", true},
        {"Live", "{\"status\":\"bad\"}", false},
        {"Live", "{\"status\":1}", false},
        {"Live", "{}", false},
        {"Live", "{\"status\":\"ok\",\"more\":1}", false},
        {"Project",
         "{\"id\":\"a\",\"name\":\"b\",\"description\":\"\",\"created\":\"2026-01-31T00:00:00.000Z\","
         "\"revision\":1}",
         true},
        {"Project", "{\"id\":\"a\",\"name\":\"b\",\"description\":\"\",\"created\":\"yesterday\",\"revision\":1}",
         false},
        {"ProjectList", "{\"items\":[{\"id\":1}],\"next\":null}", false},
        {"ProjectList", "{\"items\":[],\"next\":null}", true},
        {"Head", "{\"seq\":1,\"record_hash\":\"ab\"}", false},
    };
    const struct json *schemas = json_get(json_get(*state, "components"), "schemas");

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cleanup_json struct json *value = NULL;
        cleanup_buf struct buf why = {0};
        assert_true(is_ok(json_parse(slice_of_text(rows[i].value), 4096, 8, &value, NULL)));
        if (openapi_schema_holds(*state, json_get(schemas, rows[i].schema), value, &why) != rows[i].holds)
            fail_msg("%s %s: %s", rows[i].schema, rows[i].value, buf_text(&why));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_is_in_the_document_with_its_permission),
        cmocka_unit_test(every_operation_of_the_document_is_a_route),
        cmocka_unit_test(every_name_in_a_path_is_a_parameter_of_its_operation),
        cmocka_unit_test(every_code_that_can_be_answered_is_in_the_document),
        cmocka_unit_test(what_can_be_stale_takes_if_match_and_nothing_else_does),
        cmocka_unit_test(a_value_that_does_not_fit_its_schema_is_found),
    };
    return cmocka_run_group_tests(tests, load, unload);
}

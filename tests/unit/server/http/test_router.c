/* SPDX-License-Identifier: Apache-2.0 */
/* The router: what matches, what is refused at start. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/http/router.h"

static status handler(void *api, struct request *req, struct response *res, struct error *err)
{
    (void)api, (void)req, (void)res, (void)err;
    return OK;
}

static const struct route project_routes[] = {
    {"GET", "/v1/projects", 1, handler, 0},
    {"POST", "/v1/projects", 2, handler, 0},
    {"GET", "/v1/projects/{project}", 3, handler, 0},
    {"DELETE", "/v1/projects/{project}/members/{role}/{principal}", 4, handler, 0},
    {NULL, NULL, 0, NULL, 0},
};
static const struct route key_routes[] = {
    {"GET", "/v1/signing/keys", 5, handler, 0},     {"POST", "/v1/signing/keys/{key}/signatures", 6, handler, 1000},
    {"GET", "/v1/{any}/keys/extra", 7, handler, 0}, {"GET", "/ocsp/{ca}/{request...}", 8, handler, 0},
    {"POST", "/ocsp/{ca}", 9, handler, 0},          {NULL, NULL, 0, NULL, 0},
};
static const struct route *const tables[] = {project_routes, key_routes, NULL};

static int router_up(void **state)
{
    struct error err = {0};
    return is_ok(router_new(tables, (struct router **)state, &err)) ? 0 : -1;
}

static int router_down(void **state)
{
    router_free(*state);
    return 0;
}

static int permission_of(void **state, const char *method, const char *path)
{
    struct route_match m = {0};
    if (!router_find(*state, method, slice_of_text(path), &m))
        return -1;
    return m.route ? m.route->permission : 0;
}

static void the_row_is_found_by_method_and_path(void **state)
{
    assert_int_equal(permission_of(state, "GET", "/v1/projects"), 1);
    assert_int_equal(permission_of(state, "POST", "/v1/projects"), 2);
    assert_int_equal(permission_of(state, "GET", "/v1/projects/demo"), 3);
    assert_int_equal(permission_of(state, "GET", "/v1/signing/keys"), 5);
    assert_int_equal(permission_of(state, "POST", "/v1/signing/keys/key_1/signatures"), 6);
}

static void parameters_come_in_the_order_of_the_path(void **state)
{
    struct route_match m = {0};
    const char *path = "/v1/projects/demo/members/signer/svc_1";

    assert_true(router_find(*state, "DELETE", slice_of_text(path), &m));

    assert_int_equal(m.param_count, 3);
    assert_string_equal(m.param_names[0], "project");
    assert_string_equal(m.param_names[2], "principal");
    assert_true(slice_equal(m.param_values[0], slice_of_text("demo")));
    assert_true(slice_equal(m.param_values[1], slice_of_text("signer")));
    assert_true(slice_equal(m.param_values[2], slice_of_text("svc_1")));
}

static void a_literal_goes_before_a_parameter_and_falls_back_to_it(void **state)
{
    assert_int_equal(permission_of(state, "GET", "/v1/projects/keys"), 3);
    assert_int_equal(permission_of(state, "GET", "/v1/signing/keys/extra"), 7);
}

static void an_unknown_path_is_not_found(void **state)
{
    static const char *const paths[] = {"/",
                                        "",
                                        "v1/projects",
                                        "/v1",
                                        "/v1/",
                                        "/v1/projects/",
                                        "/v1/project",
                                        "/v1/projects/demo/members",
                                        "/v1/projects/demo/members/signer/",
                                        "//v1/projects",
                                        "/v1//projects",
                                        "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s"};
    for (size_t i = 0; i < COUNT_OF(paths); i++)
        assert_int_equal(permission_of(state, "GET", paths[i]), -1);
}

static void a_known_path_with_another_method_tells_the_allowed_ones(void **state)
{
    struct route_match m = {0};

    assert_true(router_find(*state, "PUT", slice_of_text("/v1/projects"), &m));

    assert_null(m.route);
    assert_string_equal(m.allow, "GET, POST");
    assert_int_equal(permission_of(state, "HEAD", "/v1/projects"), 0);
}

static void assert_row_refused(const struct route *rows, const char *text)
{
    const struct route *const list[] = {rows, NULL};
    struct router *r = NULL;
    struct error err = {0};
    assert_int_equal(router_new(list, &r, &err).code, CODE_INTERNAL);
    assert_null(r);
    assert_non_null(strstr(err.text, text));
}

static void a_row_without_permission_is_refused_by_name(void **state)
{
    (void)state;
    const struct route rows[] = {{"GET", "/v1/secret", 0, handler, 0}, {NULL, NULL, 0, NULL, 0}};
    assert_row_refused(rows, "GET /v1/secret: the row has no permission");
}

static void malformed_rows_are_refused(void **state)
{
    (void)state;
    const struct route no_handler[] = {{"GET", "/a", 1, NULL, 0}, {NULL, NULL, 0, NULL, 0}};
    const struct route method[] = {{"FETCH", "/a", 1, handler, 0}, {NULL, NULL, 0, NULL, 0}};
    const struct route pattern[] = {{"GET", "/a/{b", 1, handler, 0}, {NULL, NULL, 0, NULL, 0}};
    const struct route relative[] = {{"GET", "a", 1, handler, 0}, {NULL, NULL, 0, NULL, 0}};
    const struct route tail[] = {{"GET", "/a/{b...}/c", 1, handler, 0}, {NULL, NULL, 0, NULL, 0}};
    const struct route empty[] = {{"GET", "/a//b", 1, handler, 0}, {NULL, NULL, 0, NULL, 0}};
    const struct route twice[] = {
        {"GET", "/a/{b}", 1, handler, 0}, {"GET", "/a/{c}", 1, handler, 0}, {NULL, NULL, 0, NULL, 0}};
    assert_row_refused(no_handler, "no handler");
    assert_row_refused(method, "unknown method");
    assert_row_refused(pattern, "malformed pattern");
    assert_row_refused(tail, "malformed pattern");
    assert_row_refused(empty, "malformed pattern");
    assert_row_refused(relative, "begins with /");
    assert_row_refused(twice, "twice");
}

static void the_root_is_a_path_like_another(void **state)
{
    const struct route rows[] = {
        {"GET", "/", 1, handler, 0}, {"GET", "/{name}", 2, handler, 0}, {NULL, NULL, 0, NULL, 0}};
    const struct route *const list[] = {rows, NULL};
    cleanup_router struct router *r = NULL;
    struct route_match m = {0};
    (void)state;

    assert_true(is_ok(router_new(list, &r, NULL)));

    assert_true(router_find(r, "GET", slice_of_text("/"), &m));
    assert_int_equal(m.route->permission, 1);
    assert_true(router_find(r, "GET", slice_of_text("/a"), &m));
    assert_int_equal(m.route->permission, 2);
    assert_false(router_find(r, "GET", slice_of_text("//"), &m));
}

/* The base64 of an OCSP request in a path has slashes, two in a row and at its end too (RFC 6960 appendix A.1). */
static void a_last_parameter_with_dots_takes_the_rest_of_the_path(void **state)
{
    static const char *const rests[] = {"a", "a/b", "a//b/", "a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s/t", "/"};
    for (size_t i = 0; i < COUNT_OF(rests); i++) {
        char path[128];
        struct route_match m = {0};
        (void)snprintf(path, sizeof path, "/ocsp/issuing/%s", rests[i]);
        assert_true(router_find(*state, "GET", slice_of_text(path), &m));
        assert_non_null(m.route);
        assert_string_equal(m.param_names[1], "request");
        assert_true(slice_equal(m.param_values[0], slice_of_text("issuing")));
        assert_true(slice_equal(m.param_values[1], slice_of_text(rests[i])));
    }
    assert_int_equal(permission_of(state, "GET", "/ocsp/issuing/"), -1);
    assert_int_equal(permission_of(state, "GET", "/ocsp/issuing"), 0);
    assert_int_equal(permission_of(state, "POST", "/ocsp/issuing"), 9);
    assert_int_equal(permission_of(state, "GET", "/v1/projects/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_row_is_found_by_method_and_path, router_up, router_down),
        cmocka_unit_test_setup_teardown(parameters_come_in_the_order_of_the_path, router_up, router_down),
        cmocka_unit_test_setup_teardown(a_literal_goes_before_a_parameter_and_falls_back_to_it, router_up, router_down),
        cmocka_unit_test_setup_teardown(an_unknown_path_is_not_found, router_up, router_down),
        cmocka_unit_test_setup_teardown(a_known_path_with_another_method_tells_the_allowed_ones, router_up,
                                        router_down),
        cmocka_unit_test_setup_teardown(a_last_parameter_with_dots_takes_the_rest_of_the_path, router_up, router_down),
        cmocka_unit_test(a_row_without_permission_is_refused_by_name),
        cmocka_unit_test(malformed_rows_are_refused),
        cmocka_unit_test(the_root_is_a_path_like_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

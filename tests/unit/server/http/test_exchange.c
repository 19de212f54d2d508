/* SPDX-License-Identifier: Apache-2.0 */
/* Requests in memory: parsing, refusals, the shape of every answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/encoding.h"
#include "server/http/http.h"

static int handled;       /* calls of a handler */
static int contexts_left; /* contexts set and not yet cleaned */

static void context_clean(void *context)
{
    (void)context;
    contexts_left--;
}

static status before(void *api, struct request *req, struct response *res, struct error *err)
{
    (void)api, (void)res;
    if (request_route(req)->permission == 9)
        return error_set(err, CODE_NOT_AUTHENTICATED, "who is it");
    contexts_left++;
    request_set_context(req, &contexts_left, context_clean);
    return OK;
}

static status handle_show(void *api, struct request *req, struct response *res, struct error *err)
{
    (void)api, (void)err;
    handled++;
    assert_ptr_equal(request_context(req), &contexts_left);
    struct json_writer *w = response_json(res, 201);
    json_begin_object(w, NULL);
    json_add_text(w, "name", request_param(req, "name"));
    json_add_text(w, "absent", request_param(req, "absent"));
    json_add_text(w, "q", request_query(req, "q"));
    json_add_text(w, "header", request_header(req, "x-thing"));
    json_add_text(w, "address", request_client_address(req));
    json_add_integer(w, "body", (int64_t)request_body(req).len);
    json_end_object(w);
    return OK;
}

static status handle_json(void *api, struct request *req, struct response *res, struct error *err)
{
    (void)api;
    const struct json *v = NULL;
    handled++;
    TRY(request_json(req, &v, err));
    struct json_writer *w = response_json(res, 200);
    json_add_value(w, NULL, v);
    return OK;
}

static status handle_query(void *api, struct request *req, struct response *res, struct error *err)
{
    (void)api, (void)res;
    const char *const known[] = {"limit", "after", NULL};
    TRY(request_query_only(req, known, err));
    response_status(res, 204);
    return OK;
}

static status handle_fail(void *api, struct request *req, struct response *res, struct error *err)
{
    (void)api;
    buf_add_text(response_body(res, "text/plain"), "half an answer");
    response_header(res, "ETag", "\"1\"");
    const char *code = request_param(req, "code");
    enum code c = CODE_INTERNAL;
    (void)code_from_wire(code, &c);
    status s = error_set(err, c, "words for the caller");
    error_detail(err, "words for the log");
    return s;
}

static const struct route routes[] = {
    {"POST", "/show/{name}", 1, handle_show, 16},
    {"GET", "/show/{name}", 1, handle_show, 0},
    {"POST", "/json", 1, handle_json, 0},
    {"GET", "/query", 1, handle_query, 0},
    {"GET", "/fail/{code}", 1, handle_fail, 0},
    {"GET", "/locked", 9, handle_show, 0},
    {NULL, NULL, 0, NULL, 0},
};
static const struct route *const tables[] = {routes, NULL};
static const struct http_config config = {.tables = tables, .before = before, .request_timeout_ms = 10000};

static int setup(void **state)
{
    struct http_exchange *x = calloc(1, sizeof *x);
    handled = contexts_left = 0;
    *state = x;
    return 0;
}

static int teardown(void **state)
{
    struct http_exchange *x = *state;
    buf_clear(&x->response_headers);
    buf_clear(&x->response_body);
    free(x);
    return contexts_left == 0 ? 0 : -1;
}

static int ask(struct http_exchange *x, const char *method, const char *target, const char *const *headers,
               const char *body)
{
    struct error err = {0};
    x->method = method;
    x->target = target;
    x->headers = headers;
    x->body = slice_of_text(body ? body : "");
    assert_int_equal(http_route_in_memory(&config, x, &err).code, CODE_OK);
    return x->status;
}

static void assert_body_has(const struct http_exchange *x, const char *text)
{
    if (!strstr(buf_text(&x->response_body), text))
        fail_msg("%s is not in %s", text, buf_text(&x->response_body));
}

static void assert_header(const struct http_exchange *x, const char *line)
{
    if (!strstr(buf_text(&x->response_headers), line))
        fail_msg("%s is not in %s", line, buf_text(&x->response_headers));
}

static void path_and_query_are_decoded(void **state)
{
    struct http_exchange *x = *state;
    const char *const headers[] = {"X-Thing:  of value", NULL};
    x->address = "192.0.2.7";

    assert_int_equal(ask(x, "GET", "/show/a%3Ab%2fc+d?q=1%202+3&other", headers, NULL), 201);

    assert_string_equal(buf_text(&x->response_body),
                        "{\"name\":\"a:b/c+d\",\"absent\":\"\",\"q\":\"1 2 3\",\"header\":\"of value\","
                        "\"address\":\"192.0.2.7\",\"body\":0}");
}

static void broken_escapes_are_refused(void **state)
{
    static const char *const targets[] = {"/show/%",   "/show/%4",    "/show/%zz",
                                          "/show/%00", "/show/a?q=%", "/show/a?%00=1"};
    for (size_t i = 0; i < COUNT_OF(targets); i++) {
        assert_int_equal(ask(*state, "GET", targets[i], NULL, NULL), 400);
        assert_body_has(*state, "\"code\":\"invalid\"");
    }
    assert_int_equal(handled, 0);
}

static void a_query_parameter_given_twice_is_refused(void **state)
{
    assert_int_equal(ask(*state, "GET", "/show/a?q=1&q=2", NULL, NULL), 400);
    assert_body_has(*state, "query parameter q is there twice");
}

static void too_many_query_parameters_are_refused(void **state)
{
    char target[512] = "/show/a?";
    for (int i = 0; i < 33; i++)
        snprintf(target + strlen(target), 16, "p%d=1&", i);
    assert_int_equal(ask(*state, "GET", target, NULL, NULL), 400);
}

static void an_overlong_target_is_refused(void **state)
{
    static char target[9000];
    memset(target, 'a', sizeof target - 1);
    target[0] = '/';
    assert_int_equal(ask(*state, "GET", target, NULL, NULL), 413);
}

static void too_many_headers_are_refused(void **state)
{
    const char *headers[66];
    for (int i = 0; i < 65; i++)
        headers[i] = "A: b";
    headers[65] = NULL;
    assert_int_equal(ask(*state, "GET", "/show/a", headers, NULL), 400);
    assert_body_has(*state, "more than 64 header fields");
}

static void unknown_query_parameters_are_named(void **state)
{
    assert_int_equal(ask(*state, "GET", "/query?limit=1&after=2", NULL, NULL), 204);
    assert_int_equal(ask(*state, "GET", "/query?limit=1&depth=2", NULL, NULL), 400);
    assert_body_has(*state, "unknown query parameter: depth");
}

static void an_unknown_path_is_404_and_never_authenticated(void **state)
{
    assert_int_equal(ask(*state, "GET", "/nowhere", NULL, NULL), 404);
    assert_body_has(*state, "\"code\":\"not_found\"");
    assert_header(*state, "Content-Type: application/problem+json\n");
}

static void another_method_is_405_with_allow(void **state)
{
    assert_int_equal(ask(*state, "DELETE", "/show/a", NULL, NULL), 405);
    assert_header(*state, "Allow: GET, POST\n");
    assert_body_has(*state, "\"code\":\"method_not_allowed\"");
}

static void a_body_over_the_routes_cap_is_413(void **state)
{
    assert_int_equal(ask(*state, "POST", "/show/a", NULL, "1234567890123456"), 201);
    assert_int_equal(handled, 1);
    assert_int_equal(ask(*state, "POST", "/show/a", NULL, "12345678901234567"), 413);
    assert_int_equal(handled, 1);
}

static void json_needs_its_content_type(void **state)
{
    const char *const form[] = {"Content-Type: application/x-www-form-urlencoded", NULL};
    const char *const longer[] = {"Content-Type: application/jsonx", NULL};
    const char *const json[] = {"content-type: Application/JSON; charset=utf-8", NULL};
    assert_int_equal(ask(*state, "POST", "/json", NULL, "{}"), 415);
    assert_int_equal(ask(*state, "POST", "/json", form, "{}"), 415);
    assert_int_equal(ask(*state, "POST", "/json", longer, "{}"), 415);
    assert_int_equal(ask(*state, "POST", "/json", json, "{\"a\":1}"), 200);
    assert_body_has(*state, "{\"a\":1}");
    assert_header(*state, "Content-Type: application/json\n");
}

static void bad_json_and_an_empty_body_are_400(void **state)
{
    const char *const json[] = {"Content-Type: application/json", NULL};
    assert_int_equal(ask(*state, "POST", "/json", json, ""), 400);
    assert_int_equal(ask(*state, "POST", "/json", json, "{"), 400);
    assert_int_equal(ask(*state, "POST", "/json", json, "{}{}"), 400);
    assert_int_equal(ask(*state, "POST", "/json", json, "[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]"), 400);
}

static void what_before_refuses_reaches_no_handler(void **state)
{
    assert_int_equal(ask(*state, "GET", "/locked", NULL, NULL), 401);
    assert_int_equal(handled, 0);
    assert_header(*state, "WWW-Authenticate: Bearer\n");
}

static void a_failure_replaces_what_the_handler_began(void **state)
{
    struct http_exchange *x = *state;
    assert_int_equal(ask(x, "GET", "/fail/conflict", NULL, NULL), 409);
    assert_body_has(x, "\"title\":\"the object exists or its state forbids this\",\"status\":409,\"code\":\"conflict\","
                       "\"detail\":\"words for the caller\",\"request_id\":\"req_");
    assert_null(strstr(buf_text(&x->response_body), "half"));
    assert_null(strstr(buf_text(&x->response_headers), "ETag"));
}

static void what_is_inside_is_not_told(void **state)
{
    struct http_exchange *x = *state;
    static const char *const codes[] = {"internal", "no_memory", "io", "configuration", "bad_signature", "credential"};
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        char target[64];
        snprintf(target, sizeof target, "/fail/%s", codes[i]);
        assert_int_equal(ask(x, "GET", target, NULL, NULL), 500);
        assert_body_has(x, "\"code\":\"internal\",\"detail\":\"internal error\"");
        assert_null(strstr(buf_text(&x->response_body), "words"));
    }
}

static void busy_answers_tell_when_to_come_back(void **state)
{
    static const char *const codes[] = {"rate_limited", "unavailable", "hsm_unavailable", "audit_unavailable"};
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        char target[64];
        snprintf(target, sizeof target, "/fail/%s", codes[i]);
        (void)ask(*state, "GET", target, NULL, NULL);
        assert_header(*state, "Retry-After: 1\n");
    }
}

static void every_answer_is_marked(void **state)
{
    static const char *const targets[] = {"/show/a", "/nowhere", "/fail/conflict", "/locked", "/query"};
    for (size_t i = 0; i < COUNT_OF(targets); i++) {
        (void)ask(*state, "GET", targets[i], NULL, NULL);
        assert_header(*state, "X-Request-Id: req_");
        assert_header(*state, "Cache-Control: no-store\n");
        assert_header(*state, "X-Content-Type-Options: nosniff\n");
    }
}

static void the_clients_request_id_is_echoed_when_it_is_sound(void **state)
{
    struct http_exchange *x = *state;
    const char *const good[] = {"X-Request-Id: build-17_A", NULL};
    const char *const bad[] = {"X-Request-Id: a b", NULL};
    const char *const longer[] = {"X-Request-Id: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                                  NULL};
    (void)ask(x, "GET", "/nowhere", good, NULL);
    assert_header(x, "X-Request-Id: build-17_A\n");
    assert_body_has(x, "\"request_id\":\"build-17_A\"");
    (void)ask(x, "GET", "/nowhere", bad, NULL);
    assert_header(x, "X-Request-Id: req_");
    (void)ask(x, "GET", "/nowhere", longer, NULL);
    assert_header(x, "X-Request-Id: req_");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(path_and_query_are_decoded),
        T(broken_escapes_are_refused),
        T(a_query_parameter_given_twice_is_refused),
        T(too_many_query_parameters_are_refused),
        T(an_overlong_target_is_refused),
        T(too_many_headers_are_refused),
        T(unknown_query_parameters_are_named),
        T(an_unknown_path_is_404_and_never_authenticated),
        T(another_method_is_405_with_allow),
        T(a_body_over_the_routes_cap_is_413),
        T(json_needs_its_content_type),
        T(bad_json_and_an_empty_body_are_400),
        T(what_before_refuses_reaches_no_handler),
        T(a_failure_replaces_what_the_handler_began),
        T(what_is_inside_is_not_told),
        T(busy_answers_tell_when_to_come_back),
        T(every_answer_is_marked),
        T(the_clients_request_id_is_echoed_when_it_is_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

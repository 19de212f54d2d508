/* SPDX-License-Identifier: Apache-2.0 */
/* How the administrator's page is served: the files that were built in, in memory, without the rest of the server. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/text.h"
#include "server/api/web.h"

static void get(struct http_exchange *e, const char *target, const char *header)
{
    static const struct route *const tables[] = {web_routes, NULL};
    const struct http_config config = {.request_timeout_ms = 60000, .tables = tables};
    const char *const headers[] = {header, NULL};

    *e = (struct http_exchange){.method = "GET", .target = target, .headers = headers, .address = "127.0.0.1"};
    assert_true(is_ok(http_route_in_memory(&config, e, NULL)));
}

static void leave(struct http_exchange *e)
{
    buf_clear(&e->response_headers);
    buf_clear(&e->response_body);
}

static void assert_header(struct http_exchange *e, const char *line)
{
    if (!strstr(buf_text(&e->response_headers), line))
        fail_msg("no \"%s\" in:\n%s", line, buf_text(&e->response_headers));
}

static void assert_no_header(struct http_exchange *e, const char *name)
{
    if (strstr(buf_text(&e->response_headers), name))
        fail_msg("there is \"%s\" in:\n%s", name, buf_text(&e->response_headers));
}

static void assert_body(struct http_exchange *e, struct slice body)
{
    assert_true(slice_equal(buf_slice(&e->response_body), body));
}

static const char *asset_target(size_t i)
{
    static char target[256];
    (void)snprintf(target, sizeof(target), "/assets/%s", web_assets[i].name);
    return target;
}

static void the_root_and_each_address_of_the_page_answer_the_page(void **state)
{
    static const char *const targets[] = {
        "/", "/ui", "/ui/", "/ui/keys", "/ui/keys/", "/ui/keys/demo:rsa?tab=versions", "/ui/a/b/c/d/e"};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(targets); i++) {
        struct http_exchange e;
        get(&e, targets[i], NULL);
        assert_int_equal(e.status, 200);
        assert_header(&e, "Content-Type: text/html; charset=utf-8\n");
        assert_header(&e, "Cache-Control: no-cache\n");
        assert_body(&e, web_assets[0].plain);
        leave(&e);
    }
}

static void the_page_may_run_and_load_only_what_this_server_gives(void **state)
{
    struct http_exchange e;
    (void)state;

    get(&e, "/", NULL);
    assert_header(&e, "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self';");
    assert_header(&e, "frame-ancestors 'none'");
    assert_header(&e, "require-trusted-types-for 'script'");
    assert_header(&e, "Referrer-Policy: no-referrer\n");
    assert_header(&e, "X-Content-Type-Options: nosniff\n");
    assert_no_header(&e, "unsafe");
    leave(&e);
}

static void nothing_in_the_page_stands_inline_or_comes_from_elsewhere(void **state)
{
    struct slice page = web_assets[0].plain;
    (void)state;

    assert_null(memmem(page.data, page.len, "<style", 6));
    assert_null(memmem(page.data, page.len, "style=", 6));
    assert_null(memmem(page.data, page.len, "://", 3));
    assert_non_null(memmem(page.data, page.len, "<script src=\"/assets/", 21));
}

static void an_asset_is_kept_for_ever(void **state)
{
    (void)state;

    assert_true(web_asset_count > 3);
    for (size_t i = 1; i < web_asset_count; i++) {
        struct http_exchange e;
        get(&e, asset_target(i), NULL);
        assert_int_equal(e.status, 200);
        assert_header(&e, "Cache-Control: public, max-age=31536000, immutable\n");
        assert_header(&e, "Vary: Accept-Encoding\n");
        assert_no_header(&e, "Content-Encoding");
        assert_body(&e, web_assets[i].plain);
        leave(&e);
    }
}

static void the_coding_is_one_that_the_browser_takes(void **state)
{
    const struct web_asset *a = &web_assets[1];
    const struct {
        const char *accepted, *coding;
        struct slice body;
    } rows[] = {
        {"Accept-Encoding: gzip, deflate, br, zstd", "Content-Encoding: br\n", a->brotli},
        {"Accept-Encoding: gzip, deflate", "Content-Encoding: gzip\n", a->gzip},
        {"Accept-Encoding: GZIP;q=0.5, br;q=0", "Content-Encoding: gzip\n", a->gzip},
        {"Accept-Encoding: br;q=0.0,gzip;q=0", NULL, a->plain},
        {"Accept-Encoding: brotli, gzipped, identity", NULL, a->plain},
        {"Accept-Encoding: ,,;q=1, ;", NULL, a->plain},
        {"Accept-Encoding:", NULL, a->plain},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct http_exchange e;
        get(&e, asset_target(1), rows[i].accepted);
        if (rows[i].coding)
            assert_header(&e, rows[i].coding);
        else
            assert_no_header(&e, "Content-Encoding");
        assert_body(&e, rows[i].body);
        leave(&e);
    }
}

static void a_file_that_the_browser_has_is_not_sent_again(void **state)
{
    char header[128];
    struct http_exchange e;
    (void)state;

    (void)snprintf(header, sizeof(header), "If-None-Match: \"other\", %s", web_assets[0].etag);
    get(&e, "/", header);
    assert_int_equal(e.status, 304);
    assert_int_equal(e.response_body.len, 0);
    leave(&e);
    get(&e, "/", "If-None-Match: W/\"0123456789abcdef\"");
    assert_int_equal(e.status, 200);
    leave(&e);
}

static void another_name_is_not_found(void **state)
{
    static const char *const targets[] = {
        "/assets/index.html", "/assets/nothing.js", "/assets/..%2fassets.c", "/assets/", "/uikeys", "/nothing"};
    (void)state;

    for (size_t i = 0; i < COUNT_OF(targets); i++) {
        struct http_exchange e;
        get(&e, targets[i], NULL);
        assert_int_equal(e.status, 404);
        leave(&e);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_root_and_each_address_of_the_page_answer_the_page),
        cmocka_unit_test(the_page_may_run_and_load_only_what_this_server_gives),
        cmocka_unit_test(nothing_in_the_page_stands_inline_or_comes_from_elsewhere),
        cmocka_unit_test(an_asset_is_kept_for_ever),
        cmocka_unit_test(the_coding_is_one_that_the_browser_takes),
        cmocka_unit_test(a_file_that_the_browser_has_is_not_sent_again),
        cmocka_unit_test(another_name_is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to a plain server on the loopback that answers as each test wants. */
#include "server/fetch/fetch.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "tests/support/canned_server.h"

struct fixture {
    struct canned_server server;
    char url[64];
    const char *answer; /* "": none */
    struct buf seen;
    struct fetch_request request;
    struct fetch_answer got;
    struct error err;
};

static void answer_canned(void *arg, struct slice request, struct buf *answer)
{
    struct fixture *f = arg;

    buf_reset(&f->seen);
    buf_add(&f->seen, request.data, request.len);
    buf_add_text(answer, f->answer);
}

static int fixture_open(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    assert_true(canned_server_start(&f->server, answer_canned, f));
    snprintf(f->url, sizeof f->url, "http://127.0.0.1:%d/there", f->server.port);
    f->answer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 5\r\n\r\nhello";
    f->request = (struct fetch_request){.method = "GET", .url = f->url, .deadline = deadline_in(10000)};
    *state = f;
    return 0;
}

static int fixture_close(void **state)
{
    struct fixture *f = *state;

    canned_server_stop(&f->server);
    fetch_answer_clear(&f->got);
    buf_clear(&f->seen);
    free(f);
    return 0;
}

static void the_answer_has_status_headers_and_body(void **state)
{
    struct fixture *f = *state;
    char value[64];

    assert_int_equal(fetch(&f->request, &f->got, &f->err).code, CODE_OK);
    assert_int_equal(f->got.status, 200);
    assert_string_equal(buf_text(&f->got.body), "hello");
    assert_true(fetch_answer_header(&f->got, "content-type", value, sizeof value));
    assert_string_equal(value, "text/plain; charset=utf-8");
    assert_true(fetch_answer_is(&f->got, "text/plain"));
    assert_false(fetch_answer_is(&f->got, "text/html"));
    assert_true(fetch_answer_header(&f->got, "Retry-After", value, sizeof value));
    assert_string_equal(value, "");
}

static void a_body_and_headers_are_sent_as_they_are(void **state)
{
    struct fixture *f = *state;
    const char *const headers[] = {"Content-Type: application/x", NULL};

    f->request.method = "POST";
    f->request.headers = headers;
    f->request.body = (struct slice){(const uint8_t *)"a\0b", 3};
    assert_int_equal(fetch(&f->request, &f->got, &f->err).code, CODE_OK);
    assert_int_equal(strncmp(buf_text(&f->seen), "POST /there HTTP/1.1\r\n", 22), 0);
    assert_non_null(strstr(buf_text(&f->seen), "\r\nContent-Type: application/x\r\n"));
    struct slice body = canned_body(buf_slice(&f->seen));
    assert_int_equal(body.len, 3);
    assert_memory_equal(body.data, "a\0b", 3);
}

static void a_user_and_a_password_are_sent_at_once(void **state)
{
    struct fixture *f = *state;

    f->request.username = "est";
    f->request.password = "secret";
    assert_int_equal(fetch(&f->request, &f->got, &f->err).code, CODE_OK);
    assert_non_null(strstr(buf_text(&f->seen), "\r\nAuthorization: Basic ZXN0OnNlY3JldA==\r\n"));
    assert_int_equal(atomic_load(&f->server.requests), 1);
}

static void a_kept_connection_brings_nothing_of_the_request_before(void **state)
{
    struct fixture *f = *state;
    const char *const headers[] = {"X-Once: 1", NULL};

    f->request.connection = fetch_connection_new();
    assert_non_null(f->request.connection);
    f->request.method = "POST";
    f->request.headers = headers;
    f->request.username = "est";
    f->request.password = "secret";
    f->request.body = slice_of_text("body");
    assert_int_equal(fetch(&f->request, &f->got, &f->err).code, CODE_OK);
    f->request.method = "GET";
    f->request.headers = NULL;
    f->request.username = NULL;
    f->request.body = (struct slice){0};
    assert_int_equal(fetch(&f->request, &f->got, &f->err).code, CODE_OK);
    assert_int_equal(strncmp(buf_text(&f->seen), "GET /there HTTP/1.1\r\n", 21), 0);
    assert_null(strstr(buf_text(&f->seen), "X-Once"));
    assert_null(strstr(buf_text(&f->seen), "Authorization"));
    fetch_connection_free(f->request.connection);
}

static void a_request_is_given_up_when_the_server_stops(void **state)
{
    struct fixture *f = *state;
    const atomic_bool is_stopping = true;

    f->answer = "";
    f->request.is_stopping = &is_stopping;
    assert_int_equal(fetch(&f->request, &f->got, &f->err).code, CODE_UNAVAILABLE);
    assert_false(deadline_passed(f->request.deadline));
}

static void retry_after_is_read_as_seconds_or_a_date(void **state)
{
    static const struct {
        const char *header;
        int64_t seconds;
    } rows[] = {
        {"", -1},
        {"Retry-After: 7\n", 7},
        {"retry-after: 0\n", 0},
        {"Retry-After: -5\n", 0},
        {"Retry-After: soon\n", -1},
        {"Retry-After: Thu, 01 Jan 2015 00:00:00 GMT\n", 0},
        {"Retry-After: 99999999999\n", FETCH_RETRY_AFTER_MOST_S},
        {"Retry-After: Fri, 31 Dec 2099 00:00:00 GMT\n", FETCH_RETRY_AFTER_MOST_S},
    };
    (void)state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fetch_answer a = {0};
        buf_add_text(&a.headers, rows[i].header);
        assert_int_equal(fetch_answer_retry_after_s(&a), rows[i].seconds);
        fetch_answer_clear(&a);
    }
}

static void a_redirect_is_an_answer_and_not_followed(void **state)
{
    struct fixture *f = *state;
    char location[64];

    f->answer = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
    assert_int_equal(fetch(&f->request, &f->got, &f->err).code, CODE_OK);
    assert_int_equal(f->got.status, 302);
    assert_true(fetch_answer_header(&f->got, "Location", location, sizeof location));
    assert_string_equal(location, "http://127.0.0.1:1/");
    assert_int_equal(atomic_load(&f->server.requests), 1);
}

static void an_answer_that_is_too_long_is_refused(void **state)
{
    struct fixture *f = *state;

    f->request.answer_max = 4;
    assert_int_equal(fetch(&f->request, &f->got, &f->err).code, CODE_TOO_LARGE);
    f->request.answer_max = 5;
    assert_int_equal(fetch(&f->request, &f->got, &f->err).code, CODE_OK);
}

static void a_server_that_does_not_answer_ends_at_the_deadline(void **state)
{
    struct fixture *f = *state;

    f->answer = "";
    f->request.deadline = deadline_in(150);
    assert_int_equal(fetch(&f->request, &f->got, &f->err).code, CODE_TIMEOUT);
    assert_non_null(strstr(f->err.text, "127.0.0.1"));
}

/* A port that is bound and not listened on. */
static void a_server_that_is_not_there_is_unavailable(void **state)
{
    struct fixture *f = *state;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    char url[64];

    cleanup_fd int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/", ntohs(at.sin_port));
    f->request.url = url;
    assert_int_equal(fetch(&f->request, &f->got, &f->err).code, CODE_UNAVAILABLE);
}

static void an_answer_that_breaks_off_is_unavailable(void **state)
{
    struct fixture *f = *state;

    f->answer = "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello";
    assert_int_equal(fetch(&f->request, &f->got, &f->err).code, CODE_UNAVAILABLE);
}

static void the_environment_does_not_name_a_proxy(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(setenv("http_proxy", "http://127.0.0.1:1", 1), 0);
    assert_int_equal(fetch(&f->request, &f->got, &f->err).code, CODE_OK);
    assert_int_equal(unsetenv("http_proxy"), 0);
}

static void a_url_is_http_with_a_host_and_nothing_secret(void **state)
{
    (void)state;
    static const char *const good[] = {"http://tsa.example/", "https://tsa.example:8443/tsa?x=1", "http://[::1]/"};
    static const char *const bad[] = {"",
                                      "tsa.example",
                                      "ftp://tsa.example/",
                                      "file:///etc/passwd",
                                      "http://",
                                      "http://user:secret@tsa.example/",
                                      "http://tsa.example/a b",
                                      "http://tsa.example/\n",
                                      "http://tsa.example:port/"};

    for (size_t i = 0; i < COUNT_OF(good); i++)
        assert_int_equal(fetch_url_check(good[i], NULL).code, CODE_OK);
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(fetch_url_check(bad[i], NULL).code, CODE_INVALID);
}

#define FIXTURE_TEST(f) cmocka_unit_test_setup_teardown(f, fixture_open, fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(the_answer_has_status_headers_and_body),
        FIXTURE_TEST(a_body_and_headers_are_sent_as_they_are),
        FIXTURE_TEST(a_user_and_a_password_are_sent_at_once),
        FIXTURE_TEST(a_kept_connection_brings_nothing_of_the_request_before),
        FIXTURE_TEST(a_request_is_given_up_when_the_server_stops),
        cmocka_unit_test(retry_after_is_read_as_seconds_or_a_date),
        FIXTURE_TEST(a_redirect_is_an_answer_and_not_followed),
        FIXTURE_TEST(an_answer_that_is_too_long_is_refused),
        FIXTURE_TEST(a_server_that_does_not_answer_ends_at_the_deadline),
        FIXTURE_TEST(a_server_that_is_not_there_is_unavailable),
        FIXTURE_TEST(an_answer_that_breaks_off_is_unavailable),
        FIXTURE_TEST(the_environment_does_not_name_a_proxy),
        cmocka_unit_test(a_url_is_http_with_a_host_and_nothing_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

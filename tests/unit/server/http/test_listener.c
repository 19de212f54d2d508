/* SPDX-License-Identifier: Apache-2.0 */
/* The server on a real socket: TLS, deadlines, refusals, overload, drain. Handlers wait on a gate that the test opens.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "tests/support/https_client.h"
#include "server/http/http.h"

struct fixture {
    struct http_server *server;
    struct http_config config;
    struct buf certificate, key;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool gate_open;
    int waiting; /* handlers at the gate */
    atomic_int handled;
};

static status handle_echo(void *api, struct request *req, struct response *res, struct error *err)
{
    (void)err;
    struct fixture *f = api;
    atomic_fetch_add(&f->handled, 1);
    struct slice body = request_body(req);
    buf_add(response_body(res, "text/plain"), body.data, body.len);
    return OK;
}

static void gate_wait(struct fixture *f)
{
    struct timespec until = deadline_timespec(deadline_in(CLIENT_WAIT_MS));
    pthread_mutex_lock(&f->lock);
    f->waiting++;
    pthread_cond_broadcast(&f->changed);
    while (!f->gate_open && pthread_cond_clockwait(&f->changed, &f->lock, CLOCK_MONOTONIC, &until) == 0)
        ;
    pthread_mutex_unlock(&f->lock);
}

static void gate_open(struct fixture *f)
{
    pthread_mutex_lock(&f->lock);
    f->gate_open = true;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

static void waiting_reaches(struct fixture *f, int count)
{
    struct timespec until = deadline_timespec(deadline_in(CLIENT_WAIT_MS));
    pthread_mutex_lock(&f->lock);
    while (f->waiting < count && pthread_cond_clockwait(&f->changed, &f->lock, CLOCK_MONOTONIC, &until) == 0)
        ;
    assert_true(f->waiting >= count);
    pthread_mutex_unlock(&f->lock);
}

static status handle_gate(void *api, struct request *req, struct response *res, struct error *err)
{
    gate_wait(api);
    return handle_echo(api, req, res, err);
}

static status handle_typed(void *api, struct request *req, struct response *res, struct error *err)
{
    TRY(request_media(req, "application/ocsp-request", err));
    return handle_echo(api, req, res, err);
}

static const struct route routes[] = {
    {"POST", "/echo", 1, handle_echo, 4096},  {"GET", "/echo", 1, handle_echo, 0},
    {"POST", "/big", 1, handle_echo, 200000}, {"GET", "/gate", 1, handle_gate, 0},
    {"POST", "/typed", 1, handle_typed, 64},  {NULL, NULL, 0, NULL, 0},
};
static const struct route *const tables[] = {routes, NULL};

static struct fixture *fixture_new(void)
{
    struct fixture *f = calloc(1, sizeof *f);
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->changed, NULL);
    certificate_make("first", &f->certificate, &f->key);
    f->config = (struct http_config){
        .address = "127.0.0.1",
        .certificate_pem = buf_text(&f->certificate),
        .key_pem = buf_text(&f->key),
        .workers = 2,
        .queue = 8,
        .max_connections = 64,
        .request_timeout_ms = 8000,
        .idle_timeout_ms = 8000,
        .tables = tables,
        .api = f,
    };
    return f;
}

static void fixture_start(struct fixture *f)
{
    struct error err = {0};
    if (!is_ok(http_server_start(&f->config, &f->server, &err)))
        fail_msg("%s", err.text);
}

static int up(void **state)
{
    *state = fixture_new();
    return 0;
}

static int up_plain(void **state)
{
    struct fixture *f = fixture_new();
    f->config.is_plain = true;
    f->config.certificate_pem = f->config.key_pem = NULL;
    *state = f;
    return 0;
}

static int down(void **state)
{
    struct fixture *f = *state;
    gate_open(f);
    bool ended = http_server_stop(f->server, deadline_in(5000));
    buf_clear(&f->certificate);
    buf_clear(&f->key);
    pthread_mutex_destroy(&f->lock);
    pthread_cond_destroy(&f->changed);
    free(f);
    return ended ? 0 : -1;
}

static void open_or_fail(struct fixture *f, struct client *c)
{
    int port = http_server_port(f->server);
    assert_true(f->config.is_plain ? client_open_plain(c, port) : client_open(c, port, TLS1_3_VERSION));
}

static int ask(struct client *c, const char *text, struct answer *a)
{
    assert_true(client_send_text(c, text));
    assert_true(client_read(c, a));
    return a->status;
}

static int ask_status(struct client *c, const char *text)
{
    struct answer a;
    int got = ask(c, text, &a);
    answer_clear(&a);
    return got;
}

static void a_request_is_answered_and_the_connection_kept(void **state)
{
    struct fixture *f = *state;
    struct client c;
    struct answer a;
    fixture_start(f);
    open_or_fail(f, &c);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ask(&c, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", &a), 200);
        assert_string_equal(buf_text(&a.body), "hello");
        assert_non_null(answer_header(&a, "X-Request-Id"));
        assert_string_equal(answer_header(&a, "Cache-Control"), "no-store");
        assert_null(answer_header(&a, "Connection"));
        answer_clear(&a);
    }
    client_close(&c);
}

static void a_body_longer_than_the_librarys_buffer_arrives_whole(void **state)
{
    struct fixture *f = *state;
    struct client c;
    struct answer a;
    static char body[200000];
    char head[128];
    memset(body, 'x', sizeof body);
    body[sizeof body - 1] = 'y';
    fixture_start(f);
    open_or_fail(f, &c);
    snprintf(head, sizeof head, "POST /big HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n", sizeof body);
    assert_true(client_send_text(&c, head));
    assert_true(client_send(&c, body, sizeof body));
    assert_true(client_read(&c, &a));
    assert_int_equal(a.body.len, sizeof body);
    assert_memory_equal(a.body.data, body, sizeof body);
    answer_clear(&a);
    client_close(&c);
}

static void only_tls_1_3_is_spoken(void **state)
{
    struct fixture *f = *state;
    struct client c;
    fixture_start(f);
    assert_false(client_open(&c, http_server_port(f->server), TLS1_2_VERSION));
    client_close(&c);
    assert_true(client_open(&c, http_server_port(f->server), TLS1_3_VERSION));
    client_close(&c);
}

static void refusals_without_a_handler_keep_the_connection(void **state)
{
    struct fixture *f = *state;
    struct client c;
    fixture_start(f);
    open_or_fail(f, &c);
    assert_int_equal(ask_status(&c, "GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n"), 404);
    assert_int_equal(ask_status(&c, "PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}"), 405);
    assert_int_equal(ask_status(&c, "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
    client_close(&c);
}

static void an_announced_oversize_body_is_refused_before_it_is_sent(void **state)
{
    struct fixture *f = *state;
    struct client c;
    struct answer a;
    fixture_start(f);
    open_or_fail(f, &c);
    assert_int_equal(ask(&c, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4097\r\n\r\n", &a), 413);
    assert_string_equal(answer_header(&a, "Content-Type"), "application/problem+json");
    assert_non_null(strstr(buf_text(&a.body), "too_large"));
    answer_clear(&a);
    assert_true(client_sees_end(&c, CLIENT_WAIT_MS));
    assert_int_equal(atomic_load(&f->handled), 0);
    client_close(&c);
}

/* The answer is there and the server is done with the connection; a client that still writes must not meet a reset,
 * which would take the unread answer away. The first write draws the reset, the second one meets it. */
static void a_refused_upload_under_way_can_still_read_its_answer(void **state)
{
    struct fixture *f = *state;
    struct client c;
    struct answer a;
    static char rest[8000];
    memset(rest, 'x', sizeof rest);
    fixture_start(f);
    open_or_fail(f, &c);
    assert_true(client_send_text(&c, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 60000\r\n\r\n"));
    assert_true(client_sees_end(&c, CLIENT_WAIT_MS));
    struct pollfd closed = {.fd = c.fd, .events = POLLRDHUP};
    assert_int_equal(poll(&closed, 1, CLIENT_WAIT_MS), 1);
    assert_true(client_send(&c, rest, sizeof rest));
    assert_true(client_send(&c, rest, sizeof rest));
    assert_true(client_read(&c, &a));
    assert_int_equal(a.status, 413);
    answer_clear(&a);
    client_close(&c);
}

static void a_chunked_body_is_refused_when_it_passes_the_cap(void **state)
{
    struct fixture *f = *state;
    struct client c;
    struct answer a;
    char chunk[1100];
    fixture_start(f);
    open_or_fail(f, &c);
    memset(chunk, 'x', sizeof chunk);
    memcpy(chunk, "400\r\n", 5);
    memcpy(chunk + 5 + 1024, "\r\n", 2);
    assert_true(client_send_text(&c, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"));
    for (int i = 0; i < 5; i++)
        assert_true(client_send(&c, chunk, 5 + 1024 + 2));
    assert_true(client_read(&c, &a));
    assert_int_equal(a.status, 413);
    assert_non_null(strstr(buf_text(&a.body), "too_large"));
    answer_clear(&a);
    assert_true(client_sees_end(&c, CLIENT_WAIT_MS));
    assert_int_equal(atomic_load(&f->handled), 0);
    client_close(&c);
}

static void a_chunked_body_within_the_cap_is_taken(void **state)
{
    struct fixture *f = *state;
    struct client c;
    struct answer a;
    fixture_start(f);
    open_or_fail(f, &c);
    assert_int_equal(
        ask(&c, "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
            &a),
        200);
    assert_string_equal(buf_text(&a.body), "abcde");
    answer_clear(&a);
    client_close(&c);
}

/* Sends one byte about every 50 ms until the server ends it. True when it did within the time. */
static bool drip_until_cut(struct client *c, const char *text)
{
    struct deadline d = deadline_in(CLIENT_WAIT_MS);
    while (!deadline_passed(d)) {
        if (!client_send(c, *text ? text : "x", 1) || client_sees_end(c, 50))
            return true;
        text += *text != '\0';
    }
    return false;
}

static void a_header_dripped_byte_by_byte_is_cut(void **state)
{
    struct fixture *f = *state;
    struct client c;
    f->config.request_timeout_ms = 300;
    fixture_start(f);
    open_or_fail(f, &c);
    assert_true(drip_until_cut(&c, "GET /echo HTTP/1.1\r\nHost: "));
    client_close(&c);
}

static void a_header_dripped_on_a_kept_connection_is_cut(void **state)
{
    struct fixture *f = *state;
    struct client c;
    f->config.request_timeout_ms = 300;
    f->config.idle_timeout_ms = 1000;
    fixture_start(f);
    open_or_fail(f, &c);
    assert_int_equal(ask_status(&c, "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
    assert_true(drip_until_cut(&c, "GET /echo HTTP/1.1\r\nHost: "));
    client_close(&c);
}

static void a_body_dripped_byte_by_byte_is_cut(void **state)
{
    struct fixture *f = *state;
    struct client c;
    f->config.request_timeout_ms = 300;
    fixture_start(f);
    open_or_fail(f, &c);
    assert_true(client_send_text(&c, "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4000\r\n\r\n"));
    assert_true(drip_until_cut(&c, ""));
    assert_int_equal(atomic_load(&f->handled), 0);
    client_close(&c);
}

static void a_connection_that_says_nothing_is_cut(void **state)
{
    struct fixture *f = *state;
    struct client c;
    f->config.request_timeout_ms = 300;
    fixture_start(f);
    open_or_fail(f, &c);
    assert_true(client_sees_end(&c, CLIENT_WAIT_MS));
    client_close(&c);
}

static void a_full_queue_answers_503_at_once(void **state)
{
    struct fixture *f = *state;
    struct client busy[2], queued, refused;
    struct answer a;
    f->config.workers = 2;
    f->config.queue = 1;
    fixture_start(f);
    for (int i = 0; i < 2; i++) {
        open_or_fail(f, &busy[i]);
        assert_true(client_send_text(&busy[i], "GET /gate HTTP/1.1\r\nHost: a\r\n\r\n"));
        waiting_reaches(f, i + 1);
    }
    /* One of these two takes the only place; the other is refused while both workers are held. */
    open_or_fail(f, &queued);
    open_or_fail(f, &refused);
    assert_true(client_send_text(&queued, "GET /gate HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_true(client_send_text(&refused, "GET /gate HTTP/1.1\r\nHost: a\r\n\r\n"));
    struct client *const pair[2] = {&queued, &refused};
    int at = -1;
    struct deadline d = deadline_in(CLIENT_WAIT_MS);
    while (at < 0 && !deadline_passed(d))
        for (int i = 0; i < 2 && at < 0; i++)
            if (client_sees_end(pair[i], 20) || pair[i]->in.len > 0)
                at = i;
    assert_true(at >= 0);
    assert_true(client_read(pair[at], &a));
    assert_int_equal(a.status, 503);
    assert_string_equal(answer_header(&a, "Retry-After"), "1");
    assert_int_equal(atomic_load(&f->handled), 0);
    answer_clear(&a);

    gate_open(f);
    assert_true(client_read(pair[1 - at], &a));
    assert_int_equal(a.status, 200);
    answer_clear(&a);
    for (int i = 0; i < 2; i++) {
        assert_true(client_read(&busy[i], &a));
        assert_int_equal(a.status, 200);
        answer_clear(&a);
        client_close(&busy[i]);
    }
    client_close(&queued);
    client_close(&refused);
}

static void a_request_that_waited_past_its_deadline_is_refused_then_and_not_begun(void **state)
{
    struct fixture *f = *state;
    struct client busy, late;
    struct answer a;
    f->config.workers = 1;
    f->config.request_timeout_ms = 400;
    fixture_start(f);
    open_or_fail(f, &busy);
    assert_true(client_send_text(&busy, "GET /gate HTTP/1.1\r\nHost: a\r\n\r\n"));
    waiting_reaches(f, 1);
    open_or_fail(f, &late);
    assert_true(client_send_text(&late, "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_true(client_read(&late, &a));
    assert_int_equal(a.status, 503);
    answer_clear(&a);
    gate_open(f);
    assert_true(client_read(&busy, &a));
    assert_int_equal(a.status, 200);
    answer_clear(&a);
    assert_int_equal(atomic_load(&f->handled), 1);
    client_close(&busy);
    client_close(&late);
}

static void *stop_in_thread(void *arg)
{
    struct fixture *f = arg;
    return http_server_stop(f->server, deadline_in(8000)) ? NULL : f;
}

static void stopping_finishes_what_is_in_flight_and_accepts_nothing(void **state)
{
    struct fixture *f = *state;
    struct client inside, outside;
    struct answer a;
    pthread_t stopper;
    fixture_start(f);
    int port = http_server_port(f->server);
    open_or_fail(f, &inside);
    assert_true(client_send_text(&inside, "GET /gate HTTP/1.1\r\nHost: a\r\n\r\n"));
    waiting_reaches(f, 1);
    assert_int_equal(pthread_create(&stopper, NULL, stop_in_thread, f), 0);
    struct deadline d = deadline_in(CLIENT_WAIT_MS);
    bool accepted = true;
    while (accepted && !deadline_passed(d)) {
        accepted = client_open_plain(&outside, port);
        client_close(&outside);
    }
    assert_false(accepted);

    gate_open(f);
    assert_true(client_read(&inside, &a));
    assert_int_equal(a.status, 200);
    assert_string_equal(answer_header(&a, "Connection"), "close");
    answer_clear(&a);
    pthread_join(stopper, NULL);
    f->server = NULL;
    client_close(&inside);
}

static void a_kept_connection_is_answered_with_close_while_draining(void **state)
{
    struct fixture *f = *state;
    struct client inside, kept;
    struct answer a;
    pthread_t stopper;
    fixture_start(f);
    open_or_fail(f, &inside);
    open_or_fail(f, &kept);
    assert_int_equal(ask_status(&kept, "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
    assert_true(client_send_text(&inside, "GET /gate HTTP/1.1\r\nHost: a\r\n\r\n"));
    waiting_reaches(f, 1);
    assert_int_equal(pthread_create(&stopper, NULL, stop_in_thread, f), 0);
    const char *connection = NULL;
    struct deadline d = deadline_in(CLIENT_WAIT_MS);
    while (!connection && !deadline_passed(d)) {
        assert_int_equal(ask(&kept, "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n", &a), 200);
        connection = answer_header(&a, "Connection");
        answer_clear(&a);
    }
    assert_string_equal(connection, "close");
    gate_open(f);
    pthread_join(stopper, NULL);
    f->server = NULL;
    client_close(&inside);
    client_close(&kept);
}

static void a_new_certificate_serves_new_connections_and_leaves_the_old_ones(void **state)
{
    struct fixture *f = *state;
    struct client old, fresh;
    struct error err = {0};
    cleanup_buf struct buf certificate = {0};
    cleanup_buf struct buf key = {0};
    char name[64];
    certificate_make("second", &certificate, &key);
    fixture_start(f);
    open_or_fail(f, &old);
    client_peer_name(&old, name);
    assert_string_equal(name, "first");

    assert_true(is_ok(http_server_set_certificate(f->server, buf_text(&certificate), buf_text(&key), &err)));

    open_or_fail(f, &fresh);
    client_peer_name(&fresh, name);
    assert_string_equal(name, "second");
    assert_int_equal(ask_status(&old, "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
    client_close(&old);
    client_close(&fresh);
}

/* Of a connection that has had an answer, so that its ticket was read. */
static SSL_SESSION *session_get(struct fixture *f)
{
    struct client c;
    open_or_fail(f, &c);
    assert_int_equal(ask_status(&c, "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
    SSL_SESSION *session = SSL_SESSION_dup(SSL_get_session(c.ssl));
    client_close(&c);
    assert_int_equal(SSL_SESSION_is_resumable(session), 1);
    return session;
}

static bool is_resumed(struct fixture *f, SSL_SESSION *session)
{
    struct client c;
    assert_true(client_open_again(&c, http_server_port(f->server), TLS1_3_VERSION, session));
    assert_int_equal(ask_status(&c, "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n"), 200);
    bool resumed = SSL_session_reused(c.ssl);
    client_close(&c);
    return resumed;
}

static void a_tls_1_3_session_is_resumed(void **state)
{
    struct fixture *f = *state;
    fixture_start(f);
    SSL_SESSION *session = session_get(f);
    assert_true(is_resumed(f, session));
    SSL_SESSION_free(session);
}

static void a_session_of_before_a_new_certificate_is_not_resumed(void **state)
{
    struct fixture *f = *state;
    struct error err = {0};
    cleanup_buf struct buf certificate = {0};
    cleanup_buf struct buf key = {0};
    certificate_make("second", &certificate, &key);
    fixture_start(f);
    SSL_SESSION *session = session_get(f);

    assert_true(is_ok(http_server_set_certificate(f->server, buf_text(&certificate), buf_text(&key), &err)));

    assert_false(is_resumed(f, session));
    SSL_SESSION_free(session);
}

static void a_key_of_another_certificate_is_refused(void **state)
{
    struct fixture *f = *state;
    struct client c;
    struct error err = {0};
    cleanup_buf struct buf certificate = {0};
    cleanup_buf struct buf key = {0};
    char name[64];
    certificate_make("second", &certificate, &key);
    fixture_start(f);
    assert_int_equal(http_server_set_certificate(f->server, buf_text(&certificate), buf_text(&f->key), &err).code,
                     CODE_CONFIGURATION);
    assert_int_equal(http_server_set_certificate(f->server, "nonsense", buf_text(&key), &err).code, CODE_CONFIGURATION);
    open_or_fail(f, &c);
    client_peer_name(&c, name);
    assert_string_equal(name, "first");
    client_close(&c);
}

static void a_row_without_permission_does_not_start(void **state)
{
    struct fixture *f = *state;
    static const struct route open_rows[] = {{"GET", "/open", 0, handle_echo, 0}, {NULL, NULL, 0, NULL, 0}};
    static const struct route *const open_tables[] = {open_rows, NULL};
    struct error err = {0};
    f->config.tables = open_tables;
    assert_int_equal(http_server_start(&f->config, &f->server, &err).code, CODE_INTERNAL);
    assert_non_null(strstr(err.text, "GET /open"));
    assert_null(f->server);
}

static void a_taken_port_is_named(void **state)
{
    struct fixture *f = *state;
    struct http_server *second = NULL;
    struct error err = {0};
    char port[16];
    fixture_start(f);
    f->config.port = http_server_port(f->server);
    snprintf(port, sizeof port, "port %d", f->config.port);
    assert_int_equal(http_server_start(&f->config, &second, &err).code, CODE_CONFIGURATION);
    assert_non_null(strstr(err.text, port));
}

static void clients_that_leave_early_harm_nobody(void **state)
{
    struct fixture *f = *state;
    struct client c;
    fixture_start(f);
    for (int i = 0; i < 20; i++) {
        open_or_fail(f, &c);
        assert_true(
            client_send_text(&c, i % 2 ? "GET /gate HTTP/1.1\r\nHost: a\r\n\r\n" : "POST /echo HTTP/1.1\r\nHost:"));
        client_close(&c);
    }
    gate_open(f);
    open_or_fail(f, &c);
    int got = 503;
    struct deadline d = deadline_in(CLIENT_WAIT_MS);
    while (got == 503 && !deadline_passed(d))
        got = ask_status(&c, "GET /echo HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(got, 200);
    client_close(&c);
}

static void a_raw_body_needs_its_own_content_type(void **state)
{
    struct fixture *f = *state;
    struct client c;
    fixture_start(f);
    open_or_fail(f, &c);
#define TYPED(type) "POST /typed HTTP/1.1\r\nHost: a\r\n" type "Content-Length: 2\r\n\r\n\x30\x01"
    assert_int_equal(ask_status(&c, TYPED("Content-Type: application/ocsp-request\r\n")), 200);
    assert_int_equal(ask_status(&c, TYPED("Content-Type: Application/OCSP-request ; a=b\r\n")), 200);
    assert_int_equal(ask_status(&c, TYPED("Content-Type: application/ocsp-requests\r\n")), 415);
    assert_int_equal(ask_status(&c, TYPED("Content-Type: application/json\r\n")), 415);
    assert_int_equal(ask_status(&c, TYPED("")), 415);
    client_close(&c);
}

static void a_plain_listener_does_not_speak_tls(void **state)
{
    struct fixture *f = *state;
    struct client c;
    fixture_start(f);
    assert_false(client_open(&c, http_server_port(f->server), 0));
    client_close(&c);
}

int main(void)
{
#define PLAIN(name)                                                                                                    \
    {                                                                                                                  \
        "plain_" #name, name, up_plain, down, NULL                                                                     \
    }
#define T(name) cmocka_unit_test_setup_teardown(name, up, down)
    const struct CMUnitTest tests[] = {
        T(a_request_is_answered_and_the_connection_kept),
        T(a_body_longer_than_the_librarys_buffer_arrives_whole),
        T(only_tls_1_3_is_spoken),
        T(refusals_without_a_handler_keep_the_connection),
        T(an_announced_oversize_body_is_refused_before_it_is_sent),
        T(a_refused_upload_under_way_can_still_read_its_answer),
        T(a_chunked_body_is_refused_when_it_passes_the_cap),
        T(a_chunked_body_within_the_cap_is_taken),
        T(a_header_dripped_byte_by_byte_is_cut),
        T(a_header_dripped_on_a_kept_connection_is_cut),
        T(a_body_dripped_byte_by_byte_is_cut),
        T(a_connection_that_says_nothing_is_cut),
        T(a_full_queue_answers_503_at_once),
        T(a_request_that_waited_past_its_deadline_is_refused_then_and_not_begun),
        T(stopping_finishes_what_is_in_flight_and_accepts_nothing),
        T(a_kept_connection_is_answered_with_close_while_draining),
        T(a_new_certificate_serves_new_connections_and_leaves_the_old_ones),
        T(a_tls_1_3_session_is_resumed),
        T(a_session_of_before_a_new_certificate_is_not_resumed),
        T(a_key_of_another_certificate_is_refused),
        T(a_row_without_permission_does_not_start),
        T(a_taken_port_is_named),
        T(clients_that_leave_early_harm_nobody),
        T(a_raw_body_needs_its_own_content_type),
        PLAIN(a_request_is_answered_and_the_connection_kept),
        PLAIN(a_body_longer_than_the_librarys_buffer_arrives_whole),
        PLAIN(refusals_without_a_handler_keep_the_connection),
        PLAIN(an_announced_oversize_body_is_refused_before_it_is_sent),
        PLAIN(a_refused_upload_under_way_can_still_read_its_answer),
        PLAIN(a_chunked_body_is_refused_when_it_passes_the_cap),
        PLAIN(a_header_dripped_byte_by_byte_is_cut),
        PLAIN(a_body_dripped_byte_by_byte_is_cut),
        PLAIN(a_connection_that_says_nothing_is_cut),
        PLAIN(a_full_queue_answers_503_at_once),
        PLAIN(stopping_finishes_what_is_in_flight_and_accepts_nothing),
        PLAIN(a_raw_body_needs_its_own_content_type),
        PLAIN(a_plain_listener_does_not_speak_tls),
        PLAIN(clients_that_leave_early_harm_nobody),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

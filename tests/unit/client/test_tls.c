/* SPDX-License-Identifier: Apache-2.0 */
/* TLS and the way to the server: resumed sessions, pins, client certificates, a proxy; and that no silence on it
 * outlasts the deadline. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "client/state.h"
#include "fake_chancery.h"
#include "tests/unit/common/expect.h"

static struct chancery c;
static struct client *client;
static struct error err;

/* client.conf with these lines in [server] besides url and ca; no client when the configuration is refused. */
static status client_with(const char *more)
{
    char lines[1024];
    struct client_config *config = NULL;
    (void)snprintf(lines, sizeof(lines), "url = %s\nca = ca.pem\n%s", fake_server_url(c.server), more);
    chancery_configure_server(&c, lines);
    client_free(client);
    client = NULL;
    TRY(client_config_load(c.config, &config, &err));
    return client_new(config, &client, &err);
}

static void start(struct fake_options options)
{
    chancery_start_with(&c, options, NULL);
    client = chancery_client(&c);
    err = (struct error){0};
}

static int set_up(void **state)
{
    (void)state;
    start((struct fake_options){0});
    return 0;
}

static int set_up_asking(void **state)
{
    (void)state;
    start((struct fake_options){.asks_certificate = true});
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    client_free(client);
    client = NULL;
    chancery_stop(&c);
    return 0;
}

static status sign(void)
{
    return chancery_sign(client, 10000, &err);
}

static void assert_says(const char *what)
{
    if (!strstr(err.text, what))
        fail_msg("'%s' does not say '%s'", err.text, what);
}

/* ---- sessions */

static void a_second_connection_resumes_the_session_of_the_first(void **state)
{
    (void)state;
    assert_ok(sign());
    assert_int_equal(fake_server_resumed(c.server), 0);
    fake_server_hang_up(c.server);

    assert_ok(sign());

    assert_int_equal(fake_server_handshakes(c.server), 2);
    assert_int_equal(fake_server_resumed(c.server), 1);
}

static void *sign_thread(void *user)
{
    struct error mine = {0};
    for (int i = 0; i < 10; i++)
        if (!is_ok(chancery_sign(client, 20000, &mine)))
            atomic_fetch_add((atomic_int *)user, 1);
    return NULL;
}

static void i10_threads_share_sessions_without_waiting_for_each_other(void **state)
{
    (void)state;
    enum { THREADS = 6 };
    pthread_t threads[THREADS];
    atomic_int failures = 0;
    assert_ok(sign());
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, sign_thread, &failures), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(failures, 0);
    /* OpenSSL uses a ticket once; who comes before the next one has arrived makes a full handshake. */
    assert_true(fake_server_handshakes(c.server) == 1 || fake_server_resumed(c.server) >= 1);
}

static void another_client_resumes_nothing(void **state)
{
    (void)state;
    assert_ok(sign());
    client_free(client);
    client = chancery_client(&c);
    assert_ok(sign());
    assert_int_equal(fake_server_resumed(c.server), 0);
}

/* ---- pins */

static const char wrong_pin[] = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

static void the_pinned_key_is_accepted_also_beside_others(void **state)
{
    (void)state;
    char pin[64], line[200];
    fake_server_pin(c.server, pin);
    (void)snprintf(line, sizeof(line), "pin = %s;%s\n", wrong_pin, pin);
    assert_ok(client_with(line));
    assert_ok(sign());
    fake_server_hang_up(c.server);
    assert_ok(sign()); /* in a resumed session too */
    assert_int_equal(fake_server_resumed(c.server), 1);
}

static void another_key_than_the_pinned_one_is_refused_without_a_request(void **state)
{
    (void)state;
    char line[200];
    (void)snprintf(line, sizeof(line), "pin = %s\n", wrong_pin);
    assert_ok(client_with(line));

    assert_code(sign(), CODE_CONFIGURATION);

    assert_says("correct [server] pin");
    assert_says(fake_server_url(c.server));
    assert_int_equal(fake_server_count(c.server, "POST", "/"), 0);
    assert_true(fake_server_connections(c.server) <= 2);
}

static void a_pin_does_not_replace_the_root(void **state)
{
    (void)state;
    struct chancery other;
    char pin[64], line[200], path[192];
    chancery_start(&other);
    chancery_path(&c, "ca.pem", path);
    file_put(path, fake_server_ca(other.server), 0644);
    fake_server_pin(c.server, pin);
    (void)snprintf(line, sizeof(line), "pin = %s\n", pin);
    assert_ok(client_with(line));
    assert_code(sign(), CODE_CONFIGURATION);
    chancery_stop(&other);
}

/* ---- client certificates */

static void bio_put(BIO *bio, const char *name, int mode)
{
    char path[192], zero = 0, *text = NULL;
    must(BIO_write(bio, &zero, 1) == 1);
    BIO_get_mem_data(bio, &text);
    chancery_path(&c, name, path);
    file_put(path, text, mode);
    BIO_free(bio);
}

/* A self-signed certificate and its key. */
static void pair_put(const char *name, const char *certificate, const char *key, int mode)
{
    EVP_PKEY *pair = EVP_EC_gen("P-256");
    X509 *made = X509_new();
    BIO *certificate_pem = BIO_new(BIO_s_mem());
    BIO *key_pem = BIO_new(BIO_s_mem());
    X509_set_version(made, X509_VERSION_3);
    X509_gmtime_adj(X509_getm_notBefore(made), -60);
    X509_gmtime_adj(X509_getm_notAfter(made), 3600);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(made), "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(made, X509_get_subject_name(made));
    X509_set_pubkey(made, pair);
    X509_sign(made, pair, EVP_sha256());
    PEM_write_bio_X509(certificate_pem, made);
    PEM_write_bio_PrivateKey(key_pem, pair, NULL, NULL, 0, NULL, NULL);
    bio_put(certificate_pem, certificate, 0644);
    bio_put(key_pem, key, mode);
    X509_free(made);
    EVP_PKEY_free(pair);
}

#define PAIR "client_certificate = client.pem\nclient_key = client.key\n"

static void the_client_certificate_is_shown(void **state)
{
    (void)state;
    pair_put("build machine", "client.pem", "client.key", 0600);
    assert_ok(client_with(PAIR));
    assert_ok(sign());
    assert_string_equal(fake_server_request(c.server, "/signatures", 0)->client_name, "build machine");
}

static void without_one_the_text_says_what_to_configure(void **state)
{
    (void)state;
    assert_code(sign(), CODE_CONFIGURATION);
    assert_says("[server] client_certificate");
}

static void i8_a_client_key_that_others_can_read_is_refused(void **state)
{
    (void)state;
    pair_put("x", "client.pem", "client.key", 0640);
    assert_code(client_with(PAIR), CODE_CONFIGURATION);
    assert_says("client.key");
}

static void a_client_certificate_that_others_can_write_is_refused(void **state)
{
    (void)state;
    char path[192];
    pair_put("x", "client.pem", "client.key", 0600);
    chancery_path(&c, "client.pem", path);
    assert_int_equal(chmod(path, 0646), 0);
    assert_code(client_with(PAIR), CODE_CONFIGURATION);
    assert_says("client.pem");
}

static void a_client_key_of_another_certificate_is_refused(void **state)
{
    (void)state;
    pair_put("x", "client.pem", "client.key", 0600);
    pair_put("y", "other.pem", "client.key", 0600);
    assert_code(client_with(PAIR), CODE_CONFIGURATION);
    assert_says("not that of client_certificate");
}

static void an_encrypted_client_key_is_refused_and_no_terminal_asked(void **state)
{
    (void)state;
    char path[192];
    cleanup_buf struct buf pem = {0};
    pair_put("x", "client.pem", "client.key", 0600);
    chancery_path(&c, "client.key", path);
    (void)unlink(path);
    assert_ok(client_enroll(path, slice_of_text("open sesame"), &pem, &err));
    assert_code(client_with(PAIR), CODE_CONFIGURATION);
    assert_says("must not be encrypted");
}

/* ---- a proxy: CONNECT, then bytes both ways */

struct proxy {
    int fd, port;
    pthread_t thread;
    atomic_int tunnels;
    const char *wants; /* the Proxy-Authorization, or NULL */
    char head[4096];   /* of the last request */
};

static void pump(int one, int other)
{
    struct pollfd fds[2] = {{.fd = one, .events = POLLIN}, {.fd = other, .events = POLLIN}};
    char piece[4096];
    while (poll(fds, 2, 30000) > 0) {
        for (int i = 0; i < 2; i++) {
            if (!fds[i].revents)
                continue;
            ssize_t n = read(fds[i].fd, piece, sizeof(piece));
            if (n <= 0 || write(fds[1 - i].fd, piece, (size_t)n) != n)
                return;
        }
    }
}

static int dial(int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0);
    return fd;
}

static void tunnel(struct proxy *p, int from)
{
    static const char refusal[] =
        "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n";
    static const char agreed[] = "HTTP/1.1 200 Yes\r\nX-Request-Id: proxys\r\n\r\n";
    size_t len = 0;
    while (len < sizeof(p->head) - 1 && (len < 4 || memcmp(p->head + len - 4, "\r\n\r\n", 4) != 0))
        if (read(from, p->head + len, 1) == 1)
            len++;
        else
            return;
    p->head[len] = '\0';
    int port = 0;
    bool allowed = !p->wants || strstr(p->head, p->wants);
    must(sscanf(p->head, "CONNECT 127.0.0.1:%d HTTP/1.1", &port) == 1);
    const char *answer = allowed ? agreed : refusal;
    must(write(from, answer, strlen(answer)) == (ssize_t)strlen(answer));
    if (!allowed)
        return;
    atomic_fetch_add(&p->tunnels, 1);
    int to = dial(port);
    pump(from, to);
    close(to);
}

/* One tunnel after the other is enough here. */
static void *proxy_run(void *user)
{
    struct proxy *p = user;
    for (;;) {
        int from = accept4(p->fd, NULL, NULL, SOCK_CLOEXEC);
        if (from < 0)
            return NULL;
        tunnel(p, from);
        close(from);
    }
}

static void proxy_start(struct proxy *p, const char *wants)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof(at);
    *p = (struct proxy){.wants = wants, .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    must(bind(p->fd, (struct sockaddr *)&at, len) == 0 && listen(p->fd, 8) == 0);
    must(getsockname(p->fd, (struct sockaddr *)&at, &len) == 0);
    p->port = ntohs(at.sin_port);
    must(pthread_create(&p->thread, NULL, proxy_run, p) == 0);
}

/* The client goes first, so that the tunnel under way ends. */
static void proxy_stop(struct proxy *p)
{
    client_free(client);
    client = NULL;
    shutdown(p->fd, SHUT_RDWR);
    pthread_join(p->thread, NULL);
    close(p->fd);
}

static status client_through(const struct proxy *p, const char *more)
{
    char lines[200];
    (void)snprintf(lines, sizeof(lines), "proxy = http://127.0.0.1:%d\n%s", p->port, more);
    return client_with(lines);
}

static void i8_a_configured_proxy_is_used_and_sees_no_secret_of_the_servers(void **state)
{
    (void)state;
    struct proxy p;
    proxy_start(&p, NULL);
    setenv("no_proxy", "*", 1); /* of the host; it does not count */
    assert_ok(client_through(&p, ""));
    status signed_ = sign();
    fake_server_hang_up(c.server); /* the next tunnel is opened for a request with a bearer */
    if (is_ok(signed_))
        signed_ = sign();
    unsetenv("no_proxy");
    proxy_stop(&p);
    assert_ok(signed_);
    assert_int_equal(p.tunnels, 2);
    assert_null(strstr(p.head, "Authorization"));
    assert_null(strstr(p.head, "Idempotency"));
    assert_int_equal(fake_server_count(c.server, "POST", "/signatures"), 2);
}

static void proxy_credentials_come_from_a_private_file(void **state)
{
    (void)state;
    struct proxy p;
    char path[192];
    chancery_path(&c, "proxy.secret", path);
    file_put(path, "me:secret:1\n", 0600);
    proxy_start(&p, "Proxy-Authorization: Basic bWU6c2VjcmV0OjE=\r\n");
    assert_ok(client_through(&p, "proxy_credentials = proxy.secret\n"));
    status signed_ = sign();
    proxy_stop(&p);
    assert_ok(signed_);
    assert_null(strstr(p.head, "Bearer"));

    file_put(path, "me:secret:1\n", 0644);
    assert_code(client_through(&p, "proxy_credentials = proxy.secret\n"), CODE_CONFIGURATION);
    assert_says("proxy.secret");
    file_put(path, "nocolon\n", 0600);
    assert_code(client_through(&p, "proxy_credentials = proxy.secret\n"), CODE_CONFIGURATION);
    assert_says("user:password");
}

static void a_proxy_that_wants_credentials_is_told_with_the_key_to_set(void **state)
{
    (void)state;
    struct proxy p;
    proxy_start(&p, "Proxy-Authorization: never");
    assert_ok(client_through(&p, ""));
    status signed_ = sign();
    proxy_stop(&p);
    assert_code(signed_, CODE_CONFIGURATION);
    assert_says("[server] proxy_credentials");
}

static void a_proxy_that_is_away_is_told_within_the_deadline(void **state)
{
    (void)state;
    assert_ok(client_with("proxy = http://127.0.0.1:1\n"));
    assert_int_not_equal(chancery_sign(client, 1000, &err).code, CODE_OK);
    assert_int_equal(fake_server_connections(c.server), 0);
}

/* ---- deadlines */

static void i9_a_body_that_trickles_ends_at_the_deadline(void **state)
{
    (void)state;
    c.other_action = FAKE_TRICKLE;
    cleanup_buf struct buf body = {0};
    for (int i = 0; i < 2000; i++)
        buf_add_byte(&body, ' ');
    c.other_answer = buf_text(&body);
    int64_t begin = clock_monotonic_ms();

    assert_code(client_request(client, "GET", "/v1/whoami", NULL, deadline_in(600), NULL, &err), CODE_TIMEOUT);

    assert_true(clock_monotonic_ms() - begin < 20000);
}

static void i9_a_stalled_handshake_ends_at_the_deadline(void **state)
{
    (void)state;
    fake_server_stall_handshakes(c.server, true);
    int64_t begin = clock_monotonic_ms();
    assert_code(client_request(client, "GET", "/v1/whoami", NULL, deadline_in(500), NULL, &err), CODE_TIMEOUT);
    assert_true(clock_monotonic_ms() - begin < 20000);
}

/* libcurl's look-ups come here: the name server of "silent.test" says nothing until the test ends. */
static atomic_bool name_server_silent;
static atomic_int look_ups;

__attribute__((visibility("default"))) int getaddrinfo(const char *restrict node, const char *restrict service,
                                                       const struct addrinfo *restrict hints,
                                                       struct addrinfo **restrict res)
{
    (void)service, (void)hints, (void)res;
    if (node && strcmp(node, "silent.test") == 0) {
        atomic_fetch_add(&look_ups, 1);
        for (int i = 0; i < 30000 && atomic_load(&name_server_silent); i++)
            usleep(1000);
        atomic_fetch_sub(&look_ups, 1);
    }
    return EAI_FAIL;
}

static void i9_a_silent_name_server_ends_the_call_at_the_deadline(void **state)
{
    (void)state;
    atomic_store(&name_server_silent, true);
    client_free(client);
    chancery_configure_server(&c, "url = https://silent.test:8443\nca = ca.pem");
    client = chancery_client(&c);
    int64_t begin = clock_monotonic_ms();

    status asked = client_request(client, "GET", "/v1/whoami", NULL, deadline_in(500), NULL, &err);

    int64_t took = clock_monotonic_ms() - begin;
    assert_int_equal(look_ups, 1); /* still waiting */
    client_free(client);
    client = NULL;
    assert_int_equal(look_ups, 1);
    atomic_store(&name_server_silent, false);
    assert_code(asked, CODE_TIMEOUT);
    assert_true(took < 20000);
    for (int i = 0; i < 10000 && atomic_load(&look_ups) > 0; i++)
        usleep(1000);
    assert_int_equal(look_ups, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define TEST_ASKING(name) cmocka_unit_test_setup_teardown(name, set_up_asking, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_second_connection_resumes_the_session_of_the_first),
        TEST(i10_threads_share_sessions_without_waiting_for_each_other),
        TEST(another_client_resumes_nothing),
        TEST(the_pinned_key_is_accepted_also_beside_others),
        TEST(another_key_than_the_pinned_one_is_refused_without_a_request),
        TEST(a_pin_does_not_replace_the_root),
        TEST_ASKING(the_client_certificate_is_shown),
        TEST_ASKING(without_one_the_text_says_what_to_configure),
        TEST_ASKING(i8_a_client_key_that_others_can_read_is_refused),
        TEST_ASKING(a_client_certificate_that_others_can_write_is_refused),
        TEST_ASKING(a_client_key_of_another_certificate_is_refused),
        TEST_ASKING(an_encrypted_client_key_is_refused_and_no_terminal_asked),
        TEST(i8_a_configured_proxy_is_used_and_sees_no_secret_of_the_servers),
        TEST(proxy_credentials_come_from_a_private_file),
        TEST(a_proxy_that_wants_credentials_is_told_with_the_key_to_set),
        TEST(a_proxy_that_is_away_is_told_within_the_deadline),
        TEST(i9_a_body_that_trickles_ends_at_the_deadline),
        TEST(i9_a_stalled_handshake_ends_at_the_deadline),
        TEST(i9_a_silent_name_server_ends_the_call_at_the_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Several servers of one store behind one client: which is asked, when the next one is, and what is said at the end. */
#include <openssl/evp.h>
#include <stdio.h>

#include "client/breaker.h"
#include "client/state.h"
#include "common/encoding.h"
#include "fake_chancery.h"
#include "tests/unit/common/expect.h"

enum { SHORT_MS = 2000, LONG_MS = 20000 };

static struct chancery a, b;
static struct client *client;
static struct error err;

/* A client of both, a first; the second server holds the first one's key, as one store does. */
static void client_of_both(const char *more)
{
    char lines[512], path[192];
    struct buf roots = {0};
    buf_printf(&roots, "%s%s", fake_server_ca(a.server), fake_server_ca(b.server));
    chancery_path(&a, "ca.pem", path);
    file_put(path, buf_text(&roots), 0644);
    buf_clear(&roots);
    (void)snprintf(lines, sizeof(lines), "servers = %s, %s\nca = ca.pem\ntimeout_ms = 10000\n%s",
                   fake_server_url(a.server), fake_server_url(b.server), more);
    chancery_configure_server(&a, lines);
    client_free(client);
    client = chancery_client(&a);
}

static int set_up(void **state)
{
    (void)state;
    chancery_start(&a);
    chancery_start(&b);
    EVP_PKEY_free(b.key);
    b.key = a.key;
    EVP_PKEY_up_ref(b.key);
    client_of_both("");
    err = (struct error){0};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    client_free(client);
    client = NULL;
    chancery_stop(&a);
    chancery_stop(&b);
    return 0;
}

static int signatures(struct chancery *c)
{
    return fake_server_count(c->server, "POST", "/signatures");
}

static int requests(struct chancery *c)
{
    return fake_server_count(c->server, "POST", "/") + fake_server_count(c->server, "GET", "/");
}

static void a_stop(void)
{
    static struct fake_server *gone;
    gone = a.server;
    fake_server_stop(gone);
    a.server = NULL;
}

static void sign(void)
{
    if (!is_ok(chancery_sign(client, LONG_MS, &err)))
        fail_msg("%s", err.text);
}

static struct breaker breaker_failed_once(int64_t now_ms)
{
    struct breaker made = {0};
    breaker_fail(&made, now_ms, 0);
    return made;
}

static void the_first_server_is_asked_while_it_answers(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        sign();

    assert_int_equal(signatures(&a), 3);
    assert_int_equal(requests(&b), 0);
}

static void a_refused_port_moves_the_call_to_the_next_server(void **state)
{
    (void)state;
    a_stop();

    sign();

    assert_int_equal(signatures(&b), 1);
}

static void a_stalled_handshake_moves_on_after_the_connect_timeout(void **state)
{
    (void)state;
    client_of_both("connect_timeout_ms = 300\n");
    fake_server_stall_handshakes(a.server, true);
    int64_t begin = clock_monotonic_ms();

    assert_ok(client_request(client, "GET", "/v1/whoami", NULL, deadline_in(120000), NULL, &err));

    assert_true(clock_monotonic_ms() - begin < 50000); /* a fair share would be 60 s */
    sign();
    assert_int_equal(signatures(&b), 1);
    assert_int_equal(requests(&a), 0);
}

static void an_answer_that_does_not_come_takes_only_a_fair_share_of_the_time(void **state)
{
    (void)state;
    sign();
    atomic_store(&a.stall_signatures, ALWAYS);

    assert_ok(chancery_sign(client, 4000, &err));

    assert_int_equal(signatures(&a), 2);
    assert_int_equal(signatures(&b), 1);
}

static void a_server_that_is_busy_moves_the_call_on_at_once(void **state)
{
    static const int statuses[] = {429, 502, 503, 504};
    (void)state;
    a.busy_headers = "Retry-After: 3600\r\n";
    for (size_t i = 0; i < COUNT_OF(statuses); i++) {
        a.busy_status = statuses[i];
        atomic_store(&a.busy_signatures, ALWAYS);
        client_of_both("");
        int before = signatures(&b);
        sign();
        assert_int_equal(signatures(&b), before + 1);
    }
}

static void without_a_retry_after_a_busy_server_moves_the_call_on_as_well(void **state)
{
    (void)state;
    atomic_store(&a.busy_signatures, ALWAYS);
    sign();
    assert_int_equal(signatures(&a), 1);
    assert_int_equal(signatures(&b), 1);

    a.busy_status = 429;
    client_of_both("");
    sign();
    assert_int_equal(signatures(&b), 2);
}

static void a_refusal_is_an_answer_and_goes_nowhere_else(void **state)
{
    (void)state;
    struct client_key gone = {.id = "key_gone", .type = KEY_TYPE_P256};
    static const uint8_t digest[32] = {1};
    const struct sign_input in = {.mechanism = MECHANISM_ECDSA, .hash = HASH_SHA256, .digest = {digest, 32}};
    cleanup_buf struct buf signature = {0};

    assert_code(client_sign(client, &gone, &in, deadline_in(LONG_MS), &signature, &err), CODE_KEY_DISABLED);

    assert_int_equal(requests(&b), 0);
    assert_non_null(strstr(err.text, fake_server_url(a.server)));
}

static void i6_an_answer_that_breaks_off_is_fetched_elsewhere_under_the_same_idempotency_key(void **state)
{
    (void)state;
    sign();
    atomic_store(&a.half_signatures, ALWAYS);

    sign();

    const struct fake_request *first = fake_server_request(a.server, "/signatures", 1);
    const struct fake_request *second = fake_server_request(b.server, "/signatures", 0);
    assert_non_null(first);
    assert_non_null(second);
    assert_int_equal(strlen(first->idempotency_key), 36);
    assert_string_equal(first->idempotency_key, second->idempotency_key);
    assert_string_equal(buf_text(&first->body), buf_text(&second->body));
    /* and the access token of the one is good at the other */
    assert_string_equal(first->authorization, second->authorization);
    assert_int_equal(fake_server_count(b.server, "POST", "/v1/oauth/token"), 0);
}

static void calls_stay_with_the_server_that_answered(void **state)
{
    (void)state;
    atomic_store(&a.drop_signatures, 2);
    sign();
    int asked_a = requests(&a);

    for (int i = 0; i < 3; i++)
        sign();

    assert_int_equal(signatures(&b), 4);
    assert_int_equal(fake_server_connections(b.server), 1);
    assert_int_equal(requests(&a), asked_a);
}

/* Breaks both in turn: a is down, b is answering; then b goes, and a is back. */
static void a_server_that_came_back_is_found_when_the_other_goes(void **state)
{
    (void)state;
    atomic_store(&a.drop_signatures, 2);
    sign();
    atomic_store(&a.drop_signatures, 0);
    atomic_store(&b.drop_signatures, ALWAYS);

    sign();

    assert_true(signatures(&a) >= 2);
}

/* The claims of the assertion that came to this server name its own token URL. */
static void assert_audience(struct fake_server *s)
{
    char expected[128];
    cleanup_buf struct buf claims = {0};
    const struct fake_request *r = fake_server_request(s, "/v1/oauth/token", 0);
    assert_non_null(r);
    const char *from = strchr(strstr(buf_text(&r->body), "assertion="), '.') + 1;
    assert_ok(base64url_decode(from, strcspn(from, "."), &claims, &err));
    (void)snprintf(expected, sizeof(expected), "\"aud\":\"%s/v1/oauth/token\"", fake_server_url(s));
    assert_non_null(strstr(buf_text(&claims), expected));
}

static void the_assertion_is_made_out_to_the_server_that_is_asked(void **state)
{
    (void)state;
    atomic_store(&a.drop_tokens, ALWAYS);

    sign();

    assert_audience(a.server);
    assert_audience(b.server);
}

static void all_servers_down_is_told_within_the_deadline_naming_each(void **state)
{
    (void)state;
    char url_a[64];
    sign();
    (void)snprintf(url_a, sizeof(url_a), "%s", fake_server_url(a.server));
    a_stop();
    atomic_store(&b.busy_signatures, ALWAYS);
    int64_t begin = clock_monotonic_ms();

    assert_int_not_equal(chancery_sign(client, SHORT_MS, &err).code, CODE_OK);

    assert_true(clock_monotonic_ms() - begin < LONG_MS);
    assert_non_null(strstr(err.text, url_a));
    assert_non_null(strstr(err.text, "the HSM is away (request req_1, HTTP 503"));
    assert_non_null(strstr(err.text, fake_server_url(b.server)));
}

static void when_all_ask_to_wait_longer_than_the_deadline_the_call_ends_at_once(void **state)
{
    (void)state;
    sign();
    a.busy_headers = b.busy_headers = "Retry-After: 600\r\n";
    atomic_store(&a.busy_signatures, ALWAYS);
    atomic_store(&b.busy_signatures, ALWAYS);

    assert_code(chancery_sign(client, 60000, &err), CODE_HSM_UNAVAILABLE);

    assert_int_equal(signatures(&a), 2);
    assert_int_equal(signatures(&b), 1);
    /* the next call is refused only after a real attempt */
    assert_code(chancery_sign(client, 60000, &err), CODE_HSM_UNAVAILABLE);
    assert_int_equal(signatures(&a) + signatures(&b), 5);
}

static void a_retry_after_holds_for_the_server_that_sent_it(void **state)
{
    (void)state;
    sign();
    a.busy_headers = "Retry-After: 600\r\n";
    atomic_store(&a.busy_signatures, ALWAYS);
    b.busy_headers = "Retry-After: 1\r\n";
    atomic_store(&b.busy_signatures, 1);
    int64_t begin = clock_monotonic_ms();

    sign();

    assert_true(clock_monotonic_ms() - begin >= 1000);
    assert_int_equal(signatures(&a), 2);
    assert_int_equal(signatures(&b), 2);
}

static void what_changes_something_reaches_one_server_once(void **state)
{
    (void)state;
    cleanup_buf struct buf body = {0};
    buf_add_text(&body, "{}");
    sign();
    a.other_action = FAKE_DROP;

    assert_code(client_request(client, "POST", "/v1/projects", &body, deadline_in(LONG_MS), NULL, &err),
                CODE_UNAVAILABLE);

    assert_int_equal(fake_server_count(a.server, "POST", "/v1/projects"), 1);
    assert_int_equal(fake_server_count(b.server, "POST", "/v1/projects"), 0);
}

static void what_changes_something_moves_on_from_a_server_it_did_not_reach(void **state)
{
    (void)state;
    cleanup_buf struct buf body = {0};
    buf_add_text(&body, "{}");
    a_stop();

    assert_ok(client_request(client, "POST", "/v1/projects", &body, deadline_in(LONG_MS), NULL, &err));

    assert_int_equal(fake_server_count(b.server, "POST", "/v1/projects"), 1);
}

/* ---- the breaker */

static void the_pause_grows_from_a_second_to_thirty(void **state)
{
    (void)state;
    static const int64_t pauses[] = {1000, 2000, 4000, 8000, 16000, 30000, 30000};
    struct breaker made = {0};
    int64_t now = 1000000;
    for (size_t i = 0; i < COUNT_OF(pauses); i++) {
        breaker_fail(&made, now, 0);
        assert_int_equal(breaker_state(&made, now + pauses[i] - 1), BREAKER_OPEN);
        now += pauses[i];
        assert_int_equal(breaker_state(&made, now), BREAKER_HALF_OPEN);
    }
    breaker_succeed(&made);
    assert_int_equal(breaker_state(&made, now), BREAKER_CLOSED);
}

static void failures_of_calls_that_were_under_way_do_not_lengthen_the_pause(void **state)
{
    (void)state;
    struct breaker made = breaker_failed_once(1000000);
    for (int i = 0; i < 20; i++)
        breaker_fail(&made, 1000000 + i, 0);
    assert_int_equal(breaker_state(&made, 1001000), BREAKER_HALF_OPEN);
}

static void only_one_caller_probes(void **state)
{
    (void)state;
    struct breaker made = breaker_failed_once(1000000);
    breaker_probe(&made, 1009000);
    assert_int_equal(breaker_state(&made, 1002000), BREAKER_OPEN);
    /* one that never reports does not keep the server closed for ever */
    assert_int_equal(breaker_state(&made, 1009000), BREAKER_HALF_OPEN);
}

static void the_server_may_ask_for_a_longer_pause(void **state)
{
    (void)state;
    struct breaker made = {0};
    breaker_fail(&made, 1000000, 60000);
    assert_int_equal(breaker_state(&made, 1059999), BREAKER_OPEN);
    assert_int_equal(breaker_state(&made, 1060000), BREAKER_HALF_OPEN);
}

static void the_choice_is_closed_then_half_open_then_longest_ago(void **state)
{
    (void)state;
    struct servers *s = client->servers;
    assert_int_equal(servers_pick(s, 0, INT64_MAX), 0);
    servers_note(s, 0, SERVERS_BAD, 0);
    assert_int_equal(servers_pick(s, 0, INT64_MAX), 1);
    servers_note(s, 1, SERVERS_BAD, 0);
    /* all are open: the first failed longer ago */
    usleep(5000);
    assert_int_equal(servers_pick(s, 0, 0), 0);
    servers_note(s, 0, SERVERS_BAD, 0);
    assert_int_equal(servers_pick(s, 0, 0), 1);
    servers_note(s, 1, SERVERS_BAD, 60000);
    /* the first one's pause ends, the second one's does not: one caller gets the first, the next the second */
    usleep(1100 * 1000);
    assert_int_equal(servers_pick(s, 0, INT64_MAX), 0);
    servers_note(s, 0, SERVERS_GOOD, 0);
    assert_int_equal(servers_pick(s, 0, INT64_MAX), 0);
    assert_int_equal(servers_pick(s, 1, INT64_MAX), 1);
    /* both are closed: the one that answered last */
    servers_note(s, 1, SERVERS_GOOD, 0);
    assert_int_equal(servers_pick(s, 0, INT64_MAX), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_server_is_asked_while_it_answers),
        TEST(a_refused_port_moves_the_call_to_the_next_server),
        TEST(a_stalled_handshake_moves_on_after_the_connect_timeout),
        TEST(an_answer_that_does_not_come_takes_only_a_fair_share_of_the_time),
        TEST(a_server_that_is_busy_moves_the_call_on_at_once),
        TEST(without_a_retry_after_a_busy_server_moves_the_call_on_as_well),
        TEST(a_refusal_is_an_answer_and_goes_nowhere_else),
        TEST(i6_an_answer_that_breaks_off_is_fetched_elsewhere_under_the_same_idempotency_key),
        TEST(calls_stay_with_the_server_that_answered),
        TEST(a_server_that_came_back_is_found_when_the_other_goes),
        TEST(the_assertion_is_made_out_to_the_server_that_is_asked),
        TEST(all_servers_down_is_told_within_the_deadline_naming_each),
        TEST(when_all_ask_to_wait_longer_than_the_deadline_the_call_ends_at_once),
        TEST(a_retry_after_holds_for_the_server_that_sent_it),
        TEST(what_changes_something_reaches_one_server_once),
        TEST(what_changes_something_moves_on_from_a_server_it_did_not_reach),
        cmocka_unit_test(the_pause_grows_from_a_second_to_thirty),
        cmocka_unit_test(failures_of_calls_that_were_under_way_do_not_lengthen_the_pause),
        cmocka_unit_test(only_one_caller_probes),
        cmocka_unit_test(the_server_may_ask_for_a_longer_pause),
        TEST(the_choice_is_closed_then_half_open_then_longest_ago),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The relay with two outside authorities behind sockets, each of which answers as a test wants; a good answer is made
 * by an authority of our own. */
#include "world.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#include "server/fetch/fetch.h"
#include "tests/support/canned_server.h"

enum behaviour { GOOD, DEAD, ERROR_500, OTHER_TYPE, GARBAGE, OLD_ANSWER, REFUSES_POLICY, REFUSES_TIME, NO_ANSWER };

struct outside {
    struct world *w; /* whose authority makes the good answers */
    struct canned_server server;
    char url[64];
    _Atomic(enum behaviour) behaviour; /* the thread of the server reads it */
    struct buf old;                    /* a good answer to another query */
};

static struct outside first, second;
static const struct query_plan plain = {.byte = 3, .nonce = 4711, .wants_certificate = true};

static void answer_send(struct buf *answer, int http, const char *type, const struct buf *body)
{
    buf_printf(answer, "HTTP/1.1 %d Said\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n", http, type, body->len);
    buf_add(answer, body->data, body->len);
}

static void reply_make(struct outside *o, struct slice query, struct buf *reply)
{
    const struct tsa_caller who = {0};
    struct query_plan other = plain;

    switch (o->behaviour) {
    case REFUSES_POLICY:
        other.policy = "1.2.3";
        break;
    case OLD_ANSWER:
        other.nonce++;
        break;
    case GARBAGE:
        buf_add_text(reply, "no DER");
        return;
    default:
        assert_true(is_ok(tsa_answer(o->w->tsa, query, &who, deadline_in(10000), reply, NULL)));
        return;
    }
    cleanup_buf struct buf der = {0};
    query_make(&other, &der);
    assert_true(is_ok(tsa_answer(o->w->tsa, buf_slice(&der), &who, deadline_in(10000), reply, NULL)));
}

static void outside_answer(void *arg, struct slice request, struct buf *answer)
{
    struct outside *o = arg;
    cleanup_buf struct buf reply = {0};
    const char *type = o->behaviour == OTHER_TYPE ? "text/html" : "application/timestamp-reply";

    if (o->behaviour == NO_ANSWER)
        return;
    if (o->behaviour == REFUSES_TIME) {
        o->w->is_set = true; /* epoch, not synchronised */
        o->w->reading = (struct tsa_reading){0};
    }
    reply_make(o, canned_body(request), &reply);
    o->w->is_set = false;
    answer_send(answer, o->behaviour == ERROR_500 ? 500 : 200, type, &reply);
}

static void outside_open(struct outside *o, struct world *w)
{
    *o = (struct outside){.w = w};
    assert_true(canned_server_start(&o->server, outside_answer, o));
    (void)snprintf(o->url, sizeof o->url, "http://127.0.0.1:%d/tsa", o->server.port);
}

static int asked(const struct outside *o)
{
    return atomic_load(&((struct outside *)(uintptr_t)o)->server.requests);
}

static int setup(void **state)
{
    (void)world_open(state);
    outside_open(&first, *state);
    outside_open(&second, *state);
    return 0;
}

static int teardown(void **state)
{
    canned_server_stop(&first.server);
    canned_server_stop(&second.server);
    return world_close(state);
}

static struct tsa *relay_with(struct world *w, struct tsa_config config)
{
    static const char *urls[2];
    struct tsa *relay = NULL;

    urls[0] = first.url;
    urls[1] = second.url;
    first.behaviour = second.behaviour = GOOD;
    config.store = w->store;
    config.audit = w->audit;
    config.hsm = w->hsm.h;
    config.policy = POLICY;
    config.accuracy_ms = 1000;
    if (!config.relay_count) {
        config.relay = urls;
        config.relay_count = 2;
    }
    config.relay_timeout_ms = config.relay_timeout_ms ? config.relay_timeout_ms : 10000;
    assert_ok(w, tsa_new(&config, &relay, &w->err));
    return relay;
}

/* Through the relay; the answer is in w->reply. True when a token is in it. */
static bool relayed_by(struct world *w, struct tsa *relay, int64_t timeout_ms)
{
    const struct tsa_caller who = {"192.0.2.7", "req_test"};

    query_make(&plain, &w->query);
    assert_ok(w, tsa_answer(relay, buf_slice(&w->query), &who, deadline_in(timeout_ms), &w->reply, &w->err));
    const unsigned char *at = w->reply.data;
    TS_RESP *response = d2i_TS_RESP(NULL, &at, (long)w->reply.len);
    assert_non_null(response);
    bool granted = TS_RESP_get_token(response) != NULL;
    TS_RESP_free(response);
    return granted;
}

static void the_first_authority_is_asked_and_its_token_handed_on(void **state)
{
    struct world *w = *state;
    cleanup_tsa struct tsa *relay = relay_with(w, (struct tsa_config){0});
    int before = asked(&second);
    struct tsa_upstream u;

    assert_true(relayed_by(w, relay, 60000));
    assert_int_equal(asked(&second), before);
    assert_true(tsa_upstream_get(relay, 0, &u));
    assert_int_equal(u.granted, 1);
    assert_string_equal(u.url, first.url);
    assert_true(tsa_upstream_get(relay, 1, &u));
    assert_int_equal(u.granted, 0);
    assert_false(tsa_upstream_get(relay, 2, &u));
}

static void whatever_is_wrong_with_the_first_the_second_is_asked(void **state)
{
    struct world *w = *state;
    static const enum behaviour bad[] = {ERROR_500, OTHER_TYPE, GARBAGE, OLD_ANSWER, REFUSES_POLICY, REFUSES_TIME};

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        cleanup_tsa struct tsa *relay = relay_with(w, (struct tsa_config){0});
        int before = asked(&second);
        first.behaviour = bad[i];
        assert_true(relayed_by(w, relay, 60000));
        assert_int_equal(asked(&second), before + 1);
    }
}

static void one_that_does_not_answer_is_left_at_its_time_limit(void **state)
{
    struct world *w = *state;
    cleanup_tsa struct tsa *relay = relay_with(w, (struct tsa_config){.relay_timeout_ms = 200});

    first.behaviour = NO_ANSWER;
    assert_true(relayed_by(w, relay, 60000));
}

static void when_all_fail_the_refusal_tells_of_the_last(void **state)
{
    struct world *w = *state;
    cleanup_tsa struct tsa *relay = relay_with(w, (struct tsa_config){0});

    first.behaviour = GARBAGE;
    second.behaviour = ERROR_500;
    assert_false(relayed_by(w, relay, 60000));
    reply_refused(&w->reply, TS_INFO_SYSTEM_FAILURE, "HTTP status 500");
    second.behaviour = REFUSES_POLICY;
    assert_false(relayed_by(w, relay, 60000));
    reply_refused(&w->reply, TS_INFO_UNACCEPTED_POLICY, "policy");
}

static void three_failures_pause_an_authority_and_a_refusal_of_the_query_is_none(void **state)
{
    struct world *w = *state;
    cleanup_tsa struct tsa *relay = relay_with(w, (struct tsa_config){0});
    struct tsa_upstream u;
    int before = asked(&first);

    first.behaviour = REFUSES_POLICY;
    for (int i = 0; i < 5; i++)
        assert_true(relayed_by(w, relay, 60000));
    assert_int_equal(asked(&first), before + 5);
    first.behaviour = ERROR_500;
    for (int i = 0; i < 6; i++)
        assert_true(relayed_by(w, relay, 60000));
    assert_int_equal(asked(&first), before + 5 + 3);
    assert_true(tsa_upstream_get(relay, 0, &u));
    assert_true(u.is_open);
    second.behaviour = ERROR_500;
    for (int i = 0; i < 4; i++)
        assert_false(relayed_by(w, relay, 60000));
    reply_refused(&w->reply, TS_INFO_SYSTEM_FAILURE, "failed just before");
}

/* A turn that is far away is not waited for. */
static void an_authority_is_not_asked_before_its_turn(void **state)
{
    struct world *w = *state;
    cleanup_tsa struct tsa *relay = relay_with(w, (struct tsa_config){.relay_interval_ms = 60000});
    int at_first = asked(&first), at_second = asked(&second);

    assert_true(relayed_by(w, relay, 20000));
    assert_true(relayed_by(w, relay, 20000));
    assert_false(relayed_by(w, relay, 20000));
    assert_int_equal(asked(&first), at_first + 1);
    assert_int_equal(asked(&second), at_second + 1);
}

static void a_turn_that_is_near_is_waited_for(void **state)
{
    struct world *w = *state;
    cleanup_tsa struct tsa *relay = relay_with(w, (struct tsa_config){.relay_interval_ms = 50});
    int at_first = asked(&first);
    int64_t begun = clock_monotonic_ms();

    for (int i = 0; i < 4; i++)
        assert_true(relayed_by(w, relay, 60000));
    assert_int_equal(asked(&first), at_first + 4);
    assert_true(clock_monotonic_ms() - begun >= 150);
}

/* ---- anchors */

static void pem_of(const struct buf *der, struct buf *pem)
{
    BIO *out = BIO_new(BIO_s_mem());
    char *text = NULL;

    assert_true(PEM_write_bio(out, PEM_STRING_X509, "", der->data, (long)der->len) > 0);
    long len = BIO_get_mem_data(out, &text);
    buf_add(pem, text, (size_t)len);
    BIO_free(out);
}

static void with_roots_a_token_of_anybody_else_is_not_handed_on(void **state)
{
    struct world *w = *state;
    cleanup_buf struct buf right = {0}, wrong = {0}, server = {0}, root_key = {0}, key = {0};
    const char *const names[] = {"localhost"};

    pem_of(&w->root, &right);
    assert_ok(w, tls_certificate_create(names, 1, &wrong, &root_key, &server, &key, &w->err));
    cleanup_tsa struct tsa *trusting = relay_with(w, (struct tsa_config){.relay_ca = buf_slice(&right)});
    assert_true(relayed_by(w, trusting, 60000));
    cleanup_tsa struct tsa *other = relay_with(w, (struct tsa_config){.relay_ca = buf_slice(&wrong)});
    assert_false(relayed_by(w, other, 60000));
    reply_refused(&w->reply, TS_INFO_SYSTEM_FAILURE, "does not fit");
}

static void options_of_the_relay_are_judged_at_the_start(void **state)
{
    struct world *w = *state;
    static const char *const urls[] = {"ftp://tsa.example/"};
    struct tsa_config config = w->config;
    struct tsa *none = NULL;

    config.relay = urls;
    config.relay_count = 1;
    assert_code(w, tsa_new(&config, &none, &w->err), CODE_CONFIGURATION);
    assert_non_null(strstr(w->err.text, "tsa_relay"));
    config.relay = (const char *const[]){first.url};
    config.relay_ca = slice_of_text("no PEM");
    assert_code(w, tsa_new(&config, &none, &w->err), CODE_CONFIGURATION);
    assert_non_null(strstr(w->err.text, "tsa_relay_ca"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_authority_is_asked_and_its_token_handed_on),
        cmocka_unit_test(whatever_is_wrong_with_the_first_the_second_is_asked),
        cmocka_unit_test(one_that_does_not_answer_is_left_at_its_time_limit),
        cmocka_unit_test(when_all_fail_the_refusal_tells_of_the_last),
        cmocka_unit_test(three_failures_pause_an_authority_and_a_refusal_of_the_query_is_none),
        cmocka_unit_test(an_authority_is_not_asked_before_its_turn),
        cmocka_unit_test(a_turn_that_is_near_is_waited_for),
        cmocka_unit_test(with_roots_a_token_of_anybody_else_is_not_handed_on),
        cmocka_unit_test(options_of_the_relay_are_judged_at_the_start),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}

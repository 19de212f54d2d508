/* SPDX-License-Identifier: Apache-2.0 */
/* What a client does when a key's use needs an approval: asks once, waits as long as it may, tries again once. */
#include <stdio.h>
#include <string.h>

#include "client/state.h"
#include "fake_chancery.h"
#include "tests/unit/common/expect.h"

#define SERVICE_ACCOUNT "[credential]\ntype = service_account\naccount = build-1\nkey = build-1.key\n"

static struct chancery c;
static struct client *client;
static struct error err;

/* Of the fake server: how it answers requests for approval. */
static struct {
    const char *states[4]; /* of the POST, then of each GET; the last one stays */
    atomic_int answers, steps;
    int post_status;
    const char *id;
} plan;

static void on_other(struct fake_server *s, const struct fake_request *r, struct fake_answer *a, void *user)
{
    (void)s;
    (void)user;
    int n = atomic_fetch_add(&plan.answers, 1);
    const char *state = "pending";
    for (int i = 0; i <= n && i < (int)COUNT_OF(plan.states) && plan.states[i]; i++)
        state = plan.states[i];
    a->status = strcmp(r->method, "POST") == 0 ? plan.post_status : 200;
    if (strcmp(state, "approved") == 0)
        atomic_store(&c.unapproved_signatures, 0);
    buf_printf(&a->body, "{\"id\":\"%s\",\"state\":\"%s\",\"needed\":2}", plan.id, state);
}

static void start(const char *rest)
{
    char config[512];
    (void)snprintf(config, sizeof(config), SERVICE_ACCOUNT "%s", rest);
    chancery_configure(&c, config);
    client = chancery_client(&c);
}

static int set_up(void **state)
{
    (void)state;
    chancery_start(&c);
    c.other = on_other;
    memset(&plan, 0, sizeof(plan));
    plan.post_status = 201;
    plan.id = "apr_1";
    atomic_store(&c.unapproved_signatures, ALWAYS);
    err = (struct error){0};
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

static int asked(void)
{
    return fake_server_count(c.server, "POST", "/v1/approvals");
}

static int polled(void)
{
    return fake_server_count(c.server, "GET", "/v1/approvals/apr_1");
}

static int signatures_asked(void)
{
    return fake_server_count(c.server, "POST", "/signatures");
}

static void by_default_nothing_is_asked_for_and_the_text_says_where_to(void **state)
{
    (void)state;
    start("");
    assert_code(chancery_sign(client, 10000, &err), CODE_APPROVAL_REQUIRED);
    assert_non_null(strstr(err.text, "/ui/approvals, or: chancery request demo-p256"));
    assert_int_equal(asked(), 0);
    assert_int_equal(signatures_asked(), 1);
}

static void auto_asks_for_exactly_this_digest_and_names_the_request(void **state)
{
    (void)state;
    start("[approval]\nrequest = auto\nreason = nightly\n");
    assert_code(chancery_sign(client, 10000, &err), CODE_APPROVAL_REQUIRED);
    assert_non_null(strstr(err.text, "/ui/approvals/apr_1 is pending"));
    assert_int_equal(asked(), 1);
    assert_int_equal(polled(), 0);
    const struct fake_request *r = fake_server_request(c.server, "/v1/approvals", 0);
    cleanup_json struct json *body = NULL;
    assert_ok(json_parse(buf_slice(&r->body), 4096, 8, &body, &err));
    assert_string_equal(json_get_text(body, "key", ""), "key_1");
    assert_string_equal(json_get_text(body, "reason", ""), "nightly");
    assert_true(json_get_bool(body, "once", false));
    const struct json *digest = json_at(json_get(body, "digests"), 0);
    assert_string_equal(json_get_text(digest, "hash", ""), "sha256");
    assert_int_equal(strlen(json_get_text(digest, "digest", "")), 64);
}

static void what_is_approved_already_is_signed_at_once(void **state)
{
    (void)state;
    plan.states[0] = "approved";
    plan.post_status = 200;
    start("[approval]\nrequest = auto\n");
    assert_ok(chancery_sign(client, 10000, &err));
    assert_int_equal(signatures_asked(), 2);
    assert_int_equal(polled(), 0);
}

static void a_wait_goes_on_beyond_the_deadline_of_the_call_and_then_signs(void **state)
{
    (void)state;
    plan.states[0] = "pending", plan.states[1] = "pending", plan.states[2] = "pending", plan.states[3] = "approved";
    start("[approval]\nrequest = auto\nwait_ms = 60000\n");
    int64_t begin = clock_monotonic_ms();
    assert_ok(chancery_sign(client, 700, &err));
    assert_true(clock_monotonic_ms() - begin >= 700);
    assert_int_equal(signatures_asked(), 2);
    assert_int_equal(polled(), 3);
}

static void a_decision_against_it_ends_the_wait(void **state)
{
    (void)state;
    static const char *const ends[] = {"denied", "cancelled", "expired", "revoked", "used"};
    start("[approval]\nrequest = auto\nwait_ms = 60000\n");
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        atomic_store(&plan.answers, 0);
        plan.states[0] = "pending", plan.states[1] = ends[i];
        assert_code(chancery_sign(client, 10000, &err), CODE_APPROVAL_REQUIRED);
        assert_non_null(strstr(err.text, ends[i]));
    }
    assert_int_equal(signatures_asked(), COUNT_OF(ends));
}

static void an_undecided_wait_ends_with_wait_ms(void **state)
{
    (void)state;
    start("[approval]\nrequest = auto\nwait_ms = 900\n");
    int64_t begin = clock_monotonic_ms();
    assert_code(chancery_sign(client, 10000, &err), CODE_APPROVAL_REQUIRED);
    int64_t took = clock_monotonic_ms() - begin;
    assert_true(took >= 850 && took < 60000);
    assert_non_null(strstr(err.text, "still waits for a decision"));
    assert_int_equal(signatures_asked(), 1);
}

static bool ends_soon(void)
{
    return atomic_fetch_add(&plan.steps, 1) >= 3;
}

static void i10_a_wait_ends_when_the_process_does(void **state)
{
    (void)state;
    start("[approval]\nrequest = auto\nwait_ms = 86400000\n");
    client->config->is_ending = ends_soon;
    assert_code(chancery_sign(client, 10000, &err), CODE_APPROVAL_REQUIRED);
    assert_non_null(strstr(err.text, "the process ends"));
    assert_int_equal(plan.steps, 4);
}

static void a_grant_that_does_not_help_is_tried_once(void **state)
{
    (void)state;
    plan.states[0] = "approved";
    start("[approval]\nrequest = auto\n");
    atomic_store(&c.unapproved_signatures, ALWAYS);
    c.unapproved_stays = true;
    assert_code(chancery_sign(client, 10000, &err), CODE_APPROVAL_REQUIRED);
    assert_int_equal(signatures_asked(), 2);
    assert_int_equal(asked(), 1);
}

static void an_answer_that_is_no_request_is_refused(void **state)
{
    (void)state;
    static const char *const ids[] = {"", "../keys", "apr 1",
                                      "apr_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    start("[approval]\nrequest = auto\nwait_ms = 60000\n");
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        plan.id = ids[i];
        assert_code(chancery_sign(client, 10000, &err), CODE_APPROVAL_REQUIRED);
        assert_non_null(strstr(err.text, "asking for an approval failed"));
    }
    assert_int_equal(fake_server_count(c.server, "GET", "/v1/approvals"), 0);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(by_default_nothing_is_asked_for_and_the_text_says_where_to),
        TEST(auto_asks_for_exactly_this_digest_and_names_the_request),
        TEST(what_is_approved_already_is_signed_at_once),
        TEST(a_wait_goes_on_beyond_the_deadline_of_the_call_and_then_signs),
        TEST(a_decision_against_it_ends_the_wait),
        TEST(an_undecided_wait_ends_with_wait_ms),
        TEST(i10_a_wait_ends_when_the_process_does),
        TEST(a_grant_that_does_not_help_is_tried_once),
        TEST(an_answer_that_is_no_request_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

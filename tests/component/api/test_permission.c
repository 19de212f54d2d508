/* SPDX-License-Identifier: Apache-2.0 */
/* Every route for every role. The query parameter is one that no route knows: whoever passes the permission is answered
 * 400 by the handler, and nothing is changed by asking. */
#include "world.h"

#include <stdio.h>
#include <string.h>

/* + allowed, A 401, F 403, N 404; in the order of enum who: nobody admin auditor owner signer approver stranger. */
static const struct {
    const char *method, *target, *expected;
} rows[] = {
    {"GET", "/livez", "+++++++"},
    {"GET", "/readyz", "+++++++"},
    {"POST", "/v1/oauth/token", "+++++++"},
    {"GET", "/v1/whoami", "A++++++"},
    {"GET", "/v1/signing/keys", "A++++++"},
    {"POST", "/v1/signing/keys/demo:key/signatures", "A++++++"},
    {"POST", "/v1/projects", "A+FFFFF"},
    {"GET", "/v1/projects", "A++++++"},
    {"GET", "/v1/projects/demo", "A+++++N"},
    {"PATCH", "/v1/projects/demo", "A+F+FFN"},
    {"GET", "/v1/projects/demo/members", "A+++++N"},
    {"POST", "/v1/projects/demo/members", "A+F+FFN"},
    {"DELETE", "/v1/projects/demo/members/signer/signer", "A+F+FFN"},
    {"GET", "/v1/projects/demo/effective-signers", "A+++++N"},
    {"POST", "/v1/teams", "A+FFFFF"},
    {"GET", "/v1/teams", "A++FFFF"},
    {"GET", "/v1/teams/builders", "A++NNNN"},
    {"PATCH", "/v1/teams/builders", "A+FNNNN"},
    {"DELETE", "/v1/teams/builders", "A+FNNNN"},
    {"GET", "/v1/teams/builders/members", "A++NNNN"},
    {"GET", "/v1/teams/builders/roles", "A++NNNN"},
    {"POST", "/v1/teams/builders/members", "A+FNNNN"},
    {"DELETE", "/v1/teams/builders/members/signer", "A+FNNNN"},
    {"POST", "/v1/projects/demo/keys", "A+F+FFN"},
    {"POST", "/v1/projects/demo/keys/import", "A+FNNNN"},
    {"GET", "/v1/projects/demo/key-sources", "A+F+FFN"},
    {"GET", "/v1/keys", "A++++++"},
    {"GET", "/v1/keys/demo:key", "A+++++N"},
    {"POST", "/v1/keys/demo:key/disable", "A+F+FFN"},
    {"POST", "/v1/keys/demo:key/enable", "A+F+FFN"},
    {"POST", "/v1/keys/demo:key/retire", "A+F+FFN"},
    {"POST", "/v1/keys/demo:key/activate", "A+F+FFN"},
    {"GET", "/v1/keys/demo:key/versions", "A+++++N"},
    {"POST", "/v1/keys/demo:key/rotate", "A+F+FFN"},
    {"POST", "/v1/keys/demo:key/renew", "A+F+FFN"},
    {"POST", "/v1/keys/demo:key/destroy", "A+FNNNN"},
    {"POST", "/v1/service-accounts", "A+FFFFF"},
    {"GET", "/v1/service-accounts", "A++FFFF"},
    {"GET", "/v1/service-accounts/build", "A++NNNN"},
    {"GET", "/v1/service-accounts/build/roles", "A++NNNN"},
    {"PATCH", "/v1/service-accounts/build", "A+FNNNN"},
    {"DELETE", "/v1/service-accounts/build", "A+FNNNN"},
    {"POST", "/v1/service-accounts/build/disable", "A+FNNNN"},
    {"POST", "/v1/service-accounts/build/enable", "A+FNNNN"},
    {"POST", "/v1/service-accounts/build/keys", "A+FNNNN"},
    {"DELETE", "/v1/service-accounts/build/keys/sk_a", "A+FNNNN"},
    {"POST", "/v1/users", "A+FFFFF"},
    {"GET", "/v1/users", "A++FFFF"},
    {"GET", "/v1/users/owner", "A+++NNN"},
    {"GET", "/v1/users/owner/roles", "A+++NNN"},
    {"PATCH", "/v1/users/owner", "A+FNNNN"},
    {"DELETE", "/v1/users/owner", "A+FNNNN"},
    {"POST", "/v1/users/owner/disable", "A+FNNNN"},
    {"POST", "/v1/users/owner/enable", "A+FNNNN"},
    {"POST", "/v1/users/owner/api-keys", "A+F+NNN"},
    {"POST", "/v1/session", "+++++++"},
    {"GET", "/v1/session", "A++++++"},
    {"DELETE", "/v1/session", "A++++++"},
    {"POST", "/v1/session/confirm", "A++++++"},
    {"GET", "/v1/users/owner/password", "A+F+NNN"},
    {"PUT", "/v1/users/owner/password", "A+F+NNN"},
    {"DELETE", "/v1/users/owner/password", "A+F+NNN"},
    {"GET", "/v1/users/owner/totp", "A+F+NNN"},
    {"POST", "/v1/users/owner/totp", "A+F+NNN"},
    {"PUT", "/v1/users/owner/totp", "A+F+NNN"},
    {"DELETE", "/v1/users/owner/totp", "A+F+NNN"},
    {"GET", "/v1/users/owner/sessions", "A+F+NNN"},
    {"DELETE", "/v1/users/owner/sessions", "A+F+NNN"},
    {"DELETE", "/v1/users/owner/sessions/ses_a", "A+F+NNN"},
    {"GET", "/v1/users/owner/api-keys", "A+F+NNN"},
    {"DELETE", "/v1/users/owner/api-keys/ak_a", "A+F+NNN"},
    {"GET", "/v1/audit", "A++FFFF"},
    {"GET", "/v1/audit/export", "A++FFFF"},
    {"GET", "/v1/audit/head", "A++FFFF"},
    {"GET", "/v1/policy", "A++++++"},
    {"PUT", "/v1/policy", "A+FFFFF"},
    {"DELETE", "/v1/policy", "A+FFFFF"},
    {"GET", "/v1/policy/versions", "A++++++"},
    {"GET", "/v1/projects/demo/policy", "A+++++N"},
    {"PUT", "/v1/projects/demo/policy", "A+F+FFN"},
    {"DELETE", "/v1/projects/demo/policy", "A+F+FFN"},
    {"GET", "/v1/projects/demo/policy/versions", "A+++++N"},
    {"GET", "/v1/keys/demo:key/policy", "A+++++N"},
    {"PUT", "/v1/keys/demo:key/policy", "A+F+FFN"},
    {"DELETE", "/v1/keys/demo:key/policy", "A+F+FFN"},
    {"GET", "/v1/keys/demo:key/policy/versions", "A+++++N"},
    {"GET", "/v1/freeze", "A++++++"},
    {"POST", "/v1/freeze", "A+FFFFF"},
    {"POST", "/v1/unfreeze", "A+FFFFF"},
    {"GET", "/v1/projects/demo/freeze", "A+++++N"},
    {"POST", "/v1/projects/demo/freeze", "A+F+FFN"},
    {"POST", "/v1/projects/demo/unfreeze", "A+F+FFN"},
    {"GET", "/v1/keys/demo:key/digests", "A+++++N"},
    {"POST", "/v1/keys/demo:key/digests", "A+F+FFN"},
    {"DELETE", "/v1/keys/demo:key/digests/sha256/ab", "A+F+FFN"},
    {"POST", "/v1/access/explain", "A++++++"},
    {"POST", "/v1/policies/dry-run", "A++++++"},
    {"POST", "/v1/approvals", "A++++++"},
    {"GET", "/v1/approvals", "A++++++"},
    {"GET", "/v1/approvals/apr_a", "A++++++"},
    {"POST", "/v1/approvals/apr_a/approve", "A++++++"},
    {"POST", "/v1/approvals/apr_a/deny", "A++++++"},
    {"POST", "/v1/approvals/apr_a/cancel", "A++++++"},
    {"POST", "/v1/approvals/apr_a/revoke", "A++++++"},
    {"GET", "/v1/hsms", "A++FFFF"},
    {"GET", "/v1/hsms/default", "A++NNNN"},
    {"GET", "/v1/hsms/default/reconcile", "A++NNNN"},
    {"POST", "/v1/hsms/default/reconcile", "A+FNNNN"},
    {"PATCH", "/v1/keys/demo:key", "A+F+FFN"},
    {"GET", "/v1/keys/demo:key/csr", "A+F+FFN"},
    {"PUT", "/v1/keys/demo:key/certificate", "A+F+FFN"},
    {"GET", "/v1/keys/demo:key/jobs", "A+++++N"},
    {"POST", "/v1/connectors", "A+FFFFF"},
    {"GET", "/v1/connectors", "A++FFFF"},
    {"GET", "/v1/connectors/manual", "A++NNNN"},
    {"PATCH", "/v1/connectors/manual", "A+FNNNN"},
    {"DELETE", "/v1/connectors/manual", "A+FNNNN"},
    {"POST", "/v1/connectors/manual/test", "A+FNNNN"},
    {"GET", "/v1/jobs", "A++FFFF"},
    {"GET", "/v1/jobs/job_a", "A++NNNN"},
    {"POST", "/v1/jobs/job_a/retry", "A+FNNNN"},
    {"POST", "/v1/jobs/job_a/cancel", "A+FNNNN"},
    {"GET", "/v1/usage", "A++++++"},
    {"GET", "/v1/overview", "A++++++"},
    {"GET", "/v1/ca", "A++++++"},
    {"GET", "/v1/server", "A++++++"},
    {"GET", "/v1/tsa", "A++FFFF"},
    {"POST", "/v1/tsa", "A+FFFFF"},
    {"POST", "/v1/tsa/rotate", "A+FFFFF"},
    {"POST", "/v1/tsa/renew", "A+FFFFF"},
    {"POST", "/v1/tsa/disable", "A+FFFFF"},
    {"POST", "/v1/tsa/enable", "A+FFFFF"},
    {"GET", "/v1/tsa/csr", "A+FFFFF"},
    {"POST", "/v1/tsa/certificate", "A+FFFFF"},
    {"POST", "/tsa", "+++++++"},
    {"GET", "/v1/cas", "A++++++"},
    {"POST", "/v1/cas", "A+FFFFF"},
    {"GET", "/v1/cas/issuing", "A++++++"},
    {"PATCH", "/v1/cas/issuing", "A+FNNNN"},
    {"GET", "/v1/cas/issuing/csr", "A++NNNN"},
    {"GET", "/v1/cas/issuing/crl", "A++++++"},
    {"PUT", "/v1/cas/issuing/certificate", "A+FNNNN"},
    {"GET", "/v1/cas/issuing/certificates", "A++NNNN"},
    {"POST", "/v1/cas/issuing/certificates/AB/revoke", "A+FNNNN"},
    {"GET", "/v1/keys/demo:key/certificate", "A+++++N"},
    {"POST", "/v1/keys/demo:key/versions/1/revoke", "A+F+FFN"},
};

static enum code code_of(char expected)
{
    switch (expected) {
    case 'A':
        return CODE_NOT_AUTHENTICATED;
    case 'F':
        return CODE_FORBIDDEN;
    case 'N':
        return CODE_NOT_FOUND;
    default:
        return CODE_INVALID;
    }
}

static int setup(void **state)
{
    char id[ID_SIZE];

    (void)world_open(state);
    world_key(*state, "key", "p256", id);
    return 0;
}

static void assert_nothing_but_denials(struct world *w, int64_t after)
{
    int denials = 0;

    for (bool more = true; more;) {
        assert_status(w, world_get(w, ADMIN, "/v1/audit?limit=1000&after=%lld", (long long)after), 200);
        const struct json *items = json_get(w->answer, "items");
        more = json_count(items) == 1000;
        for (size_t i = 0; i < json_count(items); i++, denials++) {
            assert_string_equal(json_get_text(json_at(items, i), "type", ""), "access.denied");
            after = json_get_integer(json_at(items, i), "seq", 0);
        }
    }
    assert_true(denials > 100);
}

static void every_role_may_do_what_the_table_says_and_nothing_else(void **state)
{
    struct world *w = *state;
    char target[128];
    int64_t head = world_head(w);

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (int who = NOBODY; who < WHO_COUNT; who++) {
            (void)snprintf(target, sizeof(target), "%s?no_such=1", rows[i].target);
            (void)world_ask(w, (enum who)who, rows[i].method, target, NULL);
            enum code expected = code_of(rows[i].expected[who]);
            if (strcmp(answer_text(w, "code"), code_wire(expected)) != 0)
                fail_msg("%s %s by %s: %s, expected %s", rows[i].method, rows[i].target,
                         who == NOBODY ? "nobody" : w->users[who].name, answer_text(w, "code"), code_wire(expected));
            if (expected == CODE_INVALID)
                assert_non_null(strstr(answer_text(w, "detail"), "no_such"));
            if (expected == CODE_NOT_AUTHENTICATED)
                assert_string_equal(answer_header(w, "WWW-Authenticate"), "Bearer");
        }
    }
    assert_nothing_but_denials(w, head);
}

static void every_route_is_in_the_table(void **state)
{
    (void)state;
    for (const struct route *const *table = api_tables; *table; table++) {
        for (const struct route *r = *table; r->method; r++) {
            size_t i = 0;
            while (i < COUNT_OF(rows) && route_of(rows[i].method, rows[i].target) != r)
                i++;
            if (i == COUNT_OF(rows))
                fail_msg("%s %s", r->method, r->pattern);
        }
    }
}

static void answer_keep(struct buf *out, const struct world *w)
{
    buf_reset(out);
    buf_add(out, w->x.response_headers.data, w->x.response_headers.len);
    buf_add(out, w->x.response_body.data, w->x.response_body.len);
}

static void an_object_that_may_not_be_seen_is_answered_like_an_unknown_one(void **state)
{
    struct world *w = *state;
    static const struct {
        const char *method, *unseen, *unknown;
    } pairs[] = {
        {"GET", "/v1/projects/demo", "/v1/projects/nothing"},
        {"PATCH", "/v1/projects/demo", "/v1/projects/nothing"},
        {"GET", "/v1/projects/demo/members", "/v1/projects/nothing/members"},
        {"POST", "/v1/projects/demo/keys", "/v1/projects/nothing/keys"},
        {"GET", "/v1/keys/demo:key", "/v1/keys/demo:nothing"},
        {"POST", "/v1/keys/demo:key/disable", "/v1/keys/nothing:key/disable"},
        {"GET", "/v1/keys?project=demo", "/v1/keys?project=nothing"},
        {"GET", "/v1/usage?project=demo", "/v1/usage?project=nothing"},
        {"GET", "/v1/usage?key=demo:key", "/v1/usage?key=demo:nothing"},
        {"GET", "/v1/users/owner", "/v1/users/nobody"},
        {"POST", "/v1/users/owner/api-keys", "/v1/users/nobody/api-keys"},
    };

    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        cleanup_buf struct buf unseen = {0}, unknown = {0};
        struct call call = {
            .who = STRANGER, .method = pairs[i].method, .target = pairs[i].unseen, .headers = {"X-Request-Id: same"}};
        (void)world_call(w, &call);
        assert_problem(w, CODE_NOT_FOUND, NULL);
        answer_keep(&unseen, w);
        call.target = pairs[i].unknown;
        (void)world_call(w, &call);
        answer_keep(&unknown, w);
        assert_string_equal(buf_text(&unseen), buf_text(&unknown));
    }
}

static size_t items_seen(struct world *w, enum who who, const char *target)
{
    assert_status(w, world_get(w, who, "%s", target), 200);
    return json_count(json_get(w->answer, "items"));
}

static void lists_hold_only_what_the_caller_may_see(void **state)
{
    struct world *w = *state;

    for (int who = ADMIN; who < STRANGER; who++) {
        assert_int_equal(items_seen(w, (enum who)who, "/v1/projects"), 1);
        assert_int_equal(items_seen(w, (enum who)who, "/v1/keys"), 1);
    }
    assert_int_equal(items_seen(w, STRANGER, "/v1/projects"), 0);
    assert_int_equal(items_seen(w, STRANGER, "/v1/keys"), 0);
    assert_int_equal(items_seen(w, STRANGER, "/v1/usage"), 0);
}

static void usage_is_for_owners_not_for_other_members(void **state)
{
    struct world *w = *state;
    cleanup_buf struct buf body = {0};

    digest_body("ecdsa", 1, &body);
    assert_status(w, world_sign(w, SIGNER, "demo:key", buf_text(&body)), 201);
    assert_int_equal(items_seen(w, OWNER, "/v1/usage?project=demo"), 1);
    assert_int_equal(items_seen(w, SIGNER, "/v1/usage"), 0);
    assert_int_equal(items_seen(w, SIGNER, "/v1/usage?group=signer&principal=signer"), 0);
    assert_int_equal(items_seen(w, OWNER, "/v1/usage?principal=nobody"), 0);
    assert_int_equal(items_seen(w, OWNER, "/v1/usage?group=signer&period=month"), 1);
    const struct json *row = json_at(json_get(w->answer, "items"), 0);
    assert_string_equal(json_get_text(row, "signer", ""), "signer");
    assert_int_equal(strlen(json_get_text(row, "day", "")), 7);
    assert_int_equal(json_type(json_get(row, "project")), JSON_NULL);
    assert_int_equal(items_seen(w, OWNER, "/v1/usage?period=all&order=most&limit=1"), 1);
    assert_int_equal(json_get_integer(w->answer, "total", 0), 1);
    assert_int_equal(items_seen(w, SIGNER, "/v1/usage?period=all&order=most"), 0);
    assert_int_equal(json_get_integer(w->answer, "total", -1), 0);
    (void)world_get(w, SIGNER, "/v1/usage?project=demo");
    assert_problem(w, CODE_FORBIDDEN, NULL);
    (void)world_get(w, APPROVER, "/v1/usage?key=demo:key");
    assert_problem(w, CODE_FORBIDDEN, NULL);
}

static void a_credential_that_is_not_one_is_refused_with_one_text(void **state)
{
    struct world *w = *state;
    cleanup_buf struct buf tampered = {0};
    cleanup_buf struct buf first = {0};

    buf_add_text(&tampered, buf_text(&w->credentials[ADMIN]));
    tampered.data[tampered.len - 12] ^= 1;
    const char *const bad[] = {"x", "chancery_", "chancery_ak_aaaaaaaaaaaaaaaaaaaa_secret_check", buf_text(&tampered)};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct call call = {.bearer = bad[i], .method = "GET", .target = "/v1/whoami"};
        (void)world_call(w, &call);
        assert_problem(w, CODE_NOT_AUTHENTICATED, NULL);
        if (i == 0)
            buf_add_text(&first, answer_text(w, "detail"));
        assert_string_equal(answer_text(w, "detail"), buf_text(&first));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_role_may_do_what_the_table_says_and_nothing_else),
        cmocka_unit_test(every_route_is_in_the_table),
        cmocka_unit_test(an_object_that_may_not_be_seen_is_answered_like_an_unknown_one),
        cmocka_unit_test(lists_hold_only_what_the_caller_may_see),
        cmocka_unit_test(usage_is_for_owners_not_for_other_members),
        cmocka_unit_test(a_credential_that_is_not_one_is_refused_with_one_text),
    };
    return cmocka_run_group_tests(tests, setup, world_close);
}

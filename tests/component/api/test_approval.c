/* SPDX-License-Identifier: Apache-2.0 */
/* Approvals through the API: asked for by signers, decided by others, spent by signatures. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEX(byte) byte byte byte byte byte byte byte byte byte byte byte byte byte byte byte byte
#define DIGEST_AB HEX("abab")
#define DIGEST_CD HEX("cdcd")
#define NEEDS_TWO "{\"approval\":{\"needed\":2,\"max_count\":5,\"max_hours\":48}}"

static char id[ID_SIZE]; /* of the request made last */

static int key_policy(struct world *w, const char *key, const char *document)
{
    char target[128];
    (void)snprintf(target, sizeof(target), "/v1/keys/%s/policy", key);
    return world_ask(w, OWNER, "PUT", target, document);
}

/* A key that needs two approvals. */
static const char *guarded_key(struct world *w)
{
    static int made;
    static char key[ID_SIZE];
    char label[32];
    (void)snprintf(label, sizeof(label), "approval-%d", made++);
    world_key(w, label, "p256", key);
    assert_status(w, key_policy(w, key, NEEDS_TWO), 200);
    return key;
}

static int ask_as(struct world *w, enum who who, const char *key, const char *more)
{
    int http = world_post(w, who, "/v1/approvals", "{\"key\":\"%s\",\"reason\":\"release 7\",%s}", key, more);
    (void)snprintf(id, sizeof(id), "%.40s", answer_text(w, "id"));
    return http;
}

static void ask(struct world *w, const char *key, const char *more)
{
    assert_status(w, ask_as(w, SIGNER, key, more), 201);
    assert_string_equal(answer_text(w, "state"), "pending");
}

static int step(struct world *w, enum who who, const char *name)
{
    char target[128];
    (void)snprintf(target, sizeof(target), "/v1/approvals/%s/%s", id, name);
    return world_ask(w, who, "POST", target, "{\"comment\":\"seen\"}");
}

static void approve_by_two(struct world *w)
{
    assert_status(w, step(w, APPROVER, "approve"), 200);
    assert_string_equal(answer_text(w, "state"), "pending");
    assert_status(w, step(w, OWNER, "approve"), 200);
    assert_string_equal(answer_text(w, "state"), "approved");
}

static int sign(struct world *w, const char *key, uint8_t byte)
{
    cleanup_buf struct buf body = {0};
    digest_body("ecdsa", byte, &body);
    return world_sign(w, SIGNER, key, buf_text(&body));
}

static void assert_refused(struct world *w, const char *key, uint8_t byte)
{
    int before = w->signed_count;
    (void)sign(w, key, byte);
    assert_problem(w, CODE_APPROVAL_REQUIRED, "needs");
    assert_int_equal(w->signed_count, before);
}

static const char *state_now(struct world *w)
{
    assert_status(w, world_get(w, SIGNER, "/v1/approvals/%s", id), 200);
    return answer_text(w, "state");
}

static void member_set(struct world *w, const char *method, const char *name, const char *role)
{
    char target[128];
    if (strcmp(method, "POST") == 0) {
        assert_status(
            w, world_post(w, OWNER, "/v1/projects/demo/members", "{\"principal\":\"%s\",\"role\":\"%s\"}", name, role),
            201);
        return;
    }
    (void)snprintf(target, sizeof(target), "/v1/projects/demo/members/%s/%s", role, name);
    assert_status(w, world_ask(w, OWNER, method, target, NULL), 204);
}

/* The signer is an approver too, and so is the owner. */
static int setup(void **state)
{
    (void)world_open(state);
    member_set(*state, "POST", "owner", "approver");
    member_set(*state, "POST", "signer", "approver");
    return 0;
}

static void i4_without_a_grant_nothing_is_signed_and_the_problem_says_where_to_ask(void **state)
{
    struct world *w = *state;
    const char *key = guarded_key(w);
    assert_refused(w, key, 0xab);
    assert_string_equal(answer_text(w, "approval_url"), "/v1/approvals");
    ask(w, key, "\"count\":1");
    assert_refused(w, key, 0xab);
    assert_status(w, step(w, APPROVER, "approve"), 200);
    assert_refused(w, key, 0xab);
    cleanup_json struct json *record = world_last_record(w);
    assert_string_equal(json_get_text(record, "outcome", ""), "refused");
}

static void a_grant_is_spent_to_the_last_and_named_in_the_record(void **state)
{
    struct world *w = *state;
    const char *key = guarded_key(w);
    ask(w, key, "\"count\":2,\"hours\":1");
    approve_by_two(w);
    assert_int_equal(json_get_integer(w->answer, "remaining", 0), 2);
    assert_status(w, sign(w, key, 1), 201);
    cleanup_json struct json *record = world_last_record(w);
    assert_string_equal(json_get_text(json_get(record, "detail"), "approval", ""), id);
    assert_string_equal(state_now(w), "approved");
    assert_status(w, sign(w, key, 2), 201);
    assert_refused(w, key, 3);
    assert_string_equal(state_now(w), "used");
    assert_int_equal(json_count(json_get(w->answer, "decisions")), 2);
}

static void a_grant_belongs_to_the_requester_and_the_key(void **state)
{
    struct world *w = *state;
    char other[ID_SIZE];
    (void)snprintf(other, sizeof(other), "%s", guarded_key(w));
    const char *key = guarded_key(w);
    cleanup_buf struct buf body = {0};
    ask(w, key, "\"count\":5");
    approve_by_two(w);
    assert_refused(w, other, 1);
    member_set(w, "POST", "stranger", "signer");
    digest_body("ecdsa", 1, &body);
    (void)world_sign(w, STRANGER, key, buf_text(&body));
    assert_problem(w, CODE_APPROVAL_REQUIRED, NULL);
    member_set(w, "DELETE", "stranger", "signer");
    assert_status(w, sign(w, key, 1), 201);
}

static void nobody_decides_on_his_own_request_and_nobody_twice(void **state)
{
    struct world *w = *state;
    ask(w, guarded_key(w), "\"count\":1");
    (void)step(w, SIGNER, "approve");
    assert_problem(w, CODE_FORBIDDEN, "own request");
    (void)step(w, SIGNER, "deny");
    assert_problem(w, CODE_FORBIDDEN, "own request");
    assert_status(w, step(w, APPROVER, "approve"), 200);
    (void)step(w, APPROVER, "approve");
    assert_problem(w, CODE_CONFLICT, "decided");
    (void)step(w, APPROVER, "deny");
    assert_problem(w, CODE_CONFLICT, "decided");
    assert_string_equal(state_now(w), "pending");
}

static void an_approver_who_was_removed_before_the_grant_has_lost_his_vote(void **state)
{
    struct world *w = *state;
    const char *key = guarded_key(w);
    ask(w, key, "\"count\":1");
    assert_status(w, step(w, APPROVER, "approve"), 200);
    member_set(w, "DELETE", "approver", "approver");
    assert_status(w, step(w, OWNER, "approve"), 200);
    assert_string_equal(answer_text(w, "state"), "pending");
    assert_refused(w, key, 1);
    member_set(w, "POST", "stranger", "approver");
    assert_status(w, step(w, STRANGER, "approve"), 200);
    assert_string_equal(answer_text(w, "state"), "approved");
    member_set(w, "DELETE", "stranger", "approver");
    member_set(w, "POST", "approver", "approver");
    assert_status(w, sign(w, key, 1), 201); /* once it is granted it stands */
}

static void a_disabled_approver_has_lost_his_vote(void **state)
{
    struct world *w = *state;
    const char *key = guarded_key(w);
    ask(w, key, "\"count\":1");
    assert_status(w, step(w, APPROVER, "approve"), 200);
    assert_status(w, world_ask(w, ADMIN, "POST", "/v1/users/approver/disable", "{}"), 200);
    assert_status(w, step(w, OWNER, "approve"), 200);
    assert_string_equal(answer_text(w, "state"), "pending");
    assert_status(w, world_ask(w, ADMIN, "POST", "/v1/users/approver/enable", "{}"), 200);
    assert_refused(w, key, 1);
}

static void digests_are_spent_by_exactly_themselves(void **state)
{
    struct world *w = *state;
    const char *key = guarded_key(w);
    ask(w, key,
        "\"digests\":[{\"hash\":\"sha256\",\"digest\":\"" DIGEST_AB "\"},{\"hash\":\"sha256\",\"digest\":\"" DIGEST_CD
        "\"},{\"hash\":\"sha3-256\",\"digest\":\"" HEX("0101") "\"}]");
    approve_by_two(w);
    assert_refused(w, key, 0x11);
    assert_refused(w, key, 0x01); /* approved under another hash */
    assert_status(w, sign(w, key, 0xab), 201);
    assert_refused(w, key, 0xab);
    assert_status(w, sign(w, key, 0xcd), 201);
    assert_refused(w, key, 0xcd);
    assert_string_equal(state_now(w), "approved");
    assert_int_equal(json_get_integer(w->answer, "remaining", 0), 1);
}

static void a_no_a_cancellation_or_a_revocation_ends_it(void **state)
{
    struct world *w = *state;
    const char *key = guarded_key(w);
    ask(w, key, "\"count\":1");
    assert_status(w, step(w, APPROVER, "deny"), 200);
    assert_string_equal(answer_text(w, "state"), "denied");
    (void)step(w, OWNER, "approve");
    assert_problem(w, CODE_CONFLICT, "denied");

    ask(w, key, "\"count\":1");
    (void)step(w, APPROVER, "cancel");
    assert_problem(w, CODE_FORBIDDEN, "requester");
    (void)step(w, SIGNER, "revoke");
    assert_problem(w, CODE_CONFLICT, "pending");
    assert_status(w, step(w, SIGNER, "cancel"), 200);
    (void)step(w, APPROVER, "approve");
    assert_problem(w, CODE_CONFLICT, "cancelled");

    ask(w, key, "\"count\":3");
    approve_by_two(w);
    assert_status(w, sign(w, key, 1), 201);
    (void)step(w, AUDITOR, "revoke");
    assert_problem(w, CODE_FORBIDDEN, NULL);
    assert_status(w, step(w, APPROVER, "revoke"), 200);
    assert_string_equal(answer_text(w, "state"), "revoked");
    assert_refused(w, key, 2);
    cleanup_json struct json *record = world_last_record(w);
    assert_string_equal(json_get_text(record, "outcome", ""), "refused");
}

static void time_set(struct world *w, const char *sql)
{
    assert_true(is_ok(store_writer_lock(w->store, &w->err)));
    assert_true(is_ok(db_exec(store_writer(w->store), sql, DB_PARAMS(db_text(id)), NULL, &w->err)));
    store_writer_unlock(w->store);
}

static void a_grant_and_a_request_end_with_their_time(void **state)
{
    struct world *w = *state;
    const char *key = guarded_key(w);
    ask(w, key, "\"count\":2");
    approve_by_two(w);
    assert_status(w, sign(w, key, 1), 201);
    time_set(w, "UPDATE approval_grant SET not_after_ms = 1000 WHERE request_id = $1");
    assert_refused(w, key, 2);
    assert_string_equal(state_now(w), "expired");

    ask(w, key, "\"count\":2");
    time_set(w, "UPDATE approval_request SET expires_ms = 1000 WHERE id = $1");
    (void)step(w, APPROVER, "approve");
    assert_problem(w, CODE_CONFLICT, "expired");
    assert_refused(w, key, 2);
}

static bool explained(struct world *w, const char *key, const char *verdict, const char *part)
{
    assert_status(w,
                  world_post(w, SIGNER, "/v1/access/explain",
                             "{\"principal\":\"signer\",\"key\":\"%s\",\"mechanism\":\"ecdsa\",\"hash\":\"sha256\"}",
                             key),
                  200);
    const struct json *steps = json_get(w->answer, "steps");
    for (size_t i = 0; i < json_count(steps); i++) {
        const struct json *s = json_at(steps, i);
        if (strcmp(json_get_text(s, "rule", ""), "policy.approval") == 0)
            return strcmp(json_get_text(s, "verdict", ""), verdict) == 0 &&
                   strstr(json_get_text(s, "reason", ""), part);
    }
    return false;
}

static void a_grant_of_fewer_approvers_than_policy_wants_now_covers_nothing(void **state)
{
    struct world *w = *state;
    const char *key = guarded_key(w);
    assert_true(explained(w, key, "refuses", "no grant covers it"));
    ask(w, key, "\"count\":2");
    approve_by_two(w);
    assert_true(explained(w, key, "notes", id));
    assert_status(w, key_policy(w, key, "{\"approval\":{\"needed\":3}}"), 200);
    assert_refused(w, key, 1);
    assert_true(explained(w, key, "refuses", id));
    assert_status(w, key_policy(w, key, NEEDS_TWO), 200);
    assert_status(w, sign(w, key, 1), 201);
}

static void policy_limits_what_can_be_asked_for(void **state)
{
    struct world *w = *state;
    const char *key = guarded_key(w);
    (void)ask_as(w, SIGNER, key, "\"count\":6");
    assert_problem(w, CODE_INVALID, "count: policy allows at most 5");
    (void)ask_as(w, SIGNER, key, "\"count\":1,\"hours\":49");
    assert_problem(w, CODE_INVALID, "hours: policy allows at most 48");
    (void)ask_as(w, SIGNER, key, "\"count\":1,\"hours\":2,\"break_glass\":true");
    assert_problem(w, CODE_INVALID, "hours: at most 1");
    (void)ask_as(w, SIGNER, key,
                 "\"digests\":[{\"hash\":\"sha256\",\"digest\":\"" DIGEST_AB "\"},{\"hash\":\"sha256\",\"digest\":"
                 "\"" DIGEST_AB "\"}]");
    assert_problem(w, CODE_CONFLICT, "twice");
    (void)ask_as(w, OWNER, key, "\"count\":1");
    assert_problem(w, CODE_FORBIDDEN, "only signers");
    (void)ask_as(w, ADMIN, key, "\"count\":1");
    assert_problem(w, CODE_FORBIDDEN, "only signers");
    (void)ask_as(w, STRANGER, key, "\"count\":1");
    assert_problem(w, CODE_NOT_FOUND, "no such signing key");
}

static void broken_glass_is_opened_by_two_administrators_or_owners_loudly_and_for_an_hour(void **state)
{
    struct world *w = *state;
    const char *key = guarded_key(w);
    assert_status(w, key_policy(w, key, "{\"approval\":{\"needed\":9}}"), 200);
    ask(w, key, "\"count\":3,\"break_glass\":true");
    assert_int_equal(json_get_integer(w->answer, "hours", 0), 1);
    cleanup_json struct json *asked = world_last_record(w);
    assert_string_equal(json_get_text(asked, "type", ""), "approval.break_glass");
    (void)step(w, APPROVER, "approve");
    assert_problem(w, CODE_FORBIDDEN, "administrators and owners");
    (void)step(w, SIGNER, "approve");
    assert_problem(w, CODE_FORBIDDEN, "own request");
    assert_status(w, step(w, ADMIN, "approve"), 200);
    (void)step(w, ADMIN, "approve");
    assert_problem(w, CODE_CONFLICT, "decided");
    assert_refused(w, key, 1);
    assert_status(w, step(w, OWNER, "approve"), 200);
    assert_string_equal(answer_text(w, "state"), "approved");
    cleanup_json struct json *opened = world_last_record(w);
    assert_string_equal(json_get_text(opened, "type", ""), "approval.break_glass");
    assert_non_null(strstr(json_get_text(json_get(opened, "detail"), "warning", ""), "BREAK GLASS: THE KEY IS OPEN"));
    assert_status(w, sign(w, key, 1), 201);

    assert_status(w, world_get(w, AUDITOR, "/v1/approvals?break_glass=true"), 200);
    assert_int_equal(json_count(json_get(w->answer, "items")), 1);
}

static void the_hours_of_broken_glass_are_the_configured_ones(void **state)
{
    struct world *w = *state;
    const char *key = guarded_key(w);
    w->api.break_glass_hours = 4;
    ask(w, key, "\"count\":1,\"break_glass\":true");
    assert_int_equal(json_get_integer(w->answer, "hours", 0), 4);
    (void)ask_as(w, SIGNER, key, "\"count\":1,\"hours\":5,\"break_glass\":true");
    assert_problem(w, CODE_INVALID, "hours: at most 4");
    w->api.break_glass_hours = 0;
}

static void a_request_is_seen_by_requester_approvers_owners_administrators_and_auditors(void **state)
{
    struct world *w = *state;
    ask(w, guarded_key(w), "\"count\":1");
    static const enum who seers[] = {ADMIN, AUDITOR, OWNER, SIGNER, APPROVER};
    for (size_t i = 0; i < COUNT_OF(seers); i++)
        assert_status(w, world_get(w, seers[i], "/v1/approvals/%s", id), 200);
    (void)world_get(w, STRANGER, "/v1/approvals/%s", id);
    assert_problem(w, CODE_NOT_FOUND, "no such request");
    static const char *const steps[] = {"approve", "deny", "cancel", "revoke"};
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        (void)step(w, STRANGER, steps[i]);
        assert_problem(w, CODE_NOT_FOUND, "no such request");
        (void)step(w, AUDITOR, steps[i]);
        assert_problem(w, CODE_FORBIDDEN, NULL);
    }
    (void)step(w, ADMIN, "approve");
    assert_problem(w, CODE_FORBIDDEN, "approvers of the project");
    member_set(w, "POST", "stranger", "signer"); /* of the project, but neither requester nor approver */
    (void)world_get(w, STRANGER, "/v1/approvals/%s", id);
    assert_problem(w, CODE_NOT_FOUND, "no such request");
    member_set(w, "DELETE", "stranger", "signer");
}

static void a_digest_is_asked_for_once(void **state)
{
    struct world *w = *state;
    const char *key = guarded_key(w);
    char first[ID_SIZE];
    const char *one = "\"once\":true,\"digests\":[{\"hash\":\"sha256\",\"digest\":\"" DIGEST_AB "\"}]";
    ask(w, key, one);
    memcpy(first, id, sizeof(first));
    int64_t head = world_head(w);
    assert_status(w, ask_as(w, SIGNER, key, one), 200);
    assert_string_equal(id, first);
    assert_int_equal(world_head(w), head);
    approve_by_two(w);
    assert_status(w, ask_as(w, SIGNER, key, one), 200);
    assert_string_equal(id, first);
    assert_status(w, sign(w, key, 0xab), 201);
    assert_status(w, ask_as(w, SIGNER, key, one), 201);
    assert_string_not_equal(id, first);
    assert_status(w, step(w, APPROVER, "deny"), 200);
    assert_status(w, ask_as(w, SIGNER, key, one), 200);
    assert_string_equal(answer_text(w, "state"), "denied");
}

static size_t count_of(struct world *w, enum who who, const char *key, const char *query)
{
    assert_status(w, world_get(w, who, "/v1/approvals?key=%s%s", key, query), 200);
    return json_count(json_get(w->answer, "items"));
}

static void lists_show_what_waits_for_whom_newest_first_and_page_by_page(void **state)
{
    struct world *w = *state;
    const char *key = guarded_key(w);
    for (int i = 0; i < 3; i++)
        ask(w, key, "\"count\":1");
    assert_int_equal(count_of(w, APPROVER, key, "&to_decide=true"), 3);
    assert_int_equal(count_of(w, SIGNER, key, "&to_decide=true"), 0);
    assert_int_equal(count_of(w, ADMIN, key, "&to_decide=true"), 0);
    assert_int_equal(count_of(w, SIGNER, key, "&mine=true"), 3);
    assert_int_equal(count_of(w, OWNER, key, "&mine=true"), 0);
    assert_status(w, step(w, APPROVER, "approve"), 200);
    assert_int_equal(count_of(w, APPROVER, key, "&to_decide=true"), 2);
    assert_int_equal(count_of(w, OWNER, key, "&to_decide=true"), 3);
    assert_status(w, step(w, OWNER, "approve"), 200);
    assert_int_equal(count_of(w, OWNER, key, "&state=approved"), 1);
    assert_int_equal(count_of(w, OWNER, key, "&state=pending&project=demo"), 2);

    char seen[3][ID_SIZE] = {""}, next[128] = "";
    for (int i = 0; i < 3; i++) {
        char query[192];
        (void)snprintf(query, sizeof(query), "&limit=1%s%s", *next ? "&after=" : "", next);
        assert_int_equal(count_of(w, AUDITOR, key, query), 1);
        (void)snprintf(seen[i], ID_SIZE, "%.40s", json_get_text(json_at(json_get(w->answer, "items"), 0), "id", ""));
        (void)snprintf(next, sizeof(next), "%.120s", answer_text(w, "next"));
    }
    assert_string_equal(next, "");
    assert_true(strcmp(seen[0], seen[1]) != 0 && strcmp(seen[1], seen[2]) != 0 && strcmp(seen[0], seen[2]) != 0);
}

static void a_stale_decision_changes_nothing(void **state)
{
    struct world *w = *state;
    char target[128];
    ask(w, guarded_key(w), "\"count\":1");
    assert_string_equal(answer_header(w, "ETag"), "\"1\"");
    assert_status(w, step(w, APPROVER, "approve"), 200);
    assert_string_equal(answer_header(w, "ETag"), "\"2\"");
    (void)snprintf(target, sizeof(target), "/v1/approvals/%s/approve", id);
    const struct call call = {
        .who = OWNER, .method = "POST", .target = target, .body = slice_of_text("{}"), .headers = {"If-Match: \"1\""}};
    assert_status(w, world_call(w, &call), 412);
    assert_problem(w, CODE_STALE, "revision 2");
    assert_string_equal(state_now(w), "pending");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(i4_without_a_grant_nothing_is_signed_and_the_problem_says_where_to_ask),
        cmocka_unit_test(a_grant_is_spent_to_the_last_and_named_in_the_record),
        cmocka_unit_test(a_grant_belongs_to_the_requester_and_the_key),
        cmocka_unit_test(nobody_decides_on_his_own_request_and_nobody_twice),
        cmocka_unit_test(an_approver_who_was_removed_before_the_grant_has_lost_his_vote),
        cmocka_unit_test(a_disabled_approver_has_lost_his_vote),
        cmocka_unit_test(digests_are_spent_by_exactly_themselves),
        cmocka_unit_test(a_no_a_cancellation_or_a_revocation_ends_it),
        cmocka_unit_test(a_grant_and_a_request_end_with_their_time),
        cmocka_unit_test(a_grant_of_fewer_approvers_than_policy_wants_now_covers_nothing),
        cmocka_unit_test(policy_limits_what_can_be_asked_for),
        cmocka_unit_test(broken_glass_is_opened_by_two_administrators_or_owners_loudly_and_for_an_hour),
        cmocka_unit_test(a_request_is_seen_by_requester_approvers_owners_administrators_and_auditors),
        cmocka_unit_test(a_digest_is_asked_for_once),
        cmocka_unit_test(lists_show_what_waits_for_whom_newest_first_and_page_by_page),
        cmocka_unit_test(a_stale_decision_changes_nothing),
        cmocka_unit_test(the_hours_of_broken_glass_are_the_configured_ones),
    };
    return cmocka_run_group_tests(tests, setup, world_close);
}

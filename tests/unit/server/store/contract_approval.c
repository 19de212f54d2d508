/* SPDX-License-Identifier: Apache-2.0 */
/* Requests for approval, decisions and grants, on any store. */
#include "server/store/approval.h"
#include "world.h"

static void request_put(struct world *w, const char *id, int64_t created_ms, int64_t signatures)
{
    struct approval a = {.key_id = "key_a",
                         .requester_id = "usr_r",
                         .reason = "why",
                         .signatures = signatures,
                         .hours = 1,
                         .needed = 2,
                         .created_ms = created_ms,
                         .expires_ms = 1000};
    (void)snprintf(a.id, sizeof(a.id), "%s", id);
    assert_ok(approval_insert(w->db, &a, &w->err), &w->err);
}

static void digest_put(struct world *w, const char *id, const char *digest)
{
    struct approval_digest d = {.hash = "sha256", .remaining = 1};
    (void)snprintf(d.digest, sizeof(d.digest), "%s", digest);
    assert_ok(approval_digest_insert(w->db, id, &d, &w->err), &w->err);
}

static void rows_put(struct world *w)
{
    (void)world_project(w, "prj_a", "demo");
    world_key(w, "key_a", "prj_a", "rsa", 1);
    (void)world_principal(w, "usr_r", "rita", PRINCIPAL_USER);
    (void)world_principal(w, "usr_s", "sam", PRINCIPAL_USER);
    (void)world_principal(w, "usr_t", "tom", PRINCIPAL_USER);
    world_member(w, "prj_a", "usr_s", MEMBER_APPROVER);
}

static void grant_put(struct world *w, const char *id, int64_t signatures, int64_t remaining, int64_t not_after_ms)
{
    struct approval a = {.key_id = "key_a",
                         .requester_id = "usr_r",
                         .signatures = signatures,
                         .approvals = 2,
                         .remaining = remaining,
                         .not_before_ms = 10,
                         .not_after_ms = not_after_ms};
    (void)snprintf(a.id, sizeof(a.id), "%s", id);
    assert_ok(approval_set_state(w->db, id, APPROVAL_APPROVED, &w->err), &w->err);
    assert_ok(grant_insert(w->db, &a, &w->err), &w->err);
}

static enum approval_state state_at(struct world *w, const char *id, int64_t now_ms)
{
    struct approval a;
    assert_ok(approval_find(w->db, id, now_ms, &a, &w->err), &w->err);
    return a.state;
}

static const char *found_at(struct world *w, int64_t now_ms, const char *digest, int64_t needed)
{
    static struct grant g;
    const struct grant_use use = {.key_id = "key_a",
                                  .principal_id = "usr_r",
                                  .hash = "sha256",
                                  .digest = digest,
                                  .needed = needed,
                                  .now_ms = now_ms};
    assert_ok(grant_find(w->db, &use, &g, &w->err), &w->err);
    return g.request_id;
}

static void a_state_follows_from_the_time_and_from_what_is_left(void **state)
{
    struct world *w = *state;
    rows_put(w);
    request_put(w, "apr_a", 1, 2);
    assert_int_equal(state_at(w, "apr_a", 999), APPROVAL_PENDING);
    assert_int_equal(state_at(w, "apr_a", 1000), APPROVAL_EXPIRED);
    grant_put(w, "apr_a", 2, 2, 50);
    assert_int_equal(state_at(w, "apr_a", 49), APPROVAL_APPROVED);
    assert_int_equal(state_at(w, "apr_a", 50), APPROVAL_EXPIRED);
    const struct grant g = {.request_id = "apr_a"};
    for (int i = 0; i < 2; i++)
        assert_ok(grant_add(w->db, &g, "sha256", "ab", -1, &w->err), &w->err);
    assert_int_equal(state_at(w, "apr_a", 49), APPROVAL_USED);
    assert_code(grant_add(w->db, &g, "sha256", "ab", -1, &w->err), CODE_CONFLICT);
    assert_ok(grant_add(w->db, &g, "sha256", "ab", +1, &w->err), &w->err);
    assert_int_equal(state_at(w, "apr_a", 49), APPROVAL_APPROVED);
    struct approval a;
    assert_ok(approval_find(w->db, "apr_a", 1, &a, &w->err), &w->err);
    assert_int_equal(a.revision, 2);
    assert_string_equal(a.requester_name, "rita");
    assert_string_equal(a.key_label, "rsa");
    assert_code(approval_find(w->db, "apr_x", 1, &a, &w->err), CODE_NOT_FOUND);
}

static void a_grant_is_found_in_its_time_for_its_digest_and_enough_approvers(void **state)
{
    struct world *w = *state;
    rows_put(w);
    request_put(w, "apr_a", 1, 1);
    request_put(w, "apr_b", 2, 0);
    digest_put(w, "apr_b", "ab");
    digest_put(w, "apr_b", "cd");
    assert_string_equal(found_at(w, 20, "ab", 2), "");
    grant_put(w, "apr_a", 1, 1, 50);
    grant_put(w, "apr_b", 0, 2, 60);
    assert_string_equal(found_at(w, 9, "ab", 2), "");
    assert_string_equal(found_at(w, 20, "ab", 2), "apr_b"); /* exactly this one goes first */
    assert_string_equal(found_at(w, 20, "ef", 2), "apr_a");
    assert_string_equal(found_at(w, 20, "ef", 3), "");
    assert_string_equal(found_at(w, 50, "ef", 2), "");
    assert_string_equal(found_at(w, 60, "ab", 2), "");
    const struct grant g = {.request_id = "apr_b", .by_digest = true};
    assert_ok(grant_add(w->db, &g, "sha256", "ab", -1, &w->err), &w->err);
    assert_string_equal(found_at(w, 20, "ab", 2), "apr_a");
    assert_string_equal(found_at(w, 20, "cd", 2), "apr_b");
    assert_code(grant_add(w->db, &g, "sha256", "ab", -1, &w->err), CODE_CONFLICT);
    assert_ok(grant_revoke(w->db, "apr_b", &w->err), &w->err);
    assert_string_equal(found_at(w, 20, "cd", 2), "apr_a");
}

static status decision_text(void *arg, const struct approval_decision *d)
{
    char text[160];
    (void)snprintf(text, sizeof(text), "%s:%d", d->approver_name, d->is_yes);
    collect(arg, text);
    return OK;
}

static void an_approver_decides_once(void **state)
{
    struct world *w = *state;
    struct approval_decision d = {.approver_id = "usr_s", .is_yes = true, .created_ms = 5};
    rows_put(w);
    request_put(w, "apr_a", 1, 1);
    assert_ok(approval_decision_insert(w->db, "apr_a", &d, &w->err), &w->err);
    d.is_yes = false;
    assert_code(approval_decision_insert(w->db, "apr_a", &d, &w->err), CODE_CONFLICT);
    struct collected c = {0};
    d = (struct approval_decision){.approver_id = "usr_t", .created_ms = 4};
    assert_ok(approval_decision_insert(w->db, "apr_a", &d, &w->err), &w->err);
    assert_ok(approval_decision_list(w->db, "apr_a", decision_text, &c, &w->err), &w->err);
    assert_string_equal(c.text, "tom:0,sam:1");
}

static status id_text(void *arg, const struct approval *a)
{
    collect(arg, a->id);
    return OK;
}

static void assert_listed(struct world *w, struct approval_filter f, struct page page, const char *expected)
{
    struct collected c = {0};
    f.now_ms = 20;
    assert_ok(approval_list(w->db, &f, page, id_text, &c, &w->err), &w->err);
    assert_string_equal(c.text, expected);
    if (page.after)
        return;
    int64_t count = 0;
    assert_ok(approval_count(w->db, &f, &count, &w->err), &w->err);
    assert_int_equal(count, c.count);
}

static void lists_are_filtered_and_newest_first(void **state)
{
    struct world *w = *state;
    const struct approval_filter all = {.state = APPROVAL_STATES, .break_glass = -1};
    struct approval_filter f;
    rows_put(w);
    request_put(w, "apr_b", 1, 1);
    request_put(w, "apr_a", 2, 1);
    request_put(w, "apr_c", 2, 1);
    assert_listed(w, all, (struct page){0}, "apr_c,apr_a,apr_b");
    assert_listed(w, all, (struct page){.after = "2.apr_c", .limit = 1}, "apr_a");
    f = all, f.state = APPROVAL_APPROVED;
    assert_listed(w, f, (struct page){0}, "");
    f = all, f.state = APPROVAL_PENDING;
    assert_listed(w, f, (struct page){0}, "apr_c,apr_a,apr_b");
    f = all, f.break_glass = 1;
    assert_listed(w, f, (struct page){0}, "");
    f = all, f.key_id = "key_a", f.project_id = "prj_a", f.requester_id = "usr_r";
    assert_listed(w, f, (struct page){0}, "apr_c,apr_a,apr_b");
    f = all, f.viewer_id = "usr_t";
    assert_listed(w, f, (struct page){0}, "");
    f.viewer_id = "usr_s";
    assert_listed(w, f, (struct page){0}, "apr_c,apr_a,apr_b");
    struct approval_decision d = {.approver_id = "usr_s", .is_yes = true};
    assert_ok(approval_decision_insert(w->db, "apr_a", &d, &w->err), &w->err);
    f = all, f.decider_id = "usr_s";
    assert_listed(w, f, (struct page){0}, "apr_c,apr_b");
    f.decider_id = "usr_r";
    assert_listed(w, f, (struct page){0}, "");
    struct collected c = {0};
    assert_code(approval_list(w->db, &all, (struct page){.after = "x"}, id_text, &c, &w->err), CODE_INVALID);
}

static void the_newest_request_for_exactly_one_digest_is_found(void **state)
{
    struct world *w = *state;
    struct approval a;
    int64_t pending = 0;
    rows_put(w);
    request_put(w, "apr_a", 1, 0);
    digest_put(w, "apr_a", "ab");
    request_put(w, "apr_b", 2, 0);
    digest_put(w, "apr_b", "ab");
    request_put(w, "apr_c", 3, 0);
    digest_put(w, "apr_c", "ab");
    digest_put(w, "apr_c", "cd");
    assert_ok(approval_find_digest(w->db, "key_a", "usr_r", "sha256", "ab", 5, &a, &w->err), &w->err);
    assert_string_equal(a.id, "apr_b");
    assert_code(approval_find_digest(w->db, "key_a", "usr_r", "sha256", "cd", 5, &a, &w->err), CODE_NOT_FOUND);
    assert_code(approval_find_digest(w->db, "key_a", "usr_s", "sha256", "ab", 5, &a, &w->err), CODE_NOT_FOUND);
    assert_ok(approval_count_pending(w->db, "key_a", "usr_r", 5, &pending, &w->err), &w->err);
    assert_int_equal(pending, 3);
}

const struct CMUnitTest approval_tests[] = {
    WORLD_TEST(a_state_follows_from_the_time_and_from_what_is_left),
    WORLD_TEST(a_grant_is_found_in_its_time_for_its_digest_and_enough_approvers),
    WORLD_TEST(an_approver_decides_once),
    WORLD_TEST(lists_are_filtered_and_newest_first),
    WORLD_TEST(the_newest_request_for_exactly_one_digest_is_found),
};
const size_t approval_test_count = COUNT_OF(approval_tests);

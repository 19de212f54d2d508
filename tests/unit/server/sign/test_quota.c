/* SPDX-License-Identifier: Apache-2.0 */
/* Quotas, listed digests and grants under load, on the real audit log and a store in a file: exact, whatever the
 * threads do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "server/sign/approval.h"
#include "server/store/policy.h"
#include "sign_fixture.h"

enum { THREADS = 64, QUOTA = 100, TRIES = 4 };

struct setup {
    struct fixture f;
    atomic_int signed_count, refused_count, other_count;
};

static int setup(void **state)
{
    struct setup *s = calloc(1, sizeof(*s));
    if (!s)
        return -1;
    fixture_open_file(&s->f);
    assert_code(audit_open(s->f.store, NULL, &s->f.audit, &s->f.err), CODE_OK);
    fixture_signer(&s->f, false);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct setup *s = *state;
    audit_close(s->f.audit);
    fixture_close(&s->f);
    free(s);
    return 0;
}

static const char *document;
static int64_t version;

static status policy_change(struct db *db)
{
    cleanup_policy_row struct policy_row row = {.scope = SCOPE_KEY, .version = version, .created_ms = 1};
    (void)text_copy(row.scope_id, sizeof(row.scope_id), KEY_RSA);
    buf_add_text(&row.document, document);
    return policy_insert(db, &row, NULL);
}

static void policy_set(struct setup *s, const char *text)
{
    document = text;
    version++;
    fixture_change(&s->f, policy_change);
}

static void *sign_some(void *arg)
{
    struct setup *s = arg;
    for (int i = 0; i < TRIES; i++) {
        CLEANUP(sign_result_clear) struct sign_result result = {0};
        struct error err = {0};
        struct sign_order order = s->f.order;
        status made = signer_sign(s->f.signer, &s->f.alice, &order, deadline_in(60000), &result, &err);
        if (is_ok(made))
            atomic_fetch_add(&s->signed_count, 1);
        else if (made.code == CODE_QUOTA_EXCEEDED || made.code == CODE_DIGEST_NOT_LISTED ||
                 made.code == CODE_APPROVAL_REQUIRED)
            atomic_fetch_add(&s->refused_count, 1);
        else
            atomic_fetch_add(&s->other_count, 1);
    }
    return NULL;
}

static void load_run(struct setup *s)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, sign_some, s), 0);
    for (int i = 0; i < THREADS; i++)
        (void)pthread_join(threads[i], NULL);
}

static void a_quota_of_n_gives_exactly_n_signatures_to_64_signers(void **state)
{
    struct setup *s = *state;
    policy_set(s, "{\"quota\":{\"total\":100}}");
    load_run(s);
    assert_int_equal(s->other_count, 0);
    assert_int_equal(s->signed_count, QUOTA);
    assert_int_equal(s->refused_count, THREADS * TRIES - QUOTA);
    assert_int_equal(usage_of(&s->f, KEY_RSA).success, QUOTA);
}

static status digest_list(struct db *db)
{
    struct listed_digest d = {.key_id = KEY_RSA, .hash = "sha256", .remaining = 7, .created_ms = 1};
    memset(d.digest, 0, sizeof(d.digest));
    for (int i = 0; i < 32; i++)
        memcpy(d.digest + 2 * i, "d1", 2);
    return listed_digest_put(db, &d, "usr_carol", NULL);
}

static void a_digest_listed_seven_times_is_signed_seven_times_by_64_signers(void **state)
{
    struct setup *s = *state;
    policy_set(s, "{\"digests\":\"listed\"}");
    fixture_change(&s->f, digest_list);
    load_run(s);
    assert_int_equal(s->other_count, 0);
    assert_int_equal(s->signed_count, 7);
}

static void what_the_hsm_did_not_sign_is_given_back(void **state)
{
    struct setup *s = *state;
    policy_set(s, "{\"quota\":{\"total\":1,\"day\":1,\"month\":1},\"digests\":\"listed\"}");
    fixture_change(&s->f, digest_list);
    s->f.hsm.fail_with = CODE_HSM_UNAVAILABLE;
    for (int i = 0; i < 3; i++)
        assert_code(fixture_sign(&s->f, &s->f.alice), CODE_HSM_UNAVAILABLE);
    s->f.hsm.fail_with = CODE_OK;
    assert_code(fixture_sign(&s->f, &s->f.alice), CODE_OK);
    assert_code(fixture_sign(&s->f, &s->f.alice), CODE_QUOTA_EXCEEDED);

    struct listed_digest left;
    struct db *db = store_reader_acquire(s->f.store, &s->f.err);
    char digest[65] = "";
    for (int i = 0; i < 32; i++)
        strcat(digest, "d1");
    assert_code(listed_digest_find(db, KEY_RSA, "sha256", digest, &left, &s->f.err), CODE_OK);
    store_reader_release(s->f.store, db);
    assert_int_equal(left.remaining, 6);
}

static void a_repeated_request_is_counted_once(void **state)
{
    struct setup *s = *state;
    policy_set(s, "{\"quota\":{\"total\":1}}");
    s->f.order.idempotency_key = "0123456789abcdef";
    for (int i = 0; i < 5; i++)
        assert_code(fixture_sign(&s->f, &s->f.alice), CODE_OK);
    s->f.order.idempotency_key = "fedcba9876543210";
    assert_code(fixture_sign(&s->f, &s->f.alice), CODE_QUOTA_EXCEEDED);
}

/* ---- grants */

static struct approval asked = {.id = "apr_a", .key_id = KEY_RSA, .requester_id = "svc_alice", .hours = 1};

static status request_insert(struct db *db)
{
    struct approval_digest d = {.hash = "sha256", .remaining = 1};
    for (int i = 0; i < 32; i++)
        memcpy(d.digest + 2 * i, "d1", 2);
    TRY(approval_insert(db, &asked, NULL));
    return asked.digests ? approval_digest_insert(db, asked.id, &d, NULL) : OK;
}

static status grant_give(struct db *db)
{
    struct approval a = asked;
    a.remaining = a.signatures ? a.signatures : a.digests;
    a.approvals = a.needed;
    a.not_after_ms = clock_now_ms() + 3600000;
    TRY(request_insert(db));
    TRY(approval_set_state(db, a.id, APPROVAL_APPROVED, NULL));
    return grant_insert(db, &a, NULL);
}

static struct approval approval_now(struct setup *s)
{
    struct approval found = {0};
    struct db *db = store_reader_acquire(s->f.store, &s->f.err);
    assert_code(approval_find(db, asked.id, clock_now_ms(), &found, &s->f.err), CODE_OK);
    store_reader_release(s->f.store, db);
    return found;
}

static void grant_for(struct setup *s, int64_t signatures, int64_t digests, int64_t approvals)
{
    policy_set(s, "{\"approval\":{\"needed\":2}}");
    asked.signatures = signatures;
    asked.digests = digests;
    asked.needed = approvals;
    asked.created_ms = clock_now_ms();
    asked.expires_ms = asked.created_ms + 3600000;
    fixture_change(&s->f, grant_give);
}

static void a_grant_of_seven_gives_exactly_seven_signatures_to_64_signers(void **state)
{
    struct setup *s = *state;
    grant_for(s, 7, 0, 2);
    load_run(s);
    assert_int_equal(s->other_count, 0);
    assert_int_equal(s->signed_count, 7);
    assert_int_equal(approval_now(s).remaining, 0);
    assert_int_equal(approval_now(s).state, APPROVAL_USED);
}

static void an_approved_digest_is_signed_once_by_64_signers(void **state)
{
    struct setup *s = *state;
    grant_for(s, 0, 1, 2);
    load_run(s);
    assert_int_equal(s->other_count, 0);
    assert_int_equal(s->signed_count, 1);
}

static void a_grant_that_the_hsm_did_not_use_is_given_back(void **state)
{
    struct setup *s = *state;
    for (int by_digest = 0; by_digest < 2; by_digest++) {
        (void)snprintf(asked.id, sizeof(asked.id), "apr_%d", by_digest);
        grant_for(s, by_digest ? 0 : 1, by_digest, 2);
        s->f.hsm.fail_with = CODE_HSM_UNAVAILABLE;
        for (int i = 0; i < 3; i++)
            assert_code(fixture_sign(&s->f, &s->f.alice), CODE_HSM_UNAVAILABLE);
        s->f.hsm.fail_with = CODE_OK;
        assert_int_equal(approval_now(s).remaining, 1);
        assert_code(fixture_sign(&s->f, &s->f.alice), CODE_OK);
        assert_code(fixture_sign(&s->f, &s->f.alice), CODE_APPROVAL_REQUIRED);
    }
    (void)snprintf(asked.id, sizeof(asked.id), "apr_a");
}

static void a_repeated_request_spends_a_grant_once(void **state)
{
    struct setup *s = *state;
    grant_for(s, 1, 0, 2);
    s->f.order.idempotency_key = "0123456789abcdef";
    for (int i = 0; i < 5; i++)
        assert_code(fixture_sign(&s->f, &s->f.alice), CODE_OK);
}

static void a_grant_of_too_few_approvers_or_one_refused_by_a_quota_stays_as_it_is(void **state)
{
    struct setup *s = *state;
    grant_for(s, 3, 0, 1);
    assert_code(fixture_sign(&s->f, &s->f.alice), CODE_APPROVAL_REQUIRED);
    policy_set(s, "{\"approval\":{\"needed\":1},\"quota\":{\"total\":1}}");
    assert_code(fixture_sign(&s->f, &s->f.alice), CODE_OK);
    assert_code(fixture_sign(&s->f, &s->f.alice), CODE_QUOTA_EXCEEDED);
    assert_int_equal(approval_now(s).remaining, 2);
}

enum { APPROVERS = 16 };

static status approvers_add(struct db *db)
{
    for (int i = 0; i < APPROVERS; i++) {
        struct principal p = {.type = PRINCIPAL_USER, .created_ms = 1};
        struct member m = {.role = MEMBER_APPROVER, .since_ms = 1, .project_id = "prj_demo"};
        (void)snprintf(p.id, sizeof(p.id), "usr_%d", i);
        (void)snprintf(p.name, sizeof(p.name), "approver-%d", i);
        memcpy(m.principal_id, p.id, sizeof(p.id));
        TRY(principal_insert(db, &p, NULL));
        TRY(member_insert(db, &m, NULL));
    }
    return request_insert(db);
}

struct voting {
    struct setup *s;
    int number;
    enum code result;
};

static status vote_change(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    const struct voting *v = arg;
    struct approval a;
    struct approval_decision d = {.is_yes = true, .created_ms = 1};
    (void)record;
    (void)snprintf(d.approver_id, sizeof(d.approver_id), "usr_%d", v->number);
    TRY(approval_find(db, asked.id, clock_now_ms(), &a, err));
    return approval_decide(db, &a, &d, clock_now_ms(), err);
}

static void *vote(void *arg)
{
    struct voting *v = arg;
    struct audit_work work = {.change = vote_change, .arg = v, .needs_savepoint = true};
    v->result = audit_commit(v->s->f.audit, &work, deadline_in(60000), NULL).code;
    return NULL;
}

static void approvals_that_race_are_all_counted_and_make_one_grant(void **state)
{
    struct setup *s = *state;
    pthread_t threads[APPROVERS];
    struct voting votes[APPROVERS];
    int counted = 0, late = 0;
    policy_set(s, "{\"approval\":{\"needed\":5}}");
    asked.signatures = 1;
    asked.digests = 0;
    asked.needed = 5;
    asked.created_ms = clock_now_ms();
    asked.expires_ms = asked.created_ms + 3600000;
    fixture_change(&s->f, approvers_add);
    for (int i = 0; i < APPROVERS; i++) {
        votes[i] = (struct voting){s, i, CODE_OK};
        assert_int_equal(pthread_create(&threads[i], NULL, vote, &votes[i]), 0);
    }
    for (int i = 0; i < APPROVERS; i++) {
        (void)pthread_join(threads[i], NULL);
        counted += votes[i].result == CODE_OK;
        late += votes[i].result == CODE_CONFLICT;
    }
    assert_int_equal(counted, 5);
    assert_int_equal(late, APPROVERS - 5);
    assert_int_equal(approval_now(s).approvals, 5);
    assert_code(fixture_sign(&s->f, &s->f.alice), CODE_OK);
    assert_code(fixture_sign(&s->f, &s->f.alice), CODE_APPROVAL_REQUIRED);
}

#define QUOTA_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        QUOTA_TEST(a_quota_of_n_gives_exactly_n_signatures_to_64_signers),
        QUOTA_TEST(a_digest_listed_seven_times_is_signed_seven_times_by_64_signers),
        QUOTA_TEST(what_the_hsm_did_not_sign_is_given_back),
        QUOTA_TEST(a_repeated_request_is_counted_once),
        QUOTA_TEST(a_grant_of_seven_gives_exactly_seven_signatures_to_64_signers),
        QUOTA_TEST(an_approved_digest_is_signed_once_by_64_signers),
        QUOTA_TEST(a_grant_that_the_hsm_did_not_use_is_given_back),
        QUOTA_TEST(a_repeated_request_spends_a_grant_once),
        QUOTA_TEST(a_grant_of_too_few_approvers_or_one_refused_by_a_quota_stays_as_it_is),
        QUOTA_TEST(approvals_that_race_are_all_counted_and_make_one_grant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

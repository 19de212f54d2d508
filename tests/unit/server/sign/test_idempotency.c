/* SPDX-License-Identifier: Apache-2.0 */
/* I6: the same idempotency key and request give the same signature and one pair of records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "common/text.h"
#include "fake_audit.h"
#include "sign_fixture.h"

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    if (!f)
        return -1;
    fixture_open(f, "sqlite::memory:");
    f->audit = fake_audit_new(f->store);
    fixture_signer(f, false);
    f->order.key = KEY_EC; /* ECDSA: two signatures of one digest differ */
    f->order.input.mechanism = MECHANISM_ECDSA;
    f->order.idempotency_key = "0123456789abcdef";
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    fixture_close(f);
    fake_audit_free(f->audit);
    free(f);
    return 0;
}

static void i6_a_repeat_gets_the_same_signature_and_no_new_record(void **state)
{
    struct fixture *f = *state;
    cleanup_buf struct buf first = {0};
    assert_code(fixture_sign(f, &f->alice), CODE_OK);
    buf_add(&first, f->result.signature.data, f->result.signature.len);
    int64_t intent = f->result.intent_seq, outcome = f->result.outcome_seq;

    f->order.key = "demo:ec"; /* the same key by its other name */
    f->order.host = "another";
    assert_code(fixture_sign(f, &f->alice), CODE_OK);
    assert_true(slice_equal(buf_slice(&first), buf_slice(&f->result.signature)));
    assert_int_equal(f->result.intent_seq, intent);
    assert_int_equal(f->result.outcome_seq, outcome);
    assert_int_equal(f->result.version, 1);
    assert_int_equal(f->hsm.calls, 1);
    assert_int_equal(f->audit->count, 2);
    assert_int_equal(usage_of(f, KEY_EC).success, 1);
}

static void i6_without_a_key_every_request_is_its_own(void **state)
{
    struct fixture *f = *state;
    f->order.idempotency_key = NULL;
    assert_code(fixture_sign(f, &f->alice), CODE_OK);
    assert_code(fixture_sign(f, &f->alice), CODE_OK);

    assert_int_equal(f->hsm.calls, 2);
    assert_int_equal(f->audit->count, 4);
}

static void i6_the_key_with_another_request_is_a_conflict(void **state)
{
    struct fixture *f = *state;
    uint8_t other[64];
    memset(other, 0x77, sizeof(other));
    assert_code(fixture_sign(f, &f->alice), CODE_OK);

    const struct {
        const char *key;
        struct sign_input in;
    } rows[] = {
        {KEY_EC, {MECHANISM_ECDSA, HASH_SHA256, {other, 32}, 0, 0}},
        {KEY_EC, {MECHANISM_ECDSA, HASH_SHA384, {f->digest, 48}, 0, 0}},
        {KEY_RSA, {MECHANISM_RSA_PKCS1, HASH_SHA256, {f->digest, 32}, 0, 0}},
        {KEY_RSA, {MECHANISM_RSA_PSS, HASH_SHA256, {f->digest, 32}, HASH_SHA256, 32}},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        f->order.key = rows[i].key;
        f->order.input = rows[i].in;
        assert_code(fixture_sign(f, &f->alice), CODE_IDEMPOTENCY_CONFLICT);
        assert_int_equal(f->result.signature.len, 0);
    }
    assert_int_equal(f->hsm.calls, 1);
    assert_int_equal(f->audit->count, 2);
}

static status grant_bob(struct db *db)
{
    struct member m = {.project_id = "prj_demo", .principal_id = "svc_bob", .role = MEMBER_SIGNER, .since_ms = 1};
    return member_insert(db, &m, NULL);
}

static void i6_keys_of_two_principals_do_not_meet(void **state)
{
    struct fixture *f = *state;
    fixture_change(f, grant_bob);
    assert_code(fixture_sign(f, &f->alice), CODE_OK);
    f->order.input.hash = HASH_SHA512;
    f->order.input.digest.len = 64;

    assert_code(fixture_sign(f, &f->bob), CODE_OK);
    assert_int_equal(f->hsm.calls, 2);
}

static void i6_a_failed_request_may_be_made_again(void **state)
{
    struct fixture *f = *state;
    f->hsm.fail_with = CODE_HSM_UNAVAILABLE;
    assert_code(fixture_sign(f, &f->alice), CODE_HSM_UNAVAILABLE);
    f->hsm.fail_with = CODE_OK;

    assert_code(fixture_sign(f, &f->alice), CODE_OK);
    assert_int_equal(f->audit->count, 4);
}

static void i6_a_request_whose_outcome_was_lost_does_not_block_the_retry(void **state)
{
    struct fixture *f = *state;
    fake_audit_fail_next(f->audit, RECORD_OUTCOME);
    assert_code(fixture_sign(f, &f->alice), CODE_AUDIT_UNAVAILABLE);

    assert_code(fixture_sign(f, &f->alice), CODE_OK);
    assert_int_equal(f->hsm.calls, 2);
    assert_int_equal(f->result.outcome_seq, fake_audit_last(f->audit)->seq);
}

static void i6_an_intent_that_was_lost_leaves_no_row(void **state)
{
    struct fixture *f = *state;
    fake_audit_fail_next(f->audit, RECORD_INTENT);
    assert_code(fixture_sign(f, &f->alice), CODE_AUDIT_UNAVAILABLE);

    assert_code(fixture_sign(f, &f->alice), CODE_OK);
    assert_int_equal(f->hsm.calls, 1);
}

static void i4_a_repeat_by_a_revoked_signer_is_refused(void **state)
{
    struct fixture *f = *state;
    assert_code(fixture_sign(f, &f->alice), CODE_OK);
    fixture_change(f, revoke_alice);

    assert_code(fixture_sign(f, &f->alice), CODE_NOT_FOUND);
    assert_int_equal(f->result.signature.len, 0);
}

static void row_set(struct fixture *f, int64_t outcome_seq, int64_t created_ms)
{
    struct idempotency row = {.intent_seq = 40, .outcome_seq = outcome_seq, .created_ms = created_ms, .version = 1};
    (void)text_copy(row.principal_id, sizeof(row.principal_id), "svc_alice");
    (void)text_copy(row.idempotency_key, sizeof(row.idempotency_key), f->order.idempotency_key);
    struct db *db = store_writer(f->store);
    assert_code(db_begin(db, NULL), CODE_OK);
    assert_code(idempotency_insert(db, &row, NULL), CODE_OK);
    assert_code(db_commit(db, NULL), CODE_OK);
}

static void a_row_older_than_a_day_counts_as_absent(void **state)
{
    struct fixture *f = *state;
    row_set(f, 41, clock_now_ms() - 24 * 3600 * 1000 - 1000); /* for another request */

    assert_code(fixture_sign(f, &f->alice), CODE_OK);
    assert_int_equal(f->hsm.calls, 1);
}

static void malformed_keys_are_refused(void **state)
{
    struct fixture *f = *state;
    const char *const rows[] = {"",
                                "0123456789abcde",
                                "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0",
                                "0123456789abcde ",
                                "0123456789abcde\xc3\xa9",
                                "0123456789abcde/"};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        f->order.idempotency_key = rows[i];
        assert_code(fixture_sign(f, &f->alice), CODE_INVALID);
    }
    assert_int_equal(f->audit->count, 0);
    f->order.idempotency_key = "-_34567890ABCXYZ";
    assert_code(fixture_sign(f, &f->alice), CODE_OK);
}

/* In a batch the first request's outcome and its repeat can meet, and the batch may fail behind them. */
static void outcome_undo(void *arg, const char *type)
{
    struct fixture *f = arg;
    (void)type;
    assert_code(db_exec(store_writer(f->store), "UPDATE idempotency SET outcome_seq = 0", NULL, 0, NULL, NULL),
                CODE_OK);
}

static void i1_a_repeat_is_not_answered_from_an_outcome_that_was_undone(void **state)
{
    struct fixture *f = *state;
    struct sign_result result = {0};
    assert_code(fixture_sign(f, &f->alice), CODE_OK);
    f->audit->behind = outcome_undo;
    f->audit->behind_arg = f;

    assert_code(signer_sign(f->signer, &f->alice, &f->order, deadline_in(200), &result, &f->err), CODE_TIMEOUT);
    assert_null(result.signature.data);
}

/* ---- duplicates at the same time */

struct caller {
    struct fixture *f;
    pthread_t thread;
    struct deadline deadline;
    struct sign_result result;
    struct error err;
    status status;
};

static void *call(void *arg)
{
    struct caller *c = arg;
    c->status = signer_sign(c->f->signer, &c->f->alice, &c->f->order, c->deadline, &c->result, &c->err);
    return NULL;
}

static void caller_start(struct caller *c, struct fixture *f, int64_t timeout_ms)
{
    *c = (struct caller){.f = f, .deadline = deadline_in(timeout_ms)};
    assert_int_equal(pthread_create(&c->thread, NULL, call, c), 0);
}

static void caller_join(struct caller *c)
{
    assert_int_equal(pthread_join(c->thread, NULL), 0);
}

static void i6_a_duplicate_waits_for_the_first_and_gets_its_signature(void **state)
{
    struct fixture *f = *state;
    struct caller first, second[3];
    fake_hsm_hold(&f->hsm);
    caller_start(&first, f, 10000);
    fake_hsm_await_entered(&f->hsm);
    for (size_t i = 0; i < COUNT_OF(second); i++)
        caller_start(&second[i], f, 10000);
    fake_hsm_release(&f->hsm);

    caller_join(&first);
    assert_code(first.status, CODE_OK);
    for (size_t i = 0; i < COUNT_OF(second); i++) {
        caller_join(&second[i]);
        assert_code(second[i].status, CODE_OK);
        assert_true(slice_equal(buf_slice(&first.result.signature), buf_slice(&second[i].result.signature)));
        assert_int_equal(second[i].result.outcome_seq, first.result.outcome_seq);
        sign_result_clear(&second[i].result);
    }
    sign_result_clear(&first.result);
    assert_int_equal(f->hsm.calls, 1);
    assert_int_equal(f->audit->count, 2);
}

static void i9_a_duplicate_waits_no_longer_than_its_deadline(void **state)
{
    struct fixture *f = *state;
    struct caller first;
    fake_hsm_hold(&f->hsm);
    caller_start(&first, f, 10000);
    fake_hsm_await_entered(&f->hsm);

    struct sign_result result = {0};
    assert_code(signer_sign(f->signer, &f->alice, &f->order, deadline_in(100), &result, &f->err), CODE_TIMEOUT);
    assert_int_equal(result.signature.len, 0);
    fake_hsm_release(&f->hsm);
    caller_join(&first);
    assert_code(first.status, CODE_OK);
    sign_result_clear(&first.result);
}

static void i6_a_duplicate_signs_itself_when_the_first_fails(void **state)
{
    struct fixture *f = *state;
    struct caller first, second;
    f->hsm.fail_with = CODE_HSM_UNAVAILABLE;
    fake_hsm_hold(&f->hsm);
    caller_start(&first, f, 10000);
    fake_hsm_await_entered(&f->hsm);
    fake_hsm_release(&f->hsm);
    caller_join(&first);
    f->hsm.fail_with = CODE_OK;
    caller_start(&second, f, 10000);
    caller_join(&second);

    assert_code(first.status, CODE_HSM_UNAVAILABLE);
    assert_code(second.status, CODE_OK);
    sign_result_clear(&second.result);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(i6_a_repeat_gets_the_same_signature_and_no_new_record),
        TEST(i6_without_a_key_every_request_is_its_own),
        TEST(i6_the_key_with_another_request_is_a_conflict),
        TEST(i6_keys_of_two_principals_do_not_meet),
        TEST(i6_a_failed_request_may_be_made_again),
        TEST(i6_a_request_whose_outcome_was_lost_does_not_block_the_retry),
        TEST(i6_an_intent_that_was_lost_leaves_no_row),
        TEST(i4_a_repeat_by_a_revoked_signer_is_refused),
        TEST(a_row_older_than_a_day_counts_as_absent),
        TEST(malformed_keys_are_refused),
        TEST(i1_a_repeat_is_not_answered_from_an_outcome_that_was_undone),
        TEST(i6_a_duplicate_waits_for_the_first_and_gets_its_signature),
        TEST(i9_a_duplicate_waits_no_longer_than_its_deadline),
        TEST(i6_a_duplicate_signs_itself_when_the_first_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

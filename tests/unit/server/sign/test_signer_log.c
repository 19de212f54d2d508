/* SPDX-License-Identifier: Apache-2.0 */
/* The signing path on the real audit log and a store in a file: many threads, revocation in mid-flight, a start after a
 * crash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "sign_fixture.h"

enum { THREADS = 32, SIGNATURES_BEFORE = 200 };

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    if (!f)
        return -1;
    fixture_open_file(f);
    assert_code(audit_open(f->store, NULL, &f->audit, &f->err), CODE_OK);
    fixture_signer(f, false);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    audit_close(f->audit);
    fixture_close(f);
    free(f);
    return 0;
}

static void assert_log_is_sound(struct fixture *f)
{
    int64_t count = 0, first_bad = 0;
    struct db *db = store_reader_acquire(f->store, &f->err);
    assert_non_null(db);
    assert_code(audit_verify(db, &count, &first_bad, &f->err), CODE_OK);
    store_reader_release(f->store, db);
    if (first_bad != 0)
        fail_msg("record %lld: %s", (long long)first_bad, f->err.text);
}

struct tally {
    int64_t intents, outcomes, revoked_at, last_intent;
};

static status tally_add(void *arg, const struct record_row *r)
{
    struct tally *t = arg;
    bool intent = strcmp(r->type, "signature.intent") == 0;
    t->intents += intent;
    t->outcomes += strcmp(r->type, "signature.outcome") == 0 && r->intent_seq != 0;
    if (intent)
        t->last_intent = r->seq;
    if (strncmp(r->type, "signature.", strlen("signature.")) != 0)
        t->revoked_at = r->seq;
    return OK;
}

static struct tally tally_of(struct fixture *f)
{
    struct tally t = {0};
    const struct record_filter all = {.limit = 1000000};
    struct db *db = store_reader_acquire(f->store, &f->err);
    assert_non_null(db);
    assert_code(record_list(db, &all, tally_add, &t, &f->err), CODE_OK);
    store_reader_release(f->store, db);
    return t;
}

struct worker {
    struct fixture *f;
    pthread_t thread;
    atomic_int *made;
    int signatures, refusals, others;
};

/* Signs until it is refused, and checks every answer against its own record numbers. */
static void *work(void *arg)
{
    struct worker *w = arg;
    struct sign_order order = w->f->order;
    for (;;) {
        struct error err = {0};
        cleanup_sign_result struct sign_result result = {0};
        status s = signer_sign(w->f->signer, &w->f->alice, &order, deadline_in(60000), &result, &err);
        if (is_ok(s) && result.signature.len == 64 && result.outcome_seq > result.intent_seq) {
            w->signatures++;
            atomic_fetch_add(w->made, 1);
            continue;
        }
        bool is_refusal = s.code == CODE_NOT_FOUND || s.code == CODE_NOT_AUTHENTICATED;
        w->refusals += is_refusal;
        w->others += !is_refusal;
        return NULL;
    }
}

/* One way to lose the right to sign. */
struct revocation {
    const char *record_type;
    status (*prepare)(struct db *db); /* NULL: alice is a signer by herself */
    status (*rows)(struct db *db);
};

static status revocation_run(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    const struct revocation *r = arg;
    (void)record;
    (void)err;
    return r->rows(db);
}

static void revoke_on_record(struct fixture *f, const struct revocation *r)
{
    struct audit_record record = {
        .type = r->record_type, .principal = "carol", .principal_id = "usr_carol", .outcome = "success"};
    struct audit_work change = {
        .change = revocation_run, .arg = (void *)(uintptr_t)r, .record = &record, .alters_rights = true};
    assert_code(audit_commit(f->audit, &change, deadline_in(60000), &f->err), CODE_OK);
}

static status team_loses_alice(struct db *db)
{
    return team_member_delete(db, "team_builders", "svc_alice", NULL);
}

static status project_loses_team(struct db *db)
{
    return member_delete(db, "prj_demo", "team_builders", MEMBER_SIGNER, NULL);
}

static status team_is_removed(struct db *db)
{
    return team_delete(db, "team_builders", NULL);
}

/* The batch that holds the revocation may hold intents too: none may stand behind it. */
static void assert_no_intent_is_later(struct fixture *f, const struct revocation *revocation)
{
    struct worker workers[THREADS];
    atomic_int made = 0;
    f->order.key = KEY_EC;
    f->order.input.mechanism = MECHANISM_ECDSA;
    if (revocation->prepare)
        fixture_change(f, revocation->prepare);
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.f = f, .made = &made};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    const struct timespec pause = {.tv_nsec = 1000000};
    for (int i = 0; i < 60000 && atomic_load(&made) < SIGNATURES_BEFORE; i++)
        (void)nanosleep(&pause, NULL);
    revoke_on_record(f, revocation);

    int signatures = 0;
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
        assert_int_equal(workers[i].others, 0);
        assert_int_equal(workers[i].refusals, 1);
        signatures += workers[i].signatures;
    }
    struct tally t = tally_of(f);
    assert_true(signatures >= SIGNATURES_BEFORE);
    assert_true(t.revoked_at > 0);
    assert_true(t.last_intent < t.revoked_at);
    assert_int_equal(t.intents, signatures);
    assert_int_equal(t.outcomes, signatures);
    assert_int_equal(usage_of(f, KEY_EC).success, signatures);
    assert_int_equal(usage_of(f, KEY_EC).refused, THREADS);
    assert_log_is_sound(f);
}

static void i4_no_intent_is_later_in_the_log_than_the_revocation(void **state)
{
    assert_no_intent_is_later(*state, &(struct revocation){"member.remove", NULL, revoke_alice});
}

static void i4_no_intent_is_later_in_the_log_than_the_leaving_of_the_team(void **state)
{
    assert_no_intent_is_later(*state, &(struct revocation){"team.remove_member", team_of_alice, team_loses_alice});
}

static void i4_no_intent_is_later_in_the_log_than_the_teams_revocation(void **state)
{
    assert_no_intent_is_later(*state, &(struct revocation){"member.remove", team_of_alice, project_loses_team});
}

static void i4_no_intent_is_later_in_the_log_than_the_removal_of_the_team(void **state)
{
    assert_no_intent_is_later(*state, &(struct revocation){"team.delete", team_of_alice, team_is_removed});
}

static status alice_is_removed(struct db *db)
{
    return principal_remove(db, "svc_alice", 1, NULL);
}

static void i4_no_intent_is_later_in_the_log_than_the_removal_of_the_principal(void **state)
{
    assert_no_intent_is_later(*state, &(struct revocation){"account.delete", NULL, alice_is_removed});
}

/* Threads that race for the same idempotency keys: each key is signed once. */
static void *race(void *arg)
{
    struct worker *w = arg;
    struct sign_order order = w->f->order;
    for (int i = 0; i < 20; i++) {
        char key[32];
        struct error err = {0};
        cleanup_sign_result struct sign_result result = {0};
        (void)snprintf(key, sizeof(key), "idempotency-key-%d", i);
        order.idempotency_key = key;
        status s = signer_sign(w->f->signer, &w->f->alice, &order, deadline_in(60000), &result, &err);
        w->signatures += is_ok(s) && result.signature.len == 64;
        w->others += !is_ok(s);
    }
    return NULL;
}

static void i6_a_race_for_one_key_is_signed_once(void **state)
{
    struct fixture *f = *state;
    struct worker workers[8];
    f->order.key = KEY_EC;
    f->order.input.mechanism = MECHANISM_ECDSA;
    for (size_t i = 0; i < COUNT_OF(workers); i++) {
        workers[i] = (struct worker){.f = f};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, race, &workers[i]), 0);
    }
    for (size_t i = 0; i < COUNT_OF(workers); i++) {
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
        assert_int_equal(workers[i].others, 0);
        assert_int_equal(workers[i].signatures, 20);
    }
    assert_int_equal(f->hsm.calls, 20);
    assert_int_equal(tally_of(f).intents, 20);
    assert_log_is_sound(f);
}

/* What a crash between intent and outcome leaves behind: the row is under way, and its intent is open. */
static status row_insert(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    struct idempotency *row = arg;
    row->intent_seq = record->seq;
    return idempotency_insert(db, row, err);
}

static void i6_a_request_interrupted_by_a_crash_may_be_made_again(void **state)
{
    struct fixture *f = *state;
    struct idempotency row = {
        .principal_id = "svc_alice", .idempotency_key = "0123456789abcdef", .version = 1, .created_ms = clock_now_ms()};
    struct audit_record intent = {
        .type = "signature.intent", .principal = "alice", .principal_id = "svc_alice", .key_id = KEY_RSA};
    struct audit_work work_ = {.after = row_insert, .arg = &row, .record = &intent};
    assert_code(audit_commit(f->audit, &work_, deadline_in(10000), &f->err), CODE_OK);

    f->order.idempotency_key = "0123456789abcdef";
    memset(row.request_sha256, 0, sizeof(row.request_sha256));
    signer_free(steal(&f->signer));
    audit_close(steal(&f->audit));
    assert_code(audit_open(f->store, NULL, &f->audit, &f->err), CODE_OK);
    fixture_signer(f, false);

    assert_code(fixture_sign(f, &f->alice), CODE_OK);
    assert_int_equal(tally_of(f).intents, 2);
    assert_int_equal(tally_of(f).outcomes, 2);
    assert_log_is_sound(f);
}

static void refusals_of_all_kinds_are_taken_by_the_log(void **state)
{
    struct fixture *f = *state;
    assert_code(fixture_sign(f, &f->bob), CODE_NOT_FOUND);
    f->order.key = "no\"such\x01key";
    assert_code(fixture_sign(f, &f->alice), CODE_NOT_FOUND);
    f->order.key = KEY_RSA;
    f->order.input.digest.len = 3;
    assert_code(fixture_sign(f, &f->alice), CODE_DIGEST_MALFORMED);
    f->order.input.digest.len = 32;
    f->hsm.fail_with = CODE_HSM_UNAVAILABLE;
    assert_code(fixture_sign(f, &f->alice), CODE_HSM_UNAVAILABLE);

    assert_int_equal(tally_of(f).intents, 1);
    assert_log_is_sound(f);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(i4_no_intent_is_later_in_the_log_than_the_revocation),
        TEST(i4_no_intent_is_later_in_the_log_than_the_leaving_of_the_team),
        TEST(i4_no_intent_is_later_in_the_log_than_the_teams_revocation),
        TEST(i4_no_intent_is_later_in_the_log_than_the_removal_of_the_team),
        TEST(i4_no_intent_is_later_in_the_log_than_the_removal_of_the_principal),
        TEST(i6_a_race_for_one_key_is_signed_once),
        TEST(i6_a_request_interrupted_by_a_crash_may_be_made_again),
        TEST(refusals_of_all_kinds_are_taken_by_the_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

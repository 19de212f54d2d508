/* SPDX-License-Identifier: Apache-2.0 */
/* The signing path, one rule a test, with a log that fails when it is told to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "common/encoding.h"
#include "common/secret.h"
#include "server/sign/rights.h"
#include "server/store/approval.h"
#include "fake_audit.h"
#include "sign_fixture.h"

static int setup_verifying(void **state, bool verify_all)
{
    struct fixture *f = calloc(1, sizeof(*f));
    if (!f)
        return -1;
    fixture_open(f, "sqlite::memory:");
    f->audit = fake_audit_new(f->store);
    fixture_signer(f, verify_all);
    *state = f;
    return 0;
}

static int setup(void **state)
{
    return setup_verifying(state, true);
}

static int setup_rsa_only(void **state)
{
    return setup_verifying(state, false);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    fixture_close(f);
    fake_audit_free(f->audit);
    free(f);
    return 0;
}

static void use_key(struct fixture *f, const char *key, enum mechanism mechanism, enum hash hash)
{
    f->order.key = key;
    f->order.input = (struct sign_input){.mechanism = mechanism, .hash = hash, .digest = {f->digest, hash_len(hash)}};
    if (mechanism == MECHANISM_EDDSA)
        f->order.input.digest.len = 50;
    if (mechanism == MECHANISM_RSA_PSS) {
        f->order.input.mgf_hash = hash;
        f->order.input.salt_len = hash_len(hash);
    }
}

static bool verifies(struct fixture *f)
{
    cleanup_signing_key struct signing_key key = {0};
    assert_code(signing_key_find(store_writer(f->store), f->order.key, &key, NULL), CODE_OK);
    const uint8_t *at = key.spki.data;
    EVP_PKEY *public_key = d2i_PUBKEY(NULL, &at, (long)key.spki.len);
    status s = signature_verify(NULL, public_key, &f->order.input, buf_slice(&f->result.signature), NULL);
    EVP_PKEY_free(public_key);
    return is_ok(s);
}

static void assert_nothing_given_out(const struct fixture *f)
{
    assert_int_equal(f->result.signature.len, 0);
    assert_null(f->result.signature.data);
    assert_int_equal(f->result.intent_seq, 0);
    assert_int_equal(f->result.outcome_seq, 0);
}

/* ---- the straight path */

static void each_mechanism_signs_and_both_records_say_what(void **state)
{
    struct fixture *f = *state;
    const struct {
        const char *key;
        enum mechanism mechanism;
        enum hash hash;
    } rows[] = {{KEY_RSA, MECHANISM_RSA_PKCS1, HASH_SHA256}, {KEY_RSA, MECHANISM_RSA_PKCS1, HASH_SHA512},
                {KEY_RSA, MECHANISM_RSA_PSS, HASH_SHA384},   {KEY_EC, MECHANISM_ECDSA, HASH_SHA256},
                {KEY_EC, MECHANISM_ECDSA, HASH_SHA512},      {KEY_ED, MECHANISM_EDDSA, HASH_NONE}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        use_key(f, rows[i].key, rows[i].mechanism, rows[i].hash);
        assert_code(fixture_sign(f, &f->alice), CODE_OK);

        assert_true(verifies(f));
        const struct kept_record *intent = &f->audit->records[2 * i], *outcome = intent + 1;
        assert_string_equal(intent->type, "signature.intent");
        assert_string_equal(intent->outcome, "");
        assert_string_equal(intent->signature_sha256, "");
        assert_string_equal(outcome->type, "signature.outcome");
        assert_string_equal(outcome->outcome, "success");
        assert_int_equal(outcome->intent, intent->seq);
        for (const struct kept_record *r = intent; r <= outcome; r++) {
            assert_string_equal(r->key_id, rows[i].key);
            assert_string_equal(r->principal, "alice");
            assert_string_equal(r->program, "jarsigner");
            assert_string_equal(r->mechanism, mechanism_name(rows[i].mechanism));
            assert_string_equal(r->hash, rows[i].hash == HASH_NONE ? "" : hash_name(rows[i].hash));
        }
        assert_string_equal(intent->digest, outcome->digest);
    }
}

static void a_key_is_named_by_id_or_by_project_and_label(void **state)
{
    struct fixture *f = *state;
    f->order.key = "demo:rsa";

    assert_code(fixture_sign(f, &f->alice), CODE_OK);
    assert_string_equal(fake_audit_last(f->audit)->key_id, KEY_RSA);
    assert_string_equal(fake_audit_last(f->audit)->key, "demo-rsa");
    assert_int_equal(f->result.version, 1);
}

/* ---- I1 */

static void i1_signature_is_withheld_when_its_outcome_cannot_be_recorded(void **state)
{
    struct fixture *f = *state;
    fake_audit_fail_next(f->audit, RECORD_OUTCOME);

    assert_code(fixture_sign(f, &f->alice), CODE_AUDIT_UNAVAILABLE);

    assert_int_equal(f->hsm.calls, 1);
    assert_nothing_given_out(f);
    assert_int_equal(usage_of(f, KEY_RSA).success, 0);
}

static void i1_the_outcome_records_exactly_the_signature_given_out(void **state)
{
    struct fixture *f = *state;
    uint8_t hash[32];
    char hex[65];
    assert_code(fixture_sign(f, &f->alice), CODE_OK);

    assert_code(sha256(buf_slice(&f->result.signature), hash, NULL), CODE_OK);
    hex_format((struct slice){hash, sizeof(hash)}, hex);
    assert_string_equal(fake_audit_last(f->audit)->signature_sha256, hex);
    assert_int_equal(f->result.outcome_seq, fake_audit_last(f->audit)->seq);
    assert_int_equal(f->result.intent_seq, fake_audit_last(f->audit)->intent);
}

static void i1_a_signature_that_does_not_verify_is_withheld_and_on_record(void **state)
{
    struct fixture *f = *state;
    const char *const keys[] = {KEY_RSA, KEY_EC, KEY_ED};
    const enum mechanism mechanisms[] = {MECHANISM_RSA_PKCS1, MECHANISM_ECDSA, MECHANISM_EDDSA};
    f->hsm.spoil = true;
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        use_key(f, keys[i], mechanisms[i], mechanisms[i] == MECHANISM_EDDSA ? HASH_NONE : HASH_SHA256);
        assert_code(fixture_sign(f, &f->alice), CODE_INTERNAL);

        assert_nothing_given_out(f);
        assert_string_equal(fake_audit_last(f->audit)->outcome, "failed");
        assert_non_null(strstr(fake_audit_last(f->audit)->reason, "bad_signature: "));
        assert_string_equal(fake_audit_last(f->audit)->signature_sha256, "");
        assert_int_equal(usage_of(f, keys[i]).failed, 1);
    }
}

static void rsa_is_verified_even_when_the_others_are_not(void **state)
{
    struct fixture *f = *state;
    f->hsm.spoil = true;
    assert_code(fixture_sign(f, &f->alice), CODE_INTERNAL);
    use_key(f, KEY_EC, MECHANISM_ECDSA, HASH_SHA256);
    assert_code(fixture_sign(f, &f->alice), CODE_OK);

    f->hsm.cut = true;
    assert_code(fixture_sign(f, &f->alice), CODE_INTERNAL);
    assert_nothing_given_out(f);
}

/* ---- I2 */

struct order_of_events {
    struct fixture *f;
    int records_when_touched;
    bool intent_was_committed;
};

static void note_hsm(void *arg)
{
    struct order_of_events *o = arg;
    o->records_when_touched = o->f->audit->count;
    o->intent_was_committed = o->f->audit->count == 1 && strcmp(o->f->audit->records[0].type, "signature.intent") == 0;
}

static void i2_hsm_is_not_touched_before_the_intent_is_durable(void **state)
{
    struct fixture *f = *state;
    struct order_of_events events = {.f = f};
    f->hsm.touched = note_hsm;
    f->hsm.touched_arg = &events;

    assert_code(fixture_sign(f, &f->alice), CODE_OK);

    assert_int_equal(events.records_when_touched, 1);
    assert_true(events.intent_was_committed);
}

static void i2_hsm_is_not_touched_when_the_intent_cannot_be_recorded(void **state)
{
    struct fixture *f = *state;
    fake_audit_fail_next(f->audit, RECORD_INTENT);

    assert_code(fixture_sign(f, &f->alice), CODE_AUDIT_UNAVAILABLE);

    assert_int_equal(f->hsm.calls, 0);
    assert_int_equal(f->audit->count, 0);
    assert_nothing_given_out(f);
}

static void a_failure_of_the_hsm_is_an_outcome_with_its_reason(void **state)
{
    struct fixture *f = *state;
    f->hsm.fail_with = CODE_HSM_UNAVAILABLE;

    assert_code(fixture_sign(f, &f->alice), CODE_HSM_UNAVAILABLE);

    assert_nothing_given_out(f);
    assert_string_equal(fake_audit_last(f->audit)->outcome, "failed");
    assert_string_equal(fake_audit_last(f->audit)->reason, "hsm_unavailable: the token was pulled");
    assert_int_equal(fake_audit_last(f->audit)->intent, 1);
    assert_int_equal(usage_of(f, KEY_RSA).failed, 1);
}

static void a_key_that_the_hsm_has_lost_does_not_read_like_one_that_is_unknown(void **state)
{
    struct fixture *f = *state;
    memset(f->hsm.ids, 0, sizeof(f->hsm.ids));

    assert_code(fixture_sign(f, &f->alice), CODE_HSM_UNAVAILABLE);
    assert_string_equal(fake_audit_last(f->audit)->outcome, "failed");
}

static void outlast_deadline(void *arg)
{
    const struct timespec pause = {.tv_nsec = 1000000};
    while (!deadline_passed(*(const struct deadline *)arg))
        (void)nanosleep(&pause, NULL);
}

static void the_outcome_of_a_late_hsm_is_recorded_after_the_deadline(void **state)
{
    struct fixture *f = *state;
    struct deadline d = deadline_in(500);
    f->hsm.fail_with = CODE_TIMEOUT;
    f->hsm.touched = outlast_deadline;
    f->hsm.touched_arg = &d;

    assert_code(signer_sign(f->signer, &f->alice, &f->order, d, &f->result, &f->err), CODE_TIMEOUT);
    assert_string_equal(fake_audit_last(f->audit)->outcome, "failed");
}

/* ---- refusals and I4 */

/* One record, no intent, no touch of the HSM. */
static void assert_refused(struct fixture *f, const struct principal *who, enum code code, const char *reason)
{
    int records = f->audit->count, calls = f->hsm.calls;
    status s = fixture_sign(f, who);
    if (s.code != code)
        fail_msg("%s (%s), not %s", code_wire(s.code), f->err.text, code_wire(code));
    assert_int_equal(f->err.code, code);
    assert_nothing_given_out(f);
    assert_int_equal(f->hsm.calls, calls);
    assert_int_equal(f->audit->count, records + 1);
    const struct kept_record *r = fake_audit_last(f->audit);
    assert_string_equal(r->type, "signature.outcome");
    assert_string_equal(r->outcome, "refused");
    assert_int_equal(r->intent, 0);
    if (!strstr(r->reason, reason))
        fail_msg("reason: %s", r->reason);
}

static void an_unknown_key_and_a_forbidden_one_answer_alike(void **state)
{
    struct fixture *f = *state;
    struct error forbidden;
    assert_refused(f, &f->bob, CODE_NOT_FOUND, "not_found: the principal is not a signer of the project");
    assert_string_equal(fake_audit_last(f->audit)->key_id, KEY_RSA);
    forbidden = f->err;

    const char *const unknown[] = {"key_nowhere", "demo:nowhere", "nowhere:rsa", "rsa", ":", "demo:", ":rsa"};
    for (size_t i = 0; i < COUNT_OF(unknown); i++) {
        f->order.key = unknown[i];
        assert_refused(f, &f->bob, CODE_NOT_FOUND, "not_found: no such key");
        assert_string_equal(f->err.text, forbidden.text);
        assert_string_equal(fake_audit_last(f->audit)->key_id, "");
        assert_string_equal(fake_audit_last(f->audit)->key, "");
        char detail[64];
        (void)snprintf(detail, sizeof(detail), "{\"requested\":\"%s\"}", unknown[i]);
        assert_string_equal(fake_audit_last(f->audit)->detail, detail);
    }
}

static void what_was_asked_for_is_on_record_escaped_and_short(void **state)
{
    struct fixture *f = *state;
    const char *const rows[][2] = {
        {"a\"b\\c\nd", "{\"requested\":\"a%22b%5Cc%0Ad\"}"},
        {"100%", "{\"requested\":\"100%25\"}"},
        {"\xe2\x80\xae", "{\"requested\":\"%E2%80%AE\"}"},
        {"0123456789012345678901234567890123456789012345678901234567890123456789",
         "{\"requested\":\"0123456789012345678901234567890123456789012345678901234567890123\"}"},
        {"01234567890123456789012345678901234567890123456789012345678901\n9",
         "{\"requested\":\"01234567890123456789012345678901234567890123456789012345678901\"}"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        f->order.key = rows[i][0];
        assert_refused(f, &f->alice, CODE_NOT_FOUND, "no such key");
        assert_string_equal(fake_audit_last(f->audit)->detail, rows[i][1]);
    }
}

static void owners_and_administrators_who_are_no_signers_sign_nothing(void **state)
{
    struct fixture *f = *state;
    assert_refused(f, &f->bob, CODE_NOT_FOUND, "not a signer");
    assert_refused(f, &f->carol, CODE_NOT_FOUND, "not a signer");
    assert_int_equal(usage_of(f, KEY_RSA).refused, 2);
}

static void i4_a_revoked_signer_is_refused_at_the_next_signature(void **state)
{
    struct fixture *f = *state;
    assert_code(fixture_sign(f, &f->alice), CODE_OK);
    fixture_change(f, revoke_alice);

    assert_refused(f, &f->alice, CODE_NOT_FOUND, "not a signer");
    fixture_change(f, grant_alice);
    assert_code(fixture_sign(f, &f->alice), CODE_OK);
}

static void i4_a_disabled_key_is_refused_at_the_next_signature(void **state)
{
    struct fixture *f = *state;
    assert_code(fixture_sign(f, &f->alice), CODE_OK);
    fixture_change(f, disable_rsa);

    assert_refused(f, &f->alice, CODE_KEY_DISABLED,
                   "key_disabled: the signing key demo-rsa is disabled: stolen laptop");
    fixture_change(f, enable_rsa);
    assert_code(fixture_sign(f, &f->alice), CODE_OK);
}

static void i4_a_disabled_account_is_refused_though_it_was_authenticated(void **state)
{
    struct fixture *f = *state;
    assert_code(fixture_sign(f, &f->alice), CODE_OK);
    fixture_change(f, disable_account_alice);

    assert_refused(f, &f->alice, CODE_NOT_AUTHENTICATED, "the principal is disabled");
}

static status expire_alice(struct db *db)
{
    struct principal p = {0};
    TRY(principal_find(db, "svc_alice", &p, NULL));
    p.expires_ms = clock_now_ms() + 300;
    return principal_update(db, &p, NULL);
}

/* Nothing changes in the store when a time passes: the cached rights must notice by themselves. */
static void i4_an_account_expires_without_any_change_in_the_store(void **state)
{
    struct fixture *f = *state;
    fixture_change(f, expire_alice);
    status s = fixture_sign(f, &f->alice);
    const struct timespec pause = {.tv_nsec = 20000000};
    for (int i = 0; i < 500 && is_ok(s); i++) {
        (void)nanosleep(&pause, NULL);
        f->audit->count = 0;
        s = fixture_sign(f, &f->alice);
    }
    assert_int_equal(s.code, CODE_NOT_AUTHENTICATED);
}

static status end_alice(struct db *db)
{
    const struct member m = {.project_id = "prj_demo",
                             .principal_id = "svc_alice",
                             .role = MEMBER_SIGNER,
                             .since_ms = 1,
                             .not_after_ms = clock_now_ms() + 1000};
    TRY(revoke_alice(db));
    return member_insert(db, &m, NULL);
}

static status begin_alice(struct db *db)
{
    const struct member m = {.project_id = "prj_demo",
                             .principal_id = "svc_alice",
                             .role = MEMBER_SIGNER,
                             .since_ms = 1,
                             .not_before_ms = clock_now_ms() + 1000};
    TRY(revoke_alice(db));
    return member_insert(db, &m, NULL);
}

/* Signs until the answer is this one. */
static void assert_comes(struct fixture *f, enum code expected)
{
    const struct timespec pause = {.tv_nsec = 20000000};
    status s = fixture_sign(f, &f->alice);
    for (int i = 0; i < 1500 && s.code != expected; i++) {
        (void)nanosleep(&pause, NULL);
        f->audit->count = 0;
        s = fixture_sign(f, &f->alice);
    }
    assert_string_equal(code_wire(s.code), code_wire(expected));
}

static int64_t generation_now(struct fixture *f)
{
    int64_t generation = 0;
    struct db *db = store_reader_acquire(f->store, NULL);
    assert_code(store_generation(db, &generation, NULL), CODE_OK);
    store_reader_release(f->store, db);
    return generation;
}

static void i4_a_membership_ends_without_any_change_in_the_store(void **state)
{
    struct fixture *f = *state;
    fixture_change(f, end_alice);
    int64_t generation = generation_now(f);
    assert_code(fixture_sign(f, &f->alice), CODE_OK);
    assert_comes(f, CODE_NOT_FOUND);
    assert_non_null(strstr(f->err.detail, "ended at"));
    assert_int_equal(generation_now(f), generation);
}

static void i4_a_membership_begins_without_any_change_in_the_store(void **state)
{
    struct fixture *f = *state;
    fixture_change(f, begin_alice);
    int64_t generation = generation_now(f);
    assert_code(fixture_sign(f, &f->alice), CODE_NOT_FOUND);
    assert_non_null(strstr(f->err.detail, "begins at"));
    assert_comes(f, CODE_OK);
    assert_int_equal(generation_now(f), generation);
}

static status leave_team_alice(struct db *db)
{
    return team_member_delete(db, "team_builders", "svc_alice", NULL);
}

static void i4_who_leaves_the_team_is_refused_at_the_next_signature(void **state)
{
    struct fixture *f = *state;
    fixture_change(f, team_of_alice);
    assert_code(fixture_sign(f, &f->alice), CODE_OK);
    fixture_change(f, leave_team_alice);
    assert_refused(f, &f->alice, CODE_NOT_FOUND, "not a signer");
}

/* A clock that is set back, or a membership that ends meanwhile: read again, whatever the generation says. */
static void rights_are_current_within_their_time_alone(void **state)
{
    (void)state;
    const struct rights r = {.generation = 7, .read_ms = 1000, .held.valid_until_ms = 2000};
    const struct rights forever = {.generation = 7, .read_ms = 1000};
    assert_true(rights_are_current(&r, 7, 1000));
    assert_true(rights_are_current(&r, 7, 1999));
    assert_false(rights_are_current(&r, 7, 2000));
    assert_false(rights_are_current(&r, 7, 999));
    assert_false(rights_are_current(&r, 8, 1000));
    assert_true(rights_are_current(&forever, 7, INT64_MAX));
}

struct interference {
    struct fixture *f;
    status (*change)(struct db *db);
};

static void interfere(void *arg, const char *type)
{
    struct interference *i = arg;
    if (strcmp(type, "signature.intent") == 0 && i->change) {
        status (*change)(struct db * db) = i->change;
        i->change = NULL;
        fixture_change(i->f, change);
    }
}

/* The change comes after the rights were read and before the intent's transaction. */
static void i4_a_revocation_that_overtakes_the_intent_wins(void **state)
{
    struct fixture *f = *state;
    const struct {
        status (*change)(struct db *db);
        enum code code;
        const char *reason;
    } rows[] = {{disable_rsa, CODE_KEY_DISABLED, "stolen laptop"},
                {revoke_alice, CODE_NOT_FOUND, "not a signer"},
                {disable_account_alice, CODE_NOT_AUTHENTICATED, "disabled"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_code(fixture_sign(f, &f->alice), CODE_OK);
        struct interference interference = {.f = f, .change = rows[i].change};
        f->audit->before = interfere;
        f->audit->before_arg = &interference;

        assert_refused(f, &f->alice, rows[i].code, rows[i].reason);
        assert_string_equal(fake_audit_last(f->audit)->key_id, KEY_RSA);
        f->audit->before = NULL;
        if (i == 0)
            fixture_change(f, enable_rsa);
        if (i == 1)
            fixture_change(f, grant_alice);
    }
}

static void i4_a_change_that_leaves_the_right_alone_does_not_stop_the_signature(void **state)
{
    struct fixture *f = *state;
    struct interference interference = {.f = f, .change = enable_rsa};
    f->audit->before = interfere;
    f->audit->before_arg = &interference;

    assert_code(fixture_sign(f, &f->alice), CODE_OK);
    assert_true(verifies(f));
}

/* The log may run a work again when another work of its batch failed. */
static void a_transaction_that_is_begun_anew_gives_the_same(void **state)
{
    struct fixture *f = *state;
    struct interference interference = {.f = f, .change = enable_rsa};
    f->audit->before = interfere;
    f->audit->before_arg = &interference;
    f->audit->run_twice = 2;
    f->order.idempotency_key = "0123456789abcdef";

    assert_code(fixture_sign(f, &f->alice), CODE_OK);
    assert_true(verifies(f));
    assert_int_equal(f->audit->count, 2);
    assert_string_equal(f->audit->records[0].key_id, KEY_RSA);
    assert_int_equal(usage_of(f, KEY_RSA).success, 1);

    f->audit->run_twice = 1;
    interference.change = disable_rsa;
    f->order.idempotency_key = "0123456789abcdeg";
    assert_refused(f, &f->alice, CODE_KEY_DISABLED, "stolen laptop");
}

static status approved_for_alice(struct db *db)
{
    cleanup_policy_row struct policy_row row = {.scope = SCOPE_KEY, .scope_id = KEY_RSA, .version = 1, .created_ms = 1};
    const struct approval a = {.id = "apr_aaaaaaaaaaaaaaaaaaaa",
                               .key_id = KEY_RSA,
                               .requester_id = "svc_alice",
                               .signatures = 9,
                               .needed = 1,
                               .approvals = 1,
                               .remaining = 9,
                               .created_ms = 1,
                               .not_after_ms = INT64_MAX,
                               .expires_ms = INT64_MAX};
    buf_add_text(&row.document, "{\"approval\":{\"needed\":1}}");
    TRY(policy_insert(db, &row, NULL));
    TRY(approval_insert(db, &a, NULL));
    TRY(approval_set_state(db, a.id, APPROVAL_APPROVED, NULL));
    return grant_insert(db, &a, NULL);
}

/* The context is long enough that the approval's name moves the detail to other memory. */
static void a_transaction_that_is_begun_anew_has_the_same_detail(void **state)
{
    struct fixture *f = *state;
    fixture_change(f, approved_for_alice);
    f->order.context[0] = (struct sign_context){.name = "build_id", .value = "20260131"};
    f->order.context_count = 1;
    for (int again = 0; again < 2; again++) {
        f->audit->run_twice = again;
        assert_code(fixture_sign(f, &f->alice), CODE_OK);
        for (int i = 2; i > 0; i--)
            assert_string_equal(f->audit->records[f->audit->count - i].detail,
                                "{\"policy\":{\"key\":1},\"approval\":\"apr_aaaaaaaaaaaaaaaaaaaa\","
                                "\"context\":{\"build_id\":\"20260131\"}}");
    }
}

/* The refusal is the answer only when it is on record. */
static void a_refusal_that_cannot_be_recorded_is_not_given(void **state)
{
    struct fixture *f = *state;
    fake_audit_fail_next(f->audit, RECORD_OUTCOME);

    assert_code(fixture_sign(f, &f->bob), CODE_AUDIT_UNAVAILABLE);
    assert_int_equal(f->hsm.calls, 0);
}

/* ---- I5 */

static void i5_what_does_not_fit_the_key_is_refused_before_the_hsm(void **state)
{
    struct fixture *f = *state;
    const struct {
        const char *key;
        struct sign_input in;
        enum code code;
    } rows[] = {
        {KEY_RSA, {MECHANISM_RSA_PKCS1, HASH_SHA256, {f->digest, 31}, 0, 0}, CODE_DIGEST_MALFORMED},
        {KEY_RSA, {MECHANISM_RSA_PKCS1, HASH_SHA256, {f->digest, 64}, 0, 0}, CODE_DIGEST_MALFORMED},
        {KEY_RSA, {MECHANISM_RSA_PKCS1, HASH_SHA256, {f->digest, 0}, 0, 0}, CODE_DIGEST_MALFORMED},
        {KEY_RSA, {MECHANISM_RSA_PKCS1, HASH_NONE, {f->digest, 51}, 0, 0}, CODE_INVALID},
        {KEY_RSA, {MECHANISM_RSA_PKCS1, HASH_SHA1, {f->digest, 20}, 0, 0}, CODE_MECHANISM_DENIED},
        {KEY_RSA, {MECHANISM_ECDSA, HASH_SHA256, {f->digest, 32}, 0, 0}, CODE_MECHANISM_DENIED},
        {KEY_RSA, {MECHANISM_EDDSA, HASH_NONE, {f->digest, 32}, 0, 0}, CODE_MECHANISM_DENIED},
        {KEY_RSA, {MECHANISM_NONE, HASH_SHA256, {f->digest, 32}, 0, 0}, CODE_INVALID},
        {KEY_RSA, {MECHANISM_RSA_PSS, HASH_SHA256, {f->digest, 32}, HASH_SHA1, 32}, CODE_MECHANISM_DENIED},
        {KEY_RSA, {MECHANISM_RSA_PSS, HASH_SHA256, {f->digest, 32}, HASH_SHA256, 1000}, CODE_INVALID},
        {KEY_EC, {MECHANISM_RSA_PKCS1, HASH_SHA256, {f->digest, 32}, 0, 0}, CODE_MECHANISM_DENIED},
        {KEY_ED, {MECHANISM_EDDSA, HASH_SHA256, {f->digest, 32}, 0, 0}, CODE_INVALID},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        f->order.key = rows[i].key;
        f->order.input = rows[i].in;
        assert_refused(f, &f->alice, rows[i].code, code_wire(rows[i].code));
    }
}

static status allow_pkcs1_alone(struct db *db)
{
    return db_exec(db, "UPDATE signing_key SET mechanisms = 'rsa_pkcs1' WHERE id = 'key_rsa'", NULL, 0, NULL, NULL);
}

static void i5_a_mechanism_that_fits_the_key_must_be_allowed_too(void **state)
{
    struct fixture *f = *state;
    fixture_change(f, allow_pkcs1_alone);
    assert_code(fixture_sign(f, &f->alice), CODE_OK);
    use_key(f, KEY_RSA, MECHANISM_RSA_PSS, HASH_SHA256);

    assert_refused(f, &f->alice, CODE_MECHANISM_DENIED, "does not allow the mechanism rsa_pss");
}

static void i5_an_eddsa_message_is_on_record_by_its_sha256(void **state)
{
    struct fixture *f = *state;
    uint8_t hash[32];
    char hex[65];
    use_key(f, KEY_ED, MECHANISM_EDDSA, HASH_NONE);
    assert_code(fixture_sign(f, &f->alice), CODE_OK);

    assert_code(sha256(f->order.input.digest, hash, NULL), CODE_OK);
    hex_format((struct slice){hash, sizeof(hash)}, hex);
    assert_string_equal(fake_audit_last(f->audit)->digest, hex);
}

static void an_eddsa_message_above_the_cap_is_refused(void **state)
{
    struct fixture *f = *state;
    cleanup_buf struct buf message = {0};
    while (message.len <= LIMIT_EDDSA_MESSAGE)
        buf_add(&message, f->digest, sizeof(f->digest));
    use_key(f, KEY_ED, MECHANISM_EDDSA, HASH_NONE);
    f->order.input.digest = buf_slice(&message);

    assert_refused(f, &f->alice, CODE_TOO_LARGE, "too_large");
}

static void malformed_orders_are_refused_without_a_record(void **state)
{
    struct fixture *f = *state;
    const struct sign_order good = f->order;
    char long_text[LIMIT_TEXT + 2] = {0};
    memset(long_text, 'x', LIMIT_TEXT + 1);
    struct sign_order rows[] = {good, good, good, good, good, good};
    rows[0].key = "";
    rows[1].program = "two\nlines";
    rows[2].host = long_text;
    rows[3].user = "\xff";
    rows[4].request_id = "\x01";
    rows[5].client_address = "\x7f";
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        f->order = rows[i];
        assert_code(fixture_sign(f, &f->alice), CODE_INVALID);
    }
    assert_int_equal(f->audit->count, 0);
    assert_int_equal(f->hsm.calls, 0);
}

static void usage_counts_success_refusal_and_failure(void **state)
{
    struct fixture *f = *state;
    assert_code(fixture_sign(f, &f->alice), CODE_OK);
    assert_code(fixture_sign(f, &f->alice), CODE_OK);
    assert_refused(f, &f->bob, CODE_NOT_FOUND, "");
    f->hsm.fail_with = CODE_HSM_UNAVAILABLE;
    assert_code(fixture_sign(f, &f->alice), CODE_HSM_UNAVAILABLE);

    struct usage u = usage_of(f, KEY_RSA);
    assert_int_equal(u.success, 2);
    assert_int_equal(u.refused, 1);
    assert_int_equal(u.failed, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(each_mechanism_signs_and_both_records_say_what),
        TEST(a_key_is_named_by_id_or_by_project_and_label),
        TEST(i1_signature_is_withheld_when_its_outcome_cannot_be_recorded),
        TEST(i1_the_outcome_records_exactly_the_signature_given_out),
        TEST(i1_a_signature_that_does_not_verify_is_withheld_and_on_record),
        cmocka_unit_test_setup_teardown(rsa_is_verified_even_when_the_others_are_not, setup_rsa_only, teardown),
        TEST(i2_hsm_is_not_touched_before_the_intent_is_durable),
        TEST(i2_hsm_is_not_touched_when_the_intent_cannot_be_recorded),
        TEST(a_failure_of_the_hsm_is_an_outcome_with_its_reason),
        TEST(a_key_that_the_hsm_has_lost_does_not_read_like_one_that_is_unknown),
        TEST(the_outcome_of_a_late_hsm_is_recorded_after_the_deadline),
        TEST(an_unknown_key_and_a_forbidden_one_answer_alike),
        TEST(what_was_asked_for_is_on_record_escaped_and_short),
        TEST(owners_and_administrators_who_are_no_signers_sign_nothing),
        TEST(i4_a_revoked_signer_is_refused_at_the_next_signature),
        TEST(i4_a_disabled_key_is_refused_at_the_next_signature),
        TEST(i4_a_disabled_account_is_refused_though_it_was_authenticated),
        TEST(i4_an_account_expires_without_any_change_in_the_store),
        TEST(i4_a_membership_ends_without_any_change_in_the_store),
        TEST(i4_a_membership_begins_without_any_change_in_the_store),
        TEST(i4_who_leaves_the_team_is_refused_at_the_next_signature),
        TEST(rights_are_current_within_their_time_alone),
        TEST(i4_a_revocation_that_overtakes_the_intent_wins),
        TEST(i4_a_change_that_leaves_the_right_alone_does_not_stop_the_signature),
        TEST(a_transaction_that_is_begun_anew_gives_the_same),
        TEST(a_transaction_that_is_begun_anew_has_the_same_detail),
        TEST(a_refusal_that_cannot_be_recorded_is_not_given),
        TEST(i5_what_does_not_fit_the_key_is_refused_before_the_hsm),
        TEST(i5_a_mechanism_that_fits_the_key_must_be_allowed_too),
        TEST(i5_an_eddsa_message_is_on_record_by_its_sha256),
        TEST(an_eddsa_message_above_the_cap_is_refused),
        TEST(malformed_orders_are_refused_without_a_record),
        TEST(usage_counts_success_refusal_and_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

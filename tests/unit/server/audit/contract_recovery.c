/* SPDX-License-Identifier: Apache-2.0 */
/* What a server that stopped left behind. These need a store that survives closing. */
#include "log_world.h"

static void i2_intent_left_open_becomes_unknown_at_start(void **state)
{
    struct log_world *l = *state;
    char line[4096];
    int64_t first = log_append(l, intent_record());
    int64_t second = log_append(l, intent_record());
    (void)log_append(l, outcome_record(first, "success"));
    log_reopen(l);

    assert_int_equal(log_count(l), 4);
    log_line(l, 4, line);
    assert_non_null(strstr(line, "\"type\":\"signature.outcome\""));
    assert_non_null(strstr(line, "\"principal\":\"build-1\",\"principal_id\":\"svc_a\",\"project\":\"demo\","
                                 "\"key\":\"demo-rsa3072\",\"key_id\":\"key_a\",\"version\":1,"
                                 "\"mechanism\":\"rsa_pkcs1\",\"hash\":\"sha256\",\"digest\":\"00ff\","
                                 "\"signature_sha256\":null,\"outcome\":\"unknown\","
                                 "\"reason\":\"no outcome was recorded before the server stopped\",\"intent\":2,"));
    assert_non_null(strstr(line, "\"client\":{\"address\":\"127.0.0.1\",\"program\":\"osslsigncode\""));
    assert_int_equal(second, 2);
    usage_expect(l, 0, 0, 1);
}

static void i2_intent_is_closed_once(void **state)
{
    struct log_world *l = *state;
    (void)log_append(l, intent_record());
    log_reopen(l);
    log_reopen(l);
    assert_int_equal(log_count(l), 2);
    struct audit_record late = outcome_record(1, "success");
    struct audit_work work = {.record = &late};
    assert_code(audit_commit(l->audit, &work, soon(), &l->err), CODE_AUDIT_UNAVAILABLE);
}

static void i6_idempotency_key_of_a_lost_intent_may_be_used_again(void **state)
{
    struct log_world *l = *state;
    struct idempotency row = {.principal_id = "svc_a", .idempotency_key = "0123456789abcdef", .created_ms = 1},
                       out = {0};
    row.intent_seq = log_append(l, intent_record());
    assert_ok(idempotency_insert(l->w->db, &row, &l->err), &l->err);
    log_reopen(l);
    assert_code(idempotency_find(l->w->db, "svc_a", row.idempotency_key, &out, &l->err), CODE_NOT_FOUND);
}

/* Enough to move the stored mark past the first ones, with one left open on either side. */
static void i2_open_intent_is_found_behind_thousands_of_closed_ones(void **state)
{
    enum { PAIRS = 1100 };
    struct log_world *l = *state;
    for (int i = 0; i < PAIRS; i++)
        (void)log_append(l, outcome_record(log_append(l, intent_record()), "failed"));
    int64_t open = log_append(l, intent_record());
    for (int i = 0; i < PAIRS; i++)
        (void)log_append(l, outcome_record(log_append(l, intent_record()), "failed"));
    log_reopen(l);

    char line[4096], link[64];
    int64_t count = log_count(l);
    assert_int_equal(count, 4 * PAIRS + 2);
    log_line(l, count, line);
    (void)snprintf(link, sizeof(link),
                   "\"outcome\":\"unknown\",\"reason\":\"no outcome was recorded before the server "
                   "stopped\",\"intent\":%lld,",
                   (long long)open);
    assert_non_null(strstr(line, link));
}

const struct CMUnitTest recovery_tests[] = {
    LOG_TEST(i2_intent_left_open_becomes_unknown_at_start),
    LOG_TEST(i2_intent_is_closed_once),
    LOG_TEST(i6_idempotency_key_of_a_lost_intent_may_be_used_again),
    LOG_TEST(i2_open_intent_is_found_behind_thousands_of_closed_ones),
};
const size_t recovery_test_count = COUNT_OF(recovery_tests);

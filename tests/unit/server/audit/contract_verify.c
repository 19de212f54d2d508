/* SPDX-License-Identifier: Apache-2.0 */
/* I7, on any store: what was done to the log behind its back is found. */
#include "log_world.h"

static void five_records(struct log_world *l)
{
    (void)log_append(l, admin_record());
    (void)log_append(l, intent_record());
    (void)log_append(l, intent_record());
    (void)log_append(l, outcome_record(2, "success"));
    (void)log_append(l, outcome_record(3, "failed"));
}

static void i7_untouched_log_is_accepted(void **state)
{
    struct log_world *l = *state;
    assert_int_equal(log_count(l), 0);
    five_records(l);
    assert_int_equal(log_count(l), 5);
}

static void i7_log_longer_than_one_reading_is_accepted(void **state)
{
    struct log_world *l = *state;
    for (int i = 0; i < LIMIT_PAGE + 5; i++)
        (void)log_append(l, admin_record());
    assert_int_equal(log_count(l), LIMIT_PAGE + 5);
    log_tamper(l, "UPDATE record SET key_id = NULL WHERE seq = 1003");
    log_expect_bad(l, 1003, "a column differs from the record");
}

static void i7_changed_line_is_found(void **state)
{
    struct log_world *l = *state;
    five_records(l);
    log_tamper(
        l, "UPDATE record SET line = REPLACE(line, '\"outcome\":\"failed\"', '\"outcome\":\"succes\"') WHERE seq = 5");
    log_expect_bad(l, 5, "record 5: the record was changed");
}

static void i7_changed_time_in_the_middle_is_found(void **state)
{
    struct log_world *l = *state;
    five_records(l);
    log_tamper(l, "UPDATE record SET line = REPLACE(line, '2026-01', '2025-01') WHERE seq = 3");
    log_expect_bad(l, 3, "the record was changed");
}

static void i7_changed_column_is_found(void **state)
{
    static const char *const sql[] = {
        "UPDATE record SET type = 'signature.intent' WHERE seq = 4",
        "UPDATE record SET outcome = 'failed' WHERE seq = 4",
        "UPDATE record SET principal_id = 'usr_x' WHERE seq = 4",
        "UPDATE record SET key_id = NULL WHERE seq = 4",
        "UPDATE record SET request_id = 'req_x' WHERE seq = 4",
        "UPDATE record SET digest = '00fe' WHERE seq = 4",
        "UPDATE record SET intent_seq = 3 WHERE seq = 4",
    };
    struct log_world *l = *state;
    five_records(l);
    for (size_t i = 0; i < COUNT_OF(sql); i++) {
        log_tamper(l, sql[i]);
        log_expect_bad(l, 4, "a column differs from the record");
        log_tamper(l, "UPDATE record SET type = 'signature.outcome', outcome = 'success', principal_id = 'svc_a', "
                      "key_id = 'key_a', request_id = 'req_1', digest = '00ff', intent_seq = 2 WHERE seq = 4");
        assert_int_equal(log_count(l), 5);
    }
}

static void i7_removed_record_is_found(void **state)
{
    struct log_world *l = *state;
    five_records(l);
    log_tamper(l, "DELETE FROM record WHERE seq = 3");
    log_expect_bad(l, 3, "records are missing before this one");
}

static void i7_removed_record_is_found_when_the_rest_moves_up(void **state)
{
    struct log_world *l = *state;
    five_records(l);
    log_tamper(l, "DELETE FROM record WHERE seq = 3");
    log_tamper(l, "UPDATE record SET seq = 3 WHERE seq = 4");
    log_expect_bad(l, 3, "the record does not follow the one before");
}

static void i7_removed_first_record_is_found(void **state)
{
    struct log_world *l = *state;
    five_records(l);
    log_tamper(l, "DELETE FROM record WHERE seq = 1");
    log_expect_bad(l, 1, "records are missing before this one");
}

static void i7_reordered_records_are_found(void **state)
{
    struct log_world *l = *state;
    five_records(l);
    log_tamper(l, "UPDATE record SET seq = 99 WHERE seq = 2");
    log_tamper(l, "UPDATE record SET seq = 2 WHERE seq = 3");
    log_tamper(l, "UPDATE record SET seq = 3 WHERE seq = 99");
    log_expect_bad(l, 2, "the record does not follow the one before");
}

static void i7_cut_off_end_is_found(void **state)
{
    struct log_world *l = *state;
    five_records(l);
    log_tamper(l, "DELETE FROM record WHERE seq >= 4");
    log_expect_bad(l, 4, "records are missing at the end");
}

static void i7_emptied_log_is_found(void **state)
{
    struct log_world *l = *state;
    five_records(l);
    log_tamper(l, "DELETE FROM record");
    log_expect_bad(l, 1, "records are missing at the end");
}

static void i7_head_turned_back_is_found(void **state)
{
    struct log_world *l = *state;
    five_records(l);
    log_tamper(l, "UPDATE log_head SET seq = 4");
    log_expect_bad(l, 5, "the head of the log is behind this record");
}

static void i7_head_of_another_hash_is_found(void **state)
{
    struct log_world *l = *state;
    five_records(l);
    struct record_head head = {.seq = 5, .hash = {1}};
    assert_ok(record_head_set(l->w->db, &head, &l->err), &l->err);
    log_expect_bad(l, 5, "the head of the log has another hash");
}

static void i7_record_put_in_front_is_found(void **state)
{
    struct log_world *l = *state;
    five_records(l);
    log_tamper(l, "INSERT INTO record (seq, line, type, server) VALUES (0, '{}', 'server.start', 1)");
    log_expect_bad(l, 1, "a record stands where none can be");
}

static void i7_line_that_is_no_record_is_found(void **state)
{
    struct log_world *l = *state;
    five_records(l);
    log_tamper(l, "UPDATE record SET line = 'x' WHERE seq = 2");
    log_expect_bad(l, 2, "the record cannot be read");
}

const struct CMUnitTest verify_tests[] = {
    LOG_TEST(i7_untouched_log_is_accepted),
    LOG_TEST(i7_log_longer_than_one_reading_is_accepted),
    LOG_TEST(i7_changed_line_is_found),
    LOG_TEST(i7_changed_time_in_the_middle_is_found),
    LOG_TEST(i7_changed_column_is_found),
    LOG_TEST(i7_removed_record_is_found),
    LOG_TEST(i7_removed_record_is_found_when_the_rest_moves_up),
    LOG_TEST(i7_removed_first_record_is_found),
    LOG_TEST(i7_reordered_records_are_found),
    LOG_TEST(i7_cut_off_end_is_found),
    LOG_TEST(i7_emptied_log_is_found),
    LOG_TEST(i7_head_turned_back_is_found),
    LOG_TEST(i7_head_of_another_hash_is_found),
    LOG_TEST(i7_record_put_in_front_is_found),
    LOG_TEST(i7_line_that_is_no_record_is_found),
};
const size_t verify_test_count = COUNT_OF(verify_tests);

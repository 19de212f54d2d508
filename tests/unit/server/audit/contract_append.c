/* SPDX-License-Identifier: Apache-2.0 */
/* One work at a time, on any store: the line, the chain, changes that fail. */
#include <openssl/sha.h>

#include "common/encoding.h"
#include "common/json.h"
#include "log_world.h"

static void i7_signature_line_is_canonical(void **state)
{
    struct log_world *l = *state;
    char line[4096];
    int64_t seq = log_append(l, intent_record());
    assert_int_equal(seq, 1);
    log_line(l, 1, line);
    static const char expected[] =
        "{\"v\":1,\"seq\":1,\"time\":\"2026-01-01T00:00:00.000Z\",\"type\":\"signature.intent\",\"principal\":\"build-"
        "1\","
        "\"principal_id\":\"svc_a\",\"project\":\"demo\",\"key\":\"demo-rsa3072\",\"key_id\":\"key_a\",\"version\":1,"
        "\"mechanism\":\"rsa_pkcs1\",\"hash\":\"sha256\",\"digest\":\"00ff\",\"signature_sha256\":null,\"outcome\":"
        "null,"
        "\"reason\":null,\"intent\":null,\"client\":{\"address\":\"127.0.0.1\",\"program\":\"osslsigncode\",\"host\":"
        "null,"
        "\"user\":null},\"request_id\":\"req_1\",\"previous\":"
        "\"0000000000000000000000000000000000000000000000000000000000000000\"";
    assert_int_equal(strncmp(line, expected, sizeof(expected) - 1), 0);

    /* record_hash: SHA-256 of the line without its last member. */
    char text[4096], hex[65];
    uint8_t hash[32];
    (void)snprintf(text, sizeof(text), "%s}", expected);
    (void)SHA256((const unsigned char *)text, strlen(text), hash);
    hex_format((struct slice){hash, sizeof(hash)}, hex);
    (void)snprintf(text, sizeof(text), "%s,\"record_hash\":\"%s\"}", expected, hex);
    assert_string_equal(line, text);
}

static void i7_outcome_line_names_signature_and_intent(void **state)
{
    struct log_world *l = *state;
    char line[4096];
    struct audit_record r = outcome_record(log_append(l, intent_record()), "success");
    r.signature_sha256_hex = "abcd";
    (void)log_append(l, r);
    log_line(l, 2, line);
    assert_non_null(
        strstr(line, "\"signature_sha256\":\"abcd\",\"outcome\":\"success\",\"reason\":null,\"intent\":1,"));
}

static void i7_administrative_line_is_canonical(void **state)
{
    struct log_world *l = *state;
    char line[4096];
    struct audit_record r = admin_record();
    r.detail_json = "{\"reason\":\"lost\"}";
    (void)log_append(l, r);
    log_line(l, 1, line);
    static const char expected[] =
        "{\"v\":1,\"seq\":1,\"time\":\"2026-01-01T00:00:00.000Z\",\"type\":\"key.disable\",\"principal\":\"alice\","
        "\"principal_id\":\"usr_a\",\"project\":\"demo\",\"key\":\"demo-rsa3072\",\"key_id\":\"key_a\",\"target\":{"
        "\"type\":"
        "\"key\",\"id\":\"key_a\",\"name\":\"rsa3072\"},\"detail\":{\"reason\":\"lost\"},\"outcome\":\"success\","
        "\"reason\":null,"
        "\"client\":{\"address\":\"127.0.0.1\",\"program\":null,\"host\":null,\"user\":null},\"request_id\":\"req_2\","
        "\"previous\":\"";
    assert_int_equal(strncmp(line, expected, sizeof(expected) - 1), 0);
}

static void refusal_may_say_what_was_asked_for(void **state)
{
    struct log_world *l = *state;
    char line[4096];
    struct audit_record r = outcome_record(0, "refused");
    r.key = r.key_id = NULL;
    r.version = 0;
    r.detail_json = "{\"requested\":\"key_x\"}";
    (void)log_append(l, r);
    log_line(l, 1, line);
    assert_non_null(strstr(line, "\"key\":null,\"key_id\":null,\"version\":null,"));
    assert_non_null(
        strstr(line, "\"signature_sha256\":null,\"detail\":{\"requested\":\"key_x\"},\"outcome\":\"refused\","));
    assert_int_equal(log_count(l), 1);
}

static void text_of_a_stranger_stays_inside_its_member(void **state)
{
    struct log_world *l = *state;
    char line[4096];
    struct audit_record r = intent_record();
    r.client_program = "x\",\"outcome\":\"success\n\\ \xc3\xa9 \xff";
    (void)log_append(l, r);
    log_line(l, 1, line);
    cleanup_json struct json *json = NULL;
    assert_ok(json_parse(slice_of_text(line), 4096, 8, &json, &l->err), &l->err);
    assert_string_equal(json_get_text(json_get(json, "client"), "program", ""),
                        "x\",\"outcome\":\"success\n\\ \xc3\xa9 \xef\xbf\xbd");
    assert_null(strchr(line, '\n'));
    assert_int_equal(log_count(l), 1);
}

static void column_that_is_no_text_is_not_recorded(void **state)
{
    struct log_world *l = *state;
    struct audit_record r = intent_record();
    struct audit_work work = {.record = &r};
    r.request_id = "req\xff";
    assert_code(audit_commit(l->audit, &work, soon(), &l->err), CODE_AUDIT_UNAVAILABLE);
    assert_int_equal(log_count(l), 0);
}

static void i7_time_never_runs_backwards(void **state)
{
    struct log_world *l = *state;
    char line[4096];
    (void)log_append(l, intent_record());
    log_now_ms -= 5000;
    (void)log_append(l, intent_record());
    log_reopen(l);
    log_now_ms -= 5000;
    (void)log_append(l, intent_record());
    for (int64_t seq = 1; seq <= 3; seq++) {
        log_line(l, seq, line);
        assert_non_null(strstr(line, "\"time\":\"2026-01-01T00:00:00.000Z\""));
    }
}

static void i7_chain_goes_on_after_a_restart(void **state)
{
    struct log_world *l = *state;
    (void)log_append(l, admin_record());
    log_reopen(l);
    assert_int_equal(log_append(l, admin_record()), 2);
    assert_int_equal(log_count(l), 2);
}

static void i2_intent_gets_one_outcome(void **state)
{
    struct log_world *l = *state;
    int64_t intent = log_append(l, intent_record());
    (void)log_append(l, outcome_record(intent, "success"));
    struct audit_record again = outcome_record(intent, "failed");
    struct audit_work work = {.record = &again};
    assert_code(audit_commit(l->audit, &work, soon(), &l->err), CODE_AUDIT_UNAVAILABLE);
    assert_non_null(strstr(l->err.text, "has its outcome already"));
    assert_int_equal(log_count(l), 2);
}

struct change {
    bool fails;
    int ran;
};

static status change_project(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    struct change *c = arg;
    struct project p = {.id = "prj_new", .name = "new"};
    TRY(project_insert(db, &p, err));
    c->ran++;
    if (record)
        record->reason = "filled in by the change";
    return c->fails ? error_set(err, CODE_FORBIDDEN, "on second thought") : OK;
}

static void expect_project(struct log_world *l, bool there)
{
    struct project p;
    assert_code(project_find(l->w->db, "new", &p, &l->err), there ? CODE_OK : CODE_NOT_FOUND);
}

static void change_and_record_are_made_together(void **state)
{
    struct log_world *l = *state;
    char line[4096];
    struct change c = {0};
    struct audit_record r = admin_record();
    struct audit_work work = {.change = change_project, .arg = &c, .record = &r};
    assert_ok(audit_commit(l->audit, &work, soon(), &l->err), &l->err);
    expect_project(l, true);
    log_line(l, 1, line);
    assert_non_null(strstr(line, "\"reason\":\"filled in by the change\""));
    assert_int_equal(r.seq, 1);
    assert_int_equal(r.time_ms, log_now_ms);
}

static void failed_change_leaves_neither_change_nor_record(void **state)
{
    struct log_world *l = *state;
    for (int savepoint = 0; savepoint <= 1; savepoint++) {
        struct change c = {.fails = true};
        struct audit_record r = admin_record();
        struct audit_work work = {.change = change_project, .arg = &c, .record = &r, .needs_savepoint = savepoint};
        assert_code(audit_commit(l->audit, &work, soon(), &l->err), CODE_FORBIDDEN);
        assert_string_equal(l->err.text, "on second thought");
        assert_int_equal(c.ran, 1);
        expect_project(l, false);
        assert_int_equal(log_count(l), 0);
    }
}

static void failure_after_the_record_takes_the_record_away(void **state)
{
    struct log_world *l = *state;
    for (int savepoint = 0; savepoint <= 1; savepoint++) {
        struct change c = {.fails = true};
        struct audit_record r = intent_record();
        struct audit_work work = {.after = change_project, .arg = &c, .record = &r, .needs_savepoint = savepoint};
        assert_code(audit_commit(l->audit, &work, soon(), &l->err), CODE_FORBIDDEN);
        expect_project(l, false);
        assert_int_equal(log_count(l), 0);
    }
    assert_int_equal(log_append(l, admin_record()), 1);
}

static void change_without_record_is_committed(void **state)
{
    struct log_world *l = *state;
    struct change c = {0};
    struct audit_work work = {.change = change_project, .arg = &c};
    assert_ok(audit_commit(l->audit, &work, soon(), &l->err), &l->err);
    expect_project(l, true);
    assert_int_equal(log_count(l), 0);
}

static void i4_generation_grows_with_changes_of_rights_only(void **state)
{
    struct log_world *l = *state;
    int64_t before = 0, now = 0;
    assert_ok(store_generation(l->w->db, &before, &l->err), &l->err);
    (void)log_append(l, admin_record());
    assert_ok(store_generation(l->w->db, &now, &l->err), &l->err);
    assert_int_equal(now, before);

    struct audit_record r = admin_record();
    struct audit_work work = {.record = &r, .alters_rights = true};
    assert_ok(audit_commit(l->audit, &work, soon(), &l->err), &l->err);
    assert_ok(store_generation(l->w->db, &now, &l->err), &l->err);
    assert_int_equal(now, before + 1);
}

static void i4_generation_stays_when_the_change_of_rights_failed(void **state)
{
    struct log_world *l = *state;
    int64_t before = 0, now = 0;
    assert_ok(store_generation(l->w->db, &before, &l->err), &l->err);
    struct change c = {.fails = true};
    struct audit_work work = {.change = change_project, .arg = &c, .alters_rights = true};
    assert_code(audit_commit(l->audit, &work, soon(), NULL), CODE_FORBIDDEN);
    assert_ok(store_generation(l->w->db, &now, &l->err), &l->err);
    assert_int_equal(now, before);
}

static void i9_passed_deadline_records_nothing(void **state)
{
    struct log_world *l = *state;
    struct audit_record r = intent_record();
    struct audit_work work = {.record = &r};
    assert_code(audit_commit(l->audit, &work, deadline_in(0), &l->err), CODE_AUDIT_UNAVAILABLE);
    assert_int_equal(log_count(l), 0);
}

const struct CMUnitTest append_tests[] = {
    LOG_TEST(i7_signature_line_is_canonical),
    LOG_TEST(i7_outcome_line_names_signature_and_intent),
    LOG_TEST(i7_administrative_line_is_canonical),
    LOG_TEST(refusal_may_say_what_was_asked_for),
    LOG_TEST(text_of_a_stranger_stays_inside_its_member),
    LOG_TEST(column_that_is_no_text_is_not_recorded),
    LOG_TEST(i7_time_never_runs_backwards),
    LOG_TEST(i7_chain_goes_on_after_a_restart),
    LOG_TEST(i2_intent_gets_one_outcome),
    LOG_TEST(change_and_record_are_made_together),
    LOG_TEST(failed_change_leaves_neither_change_nor_record),
    LOG_TEST(failure_after_the_record_takes_the_record_away),
    LOG_TEST(change_without_record_is_committed),
    LOG_TEST(i4_generation_grows_with_changes_of_rights_only),
    LOG_TEST(i4_generation_stays_when_the_change_of_rights_failed),
    LOG_TEST(i9_passed_deadline_records_nothing),
};
const size_t append_test_count = COUNT_OF(append_tests);

/* SPDX-License-Identifier: Apache-2.0 */
/* I7: what was changed, removed, moved or cut off is found, and the record is named. */
#include <stdio.h>

#include "client/audit_page.h"
#include "client/audit_verify.h"
#include "common/encoding.h"
#include "common/secret.h"
#include "tests/unit/common/expect.h"

enum { RECORDS = 9, LINE = 512 };

static char lines[RECORDS + 1][LINE]; /* lines[seq] */
static struct audit_head head;
static struct error err;

/* The record with its hash; hash_out gets it. */
static void record_write(char *out, int64_t seq, const char *what, const char *previous, char hash_out[65])
{
    uint8_t digest[32];
    char body[LINE - 90];
    int len = snprintf(body, sizeof(body),
                       "{\"v\":1,\"seq\":%lld,\"type\":\"%s\",\"detail\":{\"n\":[1,\"],}\"]},\"previous\":\"%s\"}",
                       (long long)seq, what, previous);
    assert_ok(sha256((struct slice){(const uint8_t *)body, (size_t)len}, digest, &err));
    hex_format((struct slice){digest, 32}, hash_out);
    (void)snprintf(out, LINE, "%.*s,\"record_hash\":\"%s\"}", len - 1, body, hash_out);
}

static int set_up(void **state)
{
    (void)state;
    char previous[65];
    memset(previous, '0', 64);
    previous[64] = '\0';
    for (int seq = 1; seq <= RECORDS; seq++)
        record_write(lines[seq], seq, "signature.outcome", previous, previous);
    head.seq = RECORDS;
    memcpy(head.record_hash, previous, 65);
    return 0;
}

/* All findings of a run, one a line. */
static struct buf told;

static void tell(void *user, const struct audit_finding *f)
{
    char text[160];
    (void)user;
    audit_finding_format(f, text);
    buf_printf(&told, "%s\n", text);
}

static void expect(const int *order, size_t count, const struct audit_head *expected, const char *findings)
{
    cleanup_audit_verifier struct audit_verifier *v = audit_verifier_new(tell, NULL);
    buf_reset(&told);
    if (expected)
        audit_verifier_expect(v, expected);
    for (size_t i = 0; i < count; i++)
        assert_ok(audit_verifier_add(v, slice_of_text(lines[order[i]]), &err));
    int64_t total = audit_verifier_finish(v);
    assert_string_equal(buf_text(&told), findings);
    int64_t wanted = 0;
    for (const char *at = findings; *at; at++)
        wanted += *at == '\n';
    assert_int_equal(total, wanted);
    buf_clear(&told);
}
#define EXPECT(expected, findings, ...)                                                                                \
    expect((const int[]){__VA_ARGS__}, COUNT_OF(((const int[]){__VA_ARGS__})), expected, findings)

static void i7_an_intact_log_is_accepted(void **state)
{
    (void)state;
    EXPECT(&head, "", 1, 2, 3, 4, 5, 6, 7, 8, 9);
}

static void i7_an_empty_log_is_accepted(void **state)
{
    (void)state;
    expect(NULL, 0, NULL, "");
}

static void i7_a_changed_record_is_named(void **state)
{
    (void)state;
    memcpy(strstr(lines[4], "outcome"), "Outcome", 7);
    EXPECT(&head, "record 4 was changed\n", 1, 2, 3, 4, 5, 6, 7, 8, 9);
}

static void i7_every_single_changed_byte_is_found(void **state)
{
    (void)state;
    size_t len = strlen(lines[5]);
    for (size_t i = 0; i < len; i++) {
        cleanup_audit_verifier struct audit_verifier *v = audit_verifier_new(tell, NULL);
        lines[5][i] ^= 1;
        for (int seq = 1; seq <= RECORDS; seq++)
            assert_ok(audit_verifier_add(v, slice_of_text(lines[seq]), &err));
        assert_true(audit_verifier_finish(v) > 0);
        lines[5][i] ^= 1;
    }
    buf_clear(&told);
}

static void i7_a_record_replaced_with_a_right_hash_is_named(void **state)
{
    (void)state;
    char previous[65];
    char hash[65];
    (void)snprintf(previous, sizeof(previous), "%.64s", strstr(lines[4], "previous") + 11);
    record_write(lines[4], 4, "nothing.happened", previous, hash);
    EXPECT(&head, "record 4 was replaced: the next one is chained to another\n", 1, 2, 3, 4, 5, 6, 7, 8, 9);
}

static void i7_a_first_record_chained_to_something_is_named(void **state)
{
    (void)state;
    char hash[65];
    record_write(lines[1], 1, "server.init", head.record_hash, hash);
    EXPECT(NULL, "record 1 was changed\n", 1);
}

static void i7_a_removed_record_is_named(void **state)
{
    (void)state;
    EXPECT(&head, "record 4 is missing\n", 1, 2, 3, 5, 6, 7, 8, 9);
}

static void i7_removed_records_are_named_as_a_range(void **state)
{
    (void)state;
    EXPECT(&head, "records 1 to 3 are missing\nrecord 6 is missing\n", 4, 5, 7, 8, 9);
}

static void i7_a_moved_record_is_named(void **state)
{
    (void)state;
    EXPECT(&head, "record 4 is out of order\n", 1, 2, 3, 5, 4, 6, 7, 8, 9);
    EXPECT(&head, "record 1 is out of order\n", 2, 3, 4, 5, 6, 7, 8, 9, 1);
}

static void i7_a_moved_record_in_a_gap_leaves_the_rest_of_the_gap(void **state)
{
    (void)state;
    EXPECT(&head, "record 4 is out of order\nrecords 2 to 3 are missing\nrecord 5 is missing\n", 1, 6, 4, 7, 8, 9);
}

static void i7_a_repeated_record_is_named(void **state)
{
    (void)state;
    EXPECT(&head, "record 4 stands twice\n", 1, 2, 3, 4, 4, 5, 6, 7, 8, 9);
}

static void i7_a_log_cut_off_before_its_head_is_found(void **state)
{
    (void)state;
    EXPECT(&head, "records 7 to 9 are missing at the end\n", 1, 2, 3, 4, 5, 6);
    expect(NULL, 0, &head, "records 1 to 9 are missing at the end\n");
}

static void i7_another_record_at_the_head_is_found(void **state)
{
    (void)state;
    struct audit_head other = head;
    other.record_hash[0] ^= 1;
    EXPECT(&other, "record 9 is not the one at the head of the server's log\n", 1, 2, 3, 4, 5, 6, 7, 8, 9);
}

static void i7_a_head_in_the_middle_lets_the_log_have_grown(void **state)
{
    (void)state;
    struct audit_head middle = {.seq = 5};
    (void)snprintf(middle.record_hash, sizeof(middle.record_hash), "%.64s", strstr(lines[6], "previous") + 11);
    EXPECT(&middle, "", 1, 2, 3, 4, 5, 6, 7, 8, 9);
}

static void a_line_that_is_no_record_is_named_by_its_place(void **state)
{
    (void)state;
    (void)snprintf(lines[4], LINE, "hello");
    EXPECT(&head, "line 4 is no record\nrecord 4 is missing\n", 1, 2, 3, 4, 5, 6, 7, 8, 9);
}

static void a_record_cut_in_the_middle_is_found(void **state)
{
    (void)state;
    lines[9][60] = '\0';
    EXPECT(NULL, "line 9 is no record\n", 1, 2, 3, 4, 5, 6, 7, 8, 9);
}

static void a_record_with_a_member_behind_its_hash_is_malformed(void **state)
{
    (void)state;
    size_t len = strlen(lines[4]);
    (void)snprintf(lines[4] + len - 1, 12, ",\"x\":1}");
    EXPECT(NULL, "record 4 is malformed\n", 1, 2, 3, 4, 5);
}

/* ---- pages */

static status collect(void *user, struct slice line, struct error *e)
{
    (void)e;
    buf_add(user, line.data, line.len);
    buf_add_byte(user, '|');
    return OK;
}

static void a_page_is_split_without_touching_its_records(void **state)
{
    (void)state;
    cleanup_buf struct buf got = {0};
    cleanup_buf struct buf next = {0};
    struct slice page = SLICE("{ \"next\" : \"42\", \"x\":{\"items\":[9]}, \"items\" : [ {\"a\": \"]},{\\\"\"} ,\n"
                              "{\"b\":[1, {}]},{ }] }");
    assert_ok(audit_page_split(page, collect, &got, &next, &err));
    assert_buf(&got, "{\"a\": \"]},{\\\"\"}|{\"b\":[1, {}]}|{ }|");
    assert_buf(&next, "42");
}

static void a_last_page_has_no_cursor(void **state)
{
    (void)state;
    cleanup_buf struct buf got = {0};
    cleanup_buf struct buf next = {0};
    buf_add_text(&next, "old");
    assert_ok(audit_page_split(SLICE("{\"items\":[],\"next\":null}"), collect, &got, &next, &err));
    assert_int_equal(got.len, 0);
    assert_int_equal(next.len, 0);
}

static void what_is_no_page_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "[]", "{}", "{\"items\":{}}", "{\"items\":[}", "{\"items\":[]} x", "null"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        cleanup_buf struct buf got = {0};
        cleanup_buf struct buf next = {0};
        assert_code(audit_page_split(slice_of_text(texts[i]), collect, &got, &next, &err), CODE_INTERNAL);
    }
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(i7_an_intact_log_is_accepted),
        TEST(i7_an_empty_log_is_accepted),
        TEST(i7_a_changed_record_is_named),
        TEST(i7_every_single_changed_byte_is_found),
        TEST(i7_a_record_replaced_with_a_right_hash_is_named),
        TEST(i7_a_first_record_chained_to_something_is_named),
        TEST(i7_a_removed_record_is_named),
        TEST(i7_removed_records_are_named_as_a_range),
        TEST(i7_a_moved_record_is_named),
        TEST(i7_a_moved_record_in_a_gap_leaves_the_rest_of_the_gap),
        TEST(i7_a_repeated_record_is_named),
        TEST(i7_a_log_cut_off_before_its_head_is_found),
        TEST(i7_another_record_at_the_head_is_found),
        TEST(i7_a_head_in_the_middle_lets_the_log_have_grown),
        TEST(a_line_that_is_no_record_is_named_by_its_place),
        TEST(a_record_cut_in_the_middle_is_found),
        TEST(a_record_with_a_member_behind_its_hash_is_malformed),
        TEST(a_page_is_split_without_touching_its_records),
        TEST(a_last_page_has_no_cursor),
        TEST(what_is_no_page_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log as it is asked: by digest, by time, newest first, and in pages that end whatever the log's length. */
#include "world.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "common/text.h"

#define DIGEST "0505050505050505050505050505050505050505050505050505050505050505"

static int64_t item_seq(const struct world *w, size_t i)
{
    return json_get_integer(json_at(json_get(w->answer, "items"), i), "seq", -1);
}

static size_t item_count(const struct world *w)
{
    return json_count(json_get(w->answer, "items"));
}

static void a_digest_finds_the_outcomes_of_its_signatures(void **state)
{
    struct world *w = *state;
    cleanup_buf struct buf body = {0};
    char id[ID_SIZE], digest[129];

    world_key(w, "looked-up", "p256", id);
    digest_body("ecdsa", 5, &body);
    assert_status(w, world_sign(w, SIGNER, id, buf_text(&body)), 201);
    cleanup_json struct json *record = world_last_record(w);
    (void)text_copy(digest, sizeof(digest), json_get_text(record, "digest", ""));
    assert_status(w, world_get(w, AUDITOR, "/v1/audit?digest=%s", digest), 200);
    assert_int_equal(item_count(w), 1);
    assert_int_equal(item_seq(w, 0), json_get_integer(record, "seq", 0));
    for (size_t i = 0; digest[i]; i++)
        digest[i] = (char)(digest[i] >= 'a' ? digest[i] - 'a' + 'A' : digest[i]);
    assert_status(w, world_get(w, AUDITOR, "/v1/audit?digest=%s&order=newest", digest), 200);
    assert_int_equal(item_count(w), 1);
    digest[0] = digest[0] == '0' ? '1' : '0';
    assert_status(w, world_get(w, AUDITOR, "/v1/audit?digest=%s", digest), 200);
    assert_int_equal(item_count(w), 0);
    assert_string_equal(answer_text(w, "next"), "");
}

static void newest_first_ends_at_the_first_record(void **state)
{
    struct world *w = *state;
    int64_t expected = world_head(w);
    char after[32] = "";

    for (int page = 0; page < 1000; page++) {
        assert_status(w, world_get(w, AUDITOR, "/v1/audit?order=newest&limit=3%s", after), 200);
        for (size_t i = 0; i < item_count(w); i++)
            assert_int_equal(item_seq(w, i), expected--);
        if (!*answer_text(w, "next"))
            break;
        (void)snprintf(after, sizeof(after), "&after=%s", answer_text(w, "next"));
    }
    assert_int_equal(expected, 0);
}

static void times_bound_the_list_the_first_within_the_second_without(void **state)
{
    struct world *w = *state;
    char since[40], until[40];

    assert_status(w, world_post(w, ADMIN, "/v1/projects", "{\"name\":\"time-1\"}"), 201);
    cleanup_json struct json *first = world_last_record(w);
    (void)text_copy(since, sizeof(since), json_get_text(first, "time", ""));
    nanosleep(&(struct timespec){0, 5000000}, NULL);
    assert_status(w, world_post(w, ADMIN, "/v1/projects", "{\"name\":\"time-2\"}"), 201);
    cleanup_json struct json *second = world_last_record(w);
    (void)text_copy(until, sizeof(until), json_get_text(second, "time", ""));
    assert_status(w, world_get(w, AUDITOR, "/v1/audit?since=%s&until=%s", since, until), 200);
    assert_int_equal(item_count(w), 1);
    assert_int_equal(item_seq(w, 0), json_get_integer(first, "seq", 0));
    assert_status(w, world_get(w, AUDITOR, "/v1/audit?until=%s&order=newest&limit=1", until), 200);
    assert_int_equal(item_seq(w, 0), json_get_integer(first, "seq", 0));
    assert_status(w, world_get(w, AUDITOR, "/v1/audit?since=%s&until=%s", until, since), 200);
    assert_int_equal(item_count(w), 0);
}

/* 50,000 records of no interest, behind the log's back. */
static void log_stretch(struct world *w)
{
    char path[128];
    sqlite3 *db = NULL;

    (void)snprintf(path, sizeof(path), "%s/chancery.db", w->hsm.dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_busy_timeout(db, 5000), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(db,
                     "BEGIN; INSERT INTO record (seq, line, type, server) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL "
                     "SELECT i + 1 FROM n WHERE i < 50000) SELECT (SELECT seq FROM log_head) + i, '{}', 'x', 1 FROM n; "
                     "UPDATE log_head SET seq = seq + 50000; COMMIT",
                     NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(db);
}

static void a_page_looks_at_a_bounded_number_of_records_and_the_next_goes_on(void **state)
{
    struct world *w = *state;
    static const char *const orders[] = {"oldest", "newest"};

    log_stretch(w);
    for (size_t i = 0; i < COUNT_OF(orders); i++) {
        char after[32] = "";
        size_t found = 0;
        int pages = 0;
        for (bool more = true; more && pages < 100; pages++) {
            assert_status(w, world_get(w, AUDITOR, "/v1/audit?type=project.create&order=%s%s", orders[i], after), 200);
            found += item_count(w);
            more = *answer_text(w, "next");
            (void)snprintf(after, sizeof(after), "&after=%s", answer_text(w, "next"));
        }
        assert_int_equal(found, 2); /* time-1 and time-2 */
        assert_int_equal(pages, 3);
    }
}

static void what_is_no_filter_is_named(void **state)
{
    struct world *w = *state;
    static const char *const rows[][2] = {{"digest=12", "digest"},
                                          {"digest=" DIGEST "0", "digest"},
                                          {"digest=" DIGEST DIGEST "00", "digest"},
                                          {"digest=g" DIGEST, "digest"},
                                          {"order=up", "order"},
                                          {"since=yesterday", "since"},
                                          {"until=2026-13-01T00:00:00Z", "until"}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        (void)world_get(w, AUDITOR, "/v1/audit?%s", rows[i][0]);
        assert_problem(w, CODE_INVALID, rows[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_digest_finds_the_outcomes_of_its_signatures),
        cmocka_unit_test(newest_first_ends_at_the_first_record),
        cmocka_unit_test(times_bound_the_list_the_first_within_the_second_without),
        cmocka_unit_test(what_is_no_filter_is_named),
        cmocka_unit_test(a_page_looks_at_a_bounded_number_of_records_and_the_next_goes_on), /* last: the log is false */
    };
    return cmocka_run_group_tests(tests, world_open, world_close);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Idempotency rows, records, generation, transactions, readers, on any store. */
#include "world.h"

static struct idempotency idempotency_of(int64_t created_ms)
{
    return (struct idempotency){.principal_id = "svc_a",
                                .idempotency_key = "0123456789abcdef",
                                .request_sha256 = {9, 8},
                                .intent_seq = 41,
                                .version = 1,
                                .created_ms = created_ms};
}

static void i6_idempotency_row_is_put_in_once_and_finished(void **state)
{
    struct world *w = *state;
    struct idempotency in = idempotency_of(1000), out = {0};
    assert_ok(idempotency_insert(w->db, &in, &w->err), &w->err);
    assert_code(idempotency_insert(w->db, &in, &w->err), CODE_CONFLICT);
    assert_ok(idempotency_find(w->db, "svc_a", "0123456789abcdef", &out, &w->err), &w->err);
    assert_int_equal(out.outcome_seq, 0);
    assert_int_equal(out.signature.len, 0);

    in.outcome_seq = 42;
    buf_add(&in.signature, "s\0g", 3);
    assert_ok(idempotency_finish(w->db, &in, &w->err), &w->err);
    assert_ok(idempotency_find(w->db, "svc_a", "0123456789abcdef", &out, &w->err), &w->err);
    assert_int_equal(out.intent_seq, 41);
    assert_int_equal(out.outcome_seq, 42);
    assert_int_equal(out.request_sha256[1], 8);
    assert_int_equal(out.signature.len, 3);
    idempotency_clear(&in);
    idempotency_clear(&out);
}

static void i6_idempotency_keys_of_two_principals_are_apart(void **state)
{
    struct world *w = *state;
    struct idempotency a = idempotency_of(1000), b = idempotency_of(1000), out = {0};
    (void)snprintf(b.principal_id, sizeof(b.principal_id), "svc_b");
    assert_ok(idempotency_insert(w->db, &a, &w->err), &w->err);
    assert_code(idempotency_find(w->db, "svc_b", a.idempotency_key, &out, &w->err), CODE_NOT_FOUND);
    assert_ok(idempotency_insert(w->db, &b, &w->err), &w->err);
}

static void i6_removed_idempotency_key_may_be_used_again(void **state)
{
    struct world *w = *state;
    struct idempotency in = idempotency_of(1000);
    assert_ok(idempotency_insert(w->db, &in, &w->err), &w->err);
    assert_ok(idempotency_remove(w->db, "svc_a", in.idempotency_key, &w->err), &w->err);
    assert_ok(idempotency_insert(w->db, &in, &w->err), &w->err);
    assert_code(idempotency_finish(w->db, &(struct idempotency){.principal_id = "svc_x"}, &w->err), CODE_NOT_FOUND);
}

static void only_the_open_row_of_an_intent_is_removed_with_it(void **state)
{
    struct world *w = *state;
    struct idempotency in = idempotency_of(1000), out = {0};
    assert_ok(idempotency_insert(w->db, &in, &w->err), &w->err);
    assert_ok(idempotency_remove_open(w->db, "svc_a", 40, &w->err), &w->err);
    assert_ok(idempotency_find(w->db, "svc_a", in.idempotency_key, &out, &w->err), &w->err);
    assert_ok(idempotency_remove_open(w->db, "svc_a", 41, &w->err), &w->err);
    assert_code(idempotency_find(w->db, "svc_a", in.idempotency_key, &out, &w->err), CODE_NOT_FOUND);
}

static void idempotency_rows_older_than_a_day_go_in_time(void **state)
{
    struct world *w = *state;
    enum { OLD = 40, DAY_MS = 24 * 3600 * 1000 };
    struct idempotency row = idempotency_of(1000);
    for (int i = 0; i < OLD; i++) {
        (void)snprintf(row.idempotency_key, sizeof(row.idempotency_key), "old-%012d", i);
        assert_ok(idempotency_insert(w->db, &row, &w->err), &w->err);
    }
    row.created_ms += DAY_MS + 1;
    for (int i = 0; i < 2 * OLD; i++) {
        row.intent_seq = 100 + i;
        (void)snprintf(row.idempotency_key, sizeof(row.idempotency_key), "new-%012d", i);
        assert_ok(idempotency_insert(w->db, &row, &w->err), &w->err);
    }
    struct idempotency out = {0};
    assert_code(idempotency_find(w->db, "svc_a", "old-000000000000", &out, &w->err), CODE_NOT_FOUND);
    assert_code(idempotency_find(w->db, "svc_a", "old-000000000039", &out, &w->err), CODE_NOT_FOUND);
    assert_ok(idempotency_find(w->db, "svc_a", "new-000000000000", &out, &w->err), &w->err);
}

static void record_put(struct world *w, int64_t seq, const char *type, int64_t intent)
{
    struct record_row r = {.seq = seq,
                           .line = "{\"v\":1}",
                           .type = type,
                           .principal_id = seq % 2 ? "usr_a" : "usr_b",
                           .digest = seq == 2 || seq == 5 ? "d1" : "d2",
                           .key_id = seq > 2 ? "key_a" : NULL,
                           .outcome = intent ? "success" : NULL,
                           .intent_seq = intent,
                           .server = 1};
    assert_ok(record_insert(w->db, &r, &w->err), &w->err);
}

static status record_seq(void *arg, const struct record_row *r)
{
    char text[32];
    (void)snprintf(text, sizeof(text), "%lld", (long long)r->seq);
    collect(arg, text);
    return OK;
}

static void records_are_listed_by_every_filter(void **state)
{
    struct world *w = *state;
    record_put(w, 1, "signature.intent", 0);
    record_put(w, 2, "signature.outcome", 1);
    record_put(w, 3, "key.disable", 0);
    record_put(w, 4, "signature.intent", 0);
    record_put(w, 5, "signature.outcome", 4);
    const struct {
        struct record_filter filter;
        const char *expected;
    } rows[] = {{{0}, "1,2,3,4,5"},
                {{.newest_first = true}, "5,4,3,2,1"},
                {{.after_seq = 1, .before_seq = 4}, "2,3"},
                {{.newest_first = true, .before_seq = 4, .limit = 2}, "3,2"},
                {{.digest = "d1"}, "2,5"},
                {{.digest = "d1", .newest_first = true}, "5,2"},
                {{.digest = "d1", .principal_id = "usr_b"}, "2"},
                {{.digest = "d2"}, ""},
                {{.after_seq = 1, .limit = 2}, "2,3"},
                {{.type = "signature.intent"}, "1,4"},
                {{.principal_id = "usr_b"}, "2,4"},
                {{.key_id = "key_a"}, "3,4,5"},
                {{.outcome = "success"}, "2,5"},
                {{.type = "signature.intent", .principal_id = "usr_b", .key_id = "key_a"}, "4"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct collected c = {0};
        assert_ok(record_list(w->db, &rows[i].filter, record_seq, &c, &w->err), &w->err);
        assert_string_equal(c.text, rows[i].expected);
    }
}

static void i7_record_number_is_used_once(void **state)
{
    struct world *w = *state;
    record_put(w, 1, "server.start", 0);
    struct record_row again = {.seq = 1, .line = "{}", .type = "server.start", .server = 1};
    assert_code(record_insert(w->db, &again, &w->err), CODE_CONFLICT);
}

static void i2_open_intents_are_those_without_outcome(void **state)
{
    struct world *w = *state;
    struct log_server place = {0};
    assert_ok(db_begin(w->db, &w->err), &w->err);
    assert_ok(log_server_acquire(w->db, &place, &w->err), &w->err);
    assert_ok(db_commit(w->db, &w->err), &w->err);
    assert_int_equal(place.id, 1);
    assert_int_equal(place.open_from, 1);

    record_put(w, 1, "signature.intent", 0);
    record_put(w, 2, "signature.intent", 0);
    record_put(w, 3, "signature.outcome", 1);
    record_put(w, 4, "signature.intent", 0);
    struct collected c = {0};
    assert_ok(record_open_intents(w->db, place.id, record_seq, &c, &w->err), &w->err);
    assert_string_equal(c.text, "2,4");
    c = (struct collected){0};
    assert_ok(log_server_mark(w->db, place.id, 3, &w->err), &w->err);
    assert_ok(record_open_intents(w->db, place.id, record_seq, &c, &w->err), &w->err);
    assert_string_equal(c.text, "4");
}

static void head_of_an_empty_log_is_zero(void **state)
{
    struct world *w = *state;
    const uint8_t zeros[32] = {0};
    uint8_t hash[32] = {1};
    int64_t seq = 1;
    assert_ok(record_head(w->db, &seq, hash, &w->err), &w->err);
    assert_int_equal(seq, 0);
    assert_memory_equal(hash, zeros, sizeof(zeros));
}

static void head_comes_back_as_it_was_set(void **state)
{
    struct world *w = *state;
    struct record_head in = {.seq = 7, .time_ms = 1767225600123, .hash = {1, 2, 255}}, out = {0};
    assert_ok(record_head_set(w->db, &in, &w->err), &w->err);
    assert_ok(db_begin(w->db, &w->err), &w->err);
    assert_ok(record_head_lock(w->db, &out, &w->err), &w->err);
    assert_ok(db_commit(w->db, &w->err), &w->err);
    assert_memory_equal(&in, &out, sizeof(in));
}

static int64_t generation(struct world *w)
{
    int64_t out = 0;
    assert_ok(store_generation(w->db, &out, &w->err), &w->err);
    return out;
}

static void i4_generation_moves_with_commit_and_not_before(void **state)
{
    struct world *w = *state;
    int64_t before = generation(w);
    assert_ok(db_begin(w->db, &w->err), &w->err);
    assert_ok(store_generation_bump(w->db, &w->err), &w->err);
    db_rollback(w->db);
    assert_int_equal(generation(w), before);

    assert_ok(db_begin(w->db, &w->err), &w->err);
    assert_ok(store_generation_bump(w->db, &w->err), &w->err);
    assert_ok(db_commit(w->db, &w->err), &w->err);
    assert_int_equal(generation(w), before + 1);
}

static void rolled_back_savepoint_leaves_what_was_before_it(void **state)
{
    struct world *w = *state;
    struct project out = {0};
    assert_ok(db_begin(w->db, &w->err), &w->err);
    (void)world_project(w, "prj_a", "kept");
    assert_ok(db_savepoint(w->db, &w->err), &w->err);
    (void)world_project(w, "prj_b", "undone");
    db_savepoint_rollback(w->db);
    (void)world_project(w, "prj_c", "after");
    assert_ok(db_commit(w->db, &w->err), &w->err);

    assert_ok(project_find(w->db, "kept", &out, &w->err), &w->err);
    assert_ok(project_find(w->db, "after", &out, &w->err), &w->err);
    assert_code(project_find(w->db, "undone", &out, &w->err), CODE_NOT_FOUND);
}

static void savepoint_survives_a_conflict(void **state)
{
    struct world *w = *state;
    (void)world_project(w, "prj_a", "demo");
    struct project again = {.id = "prj_b", .name = "demo"}, out = {0};
    assert_ok(db_begin(w->db, &w->err), &w->err);
    assert_ok(db_savepoint(w->db, &w->err), &w->err);
    assert_code(project_insert(w->db, &again, &w->err), CODE_CONFLICT);
    db_savepoint_rollback(w->db);
    assert_true(db_in_transaction(w->db));
    (void)world_project(w, "prj_c", "other");
    assert_ok(db_commit(w->db, &w->err), &w->err);
    assert_ok(project_find(w->db, "other", &out, &w->err), &w->err);
}

static void reader_sees_what_was_committed(void **state)
{
    struct world *w = *state;
    struct project out = {0};
    (void)world_project(w, "prj_a", "demo");
    struct db *reader = store_reader_acquire(w->store, &w->err);
    assert_non_null(reader);
    assert_ok(project_find(reader, "demo", &out, &w->err), &w->err);
    store_reader_release(w->store, reader);
    assert_ok(store_check(w->store, &w->err), &w->err);
}

static void migration_of_a_migrated_store_changes_nothing(void **state)
{
    struct world *w = *state;
    struct project out = {0};
    (void)world_project(w, "prj_a", "demo");
    assert_ok(store_migrate(w->store, &w->err), &w->err);
    assert_ok(project_find(w->db, "demo", &out, &w->err), &w->err);
}

static void schema_of_a_newer_version_is_refused(void **state)
{
    struct world *w = *state;
    assert_ok(db_exec(w->db, "INSERT INTO schema_migration (number, name, applied_ms) VALUES (9999, 'later', 1)", NULL,
                      0, NULL, &w->err),
              &w->err);
    assert_code(store_migrate(w->store, &w->err), CODE_CONFLICT);
    assert_non_null(strstr(w->err.text, "schema 9999"));
    assert_code(store_check(w->store, &w->err), CODE_UNAVAILABLE);
}

const struct CMUnitTest log_tests[] = {
    WORLD_TEST(i6_idempotency_row_is_put_in_once_and_finished),
    WORLD_TEST(i6_idempotency_keys_of_two_principals_are_apart),
    WORLD_TEST(i6_removed_idempotency_key_may_be_used_again),
    WORLD_TEST(only_the_open_row_of_an_intent_is_removed_with_it),
    WORLD_TEST(idempotency_rows_older_than_a_day_go_in_time),
    WORLD_TEST(records_are_listed_by_every_filter),
    WORLD_TEST(i7_record_number_is_used_once),
    WORLD_TEST(i2_open_intents_are_those_without_outcome),
    WORLD_TEST(head_of_an_empty_log_is_zero),
    WORLD_TEST(head_comes_back_as_it_was_set),
    WORLD_TEST(i4_generation_moves_with_commit_and_not_before),
    WORLD_TEST(rolled_back_savepoint_leaves_what_was_before_it),
    WORLD_TEST(savepoint_survives_a_conflict),
    WORLD_TEST(reader_sees_what_was_committed),
    WORLD_TEST(migration_of_a_migrated_store_changes_nothing),
    WORLD_TEST(schema_of_a_newer_version_is_refused),
};
const size_t log_test_count = COUNT_OF(log_tests);

/* SPDX-License-Identifier: Apache-2.0 */
/* What is SQLite's alone: file and its mode, journal, readers' pool, claim, full disk. */
#include <pthread.h>
#include <sys/stat.h>

#include "world.h"

static char *setting(struct db *db, const char *pragma, char out[64])
{
    struct error err = {0};
    struct db_rows *rows = NULL;
    bool more = false;
    assert_ok(db_query(db, pragma, NULL, 0, &rows, &err), &err);
    assert_ok(db_next(rows, &more, &err), &err);
    (void)snprintf(out, 64, "%s", db_column_text(rows, 0));
    db_rows_close(rows);
    return out;
}

static void every_commit_is_synced_through_the_log(void **state)
{
    struct world *w = *state;
    char text[64];
    assert_string_equal(setting(w->db, "PRAGMA journal_mode", text), "wal");
    assert_string_equal(setting(w->db, "PRAGMA synchronous", text), "2"); /* FULL */
    assert_string_equal(setting(w->db, "PRAGMA foreign_keys", text), "1");
}

static void store_file_is_private(void **state)
{
    struct world *w = *state;
    const char *const ends[] = {"", "-wal", "-shm"};
    (void)world_project(w, "prj_a", "demo");
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        char path[600];
        struct stat st;
        (void)snprintf(path, sizeof(path), "%s%s", w->url + strlen("sqlite:"), ends[i]);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
}

static void reader_cannot_write(void **state)
{
    struct world *w = *state;
    struct project p = {.id = "prj_a", .name = "demo"};
    struct db *reader = store_reader_acquire(w->store, &w->err);
    assert_non_null(reader);
    assert_code(project_insert(reader, &p, &w->err), CODE_UNAVAILABLE);
    store_reader_release(w->store, reader);
}

static void reader_does_not_see_an_open_transaction(void **state)
{
    struct world *w = *state;
    struct project out = {0};
    assert_ok(db_begin(w->db, &w->err), &w->err);
    (void)world_project(w, "prj_a", "demo");
    struct db *reader = store_reader_acquire(w->store, &w->err);
    assert_non_null(reader);
    assert_code(project_find(reader, "demo", &out, &w->err), CODE_NOT_FOUND);
    assert_ok(db_commit(w->db, &w->err), &w->err);
    assert_ok(project_find(reader, "demo", &out, &w->err), &w->err);
    store_reader_release(w->store, reader);
}

static void reader_is_given_again_to_the_thread_that_had_it(void **state)
{
    struct world *w = *state;
    struct db *first = store_reader_acquire(w->store, &w->err);
    struct db *second = store_reader_acquire(w->store, &w->err);
    assert_non_null(first);
    assert_non_null(second);
    assert_ptr_not_equal(first, second);
    store_reader_release(w->store, first);
    store_reader_release(w->store, second);
    assert_ptr_equal(store_reader_acquire(w->store, &w->err), second);
    store_reader_release(w->store, second);
}

static void content_survives_closing(void **state)
{
    struct world *w = *state;
    struct project out = {0};
    (void)world_project(w, "prj_a", "demo");
    world_reopen(w);
    assert_ok(project_find(w->db, "demo", &out, &w->err), &w->err);
    assert_ok(store_migrate(w->store, &w->err), &w->err);
    assert_ok(project_find(w->db, "demo", &out, &w->err), &w->err);
}

static void second_server_cannot_claim_the_same_file(void **state)
{
    struct world *w = *state;
    struct store *second = NULL;
    assert_ok(store_claim(w->store, &w->err), &w->err);
    assert_ok(store_open(w->url, &second, &w->err), &w->err);
    assert_code(store_claim(second, &w->err), CODE_CONFLICT);
    store_close(w->store);
    w->store = second;
    w->db = store_writer(second);
    assert_ok(store_claim(second, &w->err), &w->err);
}

static void full_disk_is_unavailable_and_ends_when_there_is_room(void **state)
{
    struct world *w = *state;
    char limit[64], pages[64];
    (void)snprintf(limit, sizeof(limit), "PRAGMA max_page_count = %s", setting(w->db, "PRAGMA page_count", pages));
    (void)setting(w->db, limit, pages);
    status result = OK;
    for (int i = 0; i < 2000 && is_ok(result); i++) {
        struct project p = {0};
        (void)snprintf(p.id, sizeof(p.id), "prj_%d", i);
        (void)snprintf(p.name, sizeof(p.name), "p%d", i);
        memset(p.description, 'x', sizeof(p.description) - 1);
        result = project_insert(w->db, &p, &w->err);
    }
    assert_code(result, CODE_UNAVAILABLE);
    (void)setting(w->db, "PRAGMA max_page_count = 1000000", pages);
    (void)world_project(w, "prj_z", "room");
}

static void statement_of_an_open_result_is_not_used_twice(void **state)
{
    struct world *w = *state;
    struct db_rows *first = NULL, *second = NULL;
    const char *sql = "SELECT 1";
    assert_ok(db_query(w->db, sql, NULL, 0, &first, &w->err), &w->err);
    assert_code(db_query(w->db, sql, NULL, 0, &second, &w->err), CODE_INTERNAL);
    db_rows_close(first);
    assert_ok(db_query(w->db, sql, NULL, 0, &second, &w->err), &w->err);
    db_rows_close(second);
}

static void statement_text_may_change_in_the_same_place(void **state)
{
    struct world *w = *state;
    char sql[64], out[64];
    for (int i = 0; i < 600; i++) {
        (void)snprintf(sql, sizeof(sql), "SELECT '%d'", i);
        char expected[16];
        (void)snprintf(expected, sizeof(expected), "%d", i);
        assert_string_equal(setting(w->db, sql, out), expected);
    }
}

static void parameters_are_taken_by_number_not_by_place(void **state)
{
    struct world *w = *state;
    struct db_rows *rows = NULL;
    bool more = false;
    assert_ok(db_query(w->db, "SELECT $2, $1, $2", DB_PARAMS(db_text("one"), db_int(2)), &rows, &w->err), &w->err);
    assert_ok(db_next(rows, &more, &w->err), &w->err);
    assert_int_equal(db_column_int(rows, 0), 2);
    assert_string_equal(db_column_text(rows, 1), "one");
    assert_int_equal(db_column_int(rows, 2), 2);
    db_rows_close(rows);
}

static void unknown_kind_of_store_is_a_configuration_error(void **state)
{
    struct world *w = *state;
    const char *const urls[] = {"", "sqlite:", "mysql://x", NULL};
    struct store *s = NULL;
    for (size_t i = 0; i < COUNT_OF(urls); i++)
        assert_code(store_open(urls[i], &s, &w->err), CODE_CONFIGURATION);
}

static void store_in_a_missing_folder_is_unavailable_and_named(void **state)
{
    struct world *w = *state;
    struct store *s = NULL;
    assert_code(store_open("sqlite:/nonexistent/x.db", &s, &w->err), CODE_UNAVAILABLE);
    assert_non_null(strstr(w->err.text, "/nonexistent/x.db"));
}

struct reading {
    struct world *w;
    int wrong;
};

static void *read_often(void *arg)
{
    struct reading *r = arg;
    struct error err = {0};
    for (int i = 0; i < 200; i++) {
        struct project out = {0};
        struct db *db = store_reader_acquire(r->w->store, &err);
        if (!db || !is_ok(project_find(db, "demo", &out, &err)) || strcmp(out.id, "prj_a") != 0)
            r->wrong++;
        if (db)
            store_reader_release(r->w->store, db);
    }
    return NULL;
}

/* More threads than connections. */
static void many_threads_read_while_one_writes(void **state)
{
    enum { THREADS = 140 };
    static pthread_t threads[THREADS];
    static struct reading readings[THREADS];
    struct world *w = *state;
    (void)world_project(w, "prj_a", "demo");
    for (int i = 0; i < THREADS; i++) {
        readings[i] = (struct reading){.w = w};
        assert_int_equal(pthread_create(&threads[i], NULL, read_often, &readings[i]), 0);
    }
    for (int i = 0; i < 50; i++) {
        char id[16];
        (void)snprintf(id, sizeof(id), "prj_%d", i);
        (void)world_project(w, id, id);
    }
    int wrong = 0;
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        wrong += readings[i].wrong;
    }
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(every_commit_is_synced_through_the_log),
        WORLD_TEST(store_file_is_private),
        WORLD_TEST(reader_cannot_write),
        WORLD_TEST(reader_does_not_see_an_open_transaction),
        WORLD_TEST(reader_is_given_again_to_the_thread_that_had_it),
        WORLD_TEST(content_survives_closing),
        WORLD_TEST(second_server_cannot_claim_the_same_file),
        WORLD_TEST(full_disk_is_unavailable_and_ends_when_there_is_room),
        WORLD_TEST(statement_of_an_open_result_is_not_used_twice),
        WORLD_TEST(statement_text_may_change_in_the_same_place),
        WORLD_TEST(parameters_are_taken_by_number_not_by_place),
        WORLD_TEST(unknown_kind_of_store_is_a_configuration_error),
        WORLD_TEST(store_in_a_missing_folder_is_unavailable_and_named),
        WORLD_TEST(many_threads_read_while_one_writes),
    };
    world_fresh = world_fresh_file;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

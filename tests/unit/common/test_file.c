/* SPDX-License-Identifier: Apache-2.0 */
#include "common/file.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "expect.h"

struct fixture {
    char dir[64];
    char *path; /* of a file that does not exist yet */
};

static int setup(void **state)
{
    static struct fixture f;
    (void)snprintf(f.dir, sizeof(f.dir), "test_file.XXXXXX");
    if (!mkdtemp(f.dir))
        return -1;
    f.path = path_join(f.dir, "file");
    *state = &f;
    return f.path ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char command[128];
    free(f->path);
    (void)snprintf(command, sizeof(command), "rm -rf ./%s", f->dir);
    return system(command);
}

static void put(const char *path, const char *text, mode_t mode)
{
    assert_ok(file_write(path, slice_of_text(text), mode, NULL));
}

static void a_file_is_read_whole_and_appended(void **state)
{
    struct fixture *f = *state;
    put(f->path, "content", 0644);
    cleanup_buf struct buf out = {0};
    buf_add_text(&out, "before ");
    assert_ok(file_read(f->path, 100, FILE_ANY, &out, NULL));
    assert_buf(&out, "before content");
}

static void a_file_may_have_max_bytes_and_not_one_more(void **state)
{
    struct fixture *f = *state;
    cleanup_buf struct buf large = {0}, out = {0};
    for (int i = 0; i < 40000; i++)
        buf_add_byte(&large, (uint8_t)i);
    assert_ok(file_write(f->path, buf_slice(&large), 0600, NULL));

    assert_code(file_read(f->path, 39999, FILE_ANY, &out, NULL), CODE_TOO_LARGE);
    assert_int_equal(out.len, 0);
    assert_ok(file_read(f->path, 40000, FILE_ANY, &out, NULL));
    assert_true(slice_equal(buf_slice(&out), buf_slice(&large)));
    buf_reset(&out);
    put(f->path, "", 0600);
    assert_ok(file_read(f->path, 0, FILE_ANY, &out, NULL));
    assert_int_equal(out.len, 0);
}

static void a_missing_file_is_named_with_its_errno(void **state)
{
    struct fixture *f = *state;
    cleanup_buf struct buf out = {0};
    struct error err;
    assert_code(file_read(f->path, 100, FILE_ANY, &out, &err), CODE_IO);
    assert_non_null(strstr(err.text, f->path));
    assert_non_null(strstr(err.text, "No such file"));
    assert_code(file_read(f->dir, 100, FILE_ANY, &out, &err), CODE_IO);
}

static void modes_are_judged_as_asked(void **state)
{
    struct fixture *f = *state;
    static const struct {
        mode_t mode;
        int checks;
        enum code code;
    } rows[] = {
        {0666, FILE_ANY, CODE_OK},
        {0644, FILE_NOT_WRITABLE_BY_OTHERS, CODE_OK},
        {0664, FILE_NOT_WRITABLE_BY_OTHERS, CODE_CONFIGURATION},
        {0646, FILE_NOT_WRITABLE_BY_OTHERS, CODE_CONFIGURATION},
        {0600, FILE_PRIVATE, CODE_OK},
        {0400, FILE_PRIVATE, CODE_OK},
        {0640, FILE_PRIVATE, CODE_CONFIGURATION},
        {0604, FILE_PRIVATE, CODE_CONFIGURATION},
        {0610, FILE_PRIVATE, CODE_CONFIGURATION},
        {0600, FILE_PRIVATE | FILE_NOT_WRITABLE_BY_OTHERS, CODE_OK},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cleanup_buf struct buf out = {0};
        put(f->path, "x", rows[i].mode);
        assert_code(file_read(f->path, 10, rows[i].checks, &out, NULL), rows[i].code);
        assert_int_equal(out.len, rows[i].code == CODE_OK);
    }
}

static void a_checked_file_must_be_a_regular_one_and_a_pipe_does_not_hang(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(mkfifo(f->path, 0600), 0);
    cleanup_buf struct buf out = {0};
    assert_code(file_read(f->path, 10, FILE_PRIVATE, &out, NULL), CODE_CONFIGURATION);
}

static void another_users_file_is_refused_when_checked(void **state)
{
    struct fixture *f = *state;
    put(f->path, "x", 0600);
    if (geteuid() != 0)
        skip();
    assert_int_equal(chown(f->path, 65534, 65534), 0);
    cleanup_buf struct buf out = {0};
    struct error err;
    assert_code(file_read(f->path, 10, FILE_NOT_WRITABLE_BY_OTHERS, &out, &err), CODE_CONFIGURATION);
    assert_non_null(strstr(err.text, "another user"));
    assert_ok(file_read(f->path, 10, FILE_ANY, &out, NULL));
}

static void a_secret_loses_one_newline_and_must_be_private(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *content, *secret;
    } rows[] = {{"pin", "pin"}, {"pin\n", "pin"}, {"pin\n\n", "pin\n"}, {"\n", ""}, {"", ""}, {"pin ", "pin "}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cleanup_buf struct buf out = {0};
        put(f->path, rows[i].content, 0600);
        assert_ok(file_read_secret(f->path, &out, NULL));
        assert_buf(&out, rows[i].secret);
    }
    cleanup_buf struct buf out = {0};
    put(f->path, "pin", 0644);
    assert_code(file_read_secret(f->path, &out, NULL), CODE_CONFIGURATION);

    cleanup_buf struct buf large = {0};
    assert_non_null(buf_reserve(&large, 4097));
    large.len = 4097;
    assert_ok(file_write(f->path, buf_slice(&large), 0600, NULL));
    assert_code(file_read_secret(f->path, &out, NULL), CODE_TOO_LARGE);
    assert_int_equal(out.len, 0);
}

static int entries(const char *dir)
{
    int count = 0;
    DIR *d = opendir(dir);
    assert_non_null(d);
    while (readdir(d))
        count++;
    (void)closedir(d);
    return count - 2;
}

static void a_write_replaces_the_file_with_this_mode_and_leaves_nothing_beside(void **state)
{
    struct fixture *f = *state;
    put(f->path, "a longer old content", 0644);
    mode_t before = umask(0077);
    put(f->path, "new", 0664);
    (void)umask(before);

    cleanup_buf struct buf out = {0};
    assert_ok(file_read(f->path, 100, FILE_ANY, &out, NULL));
    assert_buf(&out, "new");
    struct stat st;
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0664);
    assert_int_equal(entries(f->dir), 1);
}

static void a_write_that_fails_leaves_the_old_state_and_no_temporary_file(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(mkdir(f->path, 0700), 0); /* a directory cannot be replaced by a file */
    struct error err;
    assert_code(file_write(f->path, SLICE("x"), 0600, &err), CODE_IO);
    assert_non_null(strstr(err.text, f->path));
    assert_int_equal(entries(f->dir), 1);

    cleanup_free char *nowhere = path_join(f->dir, "no/such/file");
    assert_code(file_write(nowhere, SLICE("x"), 0600, NULL), CODE_IO);
}

static void a_created_file_has_the_content_and_the_mode(void **state)
{
    struct fixture *f = *state;
    assert_ok(file_create(f->path, SLICE("new"), 0600, NULL));

    cleanup_buf struct buf out = {0};
    assert_ok(file_read(f->path, 100, FILE_PRIVATE, &out, NULL));
    assert_buf(&out, "new");
    struct stat st;
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(entries(f->dir), 1);
}

static void creating_never_writes_over_a_file(void **state)
{
    struct fixture *f = *state;
    put(f->path, "old", 0600);
    struct error err;
    assert_code(file_create(f->path, SLICE("new"), 0600, &err), CODE_CONFLICT);
    assert_non_null(strstr(err.text, f->path));

    cleanup_buf struct buf out = {0};
    assert_ok(file_read(f->path, 100, FILE_ANY, &out, NULL));
    assert_buf(&out, "old");
}

static void creating_does_not_follow_a_dangling_link(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(symlink("target", f->path), 0);
    assert_code(file_create(f->path, SLICE("new"), 0600, NULL), CODE_CONFLICT);
    assert_int_equal(entries(f->dir), 1);
}

static void a_file_that_cannot_be_created_is_named_with_its_errno(void **state)
{
    struct fixture *f = *state;
    cleanup_free char *nowhere = path_join(f->dir, "no/such/file");
    struct error err;
    assert_code(file_create(nowhere, SLICE("x"), 0600, &err), CODE_IO);
    assert_non_null(strstr(err.text, nowhere));
    assert_non_null(strstr(err.text, "No such file"));
}

static void a_creation_that_fails_half_way_leaves_no_file(void **state)
{
    struct fixture *f = *state;
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){2, before.rlim_max}), 0);
    struct error err;
    status s = file_create(f->path, SLICE("longer than the limit"), 0600, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, handler);

    assert_code(s, CODE_IO);
    assert_non_null(strstr(err.text, "File too large"));
    assert_int_equal(entries(f->dir), 0);
}

static void directories_are_made_with_their_parents(void **state)
{
    struct fixture *f = *state;
    cleanup_free char *deep = path_join(f->dir, "a/b//c/");
    assert_ok(directory_make(deep, 0700, NULL));
    assert_ok(directory_make(deep, 0700, NULL));
    struct stat st;
    assert_int_equal(stat(deep, &st), 0);
    assert_true(S_ISDIR(st.st_mode));
    assert_int_equal(st.st_mode & 0777, 0700);

    put(f->path, "in the way", 0600);
    cleanup_free char *below = path_join(f->path, "x");
    assert_code(directory_make(f->path, 0700, NULL), CODE_IO);
    assert_code(directory_make(below, 0700, NULL), CODE_IO);
    assert_ok(directory_make("/", 0700, NULL));
}

static void a_file_exists_or_not(void **state)
{
    struct fixture *f = *state;
    assert_false(file_exists(f->path));
    put(f->path, "", 0600);
    assert_true(file_exists(f->path));
    assert_true(file_exists(f->dir));
}

static void paths_are_joined_by_one_slash_and_absolute_names_stand_alone(void **state)
{
    (void)state;
    static const struct {
        const char *dir, *name, *path;
    } rows[] = {{"d", "n", "d/n"}, {"d/", "n", "d/n"}, {"/", "n", "/n"}, {"d", "/n", "/n"}, {"d", "a/b", "d/a/b"}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        cleanup_free char *path = path_join(rows[i].dir, rows[i].name);
        assert_string_equal(path, rows[i].path);
    }
}

#define WITH_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_DIRECTORY(a_file_is_read_whole_and_appended),
        WITH_DIRECTORY(a_file_may_have_max_bytes_and_not_one_more),
        WITH_DIRECTORY(a_missing_file_is_named_with_its_errno),
        WITH_DIRECTORY(modes_are_judged_as_asked),
        WITH_DIRECTORY(a_checked_file_must_be_a_regular_one_and_a_pipe_does_not_hang),
        WITH_DIRECTORY(another_users_file_is_refused_when_checked),
        WITH_DIRECTORY(a_secret_loses_one_newline_and_must_be_private),
        WITH_DIRECTORY(a_write_replaces_the_file_with_this_mode_and_leaves_nothing_beside),
        WITH_DIRECTORY(a_write_that_fails_leaves_the_old_state_and_no_temporary_file),
        WITH_DIRECTORY(a_created_file_has_the_content_and_the_mode),
        WITH_DIRECTORY(creating_never_writes_over_a_file),
        WITH_DIRECTORY(creating_does_not_follow_a_dangling_link),
        WITH_DIRECTORY(a_file_that_cannot_be_created_is_named_with_its_errno),
        WITH_DIRECTORY(a_creation_that_fails_half_way_leaves_no_file),
        WITH_DIRECTORY(directories_are_made_with_their_parents),
        WITH_DIRECTORY(a_file_exists_or_not),
        cmocka_unit_test(paths_are_joined_by_one_slash_and_absolute_names_stand_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

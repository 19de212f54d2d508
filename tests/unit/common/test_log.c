/* SPDX-License-Identifier: Apache-2.0 */
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "common/file.h"
#include "common/json.h"
#include "expect.h"

static char path[64], other_path[64];

static int setup(void **state)
{
    (void)state;
    (void)snprintf(path, sizeof(path), "test_log.%d", (int)getpid());
    (void)snprintf(other_path, sizeof(other_path), "test_log_other.%d", (int)getpid());
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    log_close();
    (void)unlink(path);
    (void)unlink(other_path);
    return 0;
}

static void read_log(const char *name, struct buf *out)
{
    assert_ok(file_read(name, 1 << 24, FILE_ANY, out, NULL));
}

/* The line without its time, which is checked to be one and to be now. */
static const char *behind_time(const char *line, const char *before_time)
{
    size_t len = strlen(before_time);
    assert_memory_equal(line, before_time, len);
    char text[TIME_TEXT_SIZE] = "";
    memcpy(text, line + len, 24);
    int64_t time = 0;
    assert_ok(time_parse(text, &time, NULL));
    assert_true(clock_now_ms() - time < 60000);
    return line + len + 24;
}

static void nothing_is_written_before_the_log_is_opened(void **state)
{
    (void)state;
    int saved = dup(STDERR_FILENO);
    int fd = open(other_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(saved >= 0 && fd >= 0 && dup2(fd, STDERR_FILENO) >= 0);
    log_event(LOG_LEVEL_ERROR, "event", "a", "b", NULL);
    struct error err = {.code = CODE_IO};
    log_error(LOG_LEVEL_ERROR, "event", &err);
    struct stat st;
    int looked = fstat(fd, &st);
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    (void)close(saved);
    (void)close(fd);
    assert_int_equal(looked, 0);
    assert_int_equal(st.st_size, 0);
    assert_false(log_is_on(LOG_LEVEL_ERROR));
}

static void a_text_line_is_logfmt_with_quotes_where_needed(void **state)
{
    (void)state;
    assert_ok(log_open(path, LOG_LEVEL_INFO, LOG_FORMAT_TEXT, NULL));
    log_event(LOG_LEVEL_WARNING, "signature", "plain", "a-b.c/d:e", "blank", "a b", "quote", "a\"b", "equal", "a=b",
              "empty", "", "newline", "a\nlevel=info", "escape", "\x1b[31m", "utf8", "\u00fc", "bad", "\xff", NULL);
    cleanup_buf struct buf out = {0};
    read_log(path, &out);
    assert_string_equal(
        behind_time(buf_text(&out), "time="),
        " level=warning event=signature plain=a-b.c/d:e blank=\"a b\" quote=\"a\\\"b\" equal=\"a=b\" "
        "empty=\"\" newline=\"a\\nlevel=info\" escape=\"\\u001b[31m\" utf8=\"\u00fc\" bad=\"\uFFFD\"\n");
}

static void a_json_line_is_one_json_object(void **state)
{
    (void)state;
    assert_ok(log_open(path, LOG_LEVEL_INFO, LOG_FORMAT_JSON, NULL));
    log_event(LOG_LEVEL_INFO, "x", "a", "b\n\"c\"\xff", NULL);
    log_event(LOG_LEVEL_INFO, "y", NULL);
    cleanup_buf struct buf out = {0};
    read_log(path, &out);
    char *second = strchr((char *)out.data, '\n') + 1;
    assert_string_equal(behind_time(second, "{\"time\":\""), "\",\"level\":\"info\",\"event\":\"y\"}\n");
    second[-1] = '\0';

    cleanup_json struct json *v = NULL;
    assert_ok(json_parse(slice_of_text(buf_text(&out)), 1000, 2, &v, NULL));
    assert_string_equal(json_get_text(v, "a", ""), "b\n\"c\"\uFFFD");
}

static void lines_above_the_level_are_not_written(void **state)
{
    (void)state;
    assert_ok(log_open(path, LOG_LEVEL_WARNING, LOG_FORMAT_TEXT, NULL));
    assert_true(log_is_on(LOG_LEVEL_ERROR));
    assert_true(log_is_on(LOG_LEVEL_WARNING));
    assert_false(log_is_on(LOG_LEVEL_INFO));
    assert_false(log_is_on(LOG_LEVEL_OFF));
    log_event(LOG_LEVEL_INFO, "hidden", NULL);
    log_event(LOG_LEVEL_OFF, "hidden", NULL);
    log_event(LOG_LEVEL_ERROR, "shown", NULL);
    cleanup_buf struct buf out = {0};
    read_log(path, &out);
    assert_null(strstr(buf_text(&out), "hidden"));
    assert_non_null(strstr(buf_text(&out), "shown"));
}

static void an_error_is_logged_with_code_text_and_detail(void **state)
{
    (void)state;
    assert_ok(log_open(path, LOG_LEVEL_INFO, LOG_FORMAT_TEXT, NULL));
    struct error err;
    ignore(error_set(&err, CODE_HSM_UNAVAILABLE, "no answer"));
    log_error(LOG_LEVEL_ERROR, "hsm", &err);
    error_detail(&err, "CKR_DEVICE_ERROR");
    log_error(LOG_LEVEL_ERROR, "hsm", &err);
    cleanup_buf struct buf out = {0};
    read_log(path, &out);
    assert_non_null(strstr(buf_text(&out), "event=hsm code=hsm_unavailable text=\"no answer\"\n"));
    assert_non_null(strstr(buf_text(&out), "text=\"no answer\" detail=CKR_DEVICE_ERROR\n"));
}

static void a_log_file_is_private_and_appended_to(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        assert_ok(log_open(path, LOG_LEVEL_INFO, LOG_FORMAT_TEXT, NULL));
        log_event(LOG_LEVEL_INFO, "line", NULL);
        log_close();
    }
    cleanup_buf struct buf out = {0};
    assert_ok(file_read(path, 10000, FILE_PRIVATE, &out, NULL));
    assert_non_null(strstr(strstr(buf_text(&out), "event=line") + 1, "event=line"));
    log_event(LOG_LEVEL_ERROR, "closed", NULL);
}

static void a_log_that_cannot_be_opened_is_an_error_and_the_old_one_stays(void **state)
{
    (void)state;
    assert_ok(log_open(path, LOG_LEVEL_INFO, LOG_FORMAT_TEXT, NULL));
    struct error err;
    assert_code(log_open("no/such/directory/log", LOG_LEVEL_INFO, LOG_FORMAT_TEXT, &err), CODE_IO);
    assert_non_null(strstr(err.text, "no/such/directory/log"));
    log_event(LOG_LEVEL_INFO, "still", NULL);
    cleanup_buf struct buf out = {0};
    read_log(path, &out);
    assert_non_null(strstr(buf_text(&out), "event=still"));
}

static void reopening_goes_to_the_new_file_and_leaks_no_descriptor(void **state)
{
    (void)state;
    assert_ok(log_open(path, LOG_LEVEL_INFO, LOG_FORMAT_TEXT, NULL));
    int next = dup(0);
    (void)close(next);
    for (int i = 0; i < 5; i++)
        assert_ok(log_open(i % 2 ? path : other_path, LOG_LEVEL_INFO, LOG_FORMAT_TEXT, NULL));
    log_event(LOG_LEVEL_INFO, "here", NULL);
    int after = dup(0);
    (void)close(after);
    assert_int_equal(after, next);
    cleanup_buf struct buf out = {0}, old = {0};
    read_log(other_path, &out);
    read_log(path, &old);
    assert_non_null(strstr(buf_text(&out), "event=here"));
    assert_int_equal(old.len, 0);
}

static void a_descriptor_that_the_host_took_over_is_not_written_to(void **state)
{
    (void)state;
    int expected = dup(0);
    (void)close(expected);
    assert_ok(log_open(path, LOG_LEVEL_INFO, LOG_FORMAT_TEXT, NULL));
    /* As a daemon that closes all it does not know and then opens its own file. */
    (void)close(expected);
    int host = open(other_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(host, expected);
    log_event(LOG_LEVEL_ERROR, "lost", NULL);
    cleanup_buf struct buf out = {0};
    read_log(other_path, &out);
    assert_int_equal(out.len, 0);
    log_close();
    assert_int_equal(fcntl(host, F_GETFD), FD_CLOEXEC); /* nor closed */
    (void)close(host);
}

static void a_pipe_without_reader_does_not_raise_a_signal(void **state)
{
    (void)state;
    int ends[2];
    char name[64];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", ends[1]);
    assert_ok(log_open(name, LOG_LEVEL_INFO, LOG_FORMAT_TEXT, NULL));
    (void)close(ends[0]);
    errno = 0;
    log_event(LOG_LEVEL_INFO, "into the void", NULL); /* SIGPIPE would end this program */
    assert_int_equal(errno, 0);
    sigset_t pending;
    assert_int_equal(sigpending(&pending), 0);
    assert_int_equal(sigismember(&pending, SIGPIPE), 0);
    (void)close(ends[1]);
}

enum { THREADS = 8, LINES = 500 };

static void *write_lines(void *name)
{
    for (int i = 0; i < LINES; i++)
        log_event(LOG_LEVEL_INFO, "line", "thread", (const char *)name, "filler",
                  "................................................................", NULL);
    return NULL;
}

static void lines_of_many_threads_stay_whole_while_the_log_is_reopened(void **state)
{
    (void)state;
    assert_ok(log_open(path, LOG_LEVEL_INFO, LOG_FORMAT_JSON, NULL));
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, "one"), 0);
    for (int i = 0; i < 20; i++)
        assert_ok(log_open(path, LOG_LEVEL_INFO, LOG_FORMAT_JSON, NULL));
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);

    cleanup_buf struct buf out = {0};
    read_log(path, &out);
    int count = 0;
    char *rest = (char *)out.data, *line;
    while ((line = strsep(&rest, "\n")) && *line) {
        cleanup_json struct json *v = NULL;
        assert_ok(json_parse(slice_of_text(line), 1000, 1, &v, NULL));
        count++;
    }
    assert_int_equal(count, THREADS * LINES);
}

static void levels_are_read_by_name(void **state)
{
    (void)state;
    static const char *const names[] = {"off", "error", "warning", "info", "debug"};
    enum log_level level = LOG_LEVEL_OFF;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_true(log_level_parse(names[i], &level));
        assert_int_equal(level, i);
    }
    assert_false(log_level_parse("Info", &level));
    assert_false(log_level_parse("", &level));
    assert_false(log_level_parse(NULL, &level));
    assert_int_equal(level, LOG_LEVEL_DEBUG);
}

#define WITH_LOG(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_LOG(nothing_is_written_before_the_log_is_opened),
        WITH_LOG(a_text_line_is_logfmt_with_quotes_where_needed),
        WITH_LOG(a_json_line_is_one_json_object),
        WITH_LOG(lines_above_the_level_are_not_written),
        WITH_LOG(an_error_is_logged_with_code_text_and_detail),
        WITH_LOG(a_log_file_is_private_and_appended_to),
        WITH_LOG(a_log_that_cannot_be_opened_is_an_error_and_the_old_one_stays),
        WITH_LOG(reopening_goes_to_the_new_file_and_leaks_no_descriptor),
        WITH_LOG(a_descriptor_that_the_host_took_over_is_not_written_to),
        WITH_LOG(a_pipe_without_reader_does_not_raise_a_signal),
        WITH_LOG(lines_of_many_threads_stay_whole_while_the_log_is_reopened),
        cmocka_unit_test(levels_are_read_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* chancery-pkcs11.so in a foreign process, with a server in another one: each rule is a case of tests/support/host, run
 * in a process of its own, which must end well and print nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUTPUT_MAX = 4096, EXITS = 20 };

static const char passphrase[] = "open sesame";

struct server {
    pid_t pid;
    int input; /* closed: it ends */
    char config[256];
};

static void server_run(int input, int output, const char *dies_at)
{
    (void)dup2(input, STDIN_FILENO);
    (void)dup2(output, STDOUT_FILENO);
    (void)execl(SERVER_PATH, "server", passphrase, dies_at, (char *)NULL);
    _exit(127);
}

static struct server server_start(const char *dies_at)
{
    struct server s = {0};
    int input[2], output[2];
    assert_int_equal(pipe2(input, O_CLOEXEC) | pipe2(output, O_CLOEXEC), 0);
    s.pid = fork();
    assert_true(s.pid >= 0);
    if (s.pid == 0)
        server_run(input[0], output[1], dies_at);
    (void)close(input[0]);
    (void)close(output[1]);
    s.input = input[1];
    FILE *reader = fdopen(output[0], "r");
    assert_non_null(reader);
    assert_non_null(fgets(s.config, sizeof s.config, reader));
    s.config[strcspn(s.config, "\n")] = '\0';
    (void)fclose(reader);
    return s;
}

/* One that died left its directory behind. */
static void server_stop(struct server *s)
{
    char command[300];
    (void)close(s->input);
    assert_int_equal(waitpid(s->pid, NULL, 0), s->pid);
    *strrchr(s->config, '/') = '\0';
    (void)snprintf(command, sizeof command, "rm -rf '%s'", s->config);
    assert_int_equal(system(command), 0);
}

static void environment_set(const struct server *s)
{
    (void)setenv("CHANCERY_CONF", s->config, 1);
    (void)setenv("P11_MODULE", MODULE_PATH, 1);
    (void)setenv("P11_TOKEN", "chancery", 1);
    (void)setenv("P11_PIN", passphrase, 1);
    (void)setenv("P11_EC", "demo-p256", 1);
}

/* Runs the command with the environment of the case; its exit status and what it prints. */
static int run(const struct server *s, const char *command, char output[OUTPUT_MAX])
{
    char whole[1024];
    environment_set(s);
    (void)snprintf(whole, sizeof whole, "exec %s 2>&1", command);
    FILE *reader = popen(whole, "r");
    assert_non_null(reader);
    size_t len = fread(output, 1, OUTPUT_MAX - 1, reader);
    output[len] = '\0';
    while (fgetc(reader) != EOF) /* what is too much is not waited for by the writer */
        ;
    return pclose(reader);
}

static void expect_well(const struct server *s, const char *command)
{
    char output[OUTPUT_MAX];
    int ended = run(s, command, output);
    if (ended != 0 || *output)
        fail_msg("%s: status 0x%x, output:\n%s", command, ended, output);
}

static void case_run(const char *name, const char *dies_at, int times)
{
    char command[512];
    struct server s = server_start(dies_at);
    (void)snprintf(command, sizeof command, "%s %s", HOST_PATH, name);
    for (int i = 0; i < times; i++)
        expect_well(&s, command);
    server_stop(&s);
}

#define CASE(rule, name)                                                                                               \
    static void rule(void **state)                                                                                     \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        case_run(name, NULL, 1);                                                                                       \
    }
#define CASE_OFTEN(rule, name)                                                                                         \
    static void rule(void **state)                                                                                     \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        case_run(name, NULL, EXITS);                                                                                   \
    }

CASE(children_of_the_default_interface_begin_anew_and_sign, "fork-classic")
CASE(children_of_the_fork_safe_interface_go_on_and_sign, "fork-safe")
CASE(a_search_and_a_signature_under_way_go_on_in_both, "fork-safe-operations")
CASE(programs_that_are_started_inherit_no_socket, "started-programs")
CASE(a_hundred_lives_grow_neither_memory_nor_descriptors, "lives")
CASE(each_locking_mode_that_is_taken_works, "locking")
CASE(of_threads_that_initialize_at_once_one_wins_and_all_work, "initialize-at-once")
CASE_OFTEN(exit_without_finalize_is_quiet, "exit-without-finalize")
CASE_OFTEN(finalize_after_libcryptos_cleanup_is_quiet, "exit-finalize-last")
CASE_OFTEN(finalize_before_libcryptos_cleanup_is_quiet, "exit-finalize-first")
CASE_OFTEN(finalize_out_of_libcryptos_cleanup_is_quiet, "exit-openssl-cleanup")
CASE_OFTEN(exit_while_a_thread_signs_is_quiet, "exit-while-signing")
CASE_OFTEN(finalize_while_a_thread_signs_lets_the_call_end, "finalize-while-signing")
CASE(threads_with_sessions_of_their_own_sign, "threads")
CASE(threads_that_share_a_session_get_an_error, "threads-one-session")
CASE(the_hosts_openssl_context_and_errors_are_its_own, "other-context")
CASE(a_broken_connection_raises_no_sigpipe, "broken-connection")
CASE(descriptors_are_closed_on_exec, "close-on-exec")

CASE(failures_print_nothing_when_no_log_is_asked_for, "failures")

/* The configuration ends in its [cache]: no listing is young. */
static void crowd_run(const char *name)
{
    char command[512];
    struct server s = server_start(NULL);
    FILE *config = fopen(s.config, "ae");
    assert_non_null(config);
    assert_true(fputs("keys_max_age_ms = 0\n", config) >= 0);
    assert_int_equal(fclose(config), 0);
    (void)snprintf(command, sizeof command, "%s %s", HOST_PATH, name);
    expect_well(&s, command);
    server_stop(&s);
}

static void sixty_four_threads_do_everything_at_once(void **state)
{
    (void)state;
    crowd_run("crowd");
}

static void sixty_four_threads_do_everything_at_once_by_the_fork_safe_interface(void **state)
{
    (void)state;
    crowd_run("crowd-fork-safe");
}

static void a_server_that_dies_in_mid_answer_is_an_error(void **state)
{
    (void)state;
    case_run("server-dies", "2", 1);
}

/* Without a sanitizer: it has locks of its own, in malloc, which a child of many threads may inherit held, and does not
 * go together with valgrind. Under asan every case is searched for leaks at its exit. */
#ifndef SANITIZED
CASE(children_forked_while_other_threads_sign_go_on, "fork-safe-threads")

/* Third parties' allocations that live as long as the process are still reachable and no leak. */
static void after_finalize_valgrind_finds_no_leak(void **state)
{
    (void)state;
    if (!*VALGRIND)
        fail_msg("valgrind was not found when the build was configured: scripts/deps install test, then cmake again");
    struct server s = server_start(NULL);
    expect_well(&s, VALGRIND " --quiet --error-exitcode=9 --leak-check=full "
                             "--errors-for-leak-kinds=definite,indirect,possible --suppressions=" SUPPRESSIONS
                             " " HOST_PATH " whole-life");
    server_stop(&s);
}

#endif

#define TEST(rule) cmocka_unit_test(rule)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(children_of_the_default_interface_begin_anew_and_sign),
        TEST(children_of_the_fork_safe_interface_go_on_and_sign),
        TEST(a_search_and_a_signature_under_way_go_on_in_both),
        TEST(programs_that_are_started_inherit_no_socket),
        TEST(a_hundred_lives_grow_neither_memory_nor_descriptors),
        TEST(each_locking_mode_that_is_taken_works),
        TEST(of_threads_that_initialize_at_once_one_wins_and_all_work),
        TEST(exit_without_finalize_is_quiet),
        TEST(finalize_after_libcryptos_cleanup_is_quiet),
        TEST(finalize_before_libcryptos_cleanup_is_quiet),
        TEST(finalize_out_of_libcryptos_cleanup_is_quiet),
        TEST(exit_while_a_thread_signs_is_quiet),
        TEST(finalize_while_a_thread_signs_lets_the_call_end),
        TEST(threads_with_sessions_of_their_own_sign),
        TEST(threads_that_share_a_session_get_an_error),
        TEST(sixty_four_threads_do_everything_at_once),
        TEST(sixty_four_threads_do_everything_at_once_by_the_fork_safe_interface),
        TEST(failures_print_nothing_when_no_log_is_asked_for),
        TEST(the_hosts_openssl_context_and_errors_are_its_own),
        TEST(a_broken_connection_raises_no_sigpipe),
        TEST(a_server_that_dies_in_mid_answer_is_an_error),
        TEST(descriptors_are_closed_on_exec),
    /* a sanitizer and valgrind do not go together; under asan the cases above are searched for leaks */
#ifndef SANITIZED
        TEST(children_forked_while_other_threads_sign_go_on),
        TEST(after_finalize_valgrind_finds_no_leak),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The program chanceryd as a process: ready, reload, stop, refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/clock.h"
#include "common/file.h"
#include "tests/support/https_client.h"

enum { WAIT_MS = 20000 };
static const struct timespec pause_time = {.tv_nsec = 20000000};

struct place {
    char *root, *dir, *conf, *port_file, *pid_file, *output;
    pid_t pid; /* 0: none running */
    int port;
};

/* Starts chanceryd with the arguments; its output goes to p->output. */
static pid_t spawn(const struct place *p, const char *const *arguments)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid > 0)
        return pid;
    int fd = open(p->output, O_WRONLY | O_CREAT | O_APPEND, 0600);
    (void)dup2(fd, STDOUT_FILENO);
    (void)dup2(fd, STDERR_FILENO);
    execv(CHANCERYD, (char *const *)(uintptr_t)arguments);
    _exit(127);
}

/* Exit code; -1 when a signal ended it or it did not end in time (then it is killed). */
static int wait_end(pid_t pid)
{
    int result = 0;
    struct deadline d = deadline_in(WAIT_MS);
    while (!deadline_passed(d)) {
        if (waitpid(pid, &result, WNOHANG) == pid)
            return WIFEXITED(result) ? WEXITSTATUS(result) : -1;
        (void)nanosleep(&pause_time, NULL);
    }
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, &result, 0);
    return -1;
}

static int run_to_end(const struct place *p, const char *const *arguments)
{
    return wait_end(spawn(p, arguments));
}

static bool output_has(const struct place *p, const char *text)
{
    cleanup_buf struct buf output = {0};
    struct error err = {0};
    return is_ok(file_read(p->output, 1 << 20, FILE_ANY, &output, &err)) && strstr(buf_text(&output), text);
}

static void wait_for_output(const struct place *p, const char *text)
{
    struct deadline d = deadline_in(WAIT_MS);
    while (!output_has(p, text)) {
        if (deadline_passed(d))
            fail_msg("chanceryd did not say %s", text);
        (void)nanosleep(&pause_time, NULL);
    }
}

static int up(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    p->root = mkdtemp(strdup("/tmp/chancery-run-XXXXXX"));
    p->dir = path_join(p->root, "server");
    p->conf = path_join(p->dir, "chanceryd.conf");
    p->port_file = path_join(p->root, "port");
    p->pid_file = path_join(p->root, "pid");
    p->output = path_join(p->root, "output");
    *state = p;
    const char *const init[] = {CHANCERYD, "init", p->dir, "--port", "0", NULL};
    return run_to_end(p, init);
}

static int entry_remove(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

static int down(void **state)
{
    struct place *p = *state;
    if (p->pid > 0) {
        (void)kill(p->pid, SIGKILL);
        (void)waitpid(p->pid, NULL, 0);
    }
    (void)nftw(p->root, entry_remove, 16, FTW_DEPTH | FTW_PHYS);
    free(p->dir);
    free(p->conf);
    free(p->port_file);
    free(p->pid_file);
    free(p->output);
    free(p->root);
    free(p);
    return 0;
}

static void start(struct place *p)
{
    const char *const run[] = {CHANCERYD,    "run",        "--config",  p->dir, "--port-file",
                               p->port_file, "--pid-file", p->pid_file, NULL};
    struct deadline d = deadline_in(WAIT_MS);
    cleanup_buf struct buf text = {0};
    struct error err = {0};
    p->pid = spawn(p, run);
    while (!file_exists(p->port_file)) {
        if (deadline_passed(d) || waitpid(p->pid, NULL, WNOHANG) != 0)
            fail_msg("chanceryd did not start");
        (void)nanosleep(&pause_time, NULL);
    }
    assert_true(is_ok(file_read(p->port_file, 64, FILE_ANY, &text, &err)));
    p->port = atoi(buf_text(&text));
}

static int stop(struct place *p, int number)
{
    pid_t pid = p->pid;
    p->pid = 0;
    (void)kill(pid, number);
    return wait_end(pid);
}

static int ask(const struct place *p, const char *path)
{
    struct client c;
    struct answer a;
    char text[256];
    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", path);
    if (!client_open(&c, p->port, TLS1_3_VERSION) || !client_send_text(&c, text) || !client_read(&c, &a)) {
        client_close(&c);
        return -1;
    }
    answer_clear(&a);
    client_close(&c);
    return a.status;
}

static void configuration_add(const struct place *p, const char *line)
{
    FILE *f = fopen(p->conf, "a");
    assert_non_null(f);
    fprintf(f, "%s\n", line);
    assert_int_equal(fclose(f), 0);
}

static void peer_name(const struct place *p, char out[64])
{
    struct client c;
    assert_true(client_open(&c, p->port, TLS1_3_VERSION));
    client_peer_name(&c, out);
    client_close(&c);
}

static void it_serves_and_ends_with_success_on_sigterm(void **state)
{
    struct place *p = *state;
    start(p);
    assert_int_equal(ask(p, "/livez"), 200);
    assert_int_equal(ask(p, "/readyz"), 200);
    assert_int_equal(ask(p, "/v1/whoami"), 401);
    assert_true(file_exists(p->pid_file));
    assert_int_equal(stop(p, SIGTERM), 0);
    assert_false(file_exists(p->pid_file));
    assert_int_equal(ask(p, "/livez"), -1);
    assert_true(output_has(p, "event=server.stopped complete=yes"));
}

static void it_starts_again_after_a_kill(void **state)
{
    struct place *p = *state;
    start(p);
    (void)stop(p, SIGKILL);
    assert_int_equal(remove(p->port_file), 0);
    start(p);
    assert_int_equal(ask(p, "/readyz"), 200);
    assert_int_equal(stop(p, SIGINT), 0);
}

static void a_second_server_on_the_same_token_is_refused(void **state)
{
    struct place *p = *state;
    start(p);
    const char *const second[] = {CHANCERYD, "run", "--config", p->dir, NULL};
    assert_int_equal(run_to_end(p, second), 1);
    assert_int_equal(ask(p, "/readyz"), 200);
    assert_int_equal(stop(p, SIGTERM), 0);
}

static void sighup_takes_a_new_certificate(void **state)
{
    struct place *p = *state;
    struct error err = {0};
    cleanup_buf struct buf certificate = {0};
    cleanup_buf struct buf key = {0};
    cleanup_free char *certificate_file = path_join(p->dir, "server.pem");
    cleanup_free char *key_file = path_join(p->dir, "server.key");
    char name[64];
    certificate_make("renewed", &certificate, &key);
    start(p);
    peer_name(p, name);
    assert_string_not_equal(name, "renewed");

    assert_true(is_ok(file_write(certificate_file, buf_slice(&certificate), 0644, &err)));
    assert_true(is_ok(file_write(key_file, buf_slice(&key), 0600, &err)));
    (void)kill(p->pid, SIGHUP);
    wait_for_output(p, "event=reload ");

    peer_name(p, name);
    assert_string_equal(name, "renewed");
    assert_int_equal(stop(p, SIGTERM), 0);
}

/* log_level is the last line of what init writes. */
static void log_level_set(const struct place *p, const char *level)
{
    struct error err = {0};
    cleanup_buf struct buf text = {0};
    assert_true(is_ok(file_read(p->conf, 65536, FILE_ANY, &text, &err)));
    char *at = strstr((char *)text.data, "log_level = ");
    assert_non_null(at);
    text.len = (size_t)(at - (char *)text.data);
    buf_printf(&text, "log_level = %s\n", level);
    assert_true(is_ok(file_write(p->conf, buf_slice(&text), 0600, &err)));
}

static void sighup_takes_the_log_level(void **state)
{
    struct place *p = *state;
    start(p);
    assert_int_equal(ask(p, "/livez"), 200);
    assert_false(output_has(p, "path=/livez"));
    log_level_set(p, "debug");
    (void)kill(p->pid, SIGHUP);
    wait_for_output(p, "event=reload ");
    assert_int_equal(ask(p, "/livez"), 200);
    wait_for_output(p, "path=/livez");
    assert_int_equal(stop(p, SIGTERM), 0);
}

static void sighup_names_what_needs_a_restart(void **state)
{
    struct place *p = *state;
    start(p);
    configuration_add(p, "http_workers = 3");
    (void)kill(p->pid, SIGHUP);
    wait_for_output(p, "event=reload.refused options=http_workers");
    assert_int_equal(ask(p, "/livez"), 200);
    assert_int_equal(stop(p, SIGTERM), 0);
}

static void sighup_with_a_broken_configuration_keeps_the_old_one(void **state)
{
    struct place *p = *state;
    start(p);
    configuration_add(p, "nonsense = 1");
    (void)kill(p->pid, SIGHUP);
    wait_for_output(p, "event=reload.failed");
    assert_true(output_has(p, "unknown option: nonsense"));
    assert_int_equal(ask(p, "/livez"), 200);
    assert_int_equal(stop(p, SIGTERM), 0);
}

static void sighup_with_a_broken_certificate_keeps_the_old_one(void **state)
{
    struct place *p = *state;
    struct error err = {0};
    cleanup_free char *file = path_join(p->dir, "server.pem");
    char before[64], after[64];
    start(p);
    peer_name(p, before);
    assert_true(is_ok(file_write(file, slice_of_text("not a certificate"), 0644, &err)));
    (void)kill(p->pid, SIGHUP);
    wait_for_output(p, "event=reload.failed");
    peer_name(p, after);
    assert_string_equal(before, after);
    assert_int_equal(stop(p, SIGTERM), 0);
}

static void a_wrong_configuration_ends_with_file_and_line(void **state)
{
    struct place *p = *state;
    configuration_add(p, "listen_porrt = 1");
    const char *const run[] = {CHANCERYD, "run", "--config", p->dir, NULL};
    assert_int_equal(run_to_end(p, run), 1);
    assert_true(output_has(p, "/server/chanceryd.conf:"));
    assert_true(output_has(p, "unknown option: listen_porrt"));
}

static void a_pin_file_that_others_can_read_is_refused(void **state)
{
    struct place *p = *state;
    cleanup_free char *pin = path_join(p->dir, "hsm-user.pin");
    assert_int_equal(chmod(pin, 0644), 0);
    const char *const run[] = {CHANCERYD, "run", "--config", p->dir, NULL};
    assert_int_equal(run_to_end(p, run), 1);
    assert_true(output_has(p, "hsm-user.pin: mode 644"));
}

/* ---- HSMs */

static void tokens_move(const struct place *p, const char *from, const char *to)
{
    cleanup_free char *before = path_join(p->dir, from);
    cleanup_free char *after = path_join(p->dir, to);
    (void)rmdir(after);
    assert_int_equal(rename(before, after), 0);
}

/* SoftHSM wants its directory, and sees a token only when it is started. */
static void it_starts_while_its_token_is_away_and_finds_it_when_it_is_there(void **state)
{
    struct place *p = *state;
    cleanup_free char *tokens = path_join(p->dir, "tokens");
    struct deadline d = deadline_in(WAIT_MS);
    tokens_move(p, "tokens", "tokens-away");
    assert_int_equal(mkdir(tokens, 0700), 0);
    start(p);
    assert_true(output_has(p, "event=hsm_away"));
    assert_int_equal(ask(p, "/livez"), 200);
    assert_int_equal(ask(p, "/readyz"), 503);

    tokens_move(p, "tokens-away", "tokens");
    while (ask(p, "/readyz") != 200) {
        assert_false(deadline_passed(d));
        (void)nanosleep(&pause_time, NULL);
    }
    assert_true(output_has(p, "event=hsm_recovered"));
    assert_int_equal(stop(p, SIGTERM), 0);
}

static void a_section_whose_module_or_pin_cannot_be_read_is_named_with_file_and_line(void **state)
{
    struct place *p = *state;
    const char *const run[] = {CHANCERYD, "run", "--config", p->dir, NULL};
    configuration_add(p, "[hsm.two]\ntoken = two\npin_file = two.pin");
    assert_int_equal(run_to_end(p, run), 1);
    assert_true(output_has(p, "/server/chanceryd.conf:"));
    assert_true(output_has(p, "[hsm.two]: "));
    assert_true(output_has(p, "/server/two.pin"));
    configuration_add(p, "[hsm.three]\ntoken = three\npin_file = hsm-user.pin\nmodule = /nowhere/module.so");
    cleanup_free char *pin = path_join(p->dir, "two.pin");
    struct error err = {0};
    assert_true(is_ok(file_write(pin, slice_of_text("1234\n"), 0600, &err)));
    assert_int_equal(run_to_end(p, run), 1);
    assert_true(output_has(p, "[hsm.three]: /nowhere/module.so"));
}

static void it_serves_degraded_while_a_second_token_is_away_and_sighup_changes_no_hsm(void **state)
{
    struct place *p = *state;
    configuration_add(p, "[hsm.two]\ntoken = two\npin_file = hsm-user.pin");
    start(p);
    assert_true(output_has(p, "event=hsm_away"));
    assert_int_equal(ask(p, "/readyz"), 200);
    configuration_add(p, "sessions = 3\n[hsm.three]\ntoken = three\npin_file = hsm-user.pin");
    (void)kill(p->pid, SIGHUP);
    wait_for_output(p, "event=reload.refused options=\"hsm.two.sessions, hsm.three\"");
    assert_int_equal(ask(p, "/readyz"), 200);
    assert_int_equal(stop(p, SIGTERM), 0);
}

static void the_command_line_is_checked(void **state)
{
    struct place *p = *state;
    const char *const nothing[] = {CHANCERYD, NULL};
    const char *const unknown[] = {CHANCERYD, "serve", NULL};
    const char *const flag[] = {CHANCERYD, "run", "--nonsense", NULL};
    const char *const more[] = {CHANCERYD, "run", "extra", NULL};
    const char *const version[] = {CHANCERYD, "--version", NULL};
    const char *const print[] = {CHANCERYD, "--print-config", "--config", p->dir, NULL};
    assert_int_equal(run_to_end(p, nothing), 2);
    assert_int_equal(run_to_end(p, unknown), 2);
    assert_int_equal(run_to_end(p, flag), 2);
    assert_int_equal(run_to_end(p, more), 2);
    assert_int_equal(run_to_end(p, version), 0);
    assert_true(output_has(p, "chanceryd 0."));
    assert_int_equal(run_to_end(p, print), 0);
    assert_true(output_has(p, "listen_port = 0\n"));
}

/* Of the line that says that the server is ready. */
static int public_port(const struct place *p)
{
    static const char name[] = "public_http_url=http://127.0.0.1:";
    cleanup_buf struct buf output = {0};
    struct error err = {0};
    wait_for_output(p, name);
    assert_true(is_ok(file_read(p->output, 1 << 20, FILE_ANY, &output, &err)));
    return atoi(strstr(buf_text(&output), name) + sizeof name - 1);
}

static void the_public_listener_serves_its_own_table_without_tls(void **state)
{
    struct place *p = *state;
    struct client c;
    struct answer a;
    configuration_add(p, "public_http_address = 127.0.0.1");
    start(p);
    const int port = public_port(p);
    assert_true(client_open_plain(&c, port));
    assert_true(client_send_text(&c, "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_true(client_read(&c, &a));
    assert_int_equal(a.status, 200);
    answer_clear(&a);
    assert_true(client_send_text(&c, "GET /v1/ca HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_true(client_read(&c, &a));
    assert_int_equal(a.status, 404);
    answer_clear(&a);
    client_close(&c);
    assert_int_equal(stop(p, SIGTERM), 0);
}

static void a_public_port_without_an_address_is_refused(void **state)
{
    struct place *p = *state;
    configuration_add(p, "public_http_port = 8080");
    const char *const run[] = {CHANCERYD, "run", "--config", p->dir, NULL};
    assert_int_equal(run_to_end(p, run), 1);
    assert_true(output_has(p, "public_http_port has no meaning without public_http_address"));
}

static void a_public_url_that_is_none_is_refused(void **state)
{
    struct place *p = *state;
    configuration_add(p, "public_http_url = https://pki.example.org");
    const char *const run[] = {CHANCERYD, "run", "--config", p->dir, NULL};
    assert_int_equal(run_to_end(p, run), 1);
    assert_true(output_has(p, "public_http_url: http://<host>"));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, up, down)
    const struct CMUnitTest tests[] = {
        T(it_serves_and_ends_with_success_on_sigterm),
        T(it_starts_again_after_a_kill),
        T(a_second_server_on_the_same_token_is_refused),
        T(sighup_takes_a_new_certificate),
        T(sighup_takes_the_log_level),
        T(sighup_names_what_needs_a_restart),
        T(sighup_with_a_broken_configuration_keeps_the_old_one),
        T(sighup_with_a_broken_certificate_keeps_the_old_one),
        T(a_wrong_configuration_ends_with_file_and_line),
        T(a_pin_file_that_others_can_read_is_refused),
        T(it_starts_while_its_token_is_away_and_finds_it_when_it_is_there),
        T(a_section_whose_module_or_pin_cannot_be_read_is_named_with_file_and_line),
        T(it_serves_degraded_while_a_second_token_is_away_and_sighup_changes_no_hsm),
        T(the_command_line_is_checked),
        T(the_public_listener_serves_its_own_table_without_tls),
        T(a_public_port_without_an_address_is_refused),
        T(a_public_url_that_is_none_is_refused),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Every refusal with its place and what is legal; paths; the example equals what the table says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sys/stat.h>

#include "common/file.h"
#include "server/config/config.h"
#include "server/config/option.h"

static struct config *parse_ok(const char *text)
{
    struct config *c = NULL;
    struct error err = {0};
    if (!is_ok(config_parse("x.conf", "/etc/chancery", slice_of_text(text), &c, &err)))
        fail_msg("%s", err.text);
    return c;
}

static void assert_refused(const char *text, const char *message)
{
    struct config *c = NULL;
    struct error err = {0};
    assert_int_equal(config_parse("x.conf", "/etc/chancery", slice_of_text(text), &c, &err).code, CODE_CONFIGURATION);
    assert_null(c);
    assert_string_equal(err.text, message);
}

static void an_empty_file_gives_the_defaults(void **state)
{
    (void)state;
    cleanup_config struct config *c = parse_ok("");
    assert_int_equal(c->listen_port, 8443);
    assert_string_equal(c->listen_address, "127.0.0.1");
    assert_string_equal(c->log_file, "-");
    assert_string_equal(c->hsm_pin_file, "/etc/chancery/hsm-user.pin");
    assert_string_equal(c->softhsm2_conf, "");
    assert_int_equal(c->public_url.count, 0);
}

static void values_are_trimmed_and_taken_whole(void **state)
{
    (void)state;
    cleanup_config struct config *c =
        parse_ok("# comment\n; comment\n\n  listen_port\t=  1 \r\nhsm_token = a ; b # c = d");
    assert_int_equal(c->listen_port, 1);
    assert_string_equal(c->hsm_token, "a ; b # c = d");
}

static void an_indented_line_is_a_line_of_its_own(void **state)
{
    (void)state;
    cleanup_config struct config *c = parse_ok("hsm_token = a\n  listen_port = 7\n");
    assert_string_equal(c->hsm_token, "a");
    assert_int_equal(c->listen_port, 7);
}

static void relative_paths_are_of_the_files_directory(void **state)
{
    (void)state;
    cleanup_config struct config *c =
        parse_ok("tls_key = keys/server.key\nhsm_pin_file = /run/pin\nstore = sqlite:db/a.db\nlog_file = -\n");
    assert_string_equal(c->tls_key, "/etc/chancery/keys/server.key");
    assert_string_equal(c->hsm_pin_file, "/run/pin");
    assert_string_equal(c->store, "sqlite:/etc/chancery/db/a.db");
    assert_string_equal(c->log_file, "-");
    assert_string_equal(c->tls_certificate, "/etc/chancery/server.pem");
}

static void a_list_is_split_at_commas(void **state)
{
    (void)state;
    cleanup_config struct config *c = parse_ok("public_url = https://a.example:1 , https://b.example\n");
    assert_int_equal(c->public_url.count, 2);
    assert_string_equal(c->public_url.items[0], "https://a.example:1");
    assert_string_equal(c->public_url.items[1], "https://b.example");
    assert_null(c->public_url.items[2]);
}

static void long_values_are_not_cut(void **state)
{
    (void)state;
    char text[1200] = "log_file = /";
    memset(text + strlen(text), 'a', 1000);
    cleanup_config struct config *c = parse_ok(text);
    assert_int_equal(strlen(c->log_file), 1001);
}

static void unknown_options_are_refused_with_their_line(void **state)
{
    (void)state;
    assert_refused("listen_port = 1\nlisten_prot = 2\n", "x.conf:2: unknown option: listen_prot");
}

static void an_option_set_twice_is_refused_with_both_lines(void **state)
{
    (void)state;
    assert_refused("listen_port = 1\n\nlisten_port = 1\n", "x.conf:3: listen_port is already set in line 1");
}

static void integers_outside_their_range_are_refused_with_the_range(void **state)
{
    (void)state;
    static const char *const values[] = {"-1", "65536", "99999999999999999999", "8443x", "", "0x10", "1.5", "eight"};
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        char text[128], message[256];
        snprintf(text, sizeof text, "\nlisten_port = %s", values[i]);
        snprintf(message, sizeof message, "x.conf:2: listen_port: an integer from 0 to 65535 is expected, not \"%s\"",
                 values[i]);
        assert_refused(text, message);
    }
}

static void another_choice_is_refused_with_the_choices(void **state)
{
    (void)state;
    assert_refused("log_level = loud",
                   "x.conf:1: log_level: one of off, error, warning, info, debug is expected, not \"loud\"");
    assert_refused("log_level = ",
                   "x.conf:1: log_level: one of off, error, warning, info, debug is expected, not \"\"");
    assert_refused("log_level = inf",
                   "x.conf:1: log_level: one of off, error, warning, info, debug is expected, not \"inf\"");
    assert_refused("verify_signatures = none",
                   "x.conf:1: verify_signatures: one of rsa, all is expected, not \"none\"");
}

static void text_outside_its_length_is_refused(void **state)
{
    (void)state;
    assert_refused("hsm_token =", "x.conf:1: hsm_token: text of 1 to 32 bytes is expected, not \"\"");
    assert_refused("hsm_token = 123456789012345678901234567890123",
                   "x.conf:1: hsm_token: text of 1 to 32 bytes is expected, not \"123456789012345678901234567890123\"");
}

static void another_kind_of_store_is_refused(void **state)
{
    (void)state;
    assert_refused("store = mysql://x",
                   "x.conf:1: store: sqlite:<file> or postgresql://<user>@<host>/<database> of 1 to "
                   "4096 bytes is expected, not \"mysql://x\"");
    assert_refused("store = sqlite:", "x.conf:1: store: sqlite:<file> or postgresql://<user>@<host>/<database> of 1 to "
                                      "4096 bytes is expected, not \"sqlite:\"");
}

static void i8_a_password_in_the_store_url_is_refused_and_not_repeated(void **state)
{
    (void)state;
    const char *message = "x.conf:1: store: a password does not belong here; use PGPASSFILE";
    assert_refused("store = postgresql://chancery:hunter2@db/chancery", message);
    assert_refused("store = postgresql://db/chancery?user=a&password=hunter2", message);
    cleanup_config struct config *c = parse_ok("store = postgresql://chancery@db:5432/chancery?sslmode=verify-full");
    assert_string_equal(c->store, "postgresql://chancery@db:5432/chancery?sslmode=verify-full");
}

static void lines_that_are_no_option_are_refused(void **state)
{
    (void)state;
    assert_refused("[server]\n", "x.conf:1: unknown section: [server]; [hsm.<name>] is expected");
    assert_refused("listen_port\n", "x.conf:1: key = value is expected, not listen_port");
    assert_refused("= 3\n", "x.conf:1: key = value is expected, not = 3");
}

/* ---- sections */

static void a_section_is_an_hsm_with_defaults_of_its_own(void **state)
{
    (void)state;
    cleanup_config struct config *c =
        parse_ok("listen_port = 7\n[hsm.two]\ntoken = release\npin_file = two.pin\n\n[hsm.cloud-3]\n"
                 "uri = pkcs11:serial=0123?pin-source=file:three.pin\nmodule = /usr/lib/c.so\nsessions = 3\n");
    assert_int_equal(c->hsm_count, 2);
    assert_string_equal(c->hsms[0].name, "two");
    assert_int_equal(c->hsms[0].line, 2);
    assert_string_equal(c->hsms[0].module, "");
    assert_string_equal(c->hsms[0].token, "release");
    assert_string_equal(c->hsms[0].pin_file, "/etc/chancery/two.pin");
    assert_string_equal(c->hsms[0].lock_file, "/etc/chancery/hsm-two.lock");
    assert_int_equal(c->hsms[0].sessions, 16);
    assert_string_equal(c->hsms[1].name, "cloud-3");
    assert_string_equal(c->hsms[1].uri, "pkcs11:serial=0123?pin-source=file:three.pin");
    assert_int_equal(c->hsms[1].sessions, 3);
    assert_int_equal(c->hsms[1].timeout_ms, 10000);
}

static void a_section_that_is_not_complete_or_not_known_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"[hsm]\n", "x.conf:1: unknown section: [hsm]; [hsm.<name>] is expected"},
        {"[hsm.]\n", "x.conf:1: [hsm.]: a name of a-z 0-9 . _ - is expected behind \"hsm.\""},
        {"[hsm.Two]\n", "x.conf:1: [hsm.Two]: a name of a-z 0-9 . _ - is expected behind \"hsm.\""},
        {"[hsm.default]\n", "x.conf:1: [hsm.default]: the options hsm_* are that one's"},
        {"\n[hsm.two]\npin_file = a\n", "x.conf:2: [hsm.two]: either token or uri is needed"},
        {"[hsm.two]\npin_file = a\ntoken = b\nuri = pkcs11:token=b\n",
         "x.conf:1: [hsm.two]: either token or uri is needed"},
        {"[hsm.two]\ntoken = b\n", "x.conf:1: [hsm.two]: pin_file is needed"},
        {"[hsm.two]\ntoken = b\nlisten_port = 3\n", "x.conf:3: [hsm.two]: unknown option: listen_port"},
        {"[hsm.two]\ntoken = b\ntoken = c\n", "x.conf:3: [hsm.two]: token is already set in line 2"},
        {"[hsm.two]\nsessions = 0\n",
         "x.conf:2: [hsm.two]: sessions: an integer from 1 to 1024 is expected, not \"0\""},
        {"http_workers = 8\n[hsm.two]\ntoken = b\npin_file = a\nsessions = 8\n",
         "x.conf:2: [hsm.two]: sessions: less than http_workers (8) is expected, not 8"},
        {"http_workers = 8\nhsm_sessions = 8\n[hsm.two]\ntoken = b\npin_file = a\nsessions = 7\n",
         "x.conf: hsm_sessions: less than http_workers (8) is expected where there are several HSMs"},
        {"[hsm.two]\ntoken = b\npin_file = a\n[hsm.two]\n", "x.conf:4: [hsm.two] is already there in line 1"},
        {"[hsm.two]\nuri = token=b\n",
         "x.conf:2: [hsm.two]: uri: a pkcs11: URI of 0 to 1024 bytes is expected, not \"token=b\""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        assert_refused(rows[i].text, rows[i].message);
}

static void i8_a_pin_in_a_uri_is_refused_and_not_repeated(void **state)
{
    (void)state;
    assert_refused("hsm_uri = pkcs11:token=a?pin-value=hunter2\n",
                   "x.conf:1: hsm_uri: a PIN does not belong here: name its file, by pin_file or "
                   "pin-source=file:<path>");
    assert_refused("[hsm.two]\nuri = pkcs11:token=a?pin-value=hunter2\n",
                   "x.conf:2: [hsm.two]: uri: a PIN does not belong here: name its file, by pin_file or "
                   "pin-source=file:<path>");
}

static void a_nul_byte_is_refused(void **state)
{
    (void)state;
    struct config *c = NULL;
    struct error err = {0};
    static const char text[] = "listen_port = 1\0\n";
    struct slice s = {(const uint8_t *)text, sizeof text - 1};
    assert_int_equal(config_parse("x.conf", ".", s, &c, &err).code, CODE_CONFIGURATION);
    assert_string_equal(err.text, "x.conf:1: the line has a NUL byte in it");
}

/* ---- files */

static int directory_up(void **state)
{
    char *dir = strdup("/tmp/chancery-config-XXXXXX");
    *state = mkdtemp(dir);
    return *state ? 0 : -1;
}

static int directory_down(void **state)
{
    char *file = path_join(*state, CONFIG_FILE_NAME);
    (void)unlink(file);
    (void)rmdir(*state);
    free(file);
    free(*state);
    return 0;
}

static char *file_make(const char *dir, mode_t mode)
{
    struct error err = {0};
    char *file = path_join(dir, CONFIG_FILE_NAME);
    assert_true(is_ok(file_write(file, slice_of_text("listen_port = 1234\n"), mode, &err)));
    assert_int_equal(chmod(file, mode), 0);
    return file;
}

static void a_directory_stands_for_the_file_in_it(void **state)
{
    struct error err = {0};
    cleanup_free char *file = file_make(*state, 0600);
    cleanup_config struct config *a = NULL;
    cleanup_config struct config *b = NULL;
    assert_true(is_ok(config_load(*state, &a, &err)));
    assert_true(is_ok(config_load(file, &b, &err)));
    assert_int_equal(a->listen_port, 1234);
    assert_int_equal(b->listen_port, 1234);
    assert_string_equal(a->path, file);
    assert_string_equal(a->directory, *state);
}

static void a_file_that_others_can_write_is_refused(void **state)
{
    struct error err = {0};
    static const mode_t modes[] = {0666, 0620, 0602};
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        cleanup_free char *file = file_make(*state, modes[i]);
        struct config *c = NULL;
        assert_int_equal(config_load(file, &c, &err).code, CODE_CONFIGURATION);
        assert_non_null(strstr(err.text, file));
    }
}

static void an_absent_file_is_named(void **state)
{
    struct error err = {0};
    struct config *c = NULL;
    assert_false(is_ok(config_load(*state, &c, &err)));
    assert_non_null(strstr(err.text, CONFIG_FILE_NAME));
}

/* ---- printing */

static void what_is_printed_reads_back_the_same(void **state)
{
    (void)state;
    cleanup_buf struct buf first = {0};
    cleanup_buf struct buf second = {0};
    cleanup_config struct config *a = parse_ok("listen_port = 0\npublic_url = https://a, https://b\nlog_level = debug\n"
                                               "[hsm.two]\ntoken = b\npin_file = two.pin\n");
    config_print(a, &first);
    cleanup_config struct config *b = parse_ok(buf_text(&first));
    config_print(b, &second);
    assert_string_equal(buf_text(&first), buf_text(&second));
    assert_non_null(strstr(buf_text(&first), "public_url = https://a, https://b\n"));
    assert_non_null(strstr(buf_text(&first), "\n[hsm.two]\nmodule = \ntoken = b\n"));
    assert_non_null(strstr(buf_text(&first), "\npin_file = /etc/chancery/two.pin\n"));
}

static void the_example_file_is_what_the_table_says(void **state)
{
    (void)state;
    struct error err = {0};
    cleanup_buf struct buf file = {0};
    cleanup_buf struct buf expected = {0};
    assert_true(is_ok(file_read(EXAMPLE_FILE, 65536, FILE_ANY, &file, &err)));
    config_example(&expected);
    assert_string_equal(buf_text(&file), buf_text(&expected));
}

/* Takes the # off each option of the example: it must be the defaults. */
static void the_example_uncommented_is_the_defaults(void **state)
{
    (void)state;
    cleanup_buf struct buf example = {0};
    cleanup_buf struct buf bare = {0};
    config_example(&example);
    for (const char *p = buf_text(&example); *p; p += strcspn(p, "\n"), p += *p == '\n') {
        bool is_option = p[0] == '#' && p[1] != ' ';
        buf_add(&bare, p + is_option, strcspn(p, "\n") - is_option);
        buf_add_text(&bare, "\n");
    }
    cleanup_config struct config *c = parse_ok(buf_text(&bare));
    cleanup_config struct config *defaults = parse_ok("");
    cleanup_buf struct buf a = {0};
    cleanup_buf struct buf b = {0};
    config_print(c, &a);
    config_print(defaults, &b);
    assert_string_equal(buf_text(&a), buf_text(&b));
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        char line[64];
        snprintf(line, sizeof line, "\n%s =", options[i].name);
        assert_non_null(strstr(buf_text(&bare), line));
    }
}

static void a_reload_names_what_needs_a_restart(void **state)
{
    (void)state;
    cleanup_buf struct buf names = {0};
    cleanup_config struct config *old = parse_ok("");
    cleanup_config struct config *live = parse_ok("log_level = debug\ntls_key = other.key\n");
    cleanup_config struct config *not_live = parse_ok("listen_port = 1\nstore = sqlite:b.db\nlog_level = off\n");
    config_restart_needed(old, live, &names);
    assert_string_equal(buf_text(&names), "");
    config_restart_needed(old, not_live, &names);
    assert_string_equal(buf_text(&names), "listen_port, store");
}

static void a_reload_names_hsms_that_need_a_restart(void **state)
{
    (void)state;
    cleanup_buf struct buf names = {0};
    cleanup_config struct config *old =
        parse_ok("[hsm.a]\ntoken = a\npin_file = p\n[hsm.b]\ntoken = b\npin_file = p\n");
    cleanup_config struct config *fresh =
        parse_ok("[hsm.b]\ntoken = b\npin_file = q\nsessions = 4\n[hsm.c]\ntoken = c\npin_file = p\n");
    config_restart_needed(old, fresh, &names);
    assert_string_equal(buf_text(&names), "hsm.a, hsm.b.pin_file, hsm.b.sessions, hsm.c");
}

/* Takes the ; off the section of the example: it must be one that is known, option by option. */
static void the_section_of_the_example_is_what_the_table_says(void **state)
{
    (void)state;
    cleanup_buf struct buf example = {0};
    cleanup_buf struct buf bare = {0};
    config_example(&example);
    for (const char *p = buf_text(&example); *p; p += strcspn(p, "\n"), p += *p == '\n') {
        if (p[0] == ';')
            buf_printf(&bare, "%.*s\n", (int)strcspn(p, "\n") - 1, p + 1);
    }
    assert_refused(buf_text(&bare), "x.conf:1: [hsm.two]: either token or uri is needed");
    for (size_t i = 0; i < HSM_OPTION_COUNT; i++) {
        char line[64];
        snprintf(line, sizeof line, "\n%s =", hsm_options[i].name);
        assert_non_null(strstr(buf_text(&bare), line));
    }
}

static void a_reload_takes_what_is_live_and_nothing_else(void **state)
{
    (void)state;
    struct error err = {0};
    cleanup_config struct config *c = parse_ok("");
    cleanup_config struct config *fresh = parse_ok("log_level = debug\ntls_key = /other.key\nlisten_port = 1\n");
    assert_true(is_ok(config_take_live(c, fresh, &err)));
    assert_string_equal(c->log_level, "debug");
    assert_string_equal(c->tls_key, "/other.key");
    assert_int_equal(c->listen_port, 8443);
}

int main(void)
{
#define F(name) cmocka_unit_test_setup_teardown(name, directory_up, directory_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_file_gives_the_defaults),
        cmocka_unit_test(values_are_trimmed_and_taken_whole),
        cmocka_unit_test(an_indented_line_is_a_line_of_its_own),
        cmocka_unit_test(relative_paths_are_of_the_files_directory),
        cmocka_unit_test(a_list_is_split_at_commas),
        cmocka_unit_test(long_values_are_not_cut),
        cmocka_unit_test(unknown_options_are_refused_with_their_line),
        cmocka_unit_test(an_option_set_twice_is_refused_with_both_lines),
        cmocka_unit_test(integers_outside_their_range_are_refused_with_the_range),
        cmocka_unit_test(another_choice_is_refused_with_the_choices),
        cmocka_unit_test(text_outside_its_length_is_refused),
        cmocka_unit_test(another_kind_of_store_is_refused),
        cmocka_unit_test(i8_a_password_in_the_store_url_is_refused_and_not_repeated),
        cmocka_unit_test(lines_that_are_no_option_are_refused),
        cmocka_unit_test(a_section_is_an_hsm_with_defaults_of_its_own),
        cmocka_unit_test(a_section_that_is_not_complete_or_not_known_is_refused_with_its_place),
        cmocka_unit_test(i8_a_pin_in_a_uri_is_refused_and_not_repeated),
        cmocka_unit_test(a_nul_byte_is_refused),
        F(a_directory_stands_for_the_file_in_it),
        F(a_file_that_others_can_write_is_refused),
        F(an_absent_file_is_named),
        cmocka_unit_test(what_is_printed_reads_back_the_same),
        cmocka_unit_test(the_example_file_is_what_the_table_says),
        cmocka_unit_test(the_example_uncommented_is_the_defaults),
        cmocka_unit_test(a_reload_names_what_needs_a_restart),
        cmocka_unit_test(a_reload_names_hsms_that_need_a_restart),
        cmocka_unit_test(the_section_of_the_example_is_what_the_table_says),
        cmocka_unit_test(a_reload_takes_what_is_live_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

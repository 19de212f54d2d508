/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration: what is read, and that every refusal names file and line. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "client/config.h"
#include "tests/unit/common/expect.h"

static char directory[64];
static char path[128];
static struct error err;

static void put(const char *text)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(chmod(path, 0600), 0);
}

static status load(const char *text, struct client_config **out)
{
    put(text);
    return client_config_load(path, out, &err);
}

#define ACCOUNT "[credential]\ntype = service_account\naccount = build-1\nkey = build-1.key\n"
#define PIN "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define SERVER "[server]\nurl = https://127.0.0.1:8443/\n"

static void every_key_is_read(void **state)
{
    (void)state;
    cleanup_client_config struct client_config *c = NULL;
    char expected[160];
    assert_ok(load(SERVER "; comment\nca = ca.pem\ntimeout_ms = 700\nconnect_timeout_ms = 600\npin = " PIN ";" PIN "\n"
                          "client_certificate = c.pem\nclient_key = /c.key\nproxy = http://p:3128\n"
                          "proxy_credentials = p\n" ACCOUNT "[token]\nlabel = mine\neddsa = same\nverify = rsa\n"
                          "[cache]\nkeys_max_age_ms = 5\npublic_data = /var/public.json\n"
                          "public_data_max_age_ms = 6\n"
                          "[log]\nfile = -\nlevel = debug\n"
                          "[approval]\nrequest = auto\nwait_ms = 60000\nreason = nightly build\n",
                   &c));
    assert_string_equal(c->url, "https://127.0.0.1:8443");
    (void)snprintf(expected, sizeof(expected), "%s/ca.pem", directory);
    assert_string_equal(c->ca_path, expected);
    (void)snprintf(expected, sizeof(expected), "%s/build-1.key", directory);
    assert_string_equal(c->key_path, expected);
    assert_int_equal(c->timeout_ms, 700);
    assert_int_equal(c->connect_timeout_ms, 600);
    assert_string_equal(c->pin, PIN ";" PIN);
    (void)snprintf(expected, sizeof(expected), "%s/c.pem", directory);
    assert_string_equal(c->client_certificate_path, expected);
    assert_string_equal(c->client_key_path, "/c.key");
    assert_string_equal(c->proxy, "http://p:3128");
    assert_non_null(c->proxy_credentials_path);
    assert_int_equal(c->public_data_max_age_ms, 6);
    assert_int_equal(client_config_server_count(c), 1);
    assert_string_equal(client_config_server(c, 0), c->url);
    assert_int_equal(c->credential, CREDENTIAL_SERVICE_ACCOUNT);
    assert_string_equal(c->account, "build-1");
    assert_string_equal(c->token_label, "mine");
    assert_true(c->eddsa_same);
    assert_true(c->verify_rsa_only);
    assert_int_equal(c->keys_max_age_ms, 5);
    assert_string_equal(c->public_data_path, "/var/public.json");
    assert_string_equal(c->log_path, "-");
    assert_int_equal(c->log_level, LOG_LEVEL_DEBUG);
    assert_true(c->approval_auto);
    assert_int_equal(c->approval_wait_ms, 60000);
    assert_string_equal(c->approval_reason, "nightly build");
}

static void several_servers_are_listed_in_their_order(void **state)
{
    (void)state;
    cleanup_client_config struct client_config *c = NULL;
    assert_ok(load("[server]\nservers = https://a:8443/ ,https://b,   https://c\n" ACCOUNT, &c));
    assert_int_equal(client_config_server_count(c), 3);
    assert_string_equal(client_config_server(c, 0), "https://a:8443");
    assert_string_equal(client_config_server(c, 1), "https://b");
    assert_string_equal(client_config_server(c, 2), "https://c");
    assert_string_equal(c->url, "https://a:8443");
    assert_true(client_config_has_server(c, "https://b"));
    assert_false(client_config_has_server(c, "https://d"));
}

static void the_documented_example_is_accepted(void **state)
{
    (void)state;
    cleanup_client_config struct client_config *c = NULL;
    assert_ok(client_config_load(EXAMPLE, &c, &err));
    assert_string_equal(c->account, "build-1");
}

/* With its comments taken away, each example line is valid by itself; api_key_file belongs to the other type, and
 * servers stands in place of url. */
static void every_key_of_the_documented_example_exists(void **state)
{
    (void)state;
    cleanup_client_config struct client_config *c = NULL;
    char command[600];
    (void)snprintf(command, sizeof(command),
                   "sed -e 's/^#\\([a-z_]* = \\)/\\1/' -e '/^api_key_file/d' -e '/^url/d' '%s' >'%s' && chmod 600 '%s'",
                   EXAMPLE, path, path);
    assert_int_equal(system(command), 0);
    assert_ok(client_config_load(path, &c, &err));
    assert_int_equal(client_config_server_count(c), 2);
    assert_non_null(c->proxy_credentials_path);
    assert_string_equal(c->token_label, "chancery");
    assert_non_null(strstr(c->log_path, "client.log"));
}

static void what_is_left_out_has_a_default(void **state)
{
    (void)state;
    cleanup_client_config struct client_config *c = NULL;
    assert_ok(load(SERVER ACCOUNT, &c));
    assert_null(c->ca_path);
    assert_int_equal(c->timeout_ms, 15000);
    assert_int_equal(c->connect_timeout_ms, 5000);
    assert_int_equal(c->public_data_max_age_ms, 3600000);
    assert_null(c->pin);
    assert_null(c->proxy);
    assert_string_equal(c->token_label, "chancery");
    assert_false(c->eddsa_same);
    assert_false(c->verify_rsa_only);
    assert_int_equal(c->keys_max_age_ms, 60000);
    assert_null(c->public_data_path);
    assert_null(c->log_path);
    assert_int_equal(c->log_level, LOG_LEVEL_WARNING);
    assert_false(c->approval_auto);
    assert_int_equal(c->approval_wait_ms, 0);
    assert_null(c->approval_reason);
}

static void a_line_may_be_longer_than_two_hundred_characters(void **state)
{
    (void)state;
    cleanup_client_config struct client_config *c = NULL;
    char text[2048];
    (void)snprintf(text, sizeof(text), SERVER "ca = /%01000d.pem\n" ACCOUNT, 7);
    assert_ok(load(text, &c));
    assert_int_equal(strlen(c->ca_path), 1005);
}

static void context_fields_come_from_the_file_or_the_environment(void **state)
{
    (void)state;
    cleanup_client_config struct client_config *c = NULL;
    setenv("CHANCERY_TEST_BUILD", "4711", 1);
    assert_ok(load(SERVER ACCOUNT "[context]\nbuild_id = env:CHANCERY_TEST_BUILD\nbranch = env:CHANCERY_NONE\n"
                                  "site = north 1\n",
                   &c));
    assert_int_equal(c->context.count, 2);
    assert_string_equal(c->context.fields[0].name, "build_id");
    assert_string_equal(c->context.fields[0].value, "4711");
    assert_string_equal(c->context.fields[1].name, "site");
    assert_string_equal(c->context.fields[1].value, "north 1");
}

static void a_seventeenth_context_field_is_refused(void **state)
{
    (void)state;
    struct client_config *c = NULL;
    char text[1024] = SERVER ACCOUNT "[context]\n";
    for (int i = 0; i < CLIENT_CONTEXT_MAX + 1; i++)
        (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "f%d = x\n", i);
    assert_code(load(text, &c), CODE_CONFIGURATION);
    assert_non_null(strstr(err.text, "f16: [context] has at most 16 fields"));
}

static void every_refusal_names_file_and_line(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *place; /* behind the file's name; NULL: only the file */
        const char *reason;
    } rows[] = {
        {SERVER "[serber]\n", ":3:", "unknown section [serber]"},
        {SERVER "[nothing]\nx = y\n", ":3:", "unknown section"},
        {SERVER "servers = https://a, https://b\n" ACCOUNT, NULL, "both url and servers"},
        {"[server]\nservers = https://a, http://b\n", ":2:", "servers: https://host[:port]"},
        {"[server]\nservers = https://a,\n", ":2:", "servers: https://host[:port]"},
        {"[server]\nservers = https://a, https://a/\n", ":2:", "https://a stands twice"},
        {"[server]\nservers = https://1,https://2,https://3,https://4,https://5,https://6,https://7,https://8,"
         "https://9\n",
         ":2:", "more than 8"},
        {SERVER "pin = AAAA\n", ":3:", "sha256//"},
        {SERVER "pin = sha256//AAAA\n", ":3:", "sha256//"},
        {SERVER "pin = " PIN ";\n", ":3:", "sha256//"},
        {SERVER "proxy = https://p:1\n", ":3:", "http://host:port"},
        {SERVER "proxy = http://p\n", ":3:", "http://host:port"},
        {SERVER "proxy = http://p:99999\n", ":3:", "http://host:port"},
        {SERVER "proxy = http://me:secret@p:1\n", ":3:", "proxy_credentials"},
        {SERVER "proxy_credentials = p\n" ACCOUNT, NULL, "proxy_credentials needs proxy"},
        {SERVER "client_key = p\n" ACCOUNT, NULL, "client_key needs client_certificate"},
        {SERVER "client_certificate = p\n" ACCOUNT, NULL, "client_certificate needs client_key"},
        {SERVER "connect_timeout_ms = 99\n", ":3:", "from 100 to 600000"},
        {SERVER "[cache]\npublic_data_max_age_ms = 604800001\n", ":4:", "from 0 to 604800000"},
        {SERVER "urls = x\n", ":3:", "unknown key urls in [server]"},
        {SERVER "\n# c\nurl = https://b\n", ":5:", "url is already set in line 2"},
        {"url = https://a\n", ":1:", "before the first [section]"},
        {SERVER "nonsense\n", ":3:", "key = value"},
        {SERVER "  more\n", ":3:", "key = value"},
        {SERVER "[credential\n", ":3:", "key = value"},
        {"[server]\nurl = http://a\n", ":2:", "https://"},
        {"[server]\nurl = https://\n", ":2:", "https://"},
        {"[server]\nurl = https://me@a\n", ":2:", "no user"},
        {"[server]\nurl = https://a?b\n", ":2:", "no user"},
        {SERVER "timeout_ms = 99\n", ":3:", "from 100 to 600000"},
        {SERVER "timeout_ms = 1s\n", ":3:", "a number"},
        {SERVER "timeout_ms = 99999999999999999999\n", ":3:", "a number"},
        {SERVER "ca =\n", ":3:", "empty"},
        {SERVER "ca = a\tb\n", ":3:", "not printable"},
        {SERVER "ca = ca.pem ; comment\n", ":3:", "ca: a comment (;) needs a line of its own"},
        {SERVER "ca = ; comment\n", ":3:", "ca: a comment (;) needs a line of its own"},
        {SERVER "[token] ; comment\n", ":3:", "[section] is expected"},
        {SERVER "[credential]\ntype = password\n", ":4:", "service_account or api_key"},
        {SERVER "[token]\neddsa = no\n", ":4:", "separate or same"},
        {SERVER "[log]\nlevel = loud\n", ":4:", "off, error"},
        {SERVER "[approval]\nrequest = always\n", ":4:", "never or auto"},
        {SERVER "[approval]\nwait_ms = 86400001\n", ":4:", "from 0 to 86400000"},
        {SERVER "[context]\nbuild_id = 7\nbuild_id = 8\n", ":5:", "build_id is already set"},
        {SERVER "[context]\nbuild_id = env:CHANCERY_NONE\nbuild_id = 8\n", ":5:", "build_id is already set"},
        {SERVER "[context]\nBuild = 7\n", ":4:", "a field's name is"},
        {SERVER "[context]\nuser = me\n", ":4:", "sent already"},
        {SERVER "[context]\nbuild_id =\n", ":4:", "empty"},
        {SERVER "[context]\nbuild_id = 7 ; number\n", ":4:", "a line of its own"},
        {SERVER "[context]\nbuild_id = env:CHANCERY_TEST_BAD\n", ":4:", "the value in the environment is not"},
        {ACCOUNT, NULL, "[server] url is missing"},
        {SERVER, NULL, "account is missing"},
        {SERVER "[credential]\naccount = a\n", NULL, "key is missing"},
        {SERVER ACCOUNT "api_key_file = a\n", NULL, "belongs to type = api_key"},
        {SERVER "[credential]\ntype = api_key\nkey = a\n", NULL, "belongs to type = service_account"},
        {SERVER ACCOUNT "[token]\nlabel = aaaaaaaaaaaaaaaaaaaaaaaaaaa\n", NULL, "more than 26 bytes"},
    };
    setenv("CHANCERY_TEST_BAD", "a\nb", 1);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct client_config *c = NULL;
        char expected[200];
        (void)snprintf(expected, sizeof(expected), "%s%s", path, rows[i].place ? rows[i].place : ":");
        assert_code(load(rows[i].text, &c), CODE_CONFIGURATION);
        assert_null(c);
        assert_ptr_equal(strstr(err.text, expected), err.text);
        if (!strstr(err.text, rows[i].reason))
            fail_msg("'%s' does not say '%s'", err.text, rows[i].reason);
    }
}

static void a_nul_in_the_file_is_refused(void **state)
{
    (void)state;
    struct client_config *c = NULL;
    put(SERVER);
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_int_equal(write(fd, "ca = a\0b\n", 9), 9);
    close(fd);
    assert_code(client_config_load(path, &c, &err), CODE_CONFIGURATION);
    assert_non_null(strstr(err.text, ":3:"));
}

static void a_file_that_others_can_write_is_refused(void **state)
{
    (void)state;
    struct client_config *c = NULL;
    put(SERVER ACCOUNT);
    assert_int_equal(chmod(path, 0620), 0);
    assert_code(client_config_load(path, &c, &err), CODE_CONFIGURATION);
    assert_int_equal(chmod(path, 0602), 0);
    assert_code(client_config_load(path, &c, &err), CODE_CONFIGURATION);
}

static void the_environment_names_the_file_when_nobody_else_does(void **state)
{
    (void)state;
    cleanup_client_config struct client_config *c = NULL;
    put(SERVER ACCOUNT);
    setenv("CHANCERY_CONF", path, 1);
    status loaded = client_config_load(NULL, &c, &err);
    unsetenv("CHANCERY_CONF");
    assert_ok(loaded);
    assert_string_equal(c->path, path);
}

static void the_home_directory_comes_before_the_machine(void **state)
{
    (void)state;
    cleanup_client_config struct client_config *c = NULL;
    char personal[200];
    char command[256];
    (void)snprintf(personal, sizeof(personal), "%s/.config/chancery/client.conf", directory);
    put(SERVER ACCOUNT);
    (void)snprintf(command, sizeof(command), "mkdir -p %s/.config/chancery && cp -p %s %s", directory, path, personal);
    assert_int_equal(system(command), 0);
    setenv("HOME", directory, 1);
    assert_ok(client_config_load(NULL, &c, &err));
    assert_string_equal(c->path, personal);
}

static void no_file_at_all_says_where_it_was_looked_for(void **state)
{
    (void)state;
    struct client_config *c = NULL;
    setenv("HOME", "/nonexistent", 1);
    assert_code(client_config_load(NULL, &c, &err), CODE_NOT_FOUND);
    assert_non_null(strstr(err.text, "$CHANCERY_CONF"));
}

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(directory, sizeof(directory), "/tmp/chancery-config-XXXXXX");
    if (!mkdtemp(directory))
        return -1;
    (void)snprintf(path, sizeof(path), "%s/client.conf", directory);
    unsetenv("CHANCERY_CONF");
    return 0;
}

static int tear_down(void **state)
{
    char command[128];
    (void)state;
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", directory);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_is_read),
        cmocka_unit_test(several_servers_are_listed_in_their_order),
        cmocka_unit_test(the_documented_example_is_accepted),
        cmocka_unit_test(every_key_of_the_documented_example_exists),
        cmocka_unit_test(what_is_left_out_has_a_default),
        cmocka_unit_test(a_line_may_be_longer_than_two_hundred_characters),
        cmocka_unit_test(context_fields_come_from_the_file_or_the_environment),
        cmocka_unit_test(a_seventeenth_context_field_is_refused),
        cmocka_unit_test(every_refusal_names_file_and_line),
        cmocka_unit_test(a_nul_in_the_file_is_refused),
        cmocka_unit_test(a_file_that_others_can_write_is_refused),
        cmocka_unit_test(the_environment_names_the_file_when_nobody_else_does),
        cmocka_unit_test(the_home_directory_comes_before_the_machine),
        cmocka_unit_test(no_file_at_all_says_where_it_was_looked_for),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The tables, the words of a command line, and what --help and the manual say of them. */
#include <stdio.h>

#include "cli/common_options.h"
#include "common/file.h"
#include "run.h"
#include "tests/unit/common/expect.h"

#define FOR_EACH_COMMAND(c)                                                                                            \
    for (size_t table_##c = 0; table_##c < cli_table_count; table_##c++)                                               \
        for (const struct cli_command *c = cli_tables[table_##c]; c->path; c++)

static void every_row_is_complete_and_unique(void **state)
{
    (void)state;
    FOR_EACH_COMMAND(c)
    {
        int same = 0;
        assert_non_null(c->arguments);
        assert_non_null(c->summary);
        assert_non_null(c->run);
        FOR_EACH_COMMAND(other)
        same += strcmp(c->path, other->path) == 0;
        assert_int_equal(same, 1);
    }
}

static int times_named(const struct cli_option *options, const char *name)
{
    int times = 0;
    for (; options && options->name; options++)
        times += strcmp(options->name, name) == 0;
    return times;
}

static void no_command_has_an_option_twice(void **state)
{
    (void)state;
    FOR_EACH_COMMAND(c)
    {
        for (const struct cli_option *o = c->options; o && o->name; o++)
            assert_int_equal(times_named(c->options, o->name) + times_named(cli_options_always, o->name) +
                                 times_named(cli_options_server, o->name),
                             1);
    }
}

/* Path and words of a command, then --help, through the parser. */
static const struct ran *help_of(const struct cli_command *c)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "%s", c->path);
    char *space = strchr(path, ' ');
    if (!space)
        return run(path, "--help", NULL);
    *space = '\0';
    char *third = strchr(space + 1, ' ');
    if (!third)
        return run(path, space + 1, "--help", NULL);
    *third = '\0';
    return run(path, space + 1, third + 1, "--help", NULL);
}

static void every_command_has_help_that_names_its_options(void **state)
{
    (void)state;
    FOR_EACH_COMMAND(c)
    {
        const struct ran *r = help_of(c);
        assert_int_equal(r->code, 0);
        assert_non_null(strstr(r->out, c->path));
        assert_non_null(strstr(r->out, c->arguments));
        for (const struct cli_option *o = c->options; o && o->name; o++)
            assert_non_null(strstr(r->out, o->name));
    }
}

/* The manual without the backslashes of roff. */
static void manual_read(struct buf *out)
{
    struct buf raw = {0};
    assert_ok(file_read(MANUAL, 1 << 20, FILE_ANY, &raw, NULL));
    for (size_t i = 0; i < raw.len; i++)
        if (raw.data[i] != '\\')
            buf_add_byte(out, raw.data[i]);
    buf_clear(&raw);
}

static void the_manual_names_every_command_and_option(void **state)
{
    (void)state;
    cleanup_buf struct buf manual = {0};
    manual_read(&manual);
    FOR_EACH_COMMAND(c)
    {
        char name[80];
        (void)snprintf(name, sizeof(name), "chancery %s", c->path);
        if (!strstr(buf_text(&manual), name))
            fail_msg("the manual does not name '%s'", name);
        for (const struct cli_option *o = c->options; o && o->name; o++) {
            (void)snprintf(name, sizeof(name), "--%s", o->name);
            if (!strstr(buf_text(&manual), name))
                fail_msg("the manual does not name '%s' of %s", name, c->path);
        }
    }
}

static void wrong_usage_ends_with_2_and_says_what(void **state)
{
    (void)state;
    static const struct {
        const char *words[6];
        const char *said;
    } rows[] = {
        {{"nonsense"}, "unknown command nonsense"},
        {{"project"}, "needs one of its commands"},
        {{"project", "nonsense"}, "needs one of its commands"},
        {{"project", "create"}, "usage: chancery project create NAME"},
        {{"project", "create", "a", "b"}, "usage: chancery project create NAME"},
        {{"project", "list", "a"}, "usage: chancery project list [options]"},
        {{"project", "list", "--nonsense"}, "takes no option --nonsense"},
        {{"project", "list", "-x"}, "unknown option -x"},
        {{"project", "create", "a", "--description"}, "--description needs a value"},
        {{"project", "list", "--json=yes"}, "--json takes no value"},
        {{"project", "list", "--json", "--json"}, "--json stands twice"},
        {{"--json", "project", "list", "--json"}, "--json stands twice"},
        {{"--nonsense", "project"}, "no option --nonsense"},
        {{"--config"}, "--config needs a value"},
        {{"version", "--config", "x"}, "version takes no option --config"},
        {{"sign", "x"}, "--key is missing"},
        {{"key", "create", "demo", "a"}, "--type is missing"},
        {{"key", "create", "demo", "a", "--type", "p256"}, NULL}, /* goes on to the configuration */
        {{"verify", "x"}, "--signature is missing"},
        {{"certificate", "k", "--der", "--chain"}, "exclude each other"},
        {{"audit", "list", "--limit", "0"}, "a positive number"},
        {{"audit", "verify", "x", "--head", "12"}, "SEQ:HASH"},
        {{"audit", "verify", "--head", "12"}, "goes with a FILE"},
        {{"project", "update", "demo"}, "--description is missing"},
        {{"account", "create", "a"}, "--public-key is missing"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *const *w = rows[i].words;
        const struct ran *r = run(w[0], w[1], w[2], w[3], w[4], w[5], NULL);
        assert_int_equal(r->code, rows[i].said ? EXIT_USAGE : EXIT_REFUSED);
        if (rows[i].said && !strstr(r->err, rows[i].said))
            fail_msg("'%s' does not say '%s'", r->err, rows[i].said);
        assert_string_equal(r->out, "");
    }
}

static status parse(struct cli *cli, int count, const char *const *words)
{
    static struct error err;
    *cli = (struct cli){0};
    return cli_parse(cli, count, (char *const *)words, &err);
}
#define PARSE(cli, ...) parse(cli, COUNT_OF(((const char *[]){__VA_ARGS__})), (const char *const[]){__VA_ARGS__})

static void options_stand_before_between_and_behind(void **state)
{
    (void)state;
    struct cli cli;
    assert_ok(PARSE(&cli, "--config", "c", "--json", "key", "create", "--type=p256", "demo", "--days", "3", "label"));
    assert_string_equal(cli.command->path, "key create");
    assert_string_equal(cli_option(&cli, "config"), "c");
    assert_string_equal(cli_option(&cli, "type"), "p256");
    assert_string_equal(cli_option(&cli, "days"), "3");
    assert_true(cli_is_json(&cli));
    assert_string_equal(cli_argument(&cli, 0), "demo");
    assert_string_equal(cli_argument(&cli, 1), "label");
    assert_null(cli_argument(&cli, 2));
}

static void a_repeatable_option_keeps_all_its_values(void **state)
{
    (void)state;
    struct cli cli;
    assert_ok(PARSE(&cli, "key", "create", "demo", "a", "--hash", "sha256", "--hash=sha384"));
    assert_string_equal(cli_option_at(&cli, "hash", 0), "sha256");
    assert_string_equal(cli_option_at(&cli, "hash", 1), "sha384");
    assert_null(cli_option_at(&cli, "hash", 2));
}

static void two_dashes_end_the_options(void **state)
{
    (void)state;
    struct cli cli;
    assert_ok(PARSE(&cli, "project", "create", "--", "--json"));
    assert_string_equal(cli_argument(&cli, 0), "--json");
    assert_false(cli_is_json(&cli));
}

static void a_single_dash_is_an_argument(void **state)
{
    (void)state;
    struct cli cli;
    assert_ok(PARSE(&cli, "audit", "export", "-"));
    assert_string_equal(cli_argument(&cli, 0), "-");
}

static void more_words_than_there_is_room_for_are_refused(void **state)
{
    (void)state;
    struct cli cli;
    const char *words[200];
    for (size_t i = 0; i < COUNT_OF(words); i++)
        words[i] = i == 0 ? "key" : i == 1 ? "create" : i % 2 ? "sha256" : "--hash";
    assert_code(parse(&cli, COUNT_OF(words), words), CODE_INVALID);
    for (size_t i = 2; i < COUNT_OF(words); i++)
        words[i] = "word";
    assert_code(parse(&cli, COUNT_OF(words), words), CODE_INVALID);
}

static int set_up(void **state)
{
    (void)state;
    unsetenv("CHANCERY_CONF");
    unsetenv("CHANCERY_ADMIN_TOKEN");
    setenv("HOME", "/nonexistent", 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    run_end();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_complete_and_unique),
        cmocka_unit_test(no_command_has_an_option_twice),
        cmocka_unit_test(every_command_has_help_that_names_its_options),
        cmocka_unit_test(the_manual_names_every_command_and_option),
        cmocka_unit_test(wrong_usage_ends_with_2_and_says_what),
        cmocka_unit_test(options_stand_before_between_and_behind),
        cmocka_unit_test(a_repeatable_option_keeps_all_its_values),
        cmocka_unit_test(two_dashes_end_the_options),
        cmocka_unit_test(a_single_dash_is_an_argument),
        cmocka_unit_test(more_words_than_there_is_room_for_are_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

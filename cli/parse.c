/* SPDX-License-Identifier: Apache-2.0 */
/* Words to command, options and arguments, by the tables alone. */
#include <stdarg.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/common_options.h"

const char *cli_argument(const struct cli *cli, size_t i)
{
    return i < cli->argument_count ? cli->arguments[i] : NULL;
}

const char *cli_option(const struct cli *cli, const char *name)
{
    return cli_option_at(cli, name, 0);
}

const char *cli_option_at(const struct cli *cli, const char *name, size_t i)
{
    for (size_t at = 0; at < cli->option_count; at++)
        if (strcmp(cli->options[at].name, name) == 0 && i-- == 0)
            return cli->options[at].value;
    return NULL;
}

bool cli_has(const struct cli *cli, const char *name)
{
    return cli_option(cli, name) != NULL;
}

bool cli_is_json(const struct cli *cli)
{
    return cli_has(cli, "json");
}

status cli_usage(struct cli *cli, struct error *err, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    cli->is_usage_error = true;
    return error_set(err, CODE_INVALID, "%s", text);
}

/* How many of the words are the command's path; 0: it is another one. */
static int path_match(const char *path, int count, char *const words[])
{
    int used = 0;
    while (*path) {
        size_t len = strcspn(path, " ");
        if (used == count || strlen(words[used]) != len || memcmp(words[used], path, len) != 0)
            return 0;
        used++;
        path += len;
        path += *path == ' ';
    }
    return used;
}

static const struct cli_command *command_find(int count, char *const words[], int *used)
{
    const struct cli_command *best = NULL;
    *used = 0;
    for (size_t t = 0; t < cli_table_count; t++) {
        for (const struct cli_command *c = cli_tables[t]; c->path; c++) {
            int matched = path_match(c->path, count, words);
            if (matched > *used) {
                best = c;
                *used = matched;
            }
        }
    }
    return best;
}

static bool group_exists(const char *word)
{
    size_t len = strlen(word);
    for (size_t t = 0; t < cli_table_count; t++)
        for (const struct cli_command *c = cli_tables[t]; c->path; c++)
            if (strncmp(c->path, word, len) == 0 && c->path[len] == ' ')
                return true;
    return false;
}

static const struct cli_option *option_in(const struct cli_option *options, const char *name, size_t len)
{
    for (; options && options->name; options++)
        if (strlen(options->name) == len && memcmp(options->name, name, len) == 0)
            return options;
    return NULL;
}

/* Before the command is known (c NULL), the common ones. */
static const struct cli_option *option_find(const struct cli_command *c, const char *name, size_t len)
{
    const struct cli_option *found = c ? option_in(c->options, name, len) : NULL;
    if (!found)
        found = option_in(cli_options_always, name, len);
    if (!found && (!c || c->server != CLI_LOCAL))
        found = option_in(cli_options_server, name, len);
    return found;
}

static bool is_repeatable(const struct cli_option *option)
{
    return option->argument && strstr(option->argument, "...");
}

/* "--name", "--name VALUE" or "--name=VALUE"; *at is left on the last word used. */
static status option_parse(struct cli *cli, int count, char *const words[], int *at, struct error *err)
{
    const char *name = words[*at] + 2;
    size_t len = strcspn(name, "=");
    const char *value = name[len] == '=' ? name + len + 1 : NULL;
    const struct cli_option *option = option_find(cli->command, name, len);
    if (!option)
        return cli_usage(cli, err, "%s takes no option --%.*s", cli->command ? cli->command->path : "chancery",
                         (int)len, name);
    if (cli_has(cli, option->name) && !is_repeatable(option))
        return cli_usage(cli, err, "--%s stands twice", option->name);
    if (!option->argument && value)
        return cli_usage(cli, err, "--%s takes no value", option->name);
    if (option->argument && !value) {
        if (*at + 1 >= count)
            return cli_usage(cli, err, "--%s needs a value: %s", option->name, option->argument);
        value = words[++*at];
    }
    if (cli->option_count == CLI_OPTIONS_MAX)
        return cli_usage(cli, err, "too many options");
    cli->options[cli->option_count].name = option->name;
    cli->options[cli->option_count++].value = value ? value : "";
    return OK;
}

static status word_parse(struct cli *cli, int count, char *const words[], int *at, bool *options_end, struct error *err)
{
    const char *word = words[*at];
    if (!*options_end && strcmp(word, "--") == 0) {
        *options_end = true;
        return OK;
    }
    if (!*options_end && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)) {
        cli->help = true;
        return OK;
    }
    if (!*options_end && strncmp(word, "--", 2) == 0)
        return option_parse(cli, count, words, at, err);
    if (!*options_end && word[0] == '-' && word[1] != '\0')
        return cli_usage(cli, err, "unknown option %s", word);
    if (cli->argument_count == CLI_ARGUMENTS_MAX)
        return cli_usage(cli, err, "too many arguments");
    cli->arguments[cli->argument_count++] = word;
    return OK;
}

/* "A B [C]": two at least, three at most. */
static status arguments_check(struct cli *cli, struct error *err)
{
    size_t least = 0;
    size_t most = 0;
    for (const char *at = cli->command->arguments; *at; at += strcspn(at, " "), at += *at == ' ') {
        most++;
        least += *at != '[';
    }
    if (cli->argument_count < least || cli->argument_count > most)
        return cli_usage(cli, err, "usage: chancery %s%s%s [options]", cli->command->path, most ? " " : "",
                         cli->command->arguments);
    return OK;
}

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
}

/* No command begins with these words: a group, or nothing we know. */
static status group_parse(struct cli *cli, int count, char *const words[], struct error *err)
{
    cli->help = true;
    if (count == 0)
        return cli_usage(cli, err, "no command is given");
    if (is_help(words[0]))
        return OK;
    if (!group_exists(words[0]))
        return cli_usage(cli, err, "unknown command %.60s", words[0]);
    cli->arguments[cli->argument_count++] = words[0];
    return count > 1 && is_help(words[1]) ? OK : cli_usage(cli, err, "%s needs one of its commands", words[0]);
}

status cli_parse(struct cli *cli, int count, char *const words[], struct error *err)
{
    /* Common options may stand before the command. */
    int at = 0;
    for (; at < count && strncmp(words[at], "--", 2) == 0 && !is_help(words[at]); at++)
        TRY(option_parse(cli, count, words, &at, err));

    int used = 0;
    cli->command = command_find(count - at, words + at, &used);
    if (!cli->command)
        return group_parse(cli, count - at, words + at, err);

    bool options_end = false;
    for (at += used; at < count; at++)
        TRY(word_parse(cli, count, words, &at, &options_end, err));
    return cli->help ? OK : arguments_check(cli, err);
}

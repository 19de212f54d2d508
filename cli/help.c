/* SPDX-License-Identifier: Apache-2.0 */
/* --help, written from the tables. */
#include <string.h>

#include "cli/cli.h"
#include "cli/common_options.h"

const struct cli_option cli_options_always[] = {
    {"json", NULL, "print JSON, one object a line, instead of text"},
    {0},
};

const struct cli_option cli_options_server[] = {
    {"config", "FILE",
     "client configuration (else $CHANCERY_CONF, ~/.config/chancery/client.conf, /etc/chancery/client.conf)"},
    {"passphrase-file", "FILE", "passphrase of the key file, or the API key that is not stored; mode 0600"},
    {"passphrase-stdin", NULL, "the same from standard input"},
    {0},
};

static void options_print(FILE *out, const char *title, const struct cli_option *options)
{
    if (!options || !options->name)
        return;
    fprintf(out, "\n%s\n", title);
    for (; options->name; options++) {
        char left[64];
        (void)snprintf(left, sizeof(left), "--%s%s%s", options->name, options->argument ? " " : "",
                       options->argument ? options->argument : "");
        fprintf(out, "  %-28s %s\n", left, options->help);
    }
}

static void command_help(FILE *out, const struct cli_command *c)
{
    fprintf(out, "chancery %s%s%s [options]\n\n%s\n", c->path, *c->arguments ? " " : "", c->arguments, c->summary);
    options_print(out, "Options:", c->options);
    options_print(out, "Common options:", cli_options_always);
    if (c->server != CLI_LOCAL)
        options_print(out, "Server and credential:", cli_options_server);
    if (c->server == CLI_ADMINISTRATION)
        fprintf(out,
                "\n$CHANCERY_ADMIN_TOKEN, an API key, takes the place of the configured credential unless --config is "
                "given;\n$CHANCERY_URL and $CHANCERY_CA then take the place of the configured server.\n");
}

static bool is_in_group(const struct cli_command *c, const char *group)
{
    size_t len = group ? strlen(group) : 0;
    return !group || (strncmp(c->path, group, len) == 0 && c->path[len] == ' ');
}

void cli_help(FILE *out, const char *group, const struct cli_command *command)
{
    if (command) {
        command_help(out, command);
        return;
    }
    fprintf(out,
            "chancery COMMAND [arguments] [options]: signs with keys that stay in the HSM, and administers them.\n\n");
    for (size_t t = 0; t < cli_table_count; t++) {
        for (const struct cli_command *c = cli_tables[t]; c->path; c++) {
            char left[80];
            (void)snprintf(left, sizeof(left), "%s%s%s", c->path, *c->arguments ? " " : "", c->arguments);
            if (is_in_group(c, group))
                fprintf(out, "  %-42s %s\n", left, c->summary);
        }
    }
    fprintf(out, "\nchancery COMMAND --help tells the options.\n");
}

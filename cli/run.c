/* SPDX-License-Identifier: Apache-2.0 */
/* One command from words to exit code. */
#include <string.h>

#include "cli/cli.h"

static void complain(const struct cli *cli, FILE *out, const struct error *err)
{
    fprintf(out, "chancery%s%s: %s", cli->command ? " " : "", cli->command ? cli->command->path : "", err->text);
    if (cli->is_usage_error)
        fprintf(out, "\n(chancery%s%s --help tells more)\n", cli->command ? " " : "",
                cli->command ? cli->command->path : "");
    else
        fprintf(out, " [%s]\n", code_wire(err->code));
}

static int outcome(struct cli *cli, status done, FILE *errors, const struct error *err)
{
    if (!is_ok(done)) {
        complain(cli, errors, err);
        return cli->is_usage_error ? EXIT_USAGE : EXIT_REFUSED;
    }
    /* A full disk behind a redirection must not look like success. */
    if (fflush(cli->out) != 0 || ferror(cli->out)) {
        fprintf(errors, "chancery: standard output cannot be written\n");
        return EXIT_REFUSED;
    }
    return cli->exit_code;
}

static status run(struct cli *cli, int argc, char *const argv[], struct error *err)
{
    status parsed = cli_parse(cli, argc > 0 ? argc - 1 : 0, argv + 1, err);
    if (is_ok(parsed) && cli->help) {
        cli_help(cli->out, cli_argument(cli, 0), cli->command);
        return OK;
    }
    TRY(parsed);
    return cli->command->run(cli, err);
}

int cli_main(int argc, char *const argv[], FILE *out, FILE *errors)
{
    struct cli cli = {.out = out};
    struct error err = {0};
    int code = outcome(&cli, run(&cli, argc, argv, &err), errors, &err);
    client_free(cli.client);
    return code;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The shape of every command: a row in a table, options by name, one function that runs it. Standard output carries
 * results only; everything else goes to standard error. Exit: 0 done, 1 refused or failed, 2 wrong usage,
 * 3 (apply --plan) there is something to do. */
#pragma once

#include <stdio.h>

#include "client/client.h"

struct cli;

struct cli_option {
    const char *name;     /* without the dashes */
    const char *argument; /* NULL: a switch; "NAME..." may stand several times */
    const char *help;
};

/* Whose credential a command uses; decides which common options it takes. */
enum cli_server {
    CLI_LOCAL,          /* none */
    CLI_PRINCIPAL,      /* the configured one */
    CLI_ADMINISTRATION, /* the configured one, or $CHANCERY_ADMIN_TOKEN */
};

struct cli_command {
    const char *path;      /* "project create" */
    const char *arguments; /* "NAME [PRINCIPAL]"; required ones first, "" for none */
    const char *summary;   /* one line */
    enum cli_server server;
    const struct cli_option *options; /* ended by a row without name; NULL for none */
    status (*run)(struct cli *cli, struct error *err);
};
/* One table per noun, each ended by a row without path. */
extern const struct cli_command *const cli_tables[];
extern const size_t cli_table_count;

enum { CLI_ARGUMENTS_MAX = 8, CLI_OPTIONS_MAX = 24, EXIT_REFUSED = 1, EXIT_USAGE = 2, EXIT_DIFFERS = 3 };

struct cli {
    const struct cli_command *command;
    const char *arguments[CLI_ARGUMENTS_MAX];
    size_t argument_count;
    struct {
        const char *name;
        const char *value; /* "" for a switch */
    } options[CLI_OPTIONS_MAX];
    size_t option_count;
    bool help;
    bool is_usage_error; /* the failure is one of usage */
    int exit_code;       /* of a command that was done */
    FILE *out;
    struct client *client;
};

/* Fills cli from the words behind the program name. CODE_INVALID with is_usage_error. command stays NULL for a group or
 * nothing, with help set. */
status cli_parse(struct cli *cli, int count, char *const words[], struct error *err);
/* A usage error that the table cannot express. */
status cli_usage(struct cli *cli, struct error *err, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* For a command, a group ("project") or NULL for all. */
void cli_help(FILE *out, const char *group, const struct cli_command *command);

const char *cli_argument(const struct cli *cli, size_t i);                    /* NULL when not given */
const char *cli_option(const struct cli *cli, const char *name);              /* NULL when not given */
const char *cli_option_at(const struct cli *cli, const char *name, size_t i); /* the i-th of a repeated one */
bool cli_has(const struct cli *cli, const char *name);
bool cli_is_json(const struct cli *cli);

/* The client of this call, made and logged in at first use; belongs to cli. */
status cli_client(struct cli *cli, struct client **out, struct error *err);
/* The same without a login where one would have to be asked for: public data only. */
status cli_client_locked(struct cli *cli, struct client **out, struct error *err);
/* One deadline for one request, as configured. */
struct deadline cli_deadline(struct cli *cli);
int cli_main(int argc, char *const argv[], FILE *out, FILE *err);

/* SPDX-License-Identifier: Apache-2.0 */
/* chancery whoami, usage, ca, version. */
#include "chancery/protocol.h"
#include "chancery/version.h"
#include "cli/api.h"
#include "cli/key_ref.h"
#include "cli/tables.h"

static status whoami(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0};
    api_path(&path, ROUTE_WHOAMI);
    return api_show(cli, "GET", &path, NULL, err);
}

static status usage(struct cli *cli, struct error *err)
{
    static const struct api_column columns[] = {{"DAY", "day"},       {"PROJECT", "project"}, {"KEY", "label"},
                                                {"SIGNER", "signer"}, {"SUCCESS", "success"}, {"REFUSED", "refused"},
                                                {"FAILED", "failed"}};
    cleanup_buf struct buf path = {0};
    cleanup_buf struct buf key = {0};
    if (cli_has(cli, "months") && cli_has(cli, "total"))
        return cli_usage(cli, err, "--months and --total exclude each other");
    if (cli_has(cli, "key"))
        TRY(key_reference(cli, cli_option(cli, "key"), &key, err));
    api_path(&path, "/v1/usage");
    api_query(&path, "key", key.len ? buf_text(&key) : NULL);
    api_query(&path, "project", cli_option(cli, "project"));
    api_query(&path, "from", cli_option(cli, "from"));
    api_query(&path, "to", cli_option(cli, "to"));
    api_query(&path, "principal", cli_option(cli, "signer"));
    api_query(&path, "group", cli_option(cli, "by"));
    api_query(&path, "period", cli_has(cli, "total") ? "all" : cli_has(cli, "months") ? "month" : NULL);
    return api_list(cli, &path, columns, COUNT_OF(columns), err);
}

static status ca(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0};
    cleanup_json struct json *answer = NULL;
    api_path(&path, "/v1/ca");
    TRY(api_request(cli, "GET", &path, NULL, &answer, err));
    if (cli_is_json(cli))
        return api_print_json(cli, answer, err);
    fprintf(cli->out, "%s", json_get_text(answer, cli_has(cli, "issuing") ? "issuing" : "root", ""));
    return OK;
}

static status version(struct cli *cli, struct error *err)
{
    (void)err;
    fprintf(cli->out, cli_is_json(cli) ? "{\"version\":\"%s\"}\n" : "chancery %s\n", CHANCERY_VERSION);
    return OK;
}

static const struct cli_option usage_options[] = {
    {"project", "PROJECT", "only this Project"},
    {"key", "KEY", "only this key"},
    {"from", "DAY", "first day, e.g. 2026-01-31 (UTC)"},
    {"to", "DAY", "last day"},
    {"signer", "NAME", "only this user or service account"},
    {"by", "WHAT", "key (default), project, signer or none: what is counted apart"},
    {"months", NULL, "by month instead of by day"},
    {"total", NULL, "the whole time as one instead of by day"},
    {0},
};
static const struct cli_option ca_options[] = {{"issuing", NULL, "the issuing certificate instead of the root"}, {0}};

const struct cli_command other_commands[] = {
    {"usage", "", "signatures by key, project, signer, day and month", CLI_ADMINISTRATION, usage_options, usage},
    {"ca", "", "print the built-in CA's root certificate", CLI_ADMINISTRATION, ca_options, ca},
    {"whoami", "", "tell whom the server takes you for", CLI_PRINCIPAL, NULL, whoami},
    {"version", "", "print the version", CLI_LOCAL, NULL, version},
    {0},
};

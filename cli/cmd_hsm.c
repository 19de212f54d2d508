/* SPDX-License-Identifier: Apache-2.0 */
/* chancery hsm: what the server's HSM is and can do, and whether store and HSM agree. */
#include <string.h>

#include "cli/api.h"
#include "cli/tables.h"

#define HSM_DEFAULT "default"

static const char *hsm_named(struct cli *cli)
{
    return cli_has(cli, "hsm") ? cli_option(cli, "hsm") : HSM_DEFAULT;
}

static status hsm_list(struct cli *cli, struct error *err)
{
    static const struct api_column columns[] = {{"NAME", "name"},
                                                {"STATE", "state"},
                                                {"TOKEN", "token"},
                                                {"MODEL", "model"},
                                                {"FIRMWARE", "firmware_version"},
                                                {"NOTICE", "notice"}};
    cleanup_buf struct buf path = {0};
    api_path(&path, "/v1/hsms");
    return api_list(cli, &path, columns, COUNT_OF(columns), err);
}

static status hsm_show(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0};
    api_path(&path, "/v1/hsms/%", hsm_named(cli));
    return api_show(cli, "GET", &path, NULL, err);
}

/* Shown and judged: a script asks by the exit status. */
static status hsm_test(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0};
    cleanup_json struct json *answer = NULL;
    api_path(&path, "/v1/hsms/%", hsm_named(cli));
    TRY(api_request(cli, "GET", &path, NULL, &answer, err));
    if (strcmp(json_get_text(answer, "state", ""), "available") == 0)
        return OK;
    return error_set(err, CODE_HSM_UNAVAILABLE, "the HSM %s does not answer: %s", hsm_named(cli),
                     json_get_text(answer, "reason", ""));
}

static status hsm_reconcile(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0};
    cleanup_buf struct buf body = {0};
    buf_add_text(&body, cli_has(cli, "accept-loss") ? "{\"accept_loss\":true}" : "{}");
    api_path(&path, "/v1/hsms/%/reconcile", hsm_named(cli));
    return cli_has(cli, "last") ? api_show(cli, "GET", &path, NULL, err) : api_show(cli, "POST", &path, &body, err);
}

static const struct cli_option hsm_options[] = {{"hsm", "NAME", "the HSM; default: default"}, {0}};
static const struct cli_option reconcile_options[] = {
    {"hsm", "NAME", "the HSM; default: default"},
    {"last", NULL, "show the last report, compare nothing"},
    {"accept-loss", NULL, "this is the right token, though most keys are not in it"},
    {0},
};

const struct cli_command hsm_commands[] = {
    {"hsm list", "", "list the HSMs of the server", CLI_ADMINISTRATION, NULL, hsm_list},
    {"hsm show", "", "show one HSM and what it can do", CLI_ADMINISTRATION, hsm_options, hsm_show},
    {"hsm test", "", "ask whether an HSM answers", CLI_ADMINISTRATION, hsm_options, hsm_test},
    {"hsm reconcile", "", "compare store and HSM, and tell what differs", CLI_ADMINISTRATION, reconcile_options,
     hsm_reconcile},
    {0},
};

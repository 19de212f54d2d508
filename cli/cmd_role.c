/* SPDX-License-Identifier: Apache-2.0 */
/* chancery user|account|team roles */
#include "cli/api.h"
#include "cli/tables.h"

static status roles_list(struct cli *cli, const char *pattern, struct error *err)
{
    static const struct api_column columns[] = {
        {"PROJECT", "project"},       {"ROLE", "role"},          {"TEAM", "team"}, {"SINCE", "since"},
        {"NOT-BEFORE", "not_before"}, {"NOT-AFTER", "not_after"}};
    cleanup_buf struct buf path = {0};
    api_path(&path, pattern, cli_argument(cli, 0));
    return api_list(cli, &path, columns, COUNT_OF(columns), err);
}

static status user_roles(struct cli *cli, struct error *err)
{
    return roles_list(cli, "/v1/users/%/roles", err);
}

static status account_roles(struct cli *cli, struct error *err)
{
    return roles_list(cli, "/v1/service-accounts/%/roles", err);
}

static status team_roles(struct cli *cli, struct error *err)
{
    return roles_list(cli, "/v1/teams/%/roles", err);
}

const struct cli_command role_commands[] = {
    {"user roles", "USER", "list the roles a user has in projects, and by what", CLI_ADMINISTRATION, NULL, user_roles},
    {"account roles", "ACCOUNT", "list the roles an account has in projects, and by what", CLI_ADMINISTRATION, NULL,
     account_roles},
    {"team roles", "TEAM", "list the roles a team has in projects", CLI_ADMINISTRATION, NULL, team_roles},
    {0},
};

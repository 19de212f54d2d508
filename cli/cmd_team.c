/* SPDX-License-Identifier: Apache-2.0 */
/* chancery team …: groups that a Project's roles are given to. */
#include "cli/api.h"
#include "cli/tables.h"

static status team_send(struct cli *cli, const char *method, const char *pattern, const char *member, const char *value,
                        struct error *err)
{
    cleanup_buf struct buf path = {0}, body = {0};
    struct json_writer w = json_writer_on(&body);
    json_begin_object(&w, NULL);
    json_add_text(&w, member, value);
    json_end_object(&w);
    api_path(&path, pattern, cli_argument(cli, 0));
    return api_show(cli, method, &path, &body, err);
}

static status team_create(struct cli *cli, struct error *err)
{
    return api_create_named(cli, "/v1/teams", "description", err);
}

static status team_list(struct cli *cli, struct error *err)
{
    static const struct api_column columns[] = {
        {"NAME", "name"}, {"DESCRIPTION", "description"}, {"ID", "id"}, {"CREATED", "created"}};
    cleanup_buf struct buf path = {0};
    api_path(&path, "/v1/teams");
    return api_list(cli, &path, columns, COUNT_OF(columns), err);
}

static status team_show(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0};
    api_path(&path, "/v1/teams/%", cli_argument(cli, 0));
    return api_show(cli, "GET", &path, NULL, err);
}

static status team_describe(struct cli *cli, struct error *err)
{
    return team_send(cli, "PATCH", "/v1/teams/%", "description", cli_argument(cli, 1), err);
}

static status team_delete(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0};
    api_path(&path, "/v1/teams/%", cli_argument(cli, 0));
    return api_do(cli, "DELETE", &path, "removed", err);
}

static status team_members(struct cli *cli, struct error *err)
{
    static const struct api_column columns[] = {
        {"NAME", "name"}, {"TYPE", "type"}, {"STATE", "state"}, {"PRINCIPAL", "principal"}, {"SINCE", "since"}};
    cleanup_buf struct buf path = {0};
    api_path(&path, "/v1/teams/%/members", cli_argument(cli, 0));
    return api_list(cli, &path, columns, COUNT_OF(columns), err);
}

static status team_add(struct cli *cli, struct error *err)
{
    return team_send(cli, "POST", "/v1/teams/%/members", "principal", cli_argument(cli, 1), err);
}

static status team_remove(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0};
    api_path(&path, "/v1/teams/%/members/%", cli_argument(cli, 0), cli_argument(cli, 1));
    return api_do(cli, "DELETE", &path, "removed", err);
}

static const struct cli_option create_options[] = {{"description", "TEXT", "what the team is for"}, {0}};

const struct cli_command team_commands[] = {
    {"team create", "NAME", "make a team", CLI_ADMINISTRATION, create_options, team_create},
    {"team list", "", "list the teams", CLI_ADMINISTRATION, NULL, team_list},
    {"team show", "TEAM", "show one team", CLI_ADMINISTRATION, NULL, team_show},
    {"team describe", "TEAM TEXT", "change a team's description", CLI_ADMINISTRATION, NULL, team_describe},
    {"team delete", "TEAM", "remove a team with every role it has, from the next signature on", CLI_ADMINISTRATION,
     NULL, team_delete},
    {"team members", "TEAM", "list who is in a team", CLI_ADMINISTRATION, NULL, team_members},
    {"team add", "TEAM PRINCIPAL", "put a user or service account into a team", CLI_ADMINISTRATION, NULL, team_add},
    {"team remove", "TEAM PRINCIPAL", "take somebody out of a team, from the next signature on", CLI_ADMINISTRATION,
     NULL, team_remove},
    {0},
};

/* SPDX-License-Identifier: Apache-2.0 */
/* chancery signer …, chancery owner …: who may do what in a Project. */
#include "cli/api.h"
#include "cli/tables.h"

static status member_add(struct cli *cli, const char *role, struct error *err)
{
    cleanup_buf struct buf path = {0};
    cleanup_buf struct buf body = {0};
    struct json_writer w = json_writer_on(&body);
    json_begin_object(&w, NULL);
    json_add_text(&w, "principal", cli_argument(cli, 1));
    json_add_text(&w, "role", role);
    json_end_object(&w);
    api_path(&path, "/v1/projects/%/members", cli_argument(cli, 0));
    return api_show(cli, "POST", &path, &body, err);
}

static status member_remove(struct cli *cli, const char *role, struct error *err)
{
    cleanup_buf struct buf path = {0};
    api_path(&path, "/v1/projects/%/members/%/%", cli_argument(cli, 0), role, cli_argument(cli, 1));
    return api_do(cli, "DELETE", &path, "removed", err);
}

static const char *role_of(struct cli *cli, const char *otherwise)
{
    return cli_has(cli, "role") ? cli_option(cli, "role") : otherwise;
}

static status signer_add(struct cli *cli, struct error *err)
{
    return member_add(cli, role_of(cli, "signer"), err);
}

static status signer_remove(struct cli *cli, struct error *err)
{
    return member_remove(cli, role_of(cli, "signer"), err);
}

static status owner_add(struct cli *cli, struct error *err)
{
    return member_add(cli, "owner", err);
}

static status owner_remove(struct cli *cli, struct error *err)
{
    return member_remove(cli, "owner", err);
}

static status member_list(struct cli *cli, struct error *err)
{
    static const struct api_column columns[] = {
        {"NAME", "name"}, {"ROLE", "role"}, {"TYPE", "type"}, {"PRINCIPAL", "principal"}, {"SINCE", "since"}};
    cleanup_buf struct buf path = {0};
    api_path(&path, "/v1/projects/%/members", cli_argument(cli, 0));
    return api_list(cli, &path, columns, COUNT_OF(columns), err);
}

static const struct cli_option role_options[] = {{"role", "ROLE", "signer (default), owner or approver"}, {0}};

const struct cli_command member_commands[] = {
    {"signer add", "PROJECT PRINCIPAL", "let a service account or user sign with a Project's keys", CLI_ADMINISTRATION,
     role_options, signer_add},
    {"signer remove", "PROJECT PRINCIPAL", "take that right away, from the next signature on", CLI_ADMINISTRATION,
     role_options, signer_remove},
    {"signer list", "PROJECT", "list everybody with a role in a Project", CLI_ADMINISTRATION, NULL, member_list},
    {"owner add", "PROJECT PRINCIPAL", "let somebody administer a Project", CLI_ADMINISTRATION, NULL, owner_add},
    {"owner remove", "PROJECT PRINCIPAL", "take that right away", CLI_ADMINISTRATION, NULL, owner_remove},
    {"owner list", "PROJECT", "the same list as signer list", CLI_ADMINISTRATION, NULL, member_list},
    {0},
};

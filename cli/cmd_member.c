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
    api_add_option(cli, &w, "not_before", "not-before");
    api_add_option(cli, &w, "not_after", "not-after");
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
    static const struct api_column columns[] = {{"NAME", "name"},           {"ROLE", "role"},   {"TYPE", "type"},
                                                {"PRINCIPAL", "principal"}, {"SINCE", "since"}, {"FROM", "not_before"},
                                                {"UNTIL", "not_after"}};
    cleanup_buf struct buf path = {0};
    api_path(&path, "/v1/projects/%/members", cli_argument(cli, 0));
    return api_list(cli, &path, columns, COUNT_OF(columns), err);
}

static status signer_effective(struct cli *cli, struct error *err)
{
    static const struct api_column columns[] = {
        {"NAME", "name"},     {"TYPE", "type"},         {"MAY SIGN", "may_sign"},      {"OBSTACLE", "obstacle"},
        {"BY", "reasons.by"}, {"TEAM", "reasons.team"}, {"UNTIL", "reasons.not_after"}};
    cleanup_buf struct buf path = {0};
    api_path(&path, "/v1/projects/%/effective-signers", cli_argument(cli, 0));
    return api_list(cli, &path, columns, COUNT_OF(columns), err);
}

#define TIME_OPTIONS                                                                                                   \
    {"not-before", "TIME", "RFC 3339 time from which the role holds"},                                                 \
    {                                                                                                                  \
        "not-after", "TIME", "RFC 3339 time at which it ends"                                                          \
    }
static const struct cli_option role_options[] = {{"role", "ROLE", "signer (default), owner or approver"}, {0}};
static const struct cli_option add_options[] = {
    {"role", "ROLE", "signer (default), owner or approver"}, TIME_OPTIONS, {0}};
static const struct cli_option owner_options[] = {TIME_OPTIONS, {0}};

const struct cli_command member_commands[] = {
    {"signer add", "PROJECT PRINCIPAL", "let a service account, user or team sign with a Project's keys",
     CLI_ADMINISTRATION, add_options, signer_add},
    {"signer remove", "PROJECT PRINCIPAL", "take that right away, from the next signature on", CLI_ADMINISTRATION,
     role_options, signer_remove},
    {"signer list", "PROJECT", "list everybody with a role in a Project", CLI_ADMINISTRATION, NULL, member_list},
    {"signer effective", "PROJECT", "list who may sign now and by what, and who is named but may not",
     CLI_ADMINISTRATION, NULL, signer_effective},
    {"owner add", "PROJECT PRINCIPAL", "let somebody administer a Project", CLI_ADMINISTRATION, owner_options,
     owner_add},
    {"owner remove", "PROJECT PRINCIPAL", "take that right away", CLI_ADMINISTRATION, NULL, owner_remove},
    {"owner list", "PROJECT", "the same list as signer list", CLI_ADMINISTRATION, NULL, member_list},
    {0},
};

/* SPDX-License-Identifier: Apache-2.0 */
/* chancery user … */
#include "cli/api.h"
#include "cli/tables.h"

static status user_create(struct cli *cli, struct error *err)
{
    return api_create_named(cli, "/v1/users", "role", err);
}

static status user_list(struct cli *cli, struct error *err)
{
    static const struct api_column columns[] = {
        {"NAME", "name"}, {"ROLE", "role"}, {"STATE", "state"}, {"ID", "id"}, {"CREATED", "created"}};
    cleanup_buf struct buf path = {0};
    api_path(&path, "/v1/users");
    api_query(&path, "name", cli_option(cli, "name"));
    api_query(&path, "state", cli_option(cli, "state"));
    api_query(&path, "role", cli_option(cli, "role"));
    return api_list(cli, &path, columns, COUNT_OF(columns), err);
}

static status user_show(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0};
    api_path(&path, "/v1/users/%", cli_argument(cli, 0));
    return api_show(cli, "GET", &path, NULL, err);
}

static status user_set_role(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0};
    cleanup_buf struct buf body = {0};
    struct json_writer w = json_writer_on(&body);
    json_begin_object(&w, NULL);
    json_add_text(&w, "role", cli_argument(cli, 1));
    json_end_object(&w);
    api_path(&path, "/v1/users/%", cli_argument(cli, 0));
    return api_show(cli, "PATCH", &path, &body, err);
}

static status user_act(struct cli *cli, const char *pattern, struct error *err)
{
    cleanup_buf struct buf path = {0};
    cleanup_buf struct buf body = {0};
    buf_add_text(&body, "{}");
    api_path(&path, pattern, cli_argument(cli, 0));
    return api_show(cli, "POST", &path, &body, err);
}

static status user_disable(struct cli *cli, struct error *err)
{
    return user_act(cli, "/v1/users/%/disable", err);
}

static status user_enable(struct cli *cli, struct error *err)
{
    return user_act(cli, "/v1/users/%/enable", err);
}

static status user_delete(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0};
    api_path(&path, "/v1/users/%", cli_argument(cli, 0));
    return api_do(cli, "DELETE", &path, "removed", err);
}

static const struct cli_option create_options[] = {{"role", "ROLE", "administrator, auditor or user (default)"}, {0}};

static const struct cli_option list_options[] = {
    {"name", "TEXT", "only users whose name begins like this"},
    {"state", "STATE", "only active or only disabled users"},
    {"role", "ROLE", "only users with this platform role"},
    {0},
};

const struct cli_command user_commands[] = {
    {"user create", "NAME", "make a user", CLI_ADMINISTRATION, create_options, user_create},
    {"user list", "", "list the users", CLI_ADMINISTRATION, list_options, user_list},
    {"user show", "USER", "show one user", CLI_ADMINISTRATION, NULL, user_show},
    {"user set-role", "USER ROLE", "make a user administrator, auditor or user", CLI_ADMINISTRATION, NULL,
     user_set_role},
    {"user disable", "USER", "refuse a user from now on", CLI_ADMINISTRATION, NULL, user_disable},
    {"user enable", "USER", "accept a disabled user again", CLI_ADMINISTRATION, NULL, user_enable},
    {"user delete", "USER", "remove a user for good; the name is never given again", CLI_ADMINISTRATION, NULL,
     user_delete},
    {0},
};

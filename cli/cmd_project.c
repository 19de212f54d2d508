/* SPDX-License-Identifier: Apache-2.0 */
/* chancery project … */
#include "cli/api.h"
#include "cli/tables.h"

static status project_create(struct cli *cli, struct error *err)
{
    return api_create_named(cli, "/v1/projects", "description", err);
}

static status project_list(struct cli *cli, struct error *err)
{
    static const struct api_column columns[] = {
        {"NAME", "name"}, {"ID", "id"}, {"CREATED", "created"}, {"DESCRIPTION", "description"}};
    cleanup_buf struct buf path = {0};
    api_path(&path, "/v1/projects");
    api_query(&path, "name", cli_option(cli, "name"));
    return api_list(cli, &path, columns, COUNT_OF(columns), err);
}

static status project_show(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0};
    api_path(&path, "/v1/projects/%", cli_argument(cli, 0));
    return api_show(cli, "GET", &path, NULL, err);
}

static status project_update(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0};
    cleanup_buf struct buf body = {0};
    if (!cli_has(cli, "description"))
        return cli_usage(cli, err, "--description is missing");
    struct json_writer w = json_writer_on(&body);
    json_begin_object(&w, NULL);
    json_add_text(&w, "description", cli_option(cli, "description"));
    json_end_object(&w);
    api_path(&path, "/v1/projects/%", cli_argument(cli, 0));
    return api_show(cli, "PATCH", &path, &body, err);
}

static const struct cli_option description[] = {{"description", "TEXT", "what the Project is for"}, {0}};

static const struct cli_option list_options[] = {{"name", "TEXT", "only Projects whose name begins like this"}, {0}};

const struct cli_command project_commands[] = {
    {"project create", "NAME", "make a Project", CLI_ADMINISTRATION, description, project_create},
    {"project list", "", "list the Projects you may see", CLI_ADMINISTRATION, list_options, project_list},
    {"project show", "PROJECT", "show one Project", CLI_ADMINISTRATION, NULL, project_show},
    {"project update", "PROJECT", "change a Project's description", CLI_ADMINISTRATION, description, project_update},
    {0},
};

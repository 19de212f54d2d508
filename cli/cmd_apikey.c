/* SPDX-License-Identifier: Apache-2.0 */
/* chancery apikey …, session …: the credentials of users. A new one is shown once, or written to a private file. */
#include <string.h>

#include "cli/api.h"
#include "cli/tables.h"
#include "common/file.h"

/* What is shown where the key itself went to a file. */
static status created_print(struct cli *cli, const struct json *answer, const char *path, struct error *err)
{
    if (!cli_is_json(cli)) {
        fprintf(cli->out, "API key %s is in %s\n", json_get_text(answer, "id", ""), path);
        return OK;
    }
    cleanup_buf struct buf text = {0};
    struct json_writer w = json_writer_on(&text);
    json_begin_object(&w, NULL);
    for (size_t i = 0; i < json_count(answer); i++)
        if (strcmp(json_name_at(answer, i), "api_key") != 0)
            json_add_value(&w, json_name_at(answer, i), json_at(answer, i));
    json_end_object(&w);
    TRY(buf_check(&text, err));
    fprintf(cli->out, "%s\n", buf_text(&text));
    return OK;
}

static status key_store(struct cli *cli, const struct json *answer, const char *path, struct error *err)
{
    cleanup_buf struct buf secret = {0};
    buf_add_text(&secret, json_get_text(answer, "api_key", ""));
    buf_add_byte(&secret, '\n');
    TRY(buf_check(&secret, err));
    status written = file_write(path, buf_slice(&secret), 0600, err);
    if (!is_ok(written)) {
        error_prefix(err, "API key %s was made but is not stored; revoke it", json_get_text(answer, "id", "?"));
        return written;
    }
    return created_print(cli, answer, path, err);
}

static status apikey_create(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0};
    cleanup_buf struct buf body = {0};
    cleanup_json struct json *answer = NULL;
    struct json_writer w = json_writer_on(&body);
    json_begin_object(&w, NULL);
    json_add_text(&w, "name", cli_argument(cli, 1));
    api_add_option(cli, &w, "expires", "expires");
    if (cli_has(cli, "scope"))
        json_begin_array(&w, "scopes");
    for (size_t i = 0; cli_option_at(cli, "scope", i); i++)
        json_add_text(&w, NULL, cli_option_at(cli, "scope", i));
    if (cli_has(cli, "scope"))
        json_end_array(&w);
    json_end_object(&w);
    api_path(&path, "/v1/users/%/api-keys", cli_argument(cli, 0));
    TRY(api_request(cli, "POST", &path, &body, &answer, err));
    if (cli_has(cli, "output"))
        return key_store(cli, answer, cli_option(cli, "output"), err);
    TRY(api_print_object(cli, answer, err));
    if (!cli_is_json(cli))
        fprintf(stderr, "The key is not shown again.\n");
    return OK;
}

static status apikey_list(struct cli *cli, struct error *err)
{
    static const struct api_column columns[] = {{"NAME", "name"},       {"ID", "id"},
                                                {"SCOPES", "scopes"},   {"EXPIRES", "expires"},
                                                {"CREATED", "created"}, {"LAST USED", "last_used"}};
    cleanup_buf struct buf path = {0};
    api_path(&path, "/v1/users/%/api-keys", cli_argument(cli, 0));
    return api_list(cli, &path, columns, COUNT_OF(columns), err);
}

static status apikey_revoke(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0};
    api_path(&path, "/v1/users/%/api-keys/%", cli_argument(cli, 0), cli_argument(cli, 1));
    return api_do(cli, "DELETE", &path, "revoked", err);
}

static status session_list(struct cli *cli, struct error *err)
{
    static const struct api_column columns[] = {
        {"ID", "id"},           {"API KEY", "api_key"},     {"ADDRESS", "address"},
        {"CREATED", "created"}, {"LAST USED", "last_used"}, {"EXPIRES", "expires"}};
    cleanup_buf struct buf path = {0};
    api_path(&path, "/v1/users/%/sessions", cli_argument(cli, 0));
    return api_list(cli, &path, columns, COUNT_OF(columns), err);
}

static status session_revoke(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0};
    api_path(&path, "/v1/users/%/sessions/%", cli_argument(cli, 0), cli_argument(cli, 1));
    return api_do(cli, "DELETE", &path, "revoked", err);
}

static status session_revoke_all(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0};
    api_path(&path, "/v1/users/%/sessions", cli_argument(cli, 0));
    return api_do(cli, "DELETE", &path, "signed out everywhere", err);
}

static const struct cli_option create_options[] = {
    {"expires", "TIME", "RFC 3339 time after which the key is refused"},
    {"scope", "SCOPE...", "sign, read or admin; may stand several times; default all that yours has"},
    {"output", "FILE", "write the key to this file, mode 0600, instead of showing it"},
    {0},
};

const struct cli_command apikey_commands[] = {
    {"apikey create", "USER NAME", "make an API key for a user; shown once", CLI_ADMINISTRATION, create_options,
     apikey_create},
    {"apikey list", "USER", "list a user's API keys", CLI_ADMINISTRATION, NULL, apikey_list},
    {"apikey revoke", "USER ID", "refuse an API key from now on", CLI_ADMINISTRATION, NULL, apikey_revoke},
    {"session list", "USER", "list a user's sessions in browsers", CLI_ADMINISTRATION, NULL, session_list},
    {"session revoke", "USER ID", "end a session", CLI_ADMINISTRATION, NULL, session_revoke},
    {"session revoke-all", "USER", "end all sessions of a user", CLI_ADMINISTRATION, NULL, session_revoke_all},
    {0},
};

/* SPDX-License-Identifier: Apache-2.0 */
/* chancery account …: service accounts and their public keys. */
#include "cli/api.h"
#include "cli/tables.h"
#include "common/file.h"

enum { PUBLIC_KEY_MAX = 64 * 1024 };

/* "public_key", "algorithm" and "expires" from the options. */
static status public_key_add(struct cli *cli, struct json_writer *w, struct error *err)
{
    const char *path = cli_option(cli, "public-key");
    cleanup_buf struct buf pem = {0};
    if (!path)
        return cli_usage(cli, err, "--public-key is missing");
    TRY(file_read(path, PUBLIC_KEY_MAX, FILE_ANY, &pem, err));
    json_add_text(w, "public_key", buf_text(&pem));
    api_add_option(cli, w, "algorithm", "algorithm");
    api_add_option(cli, w, "expires", "expires");
    return OK;
}

static status account_create(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0};
    cleanup_buf struct buf body = {0};
    struct json_writer w = json_writer_on(&body);
    json_begin_object(&w, NULL);
    json_add_text(&w, "name", cli_argument(cli, 0));
    TRY(public_key_add(cli, &w, err));
    api_add_option(cli, &w, "description", "description");
    api_add_option(cli, &w, "team", "team");
    json_end_object(&w);
    api_path(&path, "/v1/service-accounts");
    return api_show(cli, "POST", &path, &body, err);
}

static status account_list(struct cli *cli, struct error *err)
{
    static const struct api_column columns[] = {{"NAME", "name"},      {"STATE", "state"},     {"KEYS", "keys"},
                                                {"TEAM", "team"},      {"EXPIRES", "expires"}, {"ID", "id"},
                                                {"CREATED", "created"}};
    cleanup_buf struct buf path = {0};
    api_path(&path, "/v1/service-accounts");
    api_query(&path, "name", cli_option(cli, "name"));
    api_query(&path, "state", cli_option(cli, "state"));
    return api_list(cli, &path, columns, COUNT_OF(columns), err);
}

static status account_show(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0};
    api_path(&path, "/v1/service-accounts/%", cli_argument(cli, 0));
    return api_show(cli, "GET", &path, NULL, err);
}

static status account_update(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0}, body = {0};
    struct json_writer w = json_writer_on(&body);
    json_begin_object(&w, NULL);
    api_add_option(cli, &w, "expires", "expires");
    api_add_option(cli, &w, "description", "description");
    api_add_option(cli, &w, "team", "team");
    json_end_object(&w);
    api_path(&path, "/v1/service-accounts/%", cli_argument(cli, 0));
    return api_show(cli, "PATCH", &path, &body, err);
}

static status account_delete(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0};
    api_path(&path, "/v1/service-accounts/%", cli_argument(cli, 0));
    return api_do(cli, "DELETE", &path, "removed", err);
}

static status account_act(struct cli *cli, const char *pattern, struct error *err)
{
    cleanup_buf struct buf path = {0};
    cleanup_buf struct buf body = {0};
    buf_add_text(&body, "{}");
    api_path(&path, pattern, cli_argument(cli, 0));
    return api_show(cli, "POST", &path, &body, err);
}

static status account_disable(struct cli *cli, struct error *err)
{
    return account_act(cli, "/v1/service-accounts/%/disable", err);
}

static status account_enable(struct cli *cli, struct error *err)
{
    return account_act(cli, "/v1/service-accounts/%/enable", err);
}

static status account_add_key(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0};
    cleanup_buf struct buf body = {0};
    struct json_writer w = json_writer_on(&body);
    json_begin_object(&w, NULL);
    TRY(public_key_add(cli, &w, err));
    json_end_object(&w);
    api_path(&path, "/v1/service-accounts/%/keys", cli_argument(cli, 0));
    return api_show(cli, "POST", &path, &body, err);
}

static status account_remove_key(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0};
    api_path(&path, "/v1/service-accounts/%/keys/%", cli_argument(cli, 0), cli_argument(cli, 1));
    return api_do(cli, "DELETE", &path, "removed", err);
}

#define PUBLIC_KEY_OPTIONS                                                                                             \
    {"public-key", "FILE", "public key in PEM, as `chancery login` wrote it"},                                         \
    {                                                                                                                  \
        "algorithm", "NAME", "EdDSA, ES256, ES384, RS256 or PS256; by default what the key's type says"                \
    }

static const struct cli_option create_options[] = {
    PUBLIC_KEY_OPTIONS,
    {"expires", "TIME", "RFC 3339 time after which the account is refused"},
    {"description", "TEXT", "what the account is for"},
    {"team", "TEAM", "whose members manage its keys"},
    {0},
};
static const struct cli_option update_options[] = {
    {"expires", "TIME", "RFC 3339 time after which the account is refused; \"\" for never"},
    {"description", "TEXT", "what the account is for"},
    {"team", "TEAM", "whose members manage its keys; \"\" for none"},
    {0},
};
static const struct cli_option key_options[] = {
    PUBLIC_KEY_OPTIONS, {"expires", "TIME", "RFC 3339 time after which the key is refused"}, {0}};

static const struct cli_option list_options[] = {
    {"name", "TEXT", "only accounts whose name begins like this"},
    {"state", "STATE", "only active or only disabled accounts"},
    {0},
};

const struct cli_command account_commands[] = {
    {"account create", "NAME", "register a service account", CLI_ADMINISTRATION, create_options, account_create},
    {"account list", "", "list the service accounts", CLI_ADMINISTRATION, list_options, account_list},
    {"account show", "ACCOUNT", "show one service account", CLI_ADMINISTRATION, NULL, account_show},
    {"account disable", "ACCOUNT", "refuse an account from now on", CLI_ADMINISTRATION, NULL, account_disable},
    {"account enable", "ACCOUNT", "accept a disabled account again", CLI_ADMINISTRATION, NULL, account_enable},
    {"account update", "ACCOUNT", "change expiry, description or owning team", CLI_ADMINISTRATION, update_options,
     account_update},
    {"account delete", "ACCOUNT", "remove an account for good; the name is never given again", CLI_ADMINISTRATION, NULL,
     account_delete},
    {"account add-key", "ACCOUNT", "register another public key", CLI_ADMINISTRATION, key_options, account_add_key},
    {"account remove-key", "ACCOUNT KEY-ID", "remove a public key", CLI_ADMINISTRATION, NULL, account_remove_key},
    {0},
};

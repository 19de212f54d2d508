/* SPDX-License-Identifier: Apache-2.0 */
/* Which server and whose credential a command works with. */
#include <string.h>

#include "cli/cli.h"
#include "cli/passphrase.h"

static const char *environment(const char *name)
{
    const char *value = secure_getenv(name);
    return value && *value ? value : NULL;
}

/* The server of the environment, which needs no configuration file. */
static status environment_config(const char *url, struct client_config **out, struct error *err)
{
    cleanup_client_config struct client_config *c = calloc(1, sizeof(*c));
    if (!c)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    TRY(server_url_parse("$CHANCERY_URL", url, &c->url, err));
    c->path = strdup("$CHANCERY_ADMIN_TOKEN");
    c->token_label = strdup("chancery");
    c->timeout_ms = 15000;
    if (!c->path || !c->token_label)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    *out = steal(&c);
    return OK;
}

static void text_drop(char **text)
{
    free(*text);
    *text = NULL;
}

/* An administrator's API key in the environment, for scripts: in place of the configured credential. */
static status token_config(struct client_config **out, struct error *err)
{
    cleanup_client_config struct client_config *c = NULL;
    const char *url = environment("CHANCERY_URL");
    const char *ca = environment("CHANCERY_CA");
    TRY(url ? environment_config(url, &c, err) : client_config_load(NULL, &c, err));

    c->credential = CREDENTIAL_API_KEY;
    text_drop(&c->account);
    text_drop(&c->key_path);
    text_drop(&c->api_key_path);
    text_drop(&c->public_data_path);
    text_drop(&c->log_path);
    if (ca) {
        text_drop(&c->ca_path);
        c->ca_path = strdup(ca);
        if (!c->ca_path)
            return error_set(err, CODE_NO_MEMORY, "out of memory");
    }
    *out = steal(&c);
    return OK;
}

static status client_by_token(struct cli *cli, const char *token, struct error *err)
{
    struct client_config *config = NULL;
    cleanup_client struct client *c = NULL;
    TRY(token_config(&config, err));
    TRY(client_new(config, &c, err));
    status in = client_login(c, slice_of_text(token), err);
    if (!is_ok(in)) {
        error_prefix(err, "$CHANCERY_ADMIN_TOKEN");
        return in;
    }
    cli->client = steal(&c);
    return OK;
}

status cli_client_locked(struct cli *cli, struct client **out, struct error *err)
{
    if (!cli->client) {
        struct client_config *config = NULL;
        TRY(client_config_load(cli_option(cli, "config"), &config, err));
        if (config->log_path) {
            status opened = log_open(config->log_path, config->log_level, LOG_FORMAT_TEXT, err);
            if (!is_ok(opened)) {
                client_config_free(config);
                return opened;
            }
        }
        TRY(client_new(config, &cli->client, err));
    }
    *out = cli->client;
    return OK;
}

static status unlock(struct cli *cli, struct client *c, struct error *err)
{
    cleanup_buf struct buf secret = {0};
    const struct client_config *config = client_config_of(c);
    char prompt[256];
    if (config->credential == CREDENTIAL_API_KEY)
        (void)snprintf(prompt, sizeof(prompt), "API key for %s", config->url);
    else
        (void)snprintf(prompt, sizeof(prompt), "Passphrase of %s", config->key_path);
    TRY(passphrase_get(cli, prompt, false, &secret, err));
    return client_login(c, buf_slice(&secret), err);
}

status cli_client(struct cli *cli, struct client **out, struct error *err)
{
    const char *token = environment("CHANCERY_ADMIN_TOKEN");
    bool by_token = cli->command->server == CLI_ADMINISTRATION && token && !cli_has(cli, "config");
    if (!cli->client && by_token)
        TRY(client_by_token(cli, token, err));

    TRY(cli_client_locked(cli, out, err));
    return client_is_logged_in(*out) ? OK : unlock(cli, *out, err);
}

struct deadline cli_deadline(struct cli *cli)
{
    return deadline_in(cli->client ? client_config_of(cli->client)->timeout_ms : 15000);
}

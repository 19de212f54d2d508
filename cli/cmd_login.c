/* SPDX-License-Identifier: Apache-2.0 */
/* chancery login. The first run enrols this machine: it makes the key pair here and lays down the configuration;
 * nothing secret leaves. Every later run authenticates and fetches the public data. */
#include <string.h>

#include "chancery/protocol.h"
#include "cli/api.h"
#include "cli/login_files.h"
#include "cli/passphrase.h"
#include "cli/tables.h"
#include "common/file.h"

/* Authenticates, shows as whom, and keeps the public data. */
static status check_in(struct cli *cli, struct error *err)
{
    struct client *c = NULL;
    cleanup_json struct json *me = NULL;
    cleanup_client_keys const struct client_keys *keys = NULL;
    cleanup_buf struct buf path = {0};
    api_path(&path, ROUTE_WHOAMI);
    TRY(cli_client(cli, &c, err));
    TRY(api_request(cli, "GET", &path, NULL, &me, err));
    client_keys_refresh(c);
    TRY(client_keys(c, cli_deadline(cli), &keys, err));
    if (client_config_of(c)->public_data_path)
        TRY(client_save_public_data(c, err));
    if (cli_is_json(cli))
        return api_print_json(cli, me, err);
    fprintf(cli->out, "logged in to %s as %s; %zu key%s to sign with\n", client_config_of(c)->url,
            json_get_text(me, "name", "?"), keys->count, keys->count == 1 ? "" : "s");
    return OK;
}

/* Given values must be those of the configuration that is there. */
static status same_check(struct cli *cli, const struct login_files *f, struct error *err)
{
    cleanup_client_config struct client_config *config = NULL;
    TRY(client_config_load(f->config, &config, err));
    const char *server = cli_option(cli, "server");
    const char *account = cli_option(cli, "account");
    size_t len = server ? strlen(server) : 0;
    while (len > 0 && server[len - 1] == '/')
        len--;
    cleanup_free char *url = server ? strndup(server, len) : NULL;
    if (server && !url)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    if (url && !client_config_has_server(config, url))
        return error_set(err, CODE_CONFLICT, "%s is for %s; use another --config", f->config, config->url);
    if (account && (!config->account || strcmp(account, config->account) != 0))
        return error_set(err, CODE_CONFLICT, "%s is for %s; use another --config", f->config,
                         config->account ? config->account : "a user");
    if (cli_has(cli, "api-key-file") || cli_has(cli, "api-key-stdin"))
        return error_set(err, CODE_CONFLICT, "%s exists; put the API key where it says, or use another --config",
                         f->config);
    return OK;
}

static void enrolled_print(struct cli *cli, const struct login_files *f, const struct buf *pem)
{
    const char *account = cli_option(cli, "account");
    if (cli_is_json(cli)) {
        cleanup_buf struct buf text = {0};
        struct json_writer w = json_writer_on(&text);
        json_begin_object(&w, NULL);
        json_add_text(&w, "account", account);
        json_add_text(&w, "config", f->config);
        json_add_text(&w, "key", f->key);
        json_add_text(&w, "public_key_file", f->public_key);
        json_add_text(&w, "public_key", buf_text(pem));
        json_end_object(&w);
        fprintf(cli->out, "%s\n", buf_text(&text));
        return;
    }
    fprintf(cli->out, "%s", buf_text(pem));
    fprintf(cli->out,
            "\nThe private key is in %s and stays there. Give an administrator the public key above (%s);\n"
            "the account is registered with\n\n  chancery account create %s --public-key %s\n\n"
            "After that, run `chancery login%s%s` again.\n",
            f->key, f->public_key, account, f->public_key, cli_has(cli, "config") ? " --config " : "",
            cli_has(cli, "config") ? cli_option(cli, "config") : "");
}

static status new_passphrase(struct cli *cli, struct buf *out, struct error *err)
{
    bool given = cli_has(cli, "passphrase-file") || cli_has(cli, "passphrase-stdin");
    if (cli_has(cli, "no-passphrase"))
        return given ? cli_usage(cli, err, "--no-passphrase and a passphrase exclude each other") : OK;
    TRY(passphrase_get(cli, "Passphrase for the new key", true, out, err));
    return out->len > 0 ? OK : error_set(err, CODE_CREDENTIAL, "the passphrase is empty; --no-passphrase wants none");
}

static status enroll_account(struct cli *cli, const struct login_files *f, struct error *err)
{
    cleanup_buf struct buf passphrase = {0};
    cleanup_buf struct buf pem = {0};
    TRY(new_passphrase(cli, &passphrase, err));
    TRY(login_directory_make(cli, f, err));
    TRY(client_enroll(f->key, buf_slice(&passphrase), &pem, err));
    TRY(file_write(f->public_key, buf_slice(&pem), 0644, err));
    TRY(login_config_write(cli, f, err));
    enrolled_print(cli, f, &pem);
    return OK;
}

static status api_key_get(struct cli *cli, struct buf *out, struct error *err)
{
    enum { API_KEY_FILE_MAX = 4096 };
    if (cli_has(cli, "api-key-stdin"))
        return secret_read_stdin(out, err);
    TRY(file_read(cli_option(cli, "api-key-file"), API_KEY_FILE_MAX, FILE_ANY, out, err));
    while (out->len > 0 && strchr("\r\n", out->data[out->len - 1]))
        out->len--;
    return OK;
}

/* Copies the API key to its place, unless it lies there already; *made tells which. */
static status api_key_store(struct cli *cli, const struct login_files *f, bool *made, struct error *err)
{
    cleanup_buf struct buf key = {0};
    cleanup_buf struct buf there = {0};
    TRY(api_key_get(cli, &key, err));
    *made = !file_exists(f->api_key);
    if (*made)
        return file_write(f->api_key, buf_slice(&key), 0600, err);
    TRY(file_read_secret(f->api_key, &there, err));
    return slice_equal(buf_slice(&key), buf_slice(&there))
               ? OK
               : error_set(err, CODE_CONFLICT, "%s exists and holds another API key", f->api_key);
}

/* A key that the server does not know leaves nothing behind. */
static status enroll_user(struct cli *cli, const struct login_files *f, struct error *err)
{
    bool made = false;
    TRY(login_directory_make(cli, f, err));
    if (!cli_has(cli, "no-store"))
        TRY(api_key_store(cli, f, &made, err));
    TRY(login_config_write(cli, f, err));
    status done = check_in(cli, err);
    if (!is_ok(done)) {
        (void)unlink(f->config);
        if (made)
            (void)unlink(f->api_key);
    }
    return done;
}

static status first_login(struct cli *cli, const struct login_files *f, struct error *err)
{
    bool api_key = cli_has(cli, "api-key-file") || cli_has(cli, "api-key-stdin") || cli_has(cli, "no-store");
    if (!cli_has(cli, "server"))
        return cli_usage(cli, err, "%s does not exist yet: --server is needed to make it", f->config);
    if (api_key == cli_has(cli, "account"))
        return cli_usage(cli, err,
                         "either --account NAME, or --api-key-file FILE, --api-key-stdin or --no-store is expected");
    if (strncmp(cli_option(cli, "server"), "https://", 8) != 0)
        return cli_usage(cli, err, "--server: https://host[:port] is expected");
    return api_key ? enroll_user(cli, f, err) : enroll_account(cli, f, err);
}

static status login_run(struct cli *cli, struct error *err)
{
    cleanup_login_files struct login_files f = {0};
    TRY(login_files_name(cli, &f, err));
    if (!file_exists(f.config))
        return first_login(cli, &f, err);
    TRY(same_check(cli, &f, err));
    return check_in(cli, err);
}

static const struct cli_option login_options[] = {
    {"server", "URL", "first run: https://host[:port] of the server"},
    {"ca", "FILE", "first run: the root of the server's TLS certificate, in PEM; copied"},
    {"account", "NAME", "first run: enrol a service account of this name"},
    {"key", "FILE", "where its private key goes; default NAME.key beside the configuration"},
    {"no-passphrase", NULL, "leave the private key unencrypted (build machines)"},
    {"api-key-file", "FILE", "first run: a user's API key is in this file; copied to a private one"},
    {"api-key-stdin", NULL, "the same from standard input"},
    {"no-store", NULL, "a user's API key is asked for each time (it is the PIN of the token)"},
    {"label", "TEXT", "label of the PKCS#11 token; default chancery"},
    {0},
};

const struct cli_command login_commands[] = {
    {"login", "", "enrol this machine or user; later: authenticate and fetch the keys' public data", CLI_PRINCIPAL,
     login_options, login_run},
    {0},
};

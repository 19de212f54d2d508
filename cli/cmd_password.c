/* SPDX-License-Identifier: Apache-2.0 */
/* chancery user password …, totp …: what a user signs in with in a browser. */
#include <string.h>

#include "chancery/protocol.h"
#include "cli/api.h"
#include "cli/passphrase.h"
#include "cli/tables.h"
#include "common/file.h"
#include "common/secret.h"

/* Four groups of five of [a-z2-7]: 100 random bits that can be read to somebody. */
static status one_time_make(struct buf *out, struct error *err)
{
    enum { GROUPS = 4, GROUP = 5 };
    uint8_t random[GROUPS * GROUP];
    TRY(secret_random(random, sizeof(random), err));
    for (size_t i = 0; i < sizeof(random); i++) {
        if (i > 0 && i % GROUP == 0)
            buf_add_byte(out, '-');
        buf_add_byte(out, (uint8_t) "abcdefghijklmnopqrstuvwxyz234567"[random[i] & 31]);
    }
    secret_wipe(random, sizeof(random));
    return buf_check(out, err);
}

static status secret_get(const char *file, const char *prompt, bool confirm, struct buf *out, struct error *err)
{
    return file ? file_read_secret(file, out, err) : secret_prompt(prompt, confirm, out, err);
}

/* Whether the user is who asks, and has a password that he must show. */
static status own_find(struct cli *cli, const struct buf *path, bool *is_own, bool *is_set, struct error *err)
{
    cleanup_buf struct buf whoami = {0};
    cleanup_json struct json *me = NULL, *state = NULL;
    const char *user = cli_argument(cli, 0);

    api_path(&whoami, ROUTE_WHOAMI);
    TRY(api_request(cli, "GET", &whoami, NULL, &me, err));
    TRY(api_request(cli, "GET", path, NULL, &state, err));
    *is_own = strcmp(json_get_text(me, "name", ""), user) == 0 || strcmp(json_get_text(me, "id", ""), user) == 0;
    *is_set = json_get_bool(state, "is_set", false);
    return OK;
}

static status body_make(struct cli *cli, bool wants_current, const struct buf *password, struct buf *body,
                        struct error *err)
{
    cleanup_buf struct buf current = {0};
    struct json_writer w = json_writer_on(body);

    if (wants_current)
        TRY(secret_get(cli_option(cli, "current-password-file"), "Current password", false, &current, err));
    json_begin_object(&w, NULL);
    json_add_text(&w, "password", buf_text(password));
    if (wants_current)
        json_add_text(&w, "current_password", buf_text(&current));
    api_add_option(cli, &w, "totp", "totp");
    json_end_object(&w);
    return buf_check(body, err);
}

static status password_set(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0}, password = {0}, body = {0};
    bool is_own = false, is_set = false;

    if (cli_has(cli, "one-time") && cli_has(cli, "password-file"))
        return cli_usage(cli, err, "--one-time and --password-file exclude each other");
    api_path(&path, "/v1/users/%/password", cli_argument(cli, 0));
    TRY(own_find(cli, &path, &is_own, &is_set, err));
    if (is_own && cli_has(cli, "one-time"))
        return error_set(err, CODE_INVALID, "--one-time is for another user; one's own password is for good");
    if (cli_has(cli, "one-time"))
        TRY(one_time_make(&password, err));
    else
        TRY(secret_get(cli_option(cli, "password-file"), "New password", true, &password, err));
    TRY(body_make(cli, is_own && is_set, &password, &body, err));
    TRY(api_request(cli, "PUT", &path, &body, NULL, err));
    if (cli_has(cli, "one-time"))
        fprintf(cli->out, "%s\n", buf_text(&password));
    if (!cli_is_json(cli))
        fprintf(stderr, is_own ? "The password is set.\n"
                               : "The password is good for 72 hours, and the user changes it when he signs in.\n");
    return OK;
}

static status password_remove(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0};
    api_path(&path, "/v1/users/%/password", cli_argument(cli, 0));
    return api_do(cli, "DELETE", &path, "removed", err);
}

/* ---- second factor */

static status totp_begin(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0}, body = {0};
    buf_add_text(&body, "{}");
    api_path(&path, "/v1/users/%/totp", cli_argument(cli, 0));
    return api_show(cli, "POST", &path, &body, err);
}

static status code_body(struct cli *cli, struct buf *body, struct error *err)
{
    struct json_writer w = json_writer_on(body);
    json_begin_object(&w, NULL);
    json_add_text(&w, "code", cli_argument(cli, 1));
    json_end_object(&w);
    return buf_check(body, err);
}

static status totp_confirm(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0}, body = {0};
    cleanup_json struct json *answer = NULL;
    api_path(&path, "/v1/users/%/totp", cli_argument(cli, 0));
    TRY(code_body(cli, &body, err));
    TRY(api_request(cli, "PUT", &path, &body, &answer, err));
    if (cli_is_json(cli))
        return api_print_json(cli, answer, err);
    const struct json *codes = json_get(answer, "recovery_codes");
    for (size_t i = 0; i < json_count(codes); i++)
        fprintf(cli->out, "%s\n", json_text(json_at(codes, i), ""));
    fprintf(stderr, "Keep these recovery codes; each is good once, and they are not shown again.\n");
    return OK;
}

static status totp_show(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0};
    api_path(&path, "/v1/users/%/totp", cli_argument(cli, 0));
    return api_show(cli, "GET", &path, NULL, err);
}

static status totp_remove(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0};
    api_path(&path, "/v1/users/%/totp", cli_argument(cli, 0));
    api_query(&path, "code", cli_argument(cli, 1));
    return api_do(cli, "DELETE", &path, "removed", err);
}

static const struct cli_option password_options[] = {
    {"one-time", NULL, "make one, set it and print it; the user must change it"},
    {"password-file", "FILE", "take the new password from a file that nobody else can read, not from the terminal"},
    {"current-password-file", "FILE", "the same of the present one, where it must be shown"},
    {"totp", "CODE", "code of the second factor, beside the present password"},
    {0},
};

const struct cli_command password_commands[] = {
    {"user password", "USER", "set one's own password, or a one-time password of another", CLI_ADMINISTRATION,
     password_options, password_set},
    {"user remove-password", "USER", "remove a user's password", CLI_ADMINISTRATION, NULL, password_remove},
    {"totp begin", "USER", "begin one's second factor: the secret for an authenticator app", CLI_ADMINISTRATION, NULL,
     totp_begin},
    {"totp confirm", "USER CODE", "switch it on with a first code; prints the recovery codes", CLI_ADMINISTRATION, NULL,
     totp_confirm},
    {"totp show", "USER", "show whether a user has a second factor", CLI_ADMINISTRATION, NULL, totp_show},
    {"totp remove", "USER [CODE]", "remove it: one's own with a code, another's as an administrator",
     CLI_ADMINISTRATION, NULL, totp_remove},
    {0},
};

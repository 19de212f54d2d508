/* SPDX-License-Identifier: Apache-2.0 */
/* chancery request, approvals, approve, deny, wait, approval …: the use of keys that needs a yes of others. */
#include <string.h>

#include "chancery/protocol.h"
#include "cli/api.h"
#include "cli/key_ref.h"
#include "cli/tables.h"
#include "common/text.h"

enum { WAIT_SECONDS = 3600, WAIT_SECONDS_MAX = 7 * 24 * 3600 };

static bool is_number(const char *text)
{
    return *text && strspn(text, "0123456789") == strlen(text) && strlen(text) < 16;
}

static status number_if_given(struct cli *cli, struct json_writer *w, const char *name, struct error *err)
{
    const char *text = cli_option(cli, name);
    if (!text)
        return OK;
    if (!is_number(text))
        return cli_usage(cli, err, "--%s: a number is expected", name);
    json_add_raw(w, name, text);
    return OK;
}

/* "sha256:ab12…", several times. */
static status digests_write(struct cli *cli, struct json_writer *w, struct error *err)
{
    char hash[16];
    if (!cli_has(cli, "digest"))
        return OK;
    json_begin_array(w, "digests");
    for (size_t i = 0; cli_option_at(cli, "digest", i); i++) {
        const char *text = cli_option_at(cli, "digest", i);
        const char *colon = strchr(text, ':');
        if (!colon || (size_t)(colon - text) >= sizeof(hash))
            return cli_usage(cli, err, "--digest: HASH:HEX is expected, like sha256:ab12…");
        (void)snprintf(hash, sizeof(hash), "%.*s", (int)(colon - text), text);
        json_begin_object(w, NULL);
        json_add_text(w, "hash", hash);
        json_add_text(w, "digest", colon + 1);
        json_end_object(w);
    }
    json_end_array(w);
    return OK;
}

static status request(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0}, body = {0}, key = {0};
    struct json_writer w = json_writer_on(&body);
    if (!cli_has(cli, "reason"))
        return cli_usage(cli, err, "--reason is missing");
    if (cli_has(cli, "count") == cli_has(cli, "digest"))
        return cli_usage(cli, err, "either --count or --digest is expected");
    json_begin_object(&w, NULL);
    json_add_text(&w, "reason", cli_option(cli, "reason"));
    TRY(number_if_given(cli, &w, "count", err));
    TRY(number_if_given(cli, &w, "hours", err));
    TRY(digests_write(cli, &w, err));
    if (cli_has(cli, "break-glass"))
        json_add_bool(&w, "break_glass", true);
    TRY(key_reference(cli, cli_argument(cli, 0), &key, err));
    json_add_text(&w, "key", buf_text(&key));
    json_end_object(&w);
    api_path(&path, ROUTE_APPROVALS);
    return api_show(cli, "POST", &path, &body, err);
}

static status approvals(struct cli *cli, struct error *err)
{
    static const struct api_column columns[] = {{"ID", "id"},
                                                {"KEY", "key"},
                                                {"REQUESTER", "requester"},
                                                {"STATE", "state"},
                                                {"YES", "approvals"},
                                                {"NEEDED", "needed"},
                                                {"COUNT", "count"},
                                                {"LEFT", "remaining"},
                                                {"UNTIL", "valid_until"},
                                                {"BREAK GLASS", "break_glass"},
                                                {"REASON", "reason"}};
    cleanup_buf struct buf path = {0}, key = {0};
    if (cli_has(cli, "key"))
        TRY(key_reference(cli, cli_option(cli, "key"), &key, err));
    api_path(&path, ROUTE_APPROVALS);
    api_query(&path, "key", key.len ? buf_text(&key) : NULL);
    api_query(&path, "project", cli_option(cli, "project"));
    api_query(&path, "state", cli_option(cli, "state"));
    api_query(&path, "mine", cli_has(cli, "mine") ? "true" : NULL);
    api_query(&path, "to_decide", cli_has(cli, "to-decide") ? "true" : NULL);
    api_query(&path, "break_glass", cli_has(cli, "break-glass") ? "true" : NULL);
    return api_list(cli, &path, columns, COUNT_OF(columns), err);
}

static status show(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0};
    api_path(&path, ROUTE_APPROVALS "/%", cli_argument(cli, 0));
    return api_show(cli, "GET", &path, NULL, err);
}

static status step(struct cli *cli, const char *name, struct error *err)
{
    cleanup_buf struct buf path = {0}, body = {0};
    struct json_writer w = json_writer_on(&body);
    json_begin_object(&w, NULL);
    api_add_option(cli, &w, "comment", "comment");
    json_end_object(&w);
    api_path(&path, ROUTE_APPROVALS "/%/%", cli_argument(cli, 0), name);
    return api_show(cli, "POST", &path, &body, err);
}

static status approve(struct cli *cli, struct error *err)
{
    return step(cli, "approve", err);
}

static status deny(struct cli *cli, struct error *err)
{
    return step(cli, "deny", err);
}

static status cancel(struct cli *cli, struct error *err)
{
    return step(cli, "cancel", err);
}

static status revoke_grant(struct cli *cli, struct error *err)
{
    return step(cli, "revoke", err);
}

static status wait_for(struct cli *cli, struct error *err)
{
    struct client *c = NULL;
    int64_t seconds = WAIT_SECONDS;
    const char *text = cli_option(cli, "timeout");
    const char *id = cli_argument(cli, 0);
    if (text && (!is_number(text) || !text_to_int64(text, &seconds) || seconds > WAIT_SECONDS_MAX))
        return cli_usage(cli, err, "--timeout: 0 to %d seconds are expected", WAIT_SECONDS_MAX);
    if (!text_is_name(id))
        return cli_usage(cli, err, "ID: the id of a request is expected");
    TRY(cli_client(cli, &c, err));
    TRY(client_approval_wait(c, id, deadline_in(seconds * 1000), err));
    if (!cli_is_json(cli))
        fprintf(cli->out, "approved\n");
    return OK;
}

static const struct cli_option request_options[] = {
    {"count", "N", "for so many signatures"},
    {"digest", "HASH:HEX...", "for exactly this digest; may stand several times"},
    {"hours", "H", "how long the grant is to last; default 24, or what policy allows"},
    {"reason", "TEXT", "what for; the approvers see it"},
    {"break-glass", NULL, "an emergency: two administrators or owners decide, for a short time"},
    {0},
};
static const struct cli_option list_options[] = {
    {"project", "PROJECT", "only this Project"},
    {"key", "KEY", "only this key"},
    {"state", "STATE", "pending, approved, denied, cancelled, revoked, expired or used"},
    {"mine", NULL, "only those you have made"},
    {"to-decide", NULL, "only those that wait for you"},
    {"break-glass", NULL, "only those of emergencies"},
    {0},
};
static const struct cli_option step_options[] = {{"comment", "TEXT", "kept with the decision"}, {0}};
static const struct cli_option wait_options[] = {{"timeout", "SECONDS", "default 3600"}, {0}};

const struct cli_command approval_commands[] = {
    {"request", "KEY", "ask for the use of a key that needs approvals", CLI_PRINCIPAL, request_options, request},
    {"wait", "ID", "wait until a request is decided; 0: approved, 1: not", CLI_PRINCIPAL, wait_options, wait_for},
    {"approvals", "", "list requests for approval, newest first", CLI_ADMINISTRATION, list_options, approvals},
    {"approve", "ID", "say yes to a request", CLI_ADMINISTRATION, step_options, approve},
    {"deny", "ID", "say no to a request, which ends it", CLI_ADMINISTRATION, step_options, deny},
    {"approval show", "ID", "show a request with its digests and decisions", CLI_ADMINISTRATION, NULL, show},
    {"approval cancel", "ID", "take your own request back", CLI_PRINCIPAL, step_options, cancel},
    {"approval revoke", "ID", "end a grant", CLI_ADMINISTRATION, step_options, revoke_grant},
    {0},
};

/* SPDX-License-Identifier: Apache-2.0 */
/* chancery connector …, chancery job …: ways to get certificates, and what the server does for them. */
#include <string.h>

#include "cli/api.h"
#include "cli/tables.h"
#include "common/text.h"

enum { WAIT_SECONDS = 60, LOOK_US = 500 * 1000 };

/* name=value; what is no text on the wire is known by its name. */
static status setting_add(struct cli *cli, struct json_writer *w, const char *setting, struct error *err)
{
    const char *value = strchr(setting, '=');
    char name[64] = "";
    int64_t number = 0;

    if (!value || (size_t)(value - setting) >= sizeof(name) || value == setting)
        return cli_usage(cli, err, "--set: NAME=VALUE is expected");
    memcpy(name, setting, (size_t)(value - setting));
    value++;
    bool is_number = strcmp(name, "days") == 0 || strcmp(name, "timeout_s") == 0;
    if (is_number && !text_to_int64(value, &number))
        return cli_usage(cli, err, "--set %s: a number is expected", name);
    if (is_number)
        json_add_integer(w, name, number);
    else if (strcmp(name, "implicit_confirm") == 0)
        json_add_bool(w, name, strcmp(value, "true") == 0);
    else
        json_add_text(w, name, value);
    return OK;
}

static status settings_add(struct cli *cli, struct json_writer *w, struct error *err)
{
    json_begin_object(w, "settings");
    for (size_t i = 0; cli_option_at(cli, "set", i); i++)
        TRY(setting_add(cli, w, cli_option_at(cli, "set", i), err));
    json_end_object(w);
    return OK;
}

static status connector_create(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0};
    cleanup_buf struct buf body = {0};
    struct json_writer w = json_writer_on(&body);

    json_begin_object(&w, NULL);
    json_add_text(&w, "name", cli_argument(cli, 0));
    json_add_text(&w, "type", cli_argument(cli, 1));
    TRY(settings_add(cli, &w, err));
    json_end_object(&w);
    api_path(&path, "/v1/connectors");
    return api_show(cli, "POST", &path, &body, err);
}

static status connector_set(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0};
    cleanup_buf struct buf body = {0};
    struct json_writer w = json_writer_on(&body);

    json_begin_object(&w, NULL);
    TRY(settings_add(cli, &w, err));
    json_end_object(&w);
    api_path(&path, "/v1/connectors/%", cli_argument(cli, 0));
    return api_show(cli, "PATCH", &path, &body, err);
}

static status connector_list(struct cli *cli, struct error *err)
{
    static const struct api_column columns[] = {
        {"NAME", "name"}, {"TYPE", "type"}, {"CAN", "capabilities"}, {"ID", "id"}, {"CREATED", "created"}};
    cleanup_buf struct buf path = {0};
    api_path(&path, "/v1/connectors");
    return api_list(cli, &path, columns, COUNT_OF(columns), err);
}

static status connector_show(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0};
    api_path(&path, "/v1/connectors/%", cli_argument(cli, 0));
    return api_show(cli, "GET", &path, NULL, err);
}

static status connector_remove(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0};
    api_path(&path, "/v1/connectors/%", cli_argument(cli, 0));
    return api_do(cli, "DELETE", &path, "removed", err);
}

/* Until it has ended, or the first attempt has failed. */
static status job_wait(struct cli *cli, const char *id, struct json **out, struct error *err)
{
    cleanup_buf struct buf path = {0};
    struct deadline d = deadline_in(WAIT_SECONDS * 1000LL);

    api_path(&path, "/v1/jobs/%", id);
    for (;;) {
        cleanup_json struct json *job = NULL;
        TRY(api_request(cli, "GET", &path, NULL, &job, err));
        bool has_ended = json_type(json_get(job, "finished")) == JSON_STRING;
        if (has_ended || *json_get_text(job, "error", "") || deadline_passed(d)) {
            *out = steal(&job);
            return OK;
        }
        (void)usleep(LOOK_US);
    }
}

static status connector_test(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0};
    cleanup_buf struct buf body = {0};
    cleanup_json struct json *started = NULL, *job = NULL;

    buf_add_text(&body, "{}");
    api_path(&path, "/v1/connectors/%/test", cli_argument(cli, 0));
    TRY(api_request(cli, "POST", &path, &body, &started, err));
    TRY(job_wait(cli, json_get_text(started, "id", ""), &job, err));
    TRY(api_print_object(cli, job, err));
    if (strcmp(json_get_text(job, "state", ""), "done") == 0)
        return OK;
    return error_set(err, CODE_UNAVAILABLE, "the connector %.100s does not work: %.150s", cli_argument(cli, 0),
                     json_get_text(job, "error", "no answer yet"));
}

static status job_list(struct cli *cli, struct error *err)
{
    static const struct api_column columns[] = {
        {"ID", "id"},        {"KIND", "kind"},         {"STATE", "state"}, {"CONNECTOR", "connector"},
        {"KEY", "key_name"}, {"ATTEMPTS", "attempts"}, {"ERROR", "error"}, {"CREATED", "created"}};
    cleanup_buf struct buf path = {0};
    api_path(&path, "/v1/jobs");
    api_query(&path, "state", cli_option(cli, "state"));
    api_query(&path, "kind", cli_option(cli, "kind"));
    return api_list(cli, &path, columns, COUNT_OF(columns), err);
}

static status job_show(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0};
    api_path(&path, "/v1/jobs/%", cli_argument(cli, 0));
    return api_show(cli, "GET", &path, NULL, err);
}

static status job_act(struct cli *cli, const char *action, struct error *err)
{
    cleanup_buf struct buf path = {0};
    cleanup_buf struct buf body = {0};
    buf_add_text(&body, "{}");
    api_path(&path, "/v1/jobs/%/%", cli_argument(cli, 0), action);
    return api_show(cli, "POST", &path, &body, err);
}

static status job_retry(struct cli *cli, struct error *err)
{
    return job_act(cli, "retry", err);
}

static status job_cancel(struct cli *cli, struct error *err)
{
    return job_act(cli, "cancel", err);
}

static const struct cli_option settings_options[] = {
    {"set", "NAME=VALUE...", "a setting, such as url=https://ca.example/.well-known/est; may stand several times"},
    {0},
};
static const struct cli_option job_options[] = {
    {"state", "STATE", "only jobs in this state: queued, running, waiting, done or failed"},
    {"kind", "KIND", "only jobs of this kind: enroll, renew, revoke or test"},
    {0},
};

const struct cli_command connector_commands[] = {
    {"connector list", "", "list the ways to get certificates", CLI_ADMINISTRATION, NULL, connector_list},
    {"connector show", "CONNECTOR", "show one connector", CLI_ADMINISTRATION, NULL, connector_show},
    {"connector create", "NAME TYPE", "make a connector of type cmp, est, manual or builtin", CLI_ADMINISTRATION,
     settings_options, connector_create},
    {"connector set", "CONNECTOR", "replace all settings of a connector", CLI_ADMINISTRATION, settings_options,
     connector_set},
    {"connector test", "CONNECTOR", "ask a connector's CA whether it can be reached and believed", CLI_ADMINISTRATION,
     NULL, connector_test},
    {"connector remove", "CONNECTOR", "remove a connector that no key has", CLI_ADMINISTRATION, NULL, connector_remove},
    {"job list", "", "list what the server does for connectors", CLI_ADMINISTRATION, job_options, job_list},
    {"job show", "JOB", "show one job", CLI_ADMINISTRATION, NULL, job_show},
    {"job retry", "JOB", "try a job again at once", CLI_ADMINISTRATION, NULL, job_retry},
    {"job cancel", "JOB", "give up a job", CLI_ADMINISTRATION, NULL, job_cancel},
    {0},
};

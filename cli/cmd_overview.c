/* SPDX-License-Identifier: Apache-2.0 */
/* chancery overview: what there is and what waits for somebody, one line each. Lines that the server keeps from this
 * caller are left out. */
#include <string.h>

#include "cli/api.h"
#include "cli/tables.h"

enum { TITLE_WIDTH = 18 };

/* "Keys", "%active% active, …": each name between % is the member of the object. */
static void line_print(struct cli *cli, const char *title, const struct json *object, const char *format)
{
    cleanup_buf struct buf line = {0};
    char member[64];

    if (json_type(object) == JSON_NULL)
        return;
    for (const char *p = format; *p; p++) {
        size_t len = *p == '%' ? strcspn(p + 1, "%") : 0;
        if (*p != '%' || len >= sizeof(member) || p[1 + len] != '%') {
            buf_add_byte(&line, (uint8_t)*p);
            continue;
        }
        memcpy(member, p + 1, len);
        member[len] = '\0';
        api_cell(object, member, &line);
        p += len + 1;
    }
    fprintf(cli->out, "%-*s%s\n", TITLE_WIDTH, title, buf_text(&line));
}

static void lines_print(struct cli *cli, const struct json *list, const char *format)
{
    for (size_t i = 0; i < json_count(list); i++)
        line_print(cli, "", json_at(list, i), format);
}

static void number_print(struct cli *cli, const char *title, const struct json *answer, const char *member)
{
    cleanup_buf struct buf text = {0};

    api_cell(answer, member, &text);
    if (json_type(json_get(answer, member)) != JSON_NULL)
        fprintf(cli->out, "%-*s%s\n", TITLE_WIDTH, title, buf_text(&text));
}

static void overview_print(struct cli *cli, const struct json *answer)
{
    const struct json *certificates = json_get(answer, "certificates"), *approvals = json_get(answer, "approvals");

    number_print(cli, "Projects", answer, "projects");
    line_print(cli, "Keys", json_get(answer, "keys"),
               "%active% active, %disabled% disabled, %pending% pending, %retired% retired, %destroyed% destroyed, "
               "%missing% missing");
    line_print(cli, "Certificates", certificates,
               "%ending% end within %within_days% days, %expired% of them have ended");
    lines_print(cli, json_get(certificates, "first"), "%expires%  %key%");
    line_print(cli, "Requests", approvals, "%pending% wait for a decision, %to_decide% of them for yours");
    lines_print(cli, json_get(approvals, "newest"), "%created%  %key%  %requester%");
    line_print(cli, "Signatures", json_get(answer, "signatures"),
               "%success% made, %refused% refused, %failed% failed in %days% days, since %from%");
    line_print(cli, "Jobs", json_get(answer, "jobs"),
               "%failed% failed, %waiting% waiting, %running% running, %queued% queued");
    number_print(cli, "Users", answer, "users");
    number_print(cli, "Service accounts", answer, "service_accounts");
}

static status overview(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0};
    cleanup_json struct json *answer = NULL;

    api_path(&path, "/v1/overview");
    api_query(&path, "expiring_within", cli_option(cli, "expiring-within"));
    api_query(&path, "days", cli_option(cli, "days"));
    TRY(api_request(cli, "GET", &path, NULL, &answer, err));
    if (cli_is_json(cli))
        return api_print_json(cli, answer, err);
    overview_print(cli, answer);
    return OK;
}

static const struct cli_option overview_options[] = {
    {"expiring-within", "DAYS", "count certificates that end within so many days; default 60"},
    {"days", "DAYS", "count the signatures of so many days; default 30"},
    {0},
};

const struct cli_command overview_commands[] = {
    {"overview", "", "what there is and what waits for somebody", CLI_ADMINISTRATION, overview_options, overview},
    {0},
};

/* SPDX-License-Identifier: Apache-2.0 */
/* chancery export, chancery apply: Projects, members, policies and key definitions as text for git. */
#include <string.h>
#include <unistd.h>

#include "cli/api.h"
#include "cli/definition.h"
#include "cli/table.h"
#include "cli/tables.h"
#include "common/file.h"

static status definition_export(struct cli *cli, struct error *err)
{
    cleanup_json struct json *definition = NULL;
    cleanup_buf struct buf text = {0};
    TRY(definition_read(cli, NULL, &definition, err));
    definition_format(definition, &text);
    TRY(buf_check(&text, err));
    if (cli_argument(cli, 0))
        return file_write(cli_argument(cli, 0), buf_slice(&text), 0644, err);
    fwrite(text.data, 1, text.len, cli->out);
    return OK;
}

/* ---- apply */

static void step_print(struct cli *cli, const struct plan_step *s)
{
    cleanup_buf struct buf line = {0};
    char sign[] = {s->sign, '\0'};
    if (!cli_is_json(cli)) {
        text_print_safe(&line, buf_text(&s->text));
        fprintf(cli->out, "%c %s\n", s->sign, buf_text(&line));
        return;
    }
    struct json_writer w = json_writer_on(&line);
    json_begin_object(&w, NULL);
    json_add_text(&w, "sign", sign);
    json_add_text(&w, "text", buf_text(&s->text));
    json_end_object(&w);
    fprintf(cli->out, "%s\n", buf_text(&line));
}

static status consent(struct cli *cli, const struct plan *p, struct error *err)
{
    char answer[16] = "";
    if (cli_has(cli, "yes"))
        return OK;
    if (!isatty(STDIN_FILENO))
        return cli_usage(cli, err, "there is no terminal to ask at: --yes applies the plan, --plan only shows it");
    (void)fflush(cli->out);
    fprintf(stderr, "Apply these %zu changes? [y/N] ", p->count);
    if (fgets(answer, sizeof(answer), stdin) && (strcmp(answer, "y\n") == 0 || strcmp(answer, "yes\n") == 0))
        return OK;
    return error_set(err, CODE_CONFLICT, "nothing was changed");
}

/* What has changed under our hands is no fault of the text: the next plan takes it into account. */
static status step_failed(status s, const struct plan *p, size_t done, struct error *err)
{
    bool is_drift = s.code == CODE_STALE || s.code == CODE_CONFLICT || s.code == CODE_NOT_FOUND;
    error_prefix(err, "%c %s", p->steps[done].sign, buf_text(&p->steps[done].text));
    error_prefix(err, "%zu of %zu changes are made%s", done, p->count,
                 is_drift ? ", the next does not fit what the server has now (drift); apply again" : "; apply again");
    return s;
}

static status plan_apply(struct cli *cli, const struct plan *p, struct error *err)
{
    for (size_t i = 0; i < p->count; i++) {
        const struct plan_step *s = &p->steps[i];
        const struct client_call call = {.method = s->method,
                                         .path = buf_text(&s->path),
                                         .body = s->body.len ? &s->body : NULL,
                                         .revision = s->revision};
        status made = api_change(cli, &call, err);
        if (!is_ok(made))
            return step_failed(made, p, i, err);
    }
    return OK;
}

static status definition_apply(struct cli *cli, struct error *err)
{
    const char *file = cli_argument(cli, 0);
    cleanup_buf struct buf text = {0};
    cleanup_json struct json *wanted = NULL, *present = NULL;
    cleanup_plan struct plan plan = {0};

    TRY(file_read(file, DEFINITION_MAX, FILE_ANY, &text, err));
    status parsed = definition_parse(buf_slice(&text), &wanted, err);
    if (!is_ok(parsed)) {
        error_prefix(err, "%s", file);
        return parsed;
    }
    TRY(definition_read(cli, json_get(wanted, "projects"), &present, err));
    TRY(plan_make(wanted, present, &plan, err));
    for (size_t i = 0; i < plan.count; i++)
        step_print(cli, &plan.steps[i]);
    if (plan.count == 0 && !cli_is_json(cli))
        fprintf(cli->out, "nothing to do\n");
    if (plan.count == 0 || cli_has(cli, "plan")) {
        cli->exit_code = plan.count ? EXIT_DIFFERS : 0;
        return OK;
    }
    TRY(consent(cli, &plan, err));
    TRY(plan_apply(cli, &plan, err));
    if (!cli_is_json(cli))
        fprintf(cli->out, "%zu changes made\n", plan.count);
    return OK;
}

static const struct cli_option apply_options[] = {
    {"plan", NULL, "only show what would be done; exit 3 when there is something"},
    {"yes", NULL, "do not ask"},
    {0},
};

const struct cli_command definition_commands[] = {
    {"export", "[FILE]", "write Projects, members, policies and key definitions as text", CLI_ADMINISTRATION, NULL,
     definition_export},
    {"apply", "FILE", "make the server as such a text says; the plan is shown first", CLI_ADMINISTRATION, apply_options,
     definition_apply},
    {0},
};

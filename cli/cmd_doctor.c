/* SPDX-License-Identifier: Apache-2.0 */
/* chancery doctor: the way of a signature, checked one step after the other, each told as it is done; what fails is
 * told with what to do about it. A step that needs an earlier one that failed is skipped, and said to be. */
#include "cli/doctor.h"

#include <string.h>

#include "cli/key_ref.h"
#include "cli/tables.h"
#include "common/text.h"

static const struct doctor_step steps[] = {
    {"configuration", 0, doctor_configuration},
    {"files", DOCTOR_CONFIGURED, doctor_files},
    {"server", DOCTOR_CONFIGURED, doctor_server},
    {"clock", DOCTOR_REACHED, doctor_clock},
    {"credential", DOCTOR_CONFIGURED | DOCTOR_REACHED, doctor_credential},
    {"version", DOCTOR_IDENTIFIED, doctor_version},
    {"keys", DOCTOR_IDENTIFIED, doctor_keys},
    {"certificates", DOCTOR_LISTED, doctor_certificates},
    {"signature", DOCTOR_LISTED, doctor_signature},
    {"verification", DOCTOR_SIGNED, doctor_verification},
};

static const char *const verdict_names[] = {
    [FINDING_GOOD] = "ok", [FINDING_NOTE] = "note", [FINDING_BAD] = "FAILED", [FINDING_SKIPPED] = "skipped"};

static status finding_json(struct cli *cli, const struct doctor_step *step, const struct finding *f, struct error *err)
{
    cleanup_buf struct buf text = {0};
    struct json_writer w = json_writer_on(&text);
    json_begin_object(&w, NULL);
    json_add_text(&w, "check", step->name);
    json_add_text(&w, "result", f->verdict == FINDING_BAD ? "failed" : verdict_names[f->verdict]);
    json_add_text(&w, "text", f->text);
    json_add_text(&w, "advice", *f->advice ? f->advice : NULL);
    json_end_object(&w);
    TRY(buf_check(&text, err));
    fprintf(cli->out, "%s\n", buf_text(&text));
    return OK;
}

static status finding_print(struct cli *cli, const struct doctor_step *step, const struct finding *f, struct error *err)
{
    if (cli_is_json(cli))
        return finding_json(cli, step, f, err);
    fprintf(cli->out, "%-8s %-14s %s\n", verdict_names[f->verdict], step->name, f->text);
    if (*f->advice)
        fprintf(cli->out, "%-8s %-14s → %s\n", "", "", f->advice);
    (void)fflush(cli->out);
    return OK;
}

static void step_run(struct doctor *d, const struct doctor_step *step, struct finding *f)
{
    struct error err = {0};
    if ((d->reached & step->needs) != step->needs) {
        f->verdict = FINDING_SKIPPED;
        (void)text_copy(f->text, sizeof(f->text), "an earlier check must succeed first");
        return;
    }
    status s = step->run(d, f, &err);
    if (is_ok(s))
        return;
    f->verdict = FINDING_BAD;
    (void)text_copy(f->text, sizeof(f->text), err.text);
    if (!*f->advice)
        (void)text_copy(f->advice, sizeof(f->advice), doctor_advice(step->name, s.code));
}

static void doctor_clear(struct doctor *d)
{
    client_keys_unref(d->keys);
    buf_clear(&d->signature);
}

static status doctor_run(struct cli *cli, struct error *err)
{
    CLEANUP(doctor_clear) struct doctor d = {.cli = cli};
    int failed = 0;
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        struct finding f = {.verdict = FINDING_GOOD};
        step_run(&d, &steps[i], &f);
        failed += f.verdict == FINDING_BAD;
        TRY(finding_print(cli, &steps[i], &f, err));
    }
    if (failed > 0)
        return error_set(err, CODE_INVALID, "%d of %zu checks failed", failed, COUNT_OF(steps));
    if (!cli_is_json(cli))
        fprintf(cli->out, "\nEverything a signature needs is in order.\n");
    return OK;
}

static const struct cli_option doctor_options[] = {
    {"key", "KEY", "the key that makes the test signature; default: the first one listed"},
    {"no-signature", NULL, "make no signature: it would be recorded and counted like any other"},
    {0},
};

const struct cli_command doctor_commands[] = {
    {"doctor", "", "check everything a signature needs, and say what to do", CLI_PRINCIPAL, doctor_options, doctor_run},
    {0},
};

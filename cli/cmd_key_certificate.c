/* SPDX-License-Identifier: Apache-2.0 */
/* chancery key csr, key certificate set, key set: certificates that come from elsewhere. */
#include <string.h>

#include "cli/api.h"
#include "cli/key_ref.h"
#include "cli/tables.h"
#include "common/encoding.h"
#include "common/file.h"
#include "common/text.h"

enum { CERTIFICATES_MAX = 128 * 1024 };

static status key_csr(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf key = {0};
    cleanup_buf struct buf path = {0};
    cleanup_json struct json *answer = NULL;

    TRY(key_reference(cli, cli_argument(cli, 0), &key, err));
    api_path(&path, "/v1/keys/%/csr", buf_text(&key));
    api_query(&path, "subject", cli_option(cli, "subject"));
    api_query(&path, "version", cli_option(cli, "version"));
    TRY(api_request(cli, "GET", &path, NULL, &answer, err));
    if (cli_is_json(cli))
        return api_print_json(cli, answer, err);
    const char *pem = json_get_text(answer, "csr", "");
    if (cli_has(cli, "output"))
        return file_write(cli_option(cli, "output"), slice_of_text(pem), 0644, err);
    fputs(pem, cli->out);
    return OK;
}

/* PEM as text, everything else in base64. */
static status certificate_body(const char *file, struct buf *out, struct error *err)
{
    cleanup_buf struct buf content = {0}, text = {0};
    struct json_writer w = json_writer_on(out);

    TRY(file_read(file, CERTIFICATES_MAX, FILE_ANY, &content, err));
    if (strstr(buf_text(&content), "-----BEGIN ") && strlen(buf_text(&content)) == content.len)
        buf_add_text(&text, buf_text(&content));
    else
        base64_encode(buf_slice(&content), &text);
    TRY(buf_check(&text, err));
    json_begin_object(&w, NULL);
    json_add_text(&w, "certificate", buf_text(&text));
    json_end_object(&w);
    return OK;
}

static status key_certificate_set(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf key = {0};
    cleanup_buf struct buf path = {0};
    cleanup_buf struct buf body = {0};
    cleanup_json struct json *answer = NULL;

    TRY(certificate_body(cli_argument(cli, 1), &body, err));
    TRY(key_reference(cli, cli_argument(cli, 0), &key, err));
    api_path(&path, "/v1/keys/%/certificate", buf_text(&key));
    TRY(api_request(cli, "PUT", &path, &body, &answer, err));
    if (cli_is_json(cli))
        return api_print_json(cli, answer, err);
    fprintf(cli->out, "version: %lld\n", (long long)json_get_integer(answer, "version", 0));
    const struct json *findings = json_get(answer, "findings");
    for (size_t i = 0; i < json_count(findings); i++)
        fprintf(cli->out, "finding: %s\n", json_text(json_at(findings, i), ""));
    return OK;
}

static status key_set(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf key = {0};
    cleanup_buf struct buf path = {0};
    cleanup_buf struct buf body = {0};
    struct json_writer w = json_writer_on(&body);

    json_begin_object(&w, NULL);
    api_add_option(cli, &w, "connector", "connector");
    api_add_option(cli, &w, "subject", "subject");
    TRY(api_add_number(cli, &w, "renew_before_days", "renew-before", err));
    json_end_object(&w);
    TRY(key_reference(cli, cli_argument(cli, 0), &key, err));
    api_path(&path, "/v1/keys/%", buf_text(&key));
    return api_show(cli, "PATCH", &path, &body, err);
}

static const struct cli_option csr_options[] = {
    {"subject", "NAME", "subject of the request; default: as planned, or as in the certificate there is"},
    {"version", "N", "of this version of the key; default: the current one"},
    {"output", "FILE", "write to this file"},
    {0},
};
static const struct cli_option set_options[] = {
    {"connector", "CONNECTOR", "how the next certificate comes: builtin, manual, or the name of a connector"},
    {"subject", "NAME", "subject that is asked for"},
    {"renew-before", "DAYS", "days before its end at which a certificate is renewed by itself; 0 for never"},
    {0},
};

const struct cli_command key_certificate_commands[] = {
    {"key csr", "KEY", "print a request for a certificate (PKCS#10), signed by the key", CLI_ADMINISTRATION,
     csr_options, key_csr},
    {"key certificate set", "KEY FILE", "take the certificate that a CA gave: PEM, DER or PKCS#7, with its chain",
     CLI_ADMINISTRATION, NULL, key_certificate_set},
    {"key set", "KEY", "choose how the next certificate of a key comes, and when", CLI_ADMINISTRATION, set_options,
     key_set},
    {0},
};

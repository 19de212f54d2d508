/* SPDX-License-Identifier: Apache-2.0 */
/* chancery tsa: the timestamp authority. */
#include <string.h>

#include "cli/api.h"
#include "cli/tables.h"
#include "common/file.h"
#include "common/text.h"

enum { CERTIFICATES_MAX = 256 * 1024 };

static status tsa_show(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0};
    api_path(&path, "/v1/tsa");
    return api_show(cli, "GET", &path, NULL, err);
}

static status days_add(struct cli *cli, struct json_writer *w, struct error *err)
{
    int64_t days = 0;
    if (!cli_has(cli, "days"))
        return OK;
    if (!text_to_int64(cli_option(cli, "days"), &days))
        return cli_usage(cli, err, "--days: a number is expected");
    json_add_integer(w, "days", days);
    return OK;
}

static status order_send(struct cli *cli, const char *route, struct error *err)
{
    static const char *const names[] = {"type", "issuer", "subject", "ca"};
    cleanup_buf struct buf path = {0}, body = {0};
    struct json_writer w = json_writer_on(&body);
    json_begin_object(&w, NULL);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        api_add_option(cli, &w, names[i], names[i]);
    TRY(days_add(cli, &w, err));
    json_end_object(&w);
    api_path(&path, route);
    return api_show(cli, "POST", &path, &body, err);
}

static status tsa_create(struct cli *cli, struct error *err)
{
    if (!cli_has(cli, "type"))
        return cli_usage(cli, err, "--type is missing");
    return order_send(cli, "/v1/tsa", err);
}

static status tsa_rotate(struct cli *cli, struct error *err)
{
    return order_send(cli, "/v1/tsa/rotate", err);
}

static status tsa_renew(struct cli *cli, struct error *err)
{
    return order_send(cli, "/v1/tsa/renew", err);
}

static status text_send(struct cli *cli, const char *route, const char *member, const char *text, struct error *err)
{
    cleanup_buf struct buf path = {0}, body = {0};
    struct json_writer w = json_writer_on(&body);
    json_begin_object(&w, NULL);
    if (member)
        json_add_text(&w, member, text);
    json_end_object(&w);
    api_path(&path, route);
    return api_show(cli, "POST", &path, &body, err);
}

static status tsa_disable(struct cli *cli, struct error *err)
{
    return text_send(cli, "/v1/tsa/disable", "reason", cli_argument(cli, 0), err);
}

static status tsa_enable(struct cli *cli, struct error *err)
{
    return text_send(cli, "/v1/tsa/enable", NULL, NULL, err);
}

static status tsa_csr(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0};
    cleanup_json struct json *answer = NULL;
    api_path(&path, "/v1/tsa/csr");
    if (cli_is_json(cli))
        return api_show(cli, "GET", &path, NULL, err);
    TRY(api_request(cli, "GET", &path, NULL, &answer, err));
    const char *pem = json_get_text(answer, "request", "");
    if (cli_has(cli, "output"))
        return file_write(cli_option(cli, "output"), slice_of_text(pem), 0644, err);
    fputs(pem, cli->out);
    return OK;
}

static status tsa_certificate(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf pem = {0};
    TRY(file_read(cli_argument(cli, 0), CERTIFICATES_MAX, FILE_ANY, &pem, err));
    if (memchr(pem.data, '\0', pem.len) || pem.len == 0)
        return error_set(err, CODE_INVALID, "%s: PEM is expected", cli_argument(cli, 0));
    return text_send(cli, "/v1/tsa/certificate", "certificates", buf_text(&pem), err);
}

static const struct cli_option create_options[] = {
    {"type", "TYPE", "rsa3072, rsa4096, p256 or p384"},
    {"issuer", "ISSUER", "builtin (default): certificate of the built-in CA; external: see tsa csr"},
    {"subject", "NAME", "subject of the certificate; default: CN=Timestamp Authority"},
    {"days", "N", "days the certificate is valid; default: ten years"},
    {"ca", "NAME", "the built-in CA that issues it; default: the one for timestamping"},
    {0},
};
static const struct cli_option rotate_options[] = {
    {"type", "TYPE", "rsa3072, rsa4096, p256 or p384; default: as before"},
    {"issuer", "ISSUER", "builtin (default), or external: the new key waits for its certificate"},
    {"subject", "NAME", "subject of the certificate; default: as before"},
    {"days", "N", "days the certificate is valid; default: ten years"},
    {"ca", "NAME", "the built-in CA that issues it; default: the one for timestamping"},
    {0},
};
static const struct cli_option renew_options[] = {
    {"subject", "NAME", "subject of the certificate; default: as before"},
    {"days", "N", "days the certificate is valid; default: ten years"},
    {"ca", "NAME", "the built-in CA that issues it; default: the one for timestamping"},
    {0},
};
static const struct cli_option csr_options[] = {{"output", "FILE", "write to this file"}, {0}};

const struct cli_command tsa_commands[] = {
    {"tsa show", "", "show the timestamp authority: key, certificate, clock, counters", CLI_ADMINISTRATION, NULL,
     tsa_show},
    {"tsa create", "", "make the timestamp authority, with its key in the HSM", CLI_ADMINISTRATION, create_options,
     tsa_create},
    {"tsa rotate", "", "give it a new key; the private key before is destroyed", CLI_ADMINISTRATION, rotate_options,
     tsa_rotate},
    {"tsa renew", "", "give its key a new certificate of the built-in CA", CLI_ADMINISTRATION, renew_options,
     tsa_renew},
    {"tsa disable", "REASON", "issue no timestamps until tsa enable", CLI_ADMINISTRATION, NULL, tsa_disable},
    {"tsa enable", "", "issue timestamps again; a time reached before no longer binds", CLI_ADMINISTRATION, NULL,
     tsa_enable},
    {"tsa csr", "", "print a certification request for its key, for an outside CA", CLI_ADMINISTRATION, csr_options,
     tsa_csr},
    {"tsa certificate", "FILE", "take the certificate of an outside CA, with its chain, in PEM", CLI_ADMINISTRATION,
     NULL, tsa_certificate},
    {0},
};

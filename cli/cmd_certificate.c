/* SPDX-License-Identifier: Apache-2.0 */
/* chancery certificate: the certificate of a key, alone or with its issuers. */
#include "cli/certificates.h"
#include "cli/key_ref.h"
#include "cli/tables.h"
#include "common/file.h"

static status form(struct cli *cli, const struct client_key *key, struct buf *out, struct error *err)
{
    if (cli_has(cli, "der")) {
        buf_add(out, key->certificates[0].data, key->certificates[0].len);
        return buf_check(out, err);
    }
    size_t count = cli_has(cli, "chain") ? key->certificate_count : 1;
    for (size_t i = 0; i < count; i++)
        certificate_pem(buf_slice(&key->certificates[i]), out);
    return buf_check(out, err);
}

static status certificate_run(struct cli *cli, struct error *err)
{
    if (cli_has(cli, "chain") + cli_has(cli, "leaf") + cli_has(cli, "der") > 1)
        return cli_usage(cli, err, "--chain, --leaf and --der exclude each other");

    struct client *c = NULL;
    const char *name = cli_argument(cli, 0);
    cleanup_client_keys const struct client_keys *keys = NULL;
    TRY(cli_client(cli, &c, err));
    TRY(client_keys(c, cli_deadline(cli), &keys, err));
    const struct client_key *key = key_find(keys, name);
    if (!key)
        return error_set(err, CODE_NOT_FOUND, "no key that you may use is named %.140s", name);
    if (key->certificate_count == 0)
        return error_set(err, CODE_NOT_FOUND, "%s has no certificate", key->token_label);

    cleanup_buf struct buf text = {0};
    TRY(form(cli, key, &text, err));
    if (cli_has(cli, "output"))
        return file_write(cli_option(cli, "output"), buf_slice(&text), 0644, err);
    fwrite(text.data, 1, text.len, cli->out);
    return OK;
}

static const struct cli_option certificate_options[] = {
    {"leaf", NULL, "the key's own certificate, in PEM (default)"},
    {"chain", NULL, "with its issuers up to the root, in PEM"},
    {"der", NULL, "the key's own certificate, in DER"},
    {"output", "FILE", "write to this file"},
    {0},
};

const struct cli_command certificate_commands[] = {
    {"certificate", "KEY", "print the certificate of a key", CLI_PRINCIPAL, certificate_options, certificate_run},
    {0},
};

/* SPDX-License-Identifier: Apache-2.0 */
/* chancery certificate: the certificate of a key, alone or with its issuers. */
#include <string.h>

#include "cli/api.h"
#include "cli/certificates.h"
#include "cli/key_ref.h"
#include "cli/tables.h"
#include "common/encoding.h"
#include "common/file.h"

enum { CHAIN_MAX = 16 };

/* DER, leaf first. */
struct chain {
    struct buf items[CHAIN_MAX];
    size_t count;
};

static void chain_clear(struct chain *c)
{
    for (size_t i = 0; i < c->count; i++)
        buf_clear(&c->items[i]);
}

static status chain_of_key(const struct client_key *key, struct chain *out, struct error *err)
{
    for (size_t i = 0; i < key->certificate_count && i < CHAIN_MAX; i++) {
        struct buf *item = &out->items[out->count++];
        buf_add(item, key->certificates[i].data, key->certificates[i].len);
        TRY(buf_check(item, err));
    }
    return OK;
}

/* For those who may see a key but not sign with it. */
static status chain_of_administration(struct cli *cli, const char *name, struct chain *out, struct error *err)
{
    cleanup_buf struct buf key = {0};
    cleanup_buf struct buf path = {0};
    cleanup_json struct json *answer = NULL;
    TRY(key_reference(cli, name, &key, err));
    api_path(&path, "/v1/keys/%", buf_text(&key));
    TRY(api_request(cli, "GET", &path, NULL, &answer, err));
    const struct json *list = json_get(answer, "certificates");
    for (size_t i = 0; i < json_count(list) && i < CHAIN_MAX; i++) {
        const char *text = json_text(json_at(list, i), "");
        out->count = i + 1;
        TRY(base64_decode(text, strlen(text), &out->items[i], err));
    }
    return OK;
}

static status chain_get(struct cli *cli, const char *name, struct chain *out, struct error *err)
{
    cleanup_client_keys const struct client_keys *keys = NULL;
    const struct client_key *key = NULL;
    TRY(key_look_up(cli, name, &keys, &key, err));
    return key ? chain_of_key(key, out, err) : chain_of_administration(cli, name, out, err);
}

static status form(struct cli *cli, const struct chain *chain, struct buf *out, struct error *err)
{
    if (cli_has(cli, "der")) {
        buf_add(out, chain->items[0].data, chain->items[0].len);
        return buf_check(out, err);
    }
    size_t count = cli_has(cli, "chain") ? chain->count : 1;
    for (size_t i = 0; i < count; i++)
        certificate_pem(buf_slice(&chain->items[i]), out);
    return buf_check(out, err);
}

static status certificate_run(struct cli *cli, struct error *err)
{
    if (cli_has(cli, "chain") + cli_has(cli, "leaf") + cli_has(cli, "der") > 1)
        return cli_usage(cli, err, "--chain, --leaf and --der exclude each other");

    CLEANUP(chain_clear) struct chain chain = {0};
    cleanup_buf struct buf text = {0};
    TRY(chain_get(cli, cli_argument(cli, 0), &chain, err));
    if (chain.count == 0)
        return error_set(err, CODE_NOT_FOUND, "%.140s has no certificate", cli_argument(cli, 0));
    TRY(form(cli, &chain, &text, err));
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

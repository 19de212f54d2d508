/* SPDX-License-Identifier: Apache-2.0 */
/* chancery keys and chancery sign. */
#include <string.h>

#include "cli/api.h"
#include "cli/digest.h"
#include "cli/key_ref.h"
#include "cli/table.h"
#include "cli/tables.h"
#include "common/encoding.h"
#include "common/file.h"
#include "common/text.h"

static void mechanisms_format(const struct client_key *key, struct buf *out)
{
    for (int m = MECHANISM_NONE + 1; m < MECHANISM_COUNT; m++)
        if (key->mechanisms[m])
            buf_printf(out, "%s%s", out->len ? "," : "", mechanism_name((enum mechanism)m));
}

static void key_row(struct table *t, const struct client_key *key)
{
    cleanup_buf struct buf mechanisms = {0};
    char hashes[HASH_SET_SIZE];
    char count[16];
    mechanisms_format(key, &mechanisms);
    hash_set_format(key->hashes, hashes);
    (void)snprintf(count, sizeof(count), "%zu", key->certificate_count);
    table_add(t, key->token_label);
    table_add(t, key_type_name(key->type));
    table_add(t, buf_text(&mechanisms));
    table_add(t, hashes);
    table_add(t, count);
    table_add(t, key->id);
}

static status key_json(struct cli *cli, const struct client_key *key, struct error *err)
{
    cleanup_buf struct buf text = {0};
    char hashes[HASH_SET_SIZE];
    hash_set_format(key->hashes, hashes);
    struct json_writer w = json_writer_on(&text);
    json_begin_object(&w, NULL);
    json_add_text(&w, "name", key->token_label);
    json_add_text(&w, "id", key->id);
    json_add_text(&w, "project", key->project);
    json_add_text(&w, "label", key->label);
    json_add_integer(&w, "version", key->version);
    json_add_text(&w, "type", key_type_name(key->type));
    json_add_base64(&w, "public_key", buf_slice(&key->spki));
    json_add_hex(&w, "cka_id", (struct slice){key->cka_id, sizeof(key->cka_id)});
    json_begin_array(&w, "mechanisms");
    for (int m = MECHANISM_NONE + 1; m < MECHANISM_COUNT; m++)
        if (key->mechanisms[m])
            json_add_text(&w, NULL, mechanism_name((enum mechanism)m));
    json_end_array(&w);
    json_begin_array(&w, "hashes");
    for (int h = HASH_NONE + 1; h < HASH_COUNT; h++)
        if (key->hashes & hash_bit((enum hash)h))
            json_add_text(&w, NULL, hash_name((enum hash)h));
    json_end_array(&w);
    json_begin_array(&w, "certificates");
    for (size_t i = 0; i < key->certificate_count; i++)
        json_add_base64(&w, NULL, buf_slice(&key->certificates[i]));
    json_end_array(&w);
    json_end_object(&w);
    TRY(buf_check(&text, err));
    fprintf(cli->out, "%s\n", buf_text(&text));
    return OK;
}

static status keys_print(struct cli *cli, const struct client_keys *keys, struct error *err)
{
    static const char *const titles[] = {"KEY", "TYPE", "MECHANISMS", "HASHES", "CERTIFICATES", "ID"};
    cleanup_table struct table *t = table_new(titles, COUNT_OF(titles));
    if (!t)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    for (size_t i = 0; i < keys->count; i++) {
        if (cli_is_json(cli))
            TRY(key_json(cli, &keys->items[i], err));
        else
            key_row(t, &keys->items[i]);
    }
    return cli_is_json(cli) ? OK : table_print(t, cli->out, err);
}

static status keys_run(struct cli *cli, struct error *err)
{
    struct client *c = NULL;
    cleanup_client_keys const struct client_keys *keys = NULL;
    TRY(cli_client(cli, &c, err));
    client_keys_refresh(c); /* who asks for the list wants the server's */
    TRY(client_keys(c, cli_deadline(cli), &keys, err));
    return keys_print(cli, keys, err);
}

/* A key that is not in the list is still asked for, as far as its name allows: only the server can say why it may not
 * be used, and only there the attempt goes on record. */
static status unlisted_key(struct cli *cli, const char *name, struct client_key *key, struct error *err)
{
    const char *hyphen = strchr(name, '-');
    cleanup_buf struct buf id = {0};
    if (strchr(name, ':') || strncmp(name, "key_", 4) == 0)
        api_path(&id, "%", name);
    else if (hyphen && !strchr(hyphen + 1, '-'))
        buf_printf(&id, "%.*s:%s", (int)(hyphen - name), name, hyphen + 1);
    if (id.len == 0 || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-:") != strlen(name) ||
        !text_copy(key->id, sizeof(key->id), buf_text(&id)))
        return error_set(err, CODE_NOT_FOUND,
                         "no key that you may use is named %.100s (chancery keys lists them; to hear the server's "
                         "reason, name it PROJECT:LABEL)",
                         name);

    static const enum key_type guess[] = {
        [FAMILY_RSA] = KEY_TYPE_RSA3072, [FAMILY_EC] = KEY_TYPE_P256, [FAMILY_EDWARDS] = KEY_TYPE_ED25519};
    enum mechanism m = MECHANISM_RSA_PKCS1;
    if (cli_has(cli, "mechanism"))
        (void)mechanism_parse(cli_option(cli, "mechanism"), &m);
    key->type = guess[mechanism_family(m)];
    return OK;
}

/* ECDSA as DER unless --raw: the form that other tools verify. */
static status signature_form(struct cli *cli, const struct sign_input *in, struct buf *signature, struct error *err)
{
    if (in->mechanism != MECHANISM_ECDSA || cli_has(cli, "raw"))
        return OK;
    cleanup_buf struct buf der = {0};
    TRY(ecdsa_raw_to_der(buf_slice(signature), &der, err));
    buf_clear(signature);
    *signature = der;
    der = (struct buf){0};
    return OK;
}

static status signature_store(struct cli *cli, const char *file, const struct buf *signature, struct error *err)
{
    cleanup_buf struct buf path = {0};
    buf_printf(&path, "%s%s", cli_has(cli, "output") ? cli_option(cli, "output") : file,
               cli_has(cli, "output") ? "" : ".sig");
    TRY(buf_check(&path, err));
    if (strcmp(buf_text(&path), "-") == 0) {
        fwrite(signature->data, 1, signature->len, cli->out);
        return OK;
    }
    TRY(file_write(buf_text(&path), buf_slice(signature), 0644, err));
    if (cli_is_json(cli)) {
        cleanup_buf struct buf text = {0};
        struct json_writer w = json_writer_on(&text);
        json_begin_object(&w, NULL);
        json_add_text(&w, "file", buf_text(&path));
        json_add_base64(&w, "signature", buf_slice(signature));
        json_end_object(&w);
        fprintf(cli->out, "%s\n", buf_text(&text));
    }
    return OK;
}

static status sign_with(struct cli *cli, struct client *c, const struct client_key *key, struct error *err)
{
    const char *file = cli_argument(cli, 0);
    cleanup_buf struct buf bytes = {0};
    cleanup_buf struct buf signature = {0};
    struct sign_input in;
    TRY(input_make(cli, key_type_family(key->type), file, &bytes, &in, err));
    TRY(client_sign(c, key, &in, cli_deadline(cli), &signature, err));
    TRY(signature_form(cli, &in, &signature, err));
    return signature_store(cli, file, &signature, err);
}

static status sign_run(struct cli *cli, struct error *err)
{
    const char *name = cli_option(cli, "key");
    if (!name)
        return cli_usage(cli, err, "--key is missing");
    if (strcmp(cli_argument(cli, 0), "-") == 0 && !cli_has(cli, "output"))
        return cli_usage(cli, err, "--output is missing for what comes from standard input");

    struct client *c = NULL;
    cleanup_client_keys const struct client_keys *keys = NULL;
    TRY(cli_client(cli, &c, err));
    struct client_key unlisted = {0};
    const struct client_key *key = NULL;
    TRY(key_find_fresh(cli, c, name, &keys, &key, err));
    if (!key) {
        TRY(unlisted_key(cli, name, &unlisted, err));
        key = &unlisted;
    }
    return sign_with(cli, c, key, err);
}

static const struct cli_option sign_options[] = {
    {"key", "KEY", "PROJECT-LABEL, PROJECT:LABEL or id, as chancery keys shows them"},
    {"mechanism", "NAME", "rsa_pkcs1 (default for RSA), rsa_pss, ecdsa, eddsa"},
    {"hash", "NAME", "sha256 (default), sha384, sha512, sha3-256 and so on; not for Ed25519"},
    {"output", "FILE", "where the signature goes; default FILE.sig; - for standard output"},
    {"raw", NULL, "ECDSA as r||s (PKCS#11) instead of DER"},
    {0},
};

const struct cli_command signing_commands[] = {
    {"keys", "", "list the keys you may sign with", CLI_PRINCIPAL, NULL, keys_run},
    {"sign", "FILE", "sign a file; the signature goes to a file of its own", CLI_PRINCIPAL, sign_options, sign_run},
    {0},
};

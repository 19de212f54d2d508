/* SPDX-License-Identifier: Apache-2.0 */
/* chancery verify: a detached signature against a file; needs no server but for the public key of --key. */
#include <string.h>

#include "cli/certificates.h"
#include "cli/digest.h"
#include "cli/key_ref.h"
#include "cli/tables.h"
#include "common/file.h"
#include "common/openssl_scope.h"

enum { SIGNATURE_MAX = 16 * 1024 };

static status key_of_name(struct cli *cli, const char *name, EVP_PKEY **out, struct error *err)
{
    cleanup_client_keys const struct client_keys *keys = NULL;
    const struct client_key *key = NULL;
    TRY(key_look_up(cli, name, &keys, &key, err));
    if (!key)
        return error_set(err, CODE_NOT_FOUND, "no key that you may use is named %.140s", name);
    if (!is_ok(public_key_decode(NULL, buf_slice(&key->spki), out, NULL)))
        return error_set(err, CODE_INTERNAL, "the public key of %s is malformed", key->token_label);
    return OK;
}

static status public_key_get(struct cli *cli, EVP_PKEY **out, struct error *err)
{
    const char *name = cli_option(cli, "key");
    const char *certificate = cli_option(cli, "certificate");
    const char *file = cli_option(cli, "public-key");
    if ((name != NULL) + (certificate != NULL) + (file != NULL) != 1)
        return cli_usage(cli, err, "one of --key, --certificate and --public-key is expected");
    if (name)
        return key_of_name(cli, name, out, err);
    return certificate ? public_key_from_certificate(certificate, out, err) : public_key_from_file(file, out, err);
}

/* The PKCS#11 form of what stands in the file. */
static status signature_read(struct cli *cli, enum key_type type, const struct sign_input *in, struct buf *out,
                             struct error *err)
{
    cleanup_buf struct buf content = {0};
    TRY(file_read(cli_option(cli, "signature"), SIGNATURE_MAX, FILE_ANY, &content, err));
    if (in->mechanism == MECHANISM_ECDSA && !cli_has(cli, "raw")) {
        if (is_ok(ecdsa_der_to_raw(buf_slice(&content), key_type_signature_len(type) / 2, out, NULL)))
            return OK;
        return error_set(err, CODE_BAD_SIGNATURE, "%s holds no ECDSA signature in DER (--raw for r||s)",
                         cli_option(cli, "signature"));
    }
    buf_add(out, content.data, content.len);
    return buf_check(out, err);
}

static status verify_run(struct cli *cli, struct error *err)
{
    if (!cli_has(cli, "signature"))
        return cli_usage(cli, err, "--signature is missing");

    cleanup_pkey EVP_PKEY *key = NULL;
    cleanup_buf struct buf bytes = {0};
    cleanup_buf struct buf signature = {0};
    struct sign_input in;
    enum key_type type = KEY_TYPE_NONE;
    TRY(public_key_get(cli, &key, err));
    TRY(key_type_of(key, &type, err));
    TRY(input_make(cli, key_type_family(type), cli_argument(cli, 0), &bytes, &in, err));
    TRY(sign_input_check(&in, type, err));
    TRY(signature_read(cli, type, &in, &signature, err));
    TRY(signature_verify(NULL, key, &in, buf_slice(&signature), err));
    fprintf(cli->out, cli_is_json(cli) ? "{\"verified\":true}\n" : "the signature is good\n");
    return OK;
}

static const struct cli_option verify_options[] = {
    {"signature", "FILE", "the detached signature"},
    {"key", "KEY", "public key of this Signing Key"},
    {"certificate", "FILE", "public key of this certificate (the chain is not judged)"},
    {"public-key", "FILE", "this public key"},
    {"mechanism", "NAME", "rsa_pkcs1 (default for RSA) or rsa_pss (salt as long as the hash)"},
    {"hash", "NAME", "sha256 (default), sha384, sha512, sha3-256 and so on; not for Ed25519"},
    {"raw", NULL, "the ECDSA signature is r||s instead of DER"},
    {0},
};

const struct cli_command verify_commands[] = {
    {"verify", "FILE", "verify a detached signature of a file", CLI_PRINCIPAL, verify_options, verify_run},
    {0},
};

/* SPDX-License-Identifier: Apache-2.0 */
/* chancery key … */
#include <string.h>

#include "cli/api.h"
#include "cli/key_ref.h"
#include "cli/tables.h"
#include "common/text.h"

/* A repeated option as an array. */
static void list_add(struct cli *cli, struct json_writer *w, const char *member, const char *option)
{
    if (!cli_has(cli, option))
        return;
    json_begin_array(w, member);
    for (size_t i = 0; cli_option_at(cli, option, i); i++)
        json_add_text(w, NULL, cli_option_at(cli, option, i));
    json_end_array(w);
}

static status certificate_add(struct cli *cli, struct json_writer *w, struct error *err)
{
    const char *days = cli_option(cli, "days");
    int64_t count = 0;
    if (days && (!text_to_int64(days, &count) || count < 1))
        return cli_usage(cli, err, "--days: a positive number is expected");
    if (!cli_has(cli, "certificate") && !cli_has(cli, "subject") && !cli_has(cli, "ca") && !days)
        return OK;

    json_begin_object(w, "certificate");
    const char *by = cli_has(cli, "certificate") ? cli_option(cli, "certificate") : "builtin";
    bool is_issuer = strcmp(by, "builtin") == 0 || strcmp(by, "none") == 0;
    json_add_text(w, is_issuer ? "issuer" : "connector", by);
    api_add_option(cli, w, "subject", "subject");
    api_add_option(cli, w, "ca", "ca");
    if (days)
        json_add_integer(w, "days", count);
    json_end_object(w);
    return OK;
}

static status key_create(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0};
    cleanup_buf struct buf body = {0};
    if (!cli_has(cli, "type"))
        return cli_usage(cli, err, "--type is missing");
    struct json_writer w = json_writer_on(&body);
    json_begin_object(&w, NULL);
    json_add_text(&w, "label", cli_argument(cli, 1));
    json_add_text(&w, "type", cli_option(cli, "type"));
    TRY(certificate_add(cli, &w, err));
    api_add_option(cli, &w, "hsm", "hsm");
    if (cli_has(cli, "later"))
        json_add_text(&w, "generate", "later");
    list_add(cli, &w, "hashes", "hash");
    list_add(cli, &w, "mechanisms", "mechanism");
    json_end_object(&w);
    api_path(&path, "/v1/projects/%/keys", cli_argument(cli, 0));
    return api_show(cli, "POST", &path, &body, err);
}

static status key_list(struct cli *cli, struct error *err)
{
    static const struct api_column columns[] = {{"PROJECT", "project"}, {"LABEL", "label"},
                                                {"TYPE", "type"},       {"STATE", "state"},
                                                {"VERSION", "version"}, {"CERTIFICATES", "certificates"},
                                                {"ID", "id"},           {"CREATED", "created"}};
    cleanup_buf struct buf path = {0};
    api_path(&path, "/v1/keys");
    api_query(&path, "project", cli_option(cli, "project"));
    api_query(&path, "label", cli_option(cli, "label"));
    api_query(&path, "state", cli_option(cli, "state"));
    api_query(&path, "type", cli_option(cli, "type"));
    api_query(&path, "expiring_within", cli_option(cli, "expiring-within"));
    return api_list(cli, &path, columns, COUNT_OF(columns), err);
}

static status key_show(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf key = {0};
    cleanup_buf struct buf path = {0};
    TRY(key_reference(cli, cli_argument(cli, 0), &key, err));
    api_path(&path, "/v1/keys/%", buf_text(&key));
    return api_show(cli, "GET", &path, NULL, err);
}

/* POST /v1/keys/{key}/<action> with the options that are given. */
static status key_act(struct cli *cli, const char *action, struct error *err)
{
    cleanup_buf struct buf key = {0};
    cleanup_buf struct buf path = {0};
    cleanup_buf struct buf body = {0};
    static const char *const texts[] = {"reason", "subject", "hsm", "ca", "connector"};
    TRY(key_reference(cli, cli_argument(cli, 0), &key, err));
    struct json_writer w = json_writer_on(&body);
    json_begin_object(&w, NULL);
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        api_add_option(cli, &w, texts[i], texts[i]);
    TRY(api_add_number(cli, &w, "grace_hours", "grace-hours", err));
    TRY(api_add_number(cli, &w, "days", "days", err));
    json_end_object(&w);
    api_path(&path, "/v1/keys/%/%", buf_text(&key), action);
    return api_show(cli, "POST", &path, &body, err);
}

static status key_disable(struct cli *cli, struct error *err)
{
    return key_act(cli, "disable", err);
}

static status key_enable(struct cli *cli, struct error *err)
{
    return key_act(cli, "enable", err);
}

static status key_retire(struct cli *cli, struct error *err)
{
    return key_act(cli, "retire", err);
}

static status key_destroy(struct cli *cli, struct error *err)
{
    return key_act(cli, "destroy", err);
}

static status key_import(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0};
    cleanup_buf struct buf body = {0};
    struct json_writer w = json_writer_on(&body);
    json_begin_object(&w, NULL);
    json_add_text(&w, "label", cli_argument(cli, 1));
    api_add_option(cli, &w, "cka_id", "cka-id");
    api_add_option(cli, &w, "hsm", "hsm");
    api_add_option(cli, &w, "hsm_label", "hsm-label");
    if (cli_has(cli, "accept-weak"))
        json_add_bool(&w, "accept_weak", true);
    TRY(certificate_add(cli, &w, err));
    json_end_object(&w);
    api_path(&path, "/v1/projects/%/keys/import", cli_argument(cli, 0));
    return api_show(cli, "POST", &path, &body, err);
}

static status key_activate(struct cli *cli, struct error *err)
{
    return key_act(cli, "activate", err);
}

static status key_rotate(struct cli *cli, struct error *err)
{
    return key_act(cli, "rotate", err);
}

static status key_renew(struct cli *cli, struct error *err)
{
    return key_act(cli, "renew", err);
}

static status key_sources(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0};
    api_path(&path, "/v1/projects/%/key-sources", cli_argument(cli, 0));
    return api_show(cli, "GET", &path, NULL, err);
}

static status key_versions(struct cli *cli, struct error *err)
{
    static const struct api_column columns[] = {
        {"VERSION", "version"},         {"STATE", "state"},    {"TYPE", "type"},
        {"CKA_ID", "cka_id"},           {"HSM", "hsm_name"},   {"CREATED", "created"},
        {"GRACE UNTIL", "grace_until"}, {"REVOKED", "revoked"}};
    cleanup_buf struct buf key = {0};
    cleanup_buf struct buf path = {0};
    TRY(key_reference(cli, cli_argument(cli, 0), &key, err));
    api_path(&path, "/v1/keys/%/versions", buf_text(&key));
    return api_list(cli, &path, columns, COUNT_OF(columns), err);
}

static status key_certificate(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf key = {0};
    cleanup_buf struct buf path = {0};
    TRY(key_reference(cli, cli_argument(cli, 0), &key, err));
    api_path(&path, "/v1/keys/%/certificate", buf_text(&key));
    return api_show(cli, "GET", &path, NULL, err);
}

static status key_revoke(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf key = {0};
    cleanup_buf struct buf path = {0};
    cleanup_buf struct buf body = {0};
    TRY(cli_revocation_body(cli, &body, err));
    TRY(key_reference(cli, cli_argument(cli, 0), &key, err));
    api_path(&path, "/v1/keys/%/versions/%/revoke", buf_text(&key), cli_argument(cli, 1));
    return api_show(cli, "POST", &path, &body, err);
}

static const struct cli_option create_options[] = {
    {"type", "TYPE", "rsa2048, rsa3072, rsa4096, p256, p384, p521 or ed25519"},
    {"certificate", "ISSUER", "builtin (default), none, manual, or the name of a connector"},
    {"subject", "NAME", "subject of the certificate, e.g. CN=Build,O=Example; default CN=<project>-<label>"},
    {"days", "N", "life of the certificate"},
    {"hsm", "NAME", "the HSM that makes it; default: default"},
    {"ca", "CA", "the CA that issues it; default: issuing"},
    {"later", NULL, "leave the key pending; the HSM makes it when it is activated"},
    {"hash", "NAME...", "a hash the key may sign, e.g. sha256; may stand several times"},
    {"mechanism", "NAME...", "a mechanism the key may be used with, e.g. rsa_pss; may stand several times"},
    {0},
};
static const struct cli_option list_options[] = {
    {"project", "PROJECT", "only keys of this Project"},
    {"label", "TEXT", "only keys whose label begins like this"},
    {"state", "STATE", "only keys in this state, such as active"},
    {"type", "TYPE", "only keys of this type"},
    {"expiring-within", "DAYS", "only keys whose certificate ends within so many days, or has ended"},
    {0},
};
static const struct cli_option import_options[] = {
    {"cka-id", "HEX", "the private key's CKA_ID in the HSM; or"},
    {"hsm-label", "TEXT", "its CKA_LABEL"},
    {"hsm", "NAME", "the HSM that has it; default: default"},
    {"certificate", "ISSUER", "builtin (default), none, manual, or the name of a connector"},
    {"subject", "NAME", "subject of the certificate; default CN=<project>-<label>"},
    {"days", "N", "life of the certificate"},
    {"ca", "CA", "the CA that issues it; default: issuing"},
    {"accept-weak", NULL, "take a key whose attributes are weaker than required, and mark it"},
    {0},
};
static const struct cli_option rotate_options[] = {
    {"hsm", "NAME", "the HSM that makes the new version; default: as before"},
    {"grace-hours", "N", "how long the version before may still sign for who has it in hand; default 0"},
    {"subject", "NAME", "subject of the new certificate; default: as before"},
    {"days", "N", "life of the new certificate; default: as before"},
    {"ca", "CA", "the CA that issues it; default: as before"},
    {"connector", "CONNECTOR", "builtin, manual, or the name of one; the key's certificates come by it from now on"},
    {0},
};
static const struct cli_option renew_options[] = {
    {"subject", "NAME", "subject of the new certificate; default: as before"},
    {"days", "N", "life of the new certificate; default: as before"},
    {"ca", "CA", "the CA that issues it; default: as before"},
    {"connector", "CONNECTOR", "builtin, or the name of one; the key's certificates come by it from now on"},
    {0},
};
static const struct cli_option disable_options[] = {{"reason", "TEXT", "kept with the key and in the audit log"}, {0}};

const struct cli_command key_commands[] = {
    {"key create", "PROJECT LABEL", "make a Signing Key in the HSM", CLI_ADMINISTRATION, create_options, key_create},
    {"key list", "", "list Signing Keys, whoever may use them", CLI_ADMINISTRATION, list_options, key_list},
    {"key show", "KEY", "show one Signing Key", CLI_ADMINISTRATION, NULL, key_show},
    {"key disable", "KEY", "stop every use of a Signing Key, from the next signature on", CLI_ADMINISTRATION,
     disable_options, key_disable},
    {"key enable", "KEY", "allow use of a disabled Signing Key again", CLI_ADMINISTRATION, NULL, key_enable},
    {"key import", "PROJECT LABEL", "make a Signing Key of one that is in the HSM", CLI_ADMINISTRATION, import_options,
     key_import},
    {"key activate", "KEY", "make a pending Signing Key in the HSM", CLI_ADMINISTRATION, NULL, key_activate},
    {"key rotate", "KEY", "make a new version under the same label", CLI_ADMINISTRATION, rotate_options, key_rotate},
    {"key renew", "KEY", "issue a new certificate for the same key", CLI_ADMINISTRATION, renew_options, key_renew},
    {"key sources", "PROJECT", "list the HSMs and connectors that keys of a Project can be made by", CLI_ADMINISTRATION,
     NULL, key_sources},
    {"key versions", "KEY", "list the versions of a Signing Key", CLI_ADMINISTRATION, NULL, key_versions},
    {"key certificate", "KEY", "show what the certificate of a Signing Key says and lacks", CLI_ADMINISTRATION, NULL,
     key_certificate},
    {"key revoke", "KEY VERSION", "revoke the certificates of a version", CLI_ADMINISTRATION, cli_revocation_options,
     key_revoke},
    {"key retire", "KEY", "end every use of a Signing Key for good", CLI_ADMINISTRATION, disable_options, key_retire},
    {"key destroy", "KEY", "destroy a retired Signing Key in the HSM", CLI_ADMINISTRATION, NULL, key_destroy},
    {0},
};

/* SPDX-License-Identifier: Apache-2.0 */
/* chancery ca …: the certificate authorities, what they issued, and revocation. */
#include <string.h>

#include "cli/api.h"
#include "cli/tables.h"
#include "common/encoding.h"
#include "common/file.h"
#include "common/text.h"

enum { CERTIFICATE_FILE_MOST = 128 * 1024 };

static status ca_list(struct cli *cli, struct error *err)
{
    static const struct api_column columns[] = {
        {"NAME", "name"},       {"PARENT", "parent"},       {"PURPOSE", "purpose"},    {"STATE", "state"},
        {"SUBJECT", "subject"}, {"NOT AFTER", "not_after"}, {"REVOKED", "revocations"}};
    cleanup_buf struct buf path = {0};
    api_path(&path, "/v1/cas");
    api_query(&path, "state", cli_option(cli, "state"));
    return api_list(cli, &path, columns, COUNT_OF(columns), err);
}

static status ca_show(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0};
    api_path(&path, "/v1/cas/%", cli_argument(cli, 0));
    return api_show(cli, "GET", &path, NULL, err);
}

static status number_add(struct cli *cli, struct json_writer *w, const char *member, const char *option,
                         struct error *err)
{
    int64_t number = 0;
    if (!cli_has(cli, option))
        return OK;
    if (!text_to_int64(cli_option(cli, option), &number) || number < 1)
        return cli_usage(cli, err, "--%s: a positive number is expected", option);
    json_add_integer(w, member, number);
    return OK;
}

static status ca_create(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0}, body = {0};
    struct json_writer w = json_writer_on(&body);
    if (!cli_has(cli, "subject"))
        return cli_usage(cli, err, "--subject is missing");
    json_begin_object(&w, NULL);
    json_add_text(&w, "name", cli_argument(cli, 0));
    json_add_text(&w, "purpose", cli_has(cli, "purpose") ? cli_option(cli, "purpose") : "code_signing");
    api_add_option(cli, &w, "subject", "subject");
    api_add_option(cli, &w, "parent", "parent");
    api_add_option(cli, &w, "key_type", "type");
    api_add_option(cli, &w, "policy", "policy");
    if (cli_has(cli, "external"))
        json_add_bool(&w, "external", true);
    TRY(number_add(cli, &w, "days", "days", err));
    TRY(number_add(cli, &w, "leaf_days", "leaf-days", err));
    TRY(number_add(cli, &w, "crl_days", "crl-days", err));
    json_end_object(&w);
    api_path(&path, "/v1/cas");
    return api_show(cli, "POST", &path, &body, err);
}

static status ca_change(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0}, body = {0};
    struct json_writer w = json_writer_on(&body);
    json_begin_object(&w, NULL);
    api_add_option(cli, &w, "state", "state");
    api_add_option(cli, &w, "policy", "policy");
    TRY(number_add(cli, &w, "leaf_days", "leaf-days", err));
    TRY(number_add(cli, &w, "crl_days", "crl-days", err));
    json_end_object(&w);
    api_path(&path, "/v1/cas/%", cli_argument(cli, 0));
    return api_show(cli, "PATCH", &path, &body, err);
}

/* One member of the answer, as it is. */
static status member_show(struct cli *cli, const char *pattern, const char *member, struct error *err)
{
    cleanup_buf struct buf path = {0};
    cleanup_json struct json *answer = NULL;
    api_path(&path, pattern, cli_argument(cli, 0));
    TRY(api_request(cli, "GET", &path, NULL, &answer, err));
    if (cli_is_json(cli))
        return api_print_json(cli, answer, err);
    fprintf(cli->out, "%s", json_get_text(answer, member, ""));
    return OK;
}

static status ca_csr(struct cli *cli, struct error *err)
{
    return member_show(cli, "/v1/cas/%/csr", "csr", err);
}

static status ca_crl(struct cli *cli, struct error *err)
{
    return member_show(cli, "/v1/cas/%/crl", "crl", err);
}

/* PEM as it is, DER as base64. */
static status file_add(struct json_writer *w, const char *member, const char *path, struct error *err)
{
    cleanup_buf struct buf content = {0}, base64 = {0};
    TRY(file_read(path, CERTIFICATE_FILE_MOST, FILE_ANY, &content, err));
    if (content.len > 0 && content.data[0] == 0x30) {
        base64_encode(buf_slice(&content), &base64);
        TRY(buf_check(&base64, err));
        json_add_text(w, member, buf_text(&base64));
    } else {
        json_add_text(w, member, buf_text(&content));
    }
    return OK;
}

/* Without a file it prints, with one it takes. */
static status ca_certificate(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0}, body = {0};
    struct json_writer w = json_writer_on(&body);
    if (!cli_argument(cli, 1))
        return member_show(cli, "/v1/cas/%", "certificate", err);
    json_begin_object(&w, NULL);
    TRY(file_add(&w, "certificate", cli_argument(cli, 1), err));
    if (cli_has(cli, "root"))
        TRY(file_add(&w, "root", cli_option(cli, "root"), err));
    json_end_object(&w);
    api_path(&path, "/v1/cas/%/certificate", cli_argument(cli, 0));
    return api_show(cli, "PUT", &path, &body, err);
}

static status ca_issued(struct cli *cli, struct error *err)
{
    static const struct api_column columns[] = {
        {"SERIAL", "serial"},   {"PROFILE", "profile"},     {"SUBJECT", "subject"}, {"KEY", "key"},
        {"VERSION", "version"}, {"NOT AFTER", "not_after"}, {"REVOKED", "revoked"}, {"REASON", "reason"}};
    cleanup_buf struct buf path = {0};
    api_path(&path, "/v1/cas/%/certificates", cli_argument(cli, 0));
    api_query(&path, "state", cli_option(cli, "state"));
    return api_list(cli, &path, columns, COUNT_OF(columns), err);
}

status cli_revocation_body(struct cli *cli, struct buf *body, struct error *err)
{
    struct json_writer w = json_writer_on(body);
    if (!cli_has(cli, "reason"))
        return cli_usage(cli, err, "--reason is missing");
    json_begin_object(&w, NULL);
    api_add_option(cli, &w, "reason", "reason");
    api_add_option(cli, &w, "at", "at");
    api_add_option(cli, &w, "invalid_since", "invalid-since");
    json_end_object(&w);
    return buf_check(body, err);
}

static status ca_revoke(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0}, body = {0};
    TRY(cli_revocation_body(cli, &body, err));
    api_path(&path, "/v1/cas/%/certificates/%/revoke", cli_argument(cli, 0), cli_argument(cli, 1));
    return api_show(cli, "POST", &path, &body, err);
}

static const struct cli_option list_options[] = {{"state", "STATE", "active, awaiting_certificate or retired"}, {0}};
static const struct cli_option create_options[] = {
    {"purpose", "PURPOSE", "code_signing (default) or timestamping"},
    {"subject", "NAME", "subject of its certificate, e.g. CN=Release CA,O=Example,C=DE"},
    {"parent", "CA", "the CA that certifies it; default: root"},
    {"external", NULL, "somebody outside certifies it: see ca csr and ca certificate"},
    {"type", "TYPE", "rsa3072, rsa4096, p256 or p384 (default)"},
    {"days", "N", "life of its certificate"},
    {"policy", "OID", "certificate policy of what it issues"},
    {"leaf-days", "N", "longest life of what it issues; default 460"},
    {"crl-days", "N", "life of its CRLs; default 7"},
    {0},
};
static const struct cli_option change_options[] = {
    {"state", "STATE", "retired: it issues nothing more; active"},
    {"policy", "OID", "certificate policy of what it issues"},
    {"leaf-days", "N", "longest life of what it issues"},
    {"crl-days", "N", "life of its CRLs"},
    {0},
};
static const struct cli_option certificate_options[] = {{"root", "FILE", "the root, where FILE does not have it"}, {0}};
static const struct cli_option issued_options[] = {{"state", "STATE", "valid, expiring, expired or revoked"}, {0}};
const struct cli_option cli_revocation_options[] = {
    {"reason", "REASON", "key_compromise, superseded, cessation_of_operation, affiliation_changed, …"},
    {"at", "TIME", "from when on; default: now"},
    {"invalid-since", "TIME", "with key_compromise: when the key may have been lost"},
    {0},
};

const struct cli_command ca_commands[] = {
    {"ca list", "", "list the certificate authorities", CLI_ADMINISTRATION, list_options, ca_list},
    {"ca show", "CA", "show one certificate authority", CLI_ADMINISTRATION, NULL, ca_show},
    {"ca create", "CA", "make a certificate authority, its key in the HSM", CLI_ADMINISTRATION, create_options,
     ca_create},
    {"ca change", "CA", "retire a certificate authority, or change what it issues", CLI_ADMINISTRATION, change_options,
     ca_change},
    {"ca csr", "CA", "print the request of a CA that somebody outside certifies", CLI_ADMINISTRATION, NULL, ca_csr},
    {"ca certificate", "CA [FILE]", "print a CA's certificate, or take it from FILE (PEM chain or DER)",
     CLI_ADMINISTRATION, certificate_options, ca_certificate},
    {"ca crl", "CA", "print the CRL of a CA", CLI_ADMINISTRATION, NULL, ca_crl},
    {"ca issued", "CA", "list the certificates that a CA issued", CLI_ADMINISTRATION, issued_options, ca_issued},
    {"ca revoke", "CA SERIAL", "revoke a certificate", CLI_ADMINISTRATION, cli_revocation_options, ca_revoke},
    {0},
};

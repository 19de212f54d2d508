/* SPDX-License-Identifier: Apache-2.0 */
/* chancery policy …, freeze, unfreeze, digest …, access explain: what keys may be used for. */
#include <string.h>

#include "chancery/protocol.h"
#include "chancery/protocol.h"
#include "cli/api.h"
#include "cli/key_ref.h"
#include "cli/tables.h"
#include "common/file.h"

enum { POLICY_FILE_MAX = 64 * 1024 };

/* "/v1/policy", "/v1/projects/P/policy" or "/v1/keys/K/policy", with what follows. */
static status scope_path(struct cli *cli, const char *rest, struct buf *path, struct error *err)
{
    cleanup_buf struct buf key = {0};
    const char *project = cli_option(cli, "project");
    if (project && cli_has(cli, "key"))
        return cli_usage(cli, err, "--project and --key exclude each other");
    if (cli_has(cli, "key")) {
        TRY(key_reference(cli, cli_option(cli, "key"), &key, err));
        api_path(path, "/v1/keys/%", buf_text(&key));
    } else if (project) {
        api_path(path, "/v1/projects/%", project);
    } else {
        buf_add_text(path, "/v1");
    }
    buf_add_text(path, rest);
    return buf_check(path, err);
}

static status policy_show(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0};
    TRY(scope_path(cli, "/policy", &path, err));
    return api_show(cli, "GET", &path, NULL, err);
}

static status policy_set(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0}, document = {0};
    TRY(file_read(cli_argument(cli, 0), POLICY_FILE_MAX, FILE_ANY, &document, err));
    TRY(scope_path(cli, "/policy", &path, err));
    return api_show(cli, "PUT", &path, &document, err);
}

static status policy_remove(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0};
    TRY(scope_path(cli, "/policy", &path, err));
    return api_do(cli, "DELETE", &path, "removed", err);
}

static status policy_versions(struct cli *cli, struct error *err)
{
    static const struct api_column columns[] = {{"VERSION", "version"}, {"CREATED", "created"}, {"AUTHOR", "author"}};
    cleanup_buf struct buf path = {0};
    TRY(scope_path(cli, "/policy/versions", &path, err));
    return api_list(cli, &path, columns, COUNT_OF(columns), err);
}

static status policy_dry_run(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0}, document = {0}, body = {0}, key = {0};
    cleanup_json struct json *policy = NULL;
    TRY(file_read(cli_argument(cli, 0), POLICY_FILE_MAX, FILE_ANY, &document, err));
    TRY(json_parse(buf_slice(&document), POLICY_FILE_MAX, LIMIT_JSON_DEPTH, &policy, err));
    struct json_writer w = json_writer_on(&body);
    json_begin_object(&w, NULL);
    json_add_value(&w, "policy", policy);
    api_add_option(cli, &w, "project", "project");
    if (cli_has(cli, "key")) {
        TRY(key_reference(cli, cli_option(cli, "key"), &key, err));
        json_add_text(&w, "key", buf_text(&key));
    }
    api_add_option(cli, &w, "from", "from");
    api_add_option(cli, &w, "to", "to");
    json_end_object(&w);
    api_path(&path, "/v1/policies/dry-run");
    return api_show(cli, "POST", &path, &body, err);
}

static status freeze_set(struct cli *cli, const char *rest, struct error *err)
{
    cleanup_buf struct buf path = {0}, body = {0};
    if (!cli_has(cli, "reason"))
        return cli_usage(cli, err, "--reason is missing");
    struct json_writer w = json_writer_on(&body);
    json_begin_object(&w, NULL);
    json_add_text(&w, "reason", cli_option(cli, "reason"));
    json_end_object(&w);
    TRY(scope_path(cli, rest, &path, err));
    return api_show(cli, "POST", &path, &body, err);
}

static status freeze(struct cli *cli, struct error *err)
{
    return freeze_set(cli, "/freeze", err);
}

static status unfreeze(struct cli *cli, struct error *err)
{
    return freeze_set(cli, "/unfreeze", err);
}

static status digest_path(struct cli *cli, struct buf *path, struct error *err)
{
    cleanup_buf struct buf key = {0};
    TRY(key_reference(cli, cli_argument(cli, 0), &key, err));
    api_path(path, "/v1/keys/%/digests", buf_text(&key));
    return buf_check(path, err);
}

static status digest_add(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0}, body = {0};
    struct json_writer w = json_writer_on(&body);
    json_begin_object(&w, NULL);
    json_add_text(&w, "hash", cli_argument(cli, 1));
    json_add_text(&w, "digest", cli_argument(cli, 2));
    if (cli_has(cli, "count"))
        json_add_raw(&w, "count", cli_option(cli, "count"));
    api_add_option(cli, &w, "expires", "expires");
    api_add_option(cli, &w, "note", "note");
    json_end_object(&w);
    if (cli_has(cli, "count") && strspn(cli_option(cli, "count"), "0123456789") != strlen(cli_option(cli, "count")))
        return cli_usage(cli, err, "--count: a number is expected");
    TRY(digest_path(cli, &path, err));
    return api_show(cli, "POST", &path, &body, err);
}

static status digest_list(struct cli *cli, struct error *err)
{
    static const struct api_column columns[] = {{"HASH", "hash"},           {"DIGEST", "digest"},
                                                {"REMAINING", "remaining"}, {"EXPIRES", "expires"},
                                                {"AUTHOR", "author"},       {"NOTE", "note"}};
    cleanup_buf struct buf path = {0};
    TRY(digest_path(cli, &path, err));
    return api_list(cli, &path, columns, COUNT_OF(columns), err);
}

static status digest_remove(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0}, rest = {0};
    TRY(digest_path(cli, &path, err));
    api_path(&rest, "/%/%", cli_argument(cli, 1), cli_argument(cli, 2));
    buf_add(&path, rest.data, rest.len);
    return api_do(cli, "DELETE", &path, "removed", err);
}

static status access_explain(struct cli *cli, struct error *err)
{
    cleanup_buf struct buf path = {0}, body = {0}, key = {0};
    const char *mechanism = cli_option(cli, "mechanism");
    if (!mechanism)
        return cli_usage(cli, err, "--mechanism is missing");
    TRY(key_reference(cli, cli_argument(cli, 1), &key, err));
    struct json_writer w = json_writer_on(&body);
    json_begin_object(&w, NULL);
    json_add_text(&w, "principal", cli_argument(cli, 0));
    json_add_text(&w, "key", buf_text(&key));
    json_add_text(&w, "mechanism", mechanism);
    if (strcmp(mechanism, "eddsa") != 0)
        json_add_text(&w, "hash", cli_has(cli, "hash") ? cli_option(cli, "hash") : "sha256");
    api_add_option(cli, &w, "digest", "digest");
    api_add_option(cli, &w, "address", "address");
    api_add_option(cli, &w, "time", "time");
    json_end_object(&w);
    api_path(&path, "/v1/access/explain");
    return api_show(cli, "POST", &path, &body, err);
}

#define SCOPE_OPTIONS                                                                                                  \
    {"project", "PROJECT", "of this Project instead of the platform"},                                                 \
    {                                                                                                                  \
        "key", "KEY", "of this key"                                                                                    \
    }
static const struct cli_option scope_options[] = {SCOPE_OPTIONS, {0}};
static const struct cli_option dry_run_options[] = {
    SCOPE_OPTIONS,
    {"from", "TIME", "RFC 3339; default 31 days before --to"},
    {"to", "TIME", "RFC 3339; default now"},
    {0},
};
static const struct cli_option freeze_options[] = {{"project", "PROJECT", "of this Project alone"},
                                                   {"reason", "TEXT", "kept in the record; refused signers see it"},
                                                   {0}};
static const struct cli_option digest_options[] = {
    {"count", "N", "how often it may be signed; default any number of times"},
    {"expires", "TIME", "RFC 3339 time after which it is refused"},
    {"note", "TEXT", "what the digest is of"},
    {0},
};
static const struct cli_option explain_options[] = {
    {"mechanism", "NAME", "rsa_pkcs1, rsa_pss, ecdsa or eddsa"},
    {"hash", "NAME", "default sha256"},
    {"digest", "HEX", "what is to be signed, for a key with a list of digests"},
    {"address", "ADDRESS", "from where"},
    {"time", "TIME", "RFC 3339; default now"},
    {0},
};

const struct cli_command policy_commands[] = {
    {"policy show", "", "show the policy of the platform, a Project or a key", CLI_ADMINISTRATION, scope_options,
     policy_show},
    {"policy set", "FILE", "save a new version of it from a JSON file", CLI_ADMINISTRATION, scope_options, policy_set},
    {"policy remove", "", "save a version without restrictions", CLI_ADMINISTRATION, scope_options, policy_remove},
    {"policy versions", "", "list its versions, newest first", CLI_ADMINISTRATION, scope_options, policy_versions},
    {"policy dry-run", "FILE", "which of the signatures on record would this policy have refused?", CLI_ADMINISTRATION,
     dry_run_options, policy_dry_run},
    {"freeze", "", "let nothing sign from now on, on the platform or in a Project", CLI_ADMINISTRATION, freeze_options,
     freeze},
    {"unfreeze", "", "let signing go on", CLI_ADMINISTRATION, freeze_options, unfreeze},
    {"digest add", "KEY HASH DIGEST", "put a digest on a key's list", CLI_ADMINISTRATION, digest_options, digest_add},
    {"digest list", "KEY", "show a key's list of digests", CLI_ADMINISTRATION, NULL, digest_list},
    {"digest remove", "KEY HASH DIGEST", "take a digest off a key's list", CLI_ADMINISTRATION, NULL, digest_remove},
    {"access explain", "PRINCIPAL KEY", "tell rule by rule whether somebody may use a key", CLI_ADMINISTRATION,
     explain_options, access_explain},
    {0},
};

/* SPDX-License-Identifier: Apache-2.0 */
/* Revocation by the CA elsewhere that gave a certificate: a job asks it. */
#include <string.h>

#include "common/text.h"
#include "server/api/caller.h"
#include "server/api/key_job.h"
#include "server/api/parse.h"
#include "server/api/routes.h"

struct revoke_change {
    struct change change;
    struct signing_key key;
    struct job job;
    const char *key_id;
    int64_t version;
};

static void revoke_change_clear(struct revoke_change *c)
{
    change_clear(&c->change);
    signing_key_clear(&c->key);
    job_clear(&c->job);
}
#define cleanup_revoke_change CLEANUP(revoke_change_clear)

/* CRLReason (RFC 5280 §5.3.1). */
static status reason_take(const char *name, struct job *job, struct error *err)
{
    static const struct {
        const char *name;
        int number;
    } rows[] = {{"unspecified", 0},
                {"key_compromise", 1},
                {"affiliation_changed", 3},
                {"superseded", 4},
                {"cessation_of_operation", 5}};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (strcmp(rows[i].name, name) != 0)
            continue;
        buf_printf(&job->transaction, "%d", rows[i].number);
        return buf_check(&job->transaction, err);
    }
    return error_set(err, CODE_INVALID,
                     "reason: unspecified, key_compromise, affiliation_changed, superseded or cessation_of_operation");
}

/* By the connector that the certificate came from, whatever the key has now. */
static status revoke_rows(struct db *db, struct change *change, struct error *err)
{
    struct revoke_change *c = (struct revoke_change *)change;
    cleanup_connector_row struct connector_row row = {0};

    signing_key_clear(&c->key);
    TRY(signing_key_find(db, c->key_id, &c->key, err));
    TRY(change_check_revision(change, c->key.revision, err));
    c->job.version = c->version > 0 ? (int)c->version : c->key.version;
    signing_key_clear(&c->key);
    TRY(key_version_find(db, c->key_id, c->job.version, &c->key, err));
    change_key(change, &c->key);
    if (c->key.certificate.len == 0)
        return error_set(err, CODE_CONFLICT, "version %d of the key has no certificate", c->job.version);
    const char *source = *c->key.certificate_source ? c->key.certificate_source : CONNECTOR_BUILTIN;
    TRY(connector_find(db, source, &row, err));
    const struct connector_ops *ops = connector_type_find(row.type);
    if (!ops || !(ops->capabilities & CONNECTOR_REVOKES))
        return error_set(err, CODE_CONFLICT, "the certificate came by a connector of type %s, which cannot revoke",
                         row.type);
    (void)text_copy(c->job.connector_id, sizeof(c->job.connector_id), row.id);
    (void)text_copy(c->job.connector_name, sizeof(c->job.connector_name), row.name);
    (void)text_copy(c->job.key_id, sizeof(c->job.key_id), c->key.id);
    json_add_integer(&change->detail, "version", c->job.version);
    return job_insert(db, &c->job, err);
}

static status certificate_revoke(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_revoke_change struct revoke_change c = {.job = {.kind = JOB_REVOKE}, .key_id = caller_of(req)->key_id};
    const char *reason = NULL;
    const struct json_field fields[] = {{"reason", JSON_STRING, JSON_REQUIRED, &reason},
                                        {"version", JSON_INTEGER, 0, &c.version}};

    TRY(query_none(req, err));
    TRY(body_read(req, fields, COUNT_OF(fields), err));
    TRY(reason_take(reason, &c.job, err));
    if (c.version < 0 || c.version > INT32_MAX)
        return error_set(err, CODE_INVALID, "version: a positive number is expected");
    TRY(job_begin(&c.job, req, err));
    change_begin(&c.change, req, "key.certificate_revoke_ask");
    c.change.keeps_rights = true;
    json_add_text(&c.change.detail, "reason", reason);
    json_add_text(&c.change.detail, "job", c.job.id);
    TRY(change_commit(&c.change, api, req, revoke_rows, err));
    runner_wake(api->runner);
    job_render(response_json(res, 202), &c.job);
    return OK;
}

const struct route key_revoke_routes[] = {
    {"POST", "/v1/keys/{key}/certificate/revoke", PERMISSION_PROJECT_MANAGE, certificate_revoke, 0},
    {0},
};

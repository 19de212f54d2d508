/* SPDX-License-Identifier: Apache-2.0 */
/* Revocation of a version's certificates: those of CAs here, and the one that a connector brought, whose CA is asked by
 * a job. Signing is refused by policy (refuse_revoked) from this transaction on. */
#include <string.h>

#include "common/text.h"
#include "server/api/cas.h"
#include "server/api/jobs.h"
#include "server/api/parse.h"
#include "server/api/revocation.h"
#include "server/api/routes.h"
#include "server/ca/certificate_text.h"
#include "server/connector/connector.h"

enum { VERSION_MOST = 1000, CERTIFICATES_MOST = 100 };

struct revoke_change {
    struct change change;
    struct revocation revocation;
    struct signing_key key;
    const char *key_id;
    int64_t revision; /* of the key, afterwards */
    int version;
    const struct request *req;
    struct issued_certificate items[CERTIFICATES_MOST]; /* of CAs here, not yet revoked */
    size_t count;
    struct connector_row connector; /* by which the present one came, when it is not of a CA here */
    struct job job;                 /* that asks its CA; its id is "" when there is none */
};

static void revoke_reset(struct revoke_change *c)
{
    for (size_t i = 0; i < c->count; i++)
        issued_certificate_clear(&c->items[i]);
    c->count = 0;
    signing_key_clear(&c->key);
    connector_row_clear(&c->connector);
    job_clear(&c->job);
}

static void revoke_free(struct revoke_change *c)
{
    revoke_reset(c);
    change_clear(&c->change);
    free(c);
}
DEFINE_CLEANUP_PTR(struct revoke_change, revoke_free)
#define cleanup_revoke_change CLEANUP(revoke_free_cleanup)

static status revoke_take(void *arg, const struct issued_certificate *found)
{
    struct revoke_change *c = arg;

    if (c->count == CERTIFICATES_MOST)
        return OK;
    struct issued_certificate *copy = &c->items[c->count++];
    *copy = *found;
    copy->certificate = (struct buf){0};
    buf_add(&copy->certificate, found->certificate.data, found->certificate.len);
    return buf_check(&copy->certificate, NULL);
}

static status issued_revoke(struct db *db, struct revoke_change *c, struct error *err)
{
    struct json_writer *w = &c->change.detail;

    TRY(issued_certificate_list_key(db, c->key_id, c->version, revoke_take, c, err));
    json_begin_array(w, "serials");
    for (size_t i = 0; i < c->count; i++) {
        TRY(revocation_apply(db, &c->revocation, &c->items[i], err));
        json_add_text(w, NULL, c->items[i].serial);
    }
    json_end_array(w);
    return OK;
}

/* The CA is asked by a job, where its connector can. */
static status foreign_ask(struct db *db, struct revoke_change *c, struct error *err)
{
    struct job *job = &c->job;
    const struct connector_ops *ops = connector_type_find(c->connector.type);

    if (!ops || !(ops->capabilities & CONNECTOR_REVOKES))
        return OK;
    job->kind = JOB_REVOKE;
    job->version = c->version;
    (void)text_copy(job->connector_id, sizeof(job->connector_id), c->connector.id);
    (void)text_copy(job->key_id, sizeof(job->key_id), c->key_id);
    TRY(job_begin(job, c->req, err));
    TRY(revocation_order_write(c->revocation.reason, buf_slice(&c->key.certificate), &job->transaction, err));
    json_add_text(&c->change.detail, "job", job->id);
    return job_insert(db, job, err);
}

static bool is_foreign(const struct revoke_change *c)
{
    return c->key.certificate.len > 0 && *c->key.certificate_source && c->key.revoked_ms == 0;
}

/* It is marked here whatever its CA will say: no signature is made with it from now on. */
static status foreign_revoke(struct db *db, struct revoke_change *c, struct error *err)
{
    struct certificate_text text;

    TRY(certificate_text_read(buf_slice(&c->key.certificate), &text, err));
    if (c->revocation.at_ms < text.not_before_ms)
        return error_set(err, CODE_INVALID, "at: the certificate was not valid then");
    status s = connector_find(db, c->key.certificate_source, &c->connector, err);
    if (!is_ok(s) && s.code != CODE_NOT_FOUND)
        return s;
    json_add_text(&c->change.detail, "serial", text.serial);
    json_add_text(&c->change.detail, "connector", is_ok(s) ? c->connector.name : c->key.certificate_source);
    TRY(key_version_set_revoked(db, c->key_id, c->version, c->revocation.at_ms, err));
    return foreign_ask(db, c, err);
}

static status revision_read(struct db *db, struct revoke_change *c, struct error *err)
{
    cleanup_signing_key struct signing_key key = {0};

    TRY(signing_key_find(db, c->key_id, &key, err));
    c->revision = key.revision;
    return OK;
}

/* All certificates of the version: the one before a renewal is of the same key. What was on its way for it is not taken
 * any more. */
static status revoke_rows(struct db *db, struct change *change, struct error *err)
{
    struct revoke_change *c = (struct revoke_change *)change;

    revoke_reset(c);
    TRY(signing_key_find(db, c->key_id, &c->key, err));
    change_key(change, &c->key);
    TRY(change_check_revision(change, c->key.revision, err));
    if (c->version > c->key.version)
        return error_set(err, CODE_NOT_FOUND, "the signing key has no version %d", c->version);
    signing_key_clear(&c->key);
    TRY(key_version_find(db, c->key_id, c->version, &c->key, err));
    TRY(issued_revoke(db, c, err));
    if (c->count == 0 && !is_foreign(c))
        return error_set(err, CODE_CONFLICT, "version %d has no certificate that is not revoked", c->version);
    TRY(job_end_enrolment(db, c->key_id, c->version, "the certificate was revoked meanwhile", clock_now_ms(), err));
    if (is_foreign(c))
        TRY(foreign_revoke(db, c, err));
    return revision_read(db, c, err);
}

static status version_read(struct request *req, int *out, struct error *err)
{
    int64_t version = 0;

    if (!text_to_int64(request_param(req, "version"), &version) || version < 1 || version > VERSION_MOST)
        return error_set(err, CODE_NOT_FOUND, "no such version");
    *out = (int)version;
    return OK;
}

static void revoked_render(struct json_writer *w, const struct revoke_change *c)
{
    json_begin_object(w, NULL);
    json_begin_array(w, "items");
    for (size_t i = 0; i < c->count; i++)
        issued_render(w, &c->items[i]);
    json_end_array(w);
    json_add_text(w, "connector", *c->connector.id ? c->connector.name : NULL);
    json_add_text(w, "job", *c->job.id ? c->job.id : NULL);
    json_end_object(w);
}

static status key_revoke(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_revoke_change struct revoke_change *c = calloc(1, sizeof(*c));

    if (!c)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    TRY(query_none(req, err));
    TRY(revocation_parse(req, &c->revocation, err));
    TRY(version_read(req, &c->version, err));
    c->key_id = caller_of(req)->key_id;
    c->req = req;
    change_begin(&c->change, req, "certificate.revoke");
    json_add_integer(&c->change.detail, "version", c->version);
    revocation_detail(&c->change.detail, &c->revocation);
    TRY(change_commit(&c->change, api, req, revoke_rows, err));
    runner_wake(api->runner);
    response_revision(res, c->revision);
    revoked_render(response_json(res, 200), c);
    return OK;
}

const struct route key_revoke_routes[] = {
    {"POST", "/v1/keys/{key}/versions/{version}/revoke", PERMISSION_PROJECT_MANAGE, key_revoke, 0},
    {0},
};

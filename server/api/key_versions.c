/* SPDX-License-Identifier: Apache-2.0 */
/* Versions of a signing key. Rotate: a new pair under the same label; the version before may be named by who signs
 * until its grace ends. Renew: a new certificate for the same pair; the one before is kept. */
#include <string.h>

#include "common/secret.h"
#include "common/text.h"
#include "server/api/caller.h"
#include "server/api/hsms.h"
#include "server/api/key_job.h"
#include "server/api/key_life.h"
#include "server/api/key_material.h"
#include "server/api/parse.h"
#include "server/api/render.h"
#include "server/api/routes.h"

enum { GRACE_HOURS_MOST = 8760, HOUR_MS = 60 * 60 * 1000 };

struct version_change {
    struct change change;
    struct signing_key before, key; /* as read before the HSM was asked; what becomes of it */
    int64_t grace_until_ms;
    struct signing_key renewed; /* of a renewal: id, version, public key, the new certificate */
    struct job job;             /* that fetches it; its id is "" when there is none */
    struct key_certificate_order order;
    bool is_moved;    /* the key's certificates come from elsewhere from now on */
    bool begins_anew; /* nothing but the name is asked for as before */
};

static void version_change_clear(struct version_change *c)
{
    change_clear(&c->change);
    signing_key_clear(&c->before);
    signing_key_clear(&c->key);
    signing_key_clear(&c->renewed);
}
#define cleanup_version_change CLEANUP(version_change_clear)

static status state_judge(const struct signing_key *key, const char *action, struct error *err)
{
    if (key->state == KEY_ACTIVE || key->state == KEY_DISABLED)
        return OK;
    return error_set(err, CODE_CONFLICT, "the signing key is %s: there is no way to %s it", key_state_name(key->state),
                     action);
}

/* Reads the key and judges what can be before the HSM works for nothing; the transaction decides. */
static status before_load(struct version_change *c, struct api *api, struct request *req, const char *action,
                          struct error *err)
{
    cleanup_reader struct reader reader = {0};

    TRY(reader_acquire(&reader, api->store, err));
    TRY(signing_key_find(reader.db, caller_of(req)->key_id, &c->before, err));
    TRY(change_check_revision(&c->change, c->before.revision, err));
    return state_judge(&c->before, action, err);
}

/* In the transaction: nobody may have made another version or chosen another connector meanwhile. */
static status before_check(struct db *db, struct version_change *c, const char *action, struct signing_key *now,
                           struct error *err)
{
    TRY(signing_key_find(db, c->before.id, now, err));
    TRY(change_check_revision(&c->change, now->revision, err));
    TRY(state_judge(now, action, err));
    if (now->version == c->before.version && strcmp(now->connector, c->before.connector) == 0 &&
        slice_equal(buf_slice(&now->certificate), buf_slice(&c->before.certificate)))
        return OK;
    return error_set(err, CODE_CONFLICT, "the signing key was rotated, renewed or changed by somebody else meanwhile");
}

static status key_read_again(struct db *db, struct version_change *c, struct error *err)
{
    char id[ID_SIZE];

    memcpy(id, c->before.id, sizeof(id));
    signing_key_clear(&c->key);
    return signing_key_find(db, id, &c->key, err);
}

/* ---- what the certificate is asked for with, and where */

struct asked {
    const char *subject, *ca, *connector; /* NULL: as before */
    int64_t days;
    bool needs_one;  /* though the key has no certificate now */
    bool keeps_name; /* the one of the certificate, whatever it is */
};

/* What stands in the present certificate; else what was planned; else the key's name. */
static status name_like(const struct signing_key *key, struct key_certificate_order *out, struct error *err)
{
    struct key_certificate_order like = {0};

    TRY(key_certificate_order_like(key, true, &like, err));
    bool is_planned = key->certificate.len == 0 && *key->plan_subject;
    (void)text_copy(out->subject, sizeof(out->subject), is_planned ? key->plan_subject : like.subject);
    return OK;
}

static status connector_take(struct version_change *c, struct api *api, const char *name, struct error *err)
{
    const struct signing_key *before = &c->before;

    if (!name)
        return OK;
    TRY(key_connector_choose(api, name, &c->order, err));
    c->is_moved = strcmp(c->order.connector, before->connector) != 0;
    c->begins_anew = c->is_moved || (!*c->order.connector && *before->certificate_source);
    return OK;
}

/* By the key's connector; else like the certificate it has, when that is the built-in CA's. */
static status order_like(struct version_change *c, const struct asked *asked, struct error *err)
{
    const struct signing_key *key = &c->before;
    bool has_name = asked->subject || asked->keeps_name;

    if (!c->begins_anew && !*key->connector && !*key->certificate_source)
        return key_certificate_order_like(key, asked->needs_one, &c->order, err);
    if (!c->begins_anew) {
        key_connector_order(key, &c->order);
        has_name |= *c->order.subject || !*key->connector;
    }
    return has_name ? OK : name_like(key, &c->order, err);
}

static status order_make(struct version_change *c, const struct asked *asked, struct error *err)
{
    TRY(order_like(c, asked, err));
    if (asked->ca && *c->order.connector)
        return error_set(err, CODE_INVALID, "ca: the certificates of the key come by a connector, which has its own");
    return key_certificate_order_parse(asked->subject, asked->days, asked->ca, &c->order, err);
}

/* In the transaction; key is as it was read there. */
static status move_rows(struct db *db, struct version_change *c, struct signing_key *key, struct error *err)
{
    struct json_writer *w = &c->change.detail;

    if (!c->is_moved)
        return OK;
    json_add_text(w, "connector_before", *key->connector_name ? key->connector_name : NULL);
    if (!*c->order.connector)
        json_add_null(w, "connector"); /* else its job's row tells it */
    key_connector_keep(key, &c->order);
    return signing_key_set_connector(db, key, err);
}

/* ---- rotate */

static status rotate_rows(struct db *db, struct change *change, struct error *err)
{
    struct version_change *c = (struct version_change *)change;
    cleanup_signing_key struct signing_key now = {0};

    TRY(before_check(db, c, "rotate", &now, err));
    TRY(move_rows(db, c, &now, err));
    TRY(key_version_set_grace(db, c->before.id, c->before.version, c->grace_until_ms, err));
    TRY(key_version_insert(db, &c->key, err));
    TRY(key_certificate_insert(db, &c->key, err));
    return key_job_insert(db, &change->detail, &c->key, &c->job, err);
}

static status successor_prepare(struct version_change *c, struct error *err)
{
    const struct signing_key *before = &c->before;

    c->key = *before;
    c->key.spki = c->key.certificate = c->key.chain = (struct buf){0};
    c->key.certificate_source[0] = '\0';
    c->key.findings[0] = '\0';
    c->key.certificate_ca[0] = '\0';
    c->key.revoked_ms = c->key.not_after_ms = 0;
    c->key.version = before->version + 1;
    c->key.revision = before->revision + 1 + c->is_moved;
    c->key.grace_until_ms = 0;
    change_key(&c->change, &c->before);
    return before->version < 1000 ? OK : error_set(err, CODE_CONFLICT, "the signing key has 1000 versions already");
}

/* In the HSM of the version before, or in another one. */
static status successor_place(struct version_change *c, const struct api *api, const char *name, struct error *err)
{
    struct hsm *hsm = NULL;

    if (!name)
        return OK;
    TRY(hsm_of_body(api, name, &hsm, err));
    (void)text_copy(c->key.hsm, sizeof(c->key.hsm), name);
    return OK;
}

static status rotate_commit(struct version_change *c, struct api *api, struct request *req, struct error *err)
{
    struct json_writer *w = &c->change.detail;

    json_add_integer(w, "version", c->key.version);
    json_add_time(w, "grace_until", c->grace_until_ms);
    TRY(key_material_detail(w, &c->key, err));
    return change_commit(&c->change, api, req, rotate_rows, err);
}

static status key_rotate(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_version_change struct version_change c = {0};
    struct asked asked = {0};
    const char *hsm = NULL;
    int64_t grace_hours = 0;
    const struct json_field fields[] = {
        {"grace_hours", JSON_INTEGER, 0, &grace_hours},
        {"subject", JSON_STRING, 0, &asked.subject},
        {"days", JSON_INTEGER, 0, &asked.days},
        {"hsm", JSON_STRING, 0, &hsm},
        {"ca", JSON_STRING, 0, &asked.ca},
        {"connector", JSON_STRING, 0, &asked.connector},
    };

    TRY(query_none(req, err));
    TRY(body_read(req, fields, COUNT_OF(fields), err));
    if (grace_hours < 0 || grace_hours > GRACE_HOURS_MOST)
        return error_set(err, CODE_INVALID, "grace_hours: 0 to %d is expected", GRACE_HOURS_MOST);
    change_begin(&c.change, req, "key.rotate");
    TRY(before_load(&c, api, req, "rotate", err));
    TRY(connector_take(&c, api, asked.connector, err));
    asked.needs_one = asked.subject || asked.connector;
    TRY(order_make(&c, &asked, err));
    TRY(successor_prepare(&c, err));
    TRY(successor_place(&c, api, hsm, err));
    key_connector_keep(&c.key, &c.order);
    TRY(key_job_prepare(&c.job, req, &c.key, JOB_ENROLL, err));
    TRY(key_material_make(api, &c.key, &c.order, request_deadline(req), err));

    c.grace_until_ms = grace_hours ? clock_now_ms() + grace_hours * HOUR_MS : 0;
    status s = rotate_commit(&c, api, req, err);
    if (!is_ok(s)) {
        key_material_abandon(api, &c.key);
        return s;
    }
    runner_wake(api->runner);
    return key_answer(api, res, 200, &c.key, err);
}

/* ---- renew */

static status renew_rows(struct db *db, struct change *change, struct error *err)
{
    struct version_change *c = (struct version_change *)change;
    cleanup_signing_key struct signing_key now = {0};

    TRY(before_check(db, c, "renew", &now, err));
    TRY(move_rows(db, c, &now, err));
    TRY(key_version_set_certificate(db, &now, &c->renewed, clock_now_ms(), err));
    TRY(key_certificate_insert(db, &c->renewed, err));
    return key_read_again(db, c, err);
}

static status renewal_issue(struct version_change *c, struct api *api, struct deadline d, struct error *err)
{
    (void)text_copy(c->renewed.id, sizeof(c->renewed.id), c->before.id);
    c->renewed.version = c->before.version;
    buf_add(&c->renewed.spki, c->before.spki.data, c->before.spki.len);
    TRY(buf_check(&c->renewed.spki, err));
    return key_certificate_issue(api, &c->renewed, &c->order, d, err);
}

/* A connector fetches it: what is answered is the key with the job. */
static status job_rows(struct db *db, struct change *change, struct error *err)
{
    struct version_change *c = (struct version_change *)change;
    cleanup_signing_key struct signing_key now = {0};

    TRY(before_check(db, c, "renew", &now, err));
    json_add_integer(&change->detail, "version", c->job.version);
    TRY(move_rows(db, c, &now, err));
    TRY(key_job_insert(db, &change->detail, &now, &c->job, err));
    if (!*now.job_id || strcmp(now.job_id, c->job.id) != 0)
        return error_set(err, CODE_CONFLICT, "a person brings the certificates of this key: take its CSR to the CA");
    return key_read_again(db, c, err);
}

static status renew_by_job(struct version_change *c, struct api *api, struct request *req, struct response *res,
                           struct asked *asked, struct error *err)
{
    struct signing_key key = c->before; /* borrows */

    asked->keeps_name = !asked->subject && c->before.certificate.len > 0;
    TRY(order_make(c, asked, err));
    key_connector_keep(&key, &c->order);
    TRY(key_job_prepare(&c->job, req, &key, c->before.certificate.len > 0 ? JOB_RENEW : JOB_ENROLL, err));
    (void)text_copy(c->job.subject, sizeof(c->job.subject), asked->keeps_name ? "" : c->order.subject);
    change_key(&c->change, &c->before);
    TRY(change_commit(&c->change, api, req, job_rows, err));
    runner_wake(api->runner);
    return key_answer(api, res, 202, &c->key, err);
}

static status key_renew(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_version_change struct version_change c = {0};
    struct asked asked = {.needs_one = true};
    uint8_t fingerprint[32];
    const struct json_field fields[] = {
        {"subject", JSON_STRING, 0, &asked.subject},
        {"days", JSON_INTEGER, 0, &asked.days},
        {"ca", JSON_STRING, 0, &asked.ca},
        {"connector", JSON_STRING, 0, &asked.connector},
    };

    TRY(query_none(req, err));
    TRY(body_read(req, fields, COUNT_OF(fields), err));
    change_begin(&c.change, req, "key.renew");
    TRY(before_load(&c, api, req, "renew", err));
    TRY(connector_take(&c, api, asked.connector, err));
    if (asked.connector ? *c.order.connector : *c.before.connector)
        return renew_by_job(&c, api, req, res, &asked, err);
    if (*c.before.certificate_source && !asked.connector)
        return error_set(err, CODE_CONFLICT, "the certificate is not the built-in CA's, and the key has no connector");
    TRY(order_make(&c, &asked, err));
    TRY(renewal_issue(&c, api, request_deadline(req), err));

    change_key(&c.change, &c.before);
    TRY(sha256(buf_slice(&c.renewed.certificate), fingerprint, err));
    json_add_integer(&c.change.detail, "version", c.before.version);
    json_add_text(&c.change.detail, "subject", c.order.subject);
    json_add_hex(&c.change.detail, "certificate_sha256", (struct slice){fingerprint, sizeof(fingerprint)});
    TRY(change_commit(&c.change, api, req, renew_rows, err));
    return key_answer(api, res, 200, &c.key, err);
}

/* ---- list */

struct version_list {
    struct db *db;
    struct json_writer *w;
    const struct signing_key *key;
    int64_t now_ms;
};

static const char *version_state(const struct version_list *l, const struct signing_key *v)
{
    if (l->key->state == KEY_DESTROYED)
        return "destroyed";
    if (l->key->state == KEY_RETIRED)
        return "retired";
    if (v->version == l->key->version)
        return "current";
    return l->now_ms < v->grace_until_ms ? "grace" : "retired";
}

static status earlier_certificate(void *arg, struct slice certificate, int64_t replaced_ms)
{
    struct json_writer *w = arg;

    json_begin_object(w, NULL);
    json_add_base64(w, "certificate", certificate);
    json_add_time(w, "replaced", replaced_ms);
    json_end_object(w);
    return OK;
}

static status version_render(void *arg, const struct signing_key *v)
{
    struct version_list *l = arg;
    struct json_writer *w = l->w;

    json_begin_object(w, NULL);
    json_add_integer(w, "version", v->version);
    json_add_text(w, "state", version_state(l, v));
    json_add_text(w, "type", key_type_name(v->type));
    json_add_base64(w, "public_key", buf_slice(&v->spki));
    json_add_hex(w, "cka_id", (struct slice){v->hsm_id, sizeof(v->hsm_id)});
    if (v->certificate.len > 0)
        json_add_base64(w, "certificate", buf_slice(&v->certificate));
    else
        json_add_null(w, "certificate");
    TRY(certificate_source_render(w, l->db, v, NULL));
    json_add_time(w, "revoked", v->revoked_ms);
    json_begin_array(w, "replaced_certificates");
    TRY(key_certificate_list(l->db, v->id, v->version, earlier_certificate, w, NULL));
    json_end_array(w);
    json_add_raw(w, "hsm", v->hsm_attributes);
    json_add_text(w, "hsm_name", signing_key_hsm(v));
    json_add_text(w, "findings", *v->findings ? v->findings : NULL);
    json_add_time(w, "created", v->version_created_ms);
    json_add_time(w, "grace_until", v->grace_until_ms);
    json_end_object(w);
    return OK;
}

static status key_versions_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_reader struct reader reader = {0};
    cleanup_signing_key struct signing_key key = {0};

    TRY(query_none(req, err));
    TRY(reader_acquire(&reader, api->store, err));
    TRY(signing_key_find(reader.db, caller_of(req)->key_id, &key, err));
    struct version_list list = {reader.db, response_json(res, 200), &key, clock_now_ms()};
    response_revision(res, key.revision);
    json_begin_object(list.w, NULL);
    json_begin_array(list.w, "items");
    TRY(key_version_list(reader.db, key.id, version_render, &list, err));
    json_end_array(list.w);
    json_add_null(list.w, "next");
    json_end_object(list.w);
    return OK;
}

const struct route key_version_routes[] = {
    {"GET", "/v1/keys/{key}/versions", PERMISSION_PROJECT_READ, key_versions_get, 0},
    {"POST", "/v1/keys/{key}/rotate", PERMISSION_PROJECT_MANAGE, key_rotate, 0},
    {"POST", "/v1/keys/{key}/renew", PERMISSION_PROJECT_MANAGE, key_renew, 0},
    {0},
};

/* SPDX-License-Identifier: Apache-2.0 */
/* Versions of a signing key. Rotate: a new pair under the same label; the version before may be named by who signs
 * until its grace ends. Renew: a new certificate for the same pair; the one before is kept. */
#include <string.h>

#include "common/secret.h"
#include "common/text.h"
#include "server/api/caller.h"
#include "server/api/hsms.h"
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

/* In the transaction: nobody may have made another version meanwhile. */
static status before_check(struct db *db, struct version_change *c, const char *action, struct signing_key *now,
                           struct error *err)
{
    TRY(signing_key_find(db, c->before.id, now, err));
    TRY(change_check_revision(&c->change, now->revision, err));
    TRY(state_judge(now, action, err));
    if (now->version == c->before.version &&
        slice_equal(buf_slice(&now->certificate), buf_slice(&c->before.certificate)))
        return OK;
    return error_set(err, CODE_CONFLICT, "the signing key was rotated or renewed by somebody else meanwhile");
}

static status key_read_again(struct db *db, struct version_change *c, struct error *err)
{
    char id[ID_SIZE];

    memcpy(id, c->before.id, sizeof(id));
    signing_key_clear(&c->key);
    return signing_key_find(db, id, &c->key, err);
}

/* ---- rotate */

static status rotate_rows(struct db *db, struct change *change, struct error *err)
{
    struct version_change *c = (struct version_change *)change;
    cleanup_signing_key struct signing_key now = {0};

    TRY(before_check(db, c, "rotate", &now, err));
    TRY(key_version_set_grace(db, c->before.id, c->before.version, c->grace_until_ms, err));
    TRY(key_version_insert(db, &c->key, err));
    return key_certificate_insert(db, &c->key, err);
}

static status successor_prepare(struct version_change *c, struct error *err)
{
    const struct signing_key *before = &c->before;

    c->key = *before;
    c->key.spki = c->key.certificate = (struct buf){0};
    c->key.findings[0] = '\0';
    c->key.certificate_ca[0] = '\0';
    c->key.version = before->version + 1;
    c->key.revision = before->revision + 1;
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
    struct key_certificate_order order;
    const char *subject = NULL, *hsm = NULL, *ca = NULL;
    int64_t grace_hours = 0, day_count = 0;
    const struct json_field fields[] = {
        {"grace_hours", JSON_INTEGER, 0, &grace_hours},
        {"subject", JSON_STRING, 0, &subject},
        {"days", JSON_INTEGER, 0, &day_count},
        {"hsm", JSON_STRING, 0, &hsm},
        {"ca", JSON_STRING, 0, &ca},
    };

    TRY(query_none(req, err));
    TRY(body_read(req, fields, COUNT_OF(fields), err));
    if (grace_hours < 0 || grace_hours > GRACE_HOURS_MOST)
        return error_set(err, CODE_INVALID, "grace_hours: 0 to %d is expected", GRACE_HOURS_MOST);
    change_begin(&c.change, req, "key.rotate");
    TRY(before_load(&c, api, req, "rotate", err));
    TRY(key_certificate_order_like(&c.before, subject != NULL, &order, err));
    TRY(key_certificate_order_parse(subject, day_count, ca, &order, err));
    TRY(successor_prepare(&c, err));
    TRY(successor_place(&c, api, hsm, err));
    TRY(key_material_make(api, &c.key, &order, request_deadline(req), err));

    c.grace_until_ms = grace_hours ? clock_now_ms() + grace_hours * HOUR_MS : 0;
    status s = rotate_commit(&c, api, req, err);
    if (!is_ok(s)) {
        key_material_abandon(api, &c.key);
        return s;
    }
    return key_answer(api, res, 200, &c.key, err);
}

/* ---- renew */

static status renew_rows(struct db *db, struct change *change, struct error *err)
{
    struct version_change *c = (struct version_change *)change;
    cleanup_signing_key struct signing_key now = {0};

    TRY(before_check(db, c, "renew", &now, err));
    TRY(key_version_renew(db, &now, c->renewed.certificate_ca, buf_slice(&c->renewed.certificate), clock_now_ms(),
                          err));
    TRY(key_certificate_insert(db, &c->renewed, err));
    return key_read_again(db, c, err);
}

static status renewal_issue(struct version_change *c, struct api *api, const struct key_certificate_order *order,
                            struct deadline d, struct error *err)
{
    (void)text_copy(c->renewed.id, sizeof(c->renewed.id), c->before.id);
    c->renewed.version = c->before.version;
    buf_add(&c->renewed.spki, c->before.spki.data, c->before.spki.len);
    TRY(buf_check(&c->renewed.spki, err));
    return key_certificate_issue(api, &c->renewed, order, d, err);
}

static status key_renew(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_version_change struct version_change c = {0};
    struct key_certificate_order order;
    const char *subject = NULL, *ca = NULL;
    int64_t days = 0;
    uint8_t fingerprint[32];
    const struct json_field fields[] = {
        {"subject", JSON_STRING, 0, &subject}, {"days", JSON_INTEGER, 0, &days}, {"ca", JSON_STRING, 0, &ca}};

    TRY(query_none(req, err));
    TRY(body_read(req, fields, COUNT_OF(fields), err));
    change_begin(&c.change, req, "key.renew");
    TRY(before_load(&c, api, req, "renew", err));
    TRY(key_certificate_order_like(&c.before, true, &order, err));
    TRY(key_certificate_order_parse(subject, days, ca, &order, err));
    TRY(renewal_issue(&c, api, &order, request_deadline(req), err));

    change_key(&c.change, &c.before);
    TRY(sha256(buf_slice(&c.renewed.certificate), fingerprint, err));
    json_add_integer(&c.change.detail, "version", c.before.version);
    json_add_text(&c.change.detail, "subject", order.subject);
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

/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a signing key, at once or when it is activated: order, name, HSM, certificate, commit. What the HSM says of it
 * is part of the key and of its record (I3). A key that does not reach the store is taken out of the HSM again. */
#include "server/api/key_create.h"

#include "common/secret.h"
#include "common/text.h"
#include "server/api/caller.h"
#include "server/api/hsms.h"
#include "server/api/key_job.h"
#include "server/api/key_life.h"
#include "server/api/parse.h"
#include "server/api/render.h"

struct key_change {
    struct change change;
    struct signing_key key;
    const struct chain *chain; /* for the answer */
    struct job job;            /* that fetches the certificate; its id is "" when there is none */
};

static void key_change_clear(struct key_change *c)
{
    change_clear(&c->change);
    signing_key_clear(&c->key);
}
#define cleanup_key_change CLEANUP(key_change_clear)

/* Before the HSM makes a key for nothing. The store's own constraint decides between two at once. */
status key_label_check_free(struct api *api, const struct project *project, const struct key_order *order,
                            struct error *err)
{
    cleanup_reader struct reader reader = {0};
    cleanup_signing_key struct signing_key other = {0};

    TRY(reader_acquire(&reader, api->store, err));
    status s = signing_key_find_label(reader.db, project->name, order->label, &other, err);
    if (is_ok(s))
        return error_set(err, CODE_CONFLICT, "label: the project has a signing key %s already", order->label);
    return s.code == CODE_NOT_FOUND ? OK : s;
}

static status key_insert_rows(struct db *db, struct change *change, struct error *err)
{
    struct key_change *c = (struct key_change *)change;

    TRY(signing_key_insert(db, &c->key, err));
    TRY(key_certificate_insert(db, &c->key, err));
    return key_job_insert(db, &change->detail, &c->key, &c->job, err);
}

static void key_create_render(struct json_writer *w, const struct change *change)
{
    const struct key_change *c = (const struct key_change *)change;

    key_render(w, &c->key, c->chain);
}

static const struct change_creation key_creation = {key_insert_rows, key_create_render, false};

static status key_publish(struct api *api, struct request *req, struct response *res, struct key_change *c,
                          struct error *err)
{
    change_begin(&c->change, req, "key.create");
    change_key(&c->change, &c->key);
    if (c->key.version > 0)
        TRY(key_material_detail(&c->change.detail, &c->key, err));
    else
        json_add_text(&c->change.detail, "type", key_type_name(c->key.type));
    TRY(change_create(&c->change, api, req, res, &key_creation, err));
    if (!c->change.replayed)
        response_revision(res, c->key.revision);
    return OK;
}

status key_prepare(struct signing_key *key, const struct project *project, const struct key_order *order,
                   struct error *err)
{
    (void)text_copy(key->project_id, sizeof(key->project_id), project->id);
    (void)text_copy(key->project_name, sizeof(key->project_name), project->name);
    (void)text_copy(key->label, sizeof(key->label), order->label);
    key->state = KEY_ACTIVE;
    key->revision = 1;
    key->version = 1;
    key->type = order->type;
    key->hashes = order->hashes;
    key->mechanisms = order->mechanisms;
    key->renew_before_days = RENEW_BEFORE_DAYS_DEFAULT;
    key->created_ms = clock_now_ms();
    (void)text_copy(key->hsm, sizeof(key->hsm), order->hsm ? order->hsm : HSM_DEFAULT);
    key_connector_keep(key, &order->certificate);
    return id_new("key", key->id, err);
}

/* Before anything is touched: a pending key, too, must be one that can be made. */
static status hsm_judge(struct api *api, const struct key_order *order, struct error *err)
{
    struct hsm *hsm = NULL;

    TRY(hsm_of_body(api, order->hsm, &hsm, err));
    return hsm_check_type(hsm, order->type, err);
}

/* Without the HSM: what it is to become is kept until it is activated. */
static void key_postpone(struct signing_key *key, const struct key_order *order)
{
    key->state = KEY_PENDING;
    key->version = 0;
    key->plan_days = order->certificate.days;
    (void)text_copy(key->plan_ca, sizeof(key->plan_ca), order->certificate.ca);
    (void)text_copy(key->plan_subject, sizeof(key->plan_subject), order->certificate.subject);
}

static status key_make(struct api *api, struct request *req, struct response *res, struct key_change *c,
                       const struct key_order *order, struct error *err)
{
    TRY(key_job_prepare(&c->job, req, &c->key, JOB_ENROLL, err));
    TRY(key_material_make(api, &c->key, &order->certificate, request_deadline(req), err));
    status s = key_publish(api, req, res, c, err);
    runner_wake(api->runner);
    if (!is_ok(s) || c->change.replayed)
        key_material_abandon(api, &c->key);
    return s;
}

status key_create(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    const struct project *project = &caller_of(req)->project;
    cleanup_chain struct chain chain = {0};
    cleanup_key_change struct key_change c = {.chain = &chain};
    struct key_order order = {0};
    bool replayed = false;

    TRY(query_none(req, err));
    TRY(key_order_parse(&order, req, project->name, err));
    TRY(change_replay(api, req, res, &replayed, err));
    if (replayed)
        return OK;
    TRY(hsm_judge(api, &order, err));
    TRY(key_label_check_free(api, project, &order, err));
    TRY(key_connector_resolve(api, &order.certificate, err));
    TRY(key_prepare(&c.key, project, &order, err));
    TRY(chain_load(&chain, api, err));
    if (!order.is_later)
        return key_make(api, req, res, &c, &order, err);
    key_postpone(&c.key, &order);
    return key_publish(api, req, res, &c, err);
}

/* ---- activation of a pending key */

struct activation {
    struct key_step step; /* its key is the one that becomes active */
    struct signing_key made;
    struct job job;
};

static void activation_clear(struct activation *a)
{
    key_step_clear(&a->step);
    signing_key_clear(&a->made);
}
#define cleanup_activation CLEANUP(activation_clear)

static status activate_rows(struct db *db, struct change *change, struct error *err)
{
    struct activation *a = (struct activation *)change;

    TRY(key_step_rows(db, change, err)); /* judges first */
    TRY(key_version_insert(db, &a->made, err));
    TRY(key_certificate_insert(db, &a->made, err));
    TRY(key_job_insert(db, &change->detail, &a->made, &a->job, err));
    signing_key_clear(&a->step.key);
    return signing_key_find(db, a->step.key_id, &a->step.key, err);
}

static status pending_load(struct activation *a, struct api *api, struct error *err)
{
    cleanup_reader struct reader reader = {0};
    enum key_state to;

    TRY(reader_acquire(&reader, api->store, err));
    TRY(key_step_judge(reader.db, &a->step, &to, err));
    return signing_key_find(reader.db, a->step.key_id, &a->made, err);
}

status key_activate(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_activation struct activation a = {
        .step = {.action = KEY_ACTION_ACTIVATE, .key_id = caller_of(req)->key_id, .reason = ""}};
    struct key_certificate_order certificate = {0};

    TRY(query_none(req, err));
    TRY(body_empty(req, err));
    change_begin(&a.step.change, req, "key.activate");
    TRY(pending_load(&a, api, err));
    key_connector_order(&a.made, &certificate);
    a.made.version = 1;
    TRY(key_job_prepare(&a.job, req, &a.made, JOB_ENROLL, err));
    TRY(key_material_make(api, &a.made, &certificate, request_deadline(req), err));
    status s = key_material_detail(&a.step.change.detail, &a.made, err);
    if (is_ok(s))
        s = change_commit(&a.step.change, api, req, activate_rows, err);
    if (!is_ok(s)) {
        key_material_abandon(api, &a.made);
        return s;
    }
    runner_wake(api->runner);
    return key_answer(api, res, 200, &a.step.key, err);
}

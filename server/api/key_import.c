/* SPDX-License-Identifier: Apache-2.0 */
/* A key that is in the HSM already becomes a signing key, in place. For administrators alone: who could name any key of
 * the HSM as a Project's could sign with all of them. The CA's keys and those of other signing keys are refused. */
#include <stdio.h>
#include <string.h>

#include "common/encoding.h"
#include "common/text.h"
#include "server/api/caller.h"
#include "server/api/hsms.h"
#include "server/api/key_create.h"
#include "server/api/key_job.h"
#include "server/api/key_life.h"
#include "server/api/parse.h"
#include "server/api/render.h"

struct key_import {
    struct change change;
    struct signing_key key;
    struct key_order order;
    struct project project;
    const char *hsm_label; /* either this, or */
    struct buf cka_id;     /* that */
    bool accept_weak;
    struct hsm_found found;
    int matches;
    char findings[128];
    struct chain chain; /* for the answer */
    struct job job;     /* that fetches the certificate; its id is "" when there is none */
};

static void key_import_clear(struct key_import *i)
{
    change_clear(&i->change);
    signing_key_clear(&i->key);
    buf_clear(&i->cka_id);
    hsm_key_clear(&i->found.key);
    buf_clear(&i->found.id);
    chain_clear(&i->chain);
}
#define cleanup_key_import CLEANUP(key_import_clear)

static status import_parse(struct key_import *i, struct request *req, const struct json **certificate,
                           struct error *err)
{
    const char *label = NULL, *cka_id = NULL;
    const struct json_field fields[] = {
        {"label", JSON_STRING, JSON_REQUIRED, &label},  {"cka_id", JSON_STRING, 0, &cka_id},
        {"hsm_label", JSON_STRING, 0, &i->hsm_label},   {"certificate", JSON_OBJECT, 0, certificate},
        {"accept_weak", JSON_BOOL, 0, &i->accept_weak}, {"hsm", JSON_STRING, 0, &i->order.hsm},
    };

    TRY(body_read(req, fields, COUNT_OF(fields), err));
    TRY(check_name("label", label, err));
    TRY(check_text("hsm_label", i->hsm_label, err));
    (void)text_copy(i->order.label, sizeof(i->order.label), label);
    if (!cka_id == !i->hsm_label)
        return error_set(err, CODE_INVALID, "cka_id: name the key by either cka_id or hsm_label");
    if (cka_id && (!*cka_id || !is_ok(hex_decode(cka_id, strlen(cka_id), &i->cka_id, NULL))))
        return error_set(err, CODE_INVALID, "cka_id: hexadecimal digits are expected");
    return OK;
}

static status found_take(void *arg, const struct hsm_found *found, struct error *err)
{
    struct key_import *i = arg;
    bool is_it = i->hsm_label ? strcmp(i->hsm_label, found->key.label) == 0
                              : slice_equal(buf_slice(&i->cka_id), buf_slice(&found->id));

    if (!is_it || i->matches++ > 0)
        return OK;
    i->found.is_known = found->is_known;
    i->found.key = found->key;
    i->found.key.spki = (struct buf){0};
    buf_add(&i->found.key.spki, found->key.spki.data, found->key.spki.len);
    buf_add(&i->found.id, found->id.data, found->id.len);
    TRY(buf_check(&i->found.key.spki, err));
    return buf_check(&i->found.id, err);
}

static status found_judge(struct key_import *i, struct error *err)
{
    if (i->matches == 0)
        return error_set(err, CODE_NOT_FOUND, "the HSM has no private key of that name");
    if (i->matches > 1)
        return error_set(err, CODE_CONFLICT, "the HSM has %d private keys of that name", i->matches);
    if (!i->found.is_known)
        return error_set(err, CODE_CONFLICT,
                         "the key has no public key with the same CKA_ID, or is of a type that is not supported");
    hsm_key_findings(&i->found.key, i->findings, sizeof(i->findings));
    if (*i->findings && !i->accept_weak)
        return error_set(err, CODE_CONFLICT, "the key is weaker than required: %s; see accept_weak", i->findings);
    return OK;
}

static status authority_compare(void *arg, const uint8_t id[20])
{
    return memcmp(arg, id, HSM_ID_LEN) == 0 ? (status){CODE_CONFLICT} : OK;
}

static status not_ours_judge(struct key_import *i, struct db *db, struct error *err)
{
    status s = ca_key_list(db, authority_compare, i->found.key.id, err);

    if (s.code == CODE_CONFLICT)
        return error_set(err, CODE_CONFLICT, "the key is the built-in CA's");
    TRY(s);
    return key_version_check_free(db, i->found.key.id, err);
}

static status project_load(struct key_import *i, struct api *api, struct request *req, struct error *err)
{
    cleanup_reader struct reader reader = {0};
    unsigned roles = 0;

    TRY(reader_acquire(&reader, api->store, err));
    return caller_project_find(reader.db, caller_principal(req), request_param(req, "project"), &i->project, &roles,
                               err);
}

static status import_rows(struct db *db, struct change *change, struct error *err)
{
    struct key_import *i = (struct key_import *)change;

    TRY(not_ours_judge(i, db, err));
    TRY(signing_key_insert(db, &i->key, err));
    TRY(key_certificate_insert(db, &i->key, err));
    return key_job_insert(db, &change->detail, &i->key, &i->job, err);
}

static void import_render(struct json_writer *w, const struct change *change)
{
    const struct key_import *i = (const struct key_import *)change;

    key_render(w, &i->key, &i->chain);
}

static const struct change_creation import_creation = {import_rows, import_render, false};

static status key_fill(struct key_import *i, struct error *err)
{
    struct signing_key *key = &i->key;

    i->order.type = i->found.key.type;
    key_order_defaults(&i->order);
    TRY(key_prepare(key, &i->project, &i->order, err));
    memcpy(key->hsm_id, i->found.key.id, HSM_ID_LEN);
    key_attributes_write(key, &i->found.key);
    (void)text_copy(key->findings, sizeof(key->findings), i->findings);
    key->version_created_ms = key->created_ms;
    buf_add(&key->spki, i->found.key.spki.data, i->found.key.spki.len);
    return buf_check(&key->spki, err);
}

static status import_commit(struct key_import *i, struct api *api, struct request *req, struct response *res,
                            struct error *err)
{
    struct json_writer *w = &i->change.detail;

    if (*i->order.certificate.subject && !*i->order.certificate.connector)
        TRY(key_certificate_issue(api, &i->key, &i->order.certificate, request_deadline(req), err));
    change_begin(&i->change, req, "key.import");
    change_key(&i->change, &i->key);
    TRY(key_material_detail(w, &i->key, err));
    json_add_text(w, "hsm_label", text_is_printable(i->found.key.label, TEXT_SIZE) ? i->found.key.label : "");
    json_add_hex(w, "cka_id_before", buf_slice(&i->found.id));
    json_add_text(w, "findings", *i->findings ? i->findings : NULL);
    TRY(change_create(&i->change, api, req, res, &import_creation, err));
    if (!i->change.replayed)
        response_revision(res, i->key.revision);
    return OK;
}

static status free_check(struct key_import *i, struct api *api, struct error *err)
{
    cleanup_reader struct reader reader = {0};

    TRY(reader_acquire(&reader, api->store, err));
    return not_ours_judge(i, reader.db, err);
}

status key_import(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_key_import struct key_import i = {0};
    const struct json *certificate = NULL;
    struct hsm *hsm = NULL;
    bool replayed = false;

    TRY(query_none(req, err));
    TRY(import_parse(&i, req, &certificate, err));
    TRY(change_replay(api, req, res, &replayed, err));
    if (replayed)
        return OK;
    TRY(hsm_of_body(api, i.order.hsm, &hsm, err));
    TRY(project_load(&i, api, req, err));
    TRY(key_order_certificate(&i.order, certificate, i.project.name, err));
    TRY(key_label_check_free(api, &i.project, &i.order, err));
    TRY(hsm_list(hsm, request_deadline(req), found_take, &i, err));
    TRY(found_judge(&i, err));
    TRY(free_check(&i, api, err));
    TRY(key_connector_resolve(api, &i.order.certificate, err));
    TRY(key_fill(&i, err));
    TRY(key_job_prepare(&i.job, req, &i.key, JOB_ENROLL, err));
    TRY(hsm_adopt(hsm, &i.found, request_deadline(req), err));
    TRY(chain_load(&i.chain, api, err));
    TRY(import_commit(&i, api, req, res, err));
    runner_wake(api->runner);
    return OK;
}

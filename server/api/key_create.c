/* SPDX-License-Identifier: Apache-2.0 */
/* Makes a signing key: order, name, HSM, certificate, commit. The private key is made inside the HSM and never leaves
 * it; its attributes as read back are part of the key and of its record (I3). A key that does not reach the store is
 * taken out of the HSM again. */
#include "common/text.h"
#include "server/api/key_create.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/secret.h"
#include "server/api/caller.h"
#include "server/api/change.h"
#include "server/api/parse.h"
#include "server/api/render.h"

enum { ABANDON_TIMEOUT_MS = 5000 };

struct key_change {
    struct change change;
    struct signing_key key;
    const struct chain *chain; /* for the answer */
};

static void key_change_clear(struct key_change *c)
{
    change_clear(&c->change);
    signing_key_clear(&c->key);
}
#define cleanup_key_change CLEANUP(key_change_clear)

/* Before the HSM makes a key for nothing. The store's own constraint decides between two at once. */
static status label_check_free(struct api *api, const struct project *project, const struct key_order *order,
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

static void attributes_write(struct signing_key *key, const struct hsm_key *made)
{
    (void)snprintf(
        key->hsm_attributes, sizeof(key->hsm_attributes),
        "{\"sensitive\":%s,\"always_sensitive\":%s,\"extractable\":%s,\"never_extractable\":%s,\"local\":%s}",
        made->sensitive ? "true" : "false", made->always_sensitive ? "true" : "false",
        made->extractable ? "true" : "false", made->never_extractable ? "true" : "false",
        made->local ? "true" : "false");
}

static status key_generate(struct api *api, const struct key_order *order, struct deadline d, struct signing_key *key,
                           struct error *err)
{
    char hsm_label[2 * NAME_SIZE];
    cleanup_hsm_key struct hsm_key made = {0};

    (void)snprintf(hsm_label, sizeof(hsm_label), "%s-%s", key->project_name, key->label);
    TRY(hsm_generate(api->hsm, order->type, hsm_label, d, &made, err));

    memcpy(key->hsm_id, made.id, sizeof(key->hsm_id));
    attributes_write(key, &made);
    key->spki = made.spki;
    made.spki = (struct buf){0};
    return OK;
}

static status detail_write(struct key_change *c, struct error *err)
{
    struct json_writer *w = &c->change.detail;
    uint8_t fingerprint[32];

    json_add_text(w, "type", key_type_name(c->key.type));
    json_add_hex(w, "cka_id", (struct slice){c->key.hsm_id, sizeof(c->key.hsm_id)});
    mechanisms_render(w, c->key.mechanisms);
    hashes_render(w, c->key.hashes);
    if (c->key.certificate.len > 0) {
        TRY(sha256(buf_slice(&c->key.certificate), fingerprint, err));
        json_add_hex(w, "certificate_sha256", (struct slice){fingerprint, sizeof(fingerprint)});
    } else {
        json_add_null(w, "certificate_sha256");
    }
    json_add_raw(w, "hsm", c->key.hsm_attributes);
    return OK;
}

static status key_insert_rows(struct db *db, struct change *change, struct error *err)
{
    struct key_change *c = (struct key_change *)change;

    return signing_key_insert(db, &c->key, err);
}

static void key_create_render(struct json_writer *w, const struct change *change)
{
    const struct key_change *c = (const struct key_change *)change;

    key_render(w, &c->key, c->chain);
}

static const struct change_creation key_creation = {key_insert_rows, key_create_render, false};

static status key_publish(struct api *api, struct request *req, struct response *res, const struct key_order *order,
                          struct key_change *c, struct error *err)
{
    if (order->has_certificate) {
        const struct ca_request wanted = {buf_slice(&c->key.spki), order->subject, order->days};
        TRY(ca_issue(api->ca, &wanted, request_deadline(req), &c->key.certificate, err));
    }
    change_begin(&c->change, req, "key.create");
    change_key(&c->change, &c->key);
    TRY(detail_write(c, err));
    return change_create(&c->change, api, req, res, &key_creation, err);
}

/* Only when the store says that it has no such key: where a commit's fate is unknown, a key too many in the HSM is
 * better than one too few. */
static void key_abandon(struct api *api, const struct signing_key *key)
{
    cleanup_reader struct reader reader = {0};
    cleanup_signing_key struct signing_key stored = {0};
    struct error err = {0};

    status s = reader_acquire(&reader, api->store, &err);
    if (is_ok(s))
        s = signing_key_find(reader.db, key->id, &stored, &err);
    reader_release(&reader);
    if (s.code == CODE_NOT_FOUND)
        s = hsm_destroy(api->hsm, key->hsm_id, deadline_in(ABANDON_TIMEOUT_MS), &err);
    else if (is_ok(s))
        return;
    if (!is_ok(s)) {
        error_prefix(&err, "the HSM keeps a key %s-%s that no row names", key->project_name, key->label);
        log_error(LOG_LEVEL_ERROR, "key.abandon", &err);
    }
}

static status key_prepare(struct signing_key *key, const struct project *project, const struct key_order *order,
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
    key->created_ms = clock_now_ms();
    return id_new("key", key->id, err);
}

status key_create(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    const struct project *project = &caller_of(req)->project;
    cleanup_key_change struct key_change c = {0};
    cleanup_chain struct chain chain = {0};
    struct key_order order = {0};
    bool replayed = false;

    TRY(query_none(req, err));
    TRY(key_order_parse(&order, req, project->name, err));
    TRY(change_replay(api, req, res, &replayed, err));
    if (replayed)
        return OK;
    TRY(label_check_free(api, project, &order, err));
    TRY(chain_load(&chain, api, err));
    TRY(key_prepare(&c.key, project, &order, err));
    TRY(key_generate(api, &order, request_deadline(req), &c.key, err));

    c.chain = &chain;
    status s = key_publish(api, req, res, &order, &c, err);
    if (!is_ok(s) || c.change.replayed)
        key_abandon(api, &c.key);
    return s;
}

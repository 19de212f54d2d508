/* SPDX-License-Identifier: Apache-2.0 */
/* Making and changing the timestamp authority. A change counts on every server from the next token on. */
#include "server/api/tsa.h"

#include <string.h>

#include "common/secret.h"
#include "common/text.h"
#include "server/api/caller.h"
#include "server/api/parse.h"
#include "server/api/render.h"
#include "server/api/routes.h"

#define TARGET_NAME "tsa"

static status tsa_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    TRY(query_none(req, err));
    return tsa_view_answer(arg, res, err);
}

static void tsa_change_begin(struct tsa_change *c, const struct request *req, const char *type)
{
    change_begin(&c->change, req, type);
    change_target(&c->change, "tsa", TARGET_NAME, TARGET_NAME);
    c->change.keeps_rights = true;
}

static status key_detail(struct tsa_change *c, const struct timestamp_key *key, struct error *err)
{
    struct json_writer *w = &c->change.detail;
    uint8_t fingerprint[32];

    json_add_integer(w, "version", key->version);
    json_add_text(w, "type", key_type_name(key->type));
    json_add_text(w, "subject", key->subject);
    json_add_hex(w, "cka_id", (struct slice){key->hsm_id, sizeof(key->hsm_id)});
    json_add_raw(w, "hsm", key->hsm_attributes);
    if (key->certificate.len == 0) {
        json_add_null(w, "certificate_sha256");
        return OK;
    }
    TRY(sha256(buf_slice(&key->certificate), fingerprint, err));
    json_add_hex(w, "certificate_sha256", (struct slice){fingerprint, sizeof(fingerprint)});
    return OK;
}

/* Reads the authority inside the transaction, and compares its revision. */
static status authority_begin(struct db *db, struct tsa_change *c, struct error *err)
{
    c->retired_count = 0;
    TRY(timestamp_authority_find(db, &c->authority, err));
    return change_check_revision(&c->change, c->authority.revision, err);
}

static status authority_check(struct api *api, struct tsa_change *c, struct error *err)
{
    cleanup_reader struct reader reader = {0};

    TRY(reader_acquire(&reader, api->store, err));
    TRY(authority_begin(reader.db, c, err));
    if (c->authority.version == 0)
        return OK;
    return timestamp_key_find(reader.db, c->authority.version, &c->active, err);
}

static status issued_insert(struct db *db, const struct tsa_change *c, struct error *err)
{
    return *c->issued.profile ? issued_certificate_insert(db, &c->issued, err) : OK;
}

/* ---- create */

static status create_rows(struct db *db, struct change *change, struct error *err)
{
    struct tsa_change *c = (struct tsa_change *)change;

    TRY(timestamp_authority_insert(db, &c->authority, err));
    TRY(issued_insert(db, c, err));
    return timestamp_key_insert(db, &c->key, err);
}

static void create_render(struct json_writer *w, const struct change *change)
{
    tsa_key_render(w, NULL, &((const struct tsa_change *)change)->key);
}

static const struct change_creation creation = {create_rows, create_render, false};

static status absence_check(struct api *api, struct error *err)
{
    cleanup_reader struct reader reader = {0};
    struct timestamp_authority found;

    TRY(reader_acquire(&reader, api->store, err));
    status s = timestamp_authority_find(reader.db, &found, err);
    if (is_ok(s))
        return error_set(err, CODE_CONFLICT, "there is a timestamp authority already");
    return s.code == CODE_NOT_FOUND ? OK : s;
}

static status tsa_create(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_tsa_change struct tsa_change c = {0};
    struct tsa_order order = {0};
    bool replayed = false;

    TRY(query_none(req, err));
    TRY(tsa_order_parse(&order, req, true, err));
    TRY(change_replay(api, req, res, &replayed, err));
    if (replayed)
        return OK;
    TRY(absence_check(api, err));
    TRY(tsa_key_make(api, req, &c, &order, err));
    c.authority.version = order.is_external ? 0 : c.key.version;
    c.authority.created_ms = c.key.created_ms;
    tsa_change_begin(&c, req, "tsa.create");
    status s = key_detail(&c, &c.key, err);
    if (is_ok(s))
        s = change_create(&c.change, api, req, res, &creation, err);
    if (!is_ok(s) || c.change.replayed)
        tsa_key_abandon(api, &c.key);
    return s;
}

/* ---- rotate */

static status pending_retire(struct db *db, struct tsa_change *c, struct error *err)
{
    cleanup_timestamp_key struct timestamp_key pending = {0};

    status s = timestamp_key_find_pending(db, &pending, err);
    if (s.code == CODE_NOT_FOUND)
        return OK;
    TRY(s);
    return tsa_key_retire(db, c, &pending, err);
}

static status active_retire(struct db *db, struct tsa_change *c, struct error *err)
{
    cleanup_timestamp_key struct timestamp_key active = {0};

    if (c->authority.version == 0)
        return OK;
    TRY(timestamp_key_find(db, c->authority.version, &active, err));
    return tsa_key_retire(db, c, &active, err);
}

static status rotate_rows(struct db *db, struct change *change, struct error *err)
{
    struct tsa_change *c = (struct tsa_change *)change;

    TRY(authority_begin(db, c, err));
    TRY(pending_retire(db, c, err));
    if (c->key.state == TIMESTAMP_KEY_ACTIVE) {
        TRY(active_retire(db, c, err));
        c->authority.version = c->key.version;
    }
    TRY(issued_insert(db, c, err));
    TRY(timestamp_key_insert(db, &c->key, err));
    return timestamp_authority_update(db, &c->authority, err);
}

static status tsa_rotate(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_tsa_change struct tsa_change c = {0};
    struct tsa_order order = {0};

    TRY(query_none(req, err));
    TRY(tsa_order_parse(&order, req, false, err));
    tsa_change_begin(&c, req, "tsa.rotate");
    TRY(authority_check(api, &c, err));
    if (c.authority.version == 0 && order.type == KEY_TYPE_NONE)
        return error_set(err, CODE_INVALID, "type: is needed while no key is active");
    if (c.authority.version > 0)
        TRY(tsa_order_like(&c.active, &order, err));
    TRY(tsa_key_make(api, req, &c, &order, err));
    status s = key_detail(&c, &c.key, err);
    if (is_ok(s))
        s = change_commit(&c.change, api, req, rotate_rows, err);
    if (!is_ok(s)) {
        tsa_key_abandon(api, &c.key);
        return s;
    }
    tsa_retired_destroy(api, &c);
    return tsa_view_answer(api, res, err);
}

/* ---- renew */

static status renew_rows(struct db *db, struct change *change, struct error *err)
{
    struct tsa_change *c = (struct tsa_change *)change;

    TRY(authority_begin(db, c, err));
    if (c->authority.version != c->active.version)
        return error_set(err, CODE_CONFLICT, "the authority was rotated by somebody else meanwhile");
    TRY(issued_insert(db, c, err));
    TRY(timestamp_key_update(db, &c->active, clock_now_ms(), err));
    return timestamp_authority_update(db, &c->authority, err);
}

static status tsa_renew(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_tsa_change struct tsa_change c = {0};
    struct tsa_order order = {0};

    TRY(query_none(req, err));
    TRY(tsa_order_parse(&order, req, false, err));
    if (order.type != KEY_TYPE_NONE || order.is_external)
        return error_set(err, CODE_INVALID, "%s: a renewal keeps the key, and is of the built-in CA",
                         order.is_external ? "issuer" : "type");
    tsa_change_begin(&c, req, "tsa.renew");
    TRY(authority_check(api, &c, err));
    if (c.authority.version == 0)
        return error_set(err, CODE_CONFLICT, "the authority has no certificate that could be renewed");
    TRY(tsa_order_like(&c.active, &order, err));
    TRY(tsa_certificate_issue(api, req, &c, &c.active, &order, err));
    TRY(key_detail(&c, &c.active, err));
    TRY(change_commit(&c.change, api, req, renew_rows, err));
    return tsa_view_answer(api, res, err);
}

/* ---- disable, enable */

static status disable_rows(struct db *db, struct change *change, struct error *err)
{
    struct tsa_change *c = (struct tsa_change *)change;

    TRY(authority_begin(db, c, err));
    if (c->authority.is_disabled)
        return error_set(err, CODE_CONFLICT, "the timestamp authority is disabled already");
    c->authority.is_disabled = true;
    (void)text_copy(c->authority.disabled_reason, sizeof(c->authority.disabled_reason), c->text);
    return timestamp_authority_update(db, &c->authority, err);
}

/* The time that was reached is forgotten: so a clock that was ahead for a while can be set right, on record. */
static status enable_rows(struct db *db, struct change *change, struct error *err)
{
    struct tsa_change *c = (struct tsa_change *)change;

    TRY(authority_begin(db, c, err));
    if (!c->authority.is_disabled)
        return error_set(err, CODE_CONFLICT, "the timestamp authority is not disabled");
    c->authority.is_disabled = false;
    c->authority.disabled_reason[0] = '\0';
    TRY(timestamp_clock_reset(db, err));
    return timestamp_authority_update(db, &c->authority, err);
}

static status tsa_disable(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_tsa_change struct tsa_change c = {.text = ""};
    const struct json_field fields[] = {{"reason", JSON_STRING, JSON_REQUIRED, &c.text}};

    TRY(query_none(req, err));
    TRY(body_read(req, fields, COUNT_OF(fields), err));
    TRY(check_text("reason", c.text, err));
    if (!*c.text)
        return error_set(err, CODE_INVALID, "reason: must not be empty");
    tsa_change_begin(&c, req, "tsa.disable");
    json_add_text(&c.change.detail, "reason", c.text);
    TRY(change_commit(&c.change, api, req, disable_rows, err));
    return tsa_view_answer(api, res, err);
}

static status tsa_enable(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_tsa_change struct tsa_change c = {0};

    TRY(query_none(req, err));
    TRY(body_empty(req, err));
    tsa_change_begin(&c, req, "tsa.enable");
    TRY(change_commit(&c.change, api, req, enable_rows, err));
    return tsa_view_answer(api, res, err);
}

/* ---- an outside CA */

/* The key that waits for a certificate, else the one that signs. */
static status certifiable_find(struct db *db, struct tsa_change *c, struct error *err)
{
    timestamp_key_clear(&c->key);
    status s = timestamp_key_find_pending(db, &c->key, err);
    if (s.code != CODE_NOT_FOUND)
        return s;
    return timestamp_key_find(db, c->authority.version, &c->key, err);
}

static status csr_answer(struct response *res, const struct timestamp_key *key, struct slice der, struct error *err)
{
    cleanup_buf struct buf pem = {0};

    TRY(pem_format("CERTIFICATE REQUEST", der, &pem, err));
    struct json_writer *w = response_json(res, 200);
    json_begin_object(w, NULL);
    json_add_integer(w, "version", key->version);
    json_add_text(w, "state", timestamp_key_state_name(key->state));
    json_add_text(w, "subject", key->subject);
    json_add_text(w, "request", buf_text(&pem));
    json_end_object(w);
    return OK;
}

static status csr_key_find(struct api *api, struct tsa_change *c, struct error *err)
{
    cleanup_reader struct reader reader = {0};

    TRY(reader_acquire(&reader, api->store, err));
    TRY(timestamp_authority_find(reader.db, &c->authority, err));
    return certifiable_find(reader.db, c, err);
}

DEFINE_CLEANUP_PTR(X509_NAME, X509_NAME_free)

static status tsa_csr_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_tsa_change struct tsa_change c = {0};
    CLEANUP(X509_NAME_free_cleanup) X509_NAME *subject = NULL;
    cleanup_buf struct buf der = {0};

    TRY(query_none(req, err));
    TRY(csr_key_find(api, &c, err));
    TRY(ca_subject_name(c.key.subject, &subject, err));
    TRY(tsa_request_make(api->hsm, c.key.hsm_id, subject, &der, err));
    return csr_answer(res, &c.key, buf_slice(&der), err);
}

static status pem_check(const char *text, struct error *err)
{
    for (const char *c = text; *c; c++) {
        if ((*c < ' ' && !strchr("\t\r\n", *c)) || *c > '~')
            return error_set(err, CODE_INVALID, "certificates: PEM is expected");
    }
    return strstr(text, "-----BEGIN CERTIFICATE-----")
               ? OK
               : error_set(err, CODE_INVALID, "certificates: there is no -----BEGIN CERTIFICATE-----");
}

static status certificate_rows(struct db *db, struct change *change, struct error *err)
{
    struct tsa_change *c = (struct tsa_change *)change;

    TRY(authority_begin(db, c, err));
    TRY(certifiable_find(db, c, err));
    status s =
        tsa_certificates_read(slice_of_text(c->text), buf_slice(&c->key.spki), &c->key.certificate, &c->key.chain, err);
    if (!is_ok(s))
        error_prefix(err, "certificates");
    TRY(s);
    TRY(key_detail(c, &c->key, err));
    if (c->key.state == TIMESTAMP_KEY_PENDING)
        TRY(active_retire(db, c, err));
    c->key.state = TIMESTAMP_KEY_ACTIVE;
    c->authority.version = c->key.version;
    TRY(timestamp_key_update(db, &c->key, clock_now_ms(), err));
    return timestamp_authority_update(db, &c->authority, err);
}

static status tsa_certificate_put(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_tsa_change struct tsa_change c = {.text = ""};
    const struct json_field fields[] = {{"certificates", JSON_STRING, JSON_REQUIRED, &c.text}};

    TRY(query_none(req, err));
    TRY(body_read(req, fields, COUNT_OF(fields), err));
    TRY(pem_check(c.text, err));
    tsa_change_begin(&c, req, "tsa.certificate");
    TRY(change_commit(&c.change, api, req, certificate_rows, err));
    tsa_retired_destroy(api, &c);
    return tsa_view_answer(api, res, err);
}

const struct route tsa_routes[] = {
    {"GET", "/v1/tsa", PERMISSION_READ_ALL, tsa_get, 0},
    {"POST", "/v1/tsa", PERMISSION_ADMINISTER, tsa_create, 0},
    {"POST", "/v1/tsa/rotate", PERMISSION_ADMINISTER, tsa_rotate, 0},
    {"POST", "/v1/tsa/renew", PERMISSION_ADMINISTER, tsa_renew, 0},
    {"POST", "/v1/tsa/disable", PERMISSION_ADMINISTER, tsa_disable, 0},
    {"POST", "/v1/tsa/enable", PERMISSION_ADMINISTER, tsa_enable, 0},
    {"GET", "/v1/tsa/csr", PERMISSION_ADMINISTER, tsa_csr_get, 0},
    {"POST", "/v1/tsa/certificate", PERMISSION_ADMINISTER, tsa_certificate_put, 0},
    {0},
};

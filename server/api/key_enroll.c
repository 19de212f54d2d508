/* SPDX-License-Identifier: Apache-2.0 */
/* A key's certificate by hand: the request out (signed by the key in the HSM), the certificate in. And how the next one
 * comes. A certificate that does not fit is refused, and nothing has changed then. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/encoding.h"
#include "common/secret.h"
#include "common/text.h"
#include "server/api/caller.h"
#include "server/api/hsms.h"
#include "server/api/key_create.h"
#include "server/api/key_job.h"
#include "server/api/key_life.h"
#include "server/api/parse.h"
#include "server/api/render.h"
#include "server/api/routes.h"
#include "server/connector/chain.h"

DEFINE_CLEANUP_PTR(X509_NAME, X509_NAME_free)
#define cleanup_name CLEANUP(X509_NAME_free_cleanup)

enum { VERSIONS_MOST = 1000 };

static status usable_judge(const struct signing_key *key, struct error *err)
{
    if (key->state == KEY_ACTIVE || key->state == KEY_DISABLED)
        return OK;
    return error_set(err, CODE_CONFLICT, "the signing key is %s: it takes no certificate", key_state_name(key->state));
}

/* ---- the request for a certificate */

struct csr_change {
    struct change change;
    struct signing_key key;
};

static void csr_change_clear(struct csr_change *c)
{
    change_clear(&c->change);
    signing_key_clear(&c->key);
}
#define cleanup_csr_change CLEANUP(csr_change_clear)

/* The one asked for; as planned; as it is; the key's name. */
static status csr_name(const struct signing_key *key, const char *asked, X509_NAME **out, struct error *err)
{
    char plain[2 * NAME_SIZE + 8];
    const unsigned char *at = key->certificate.data;

    if (!asked && *key->plan_subject)
        asked = key->plan_subject;
    cleanup_x509 X509 *crt =
        !asked && key->certificate.len > 0 ? d2i_X509(NULL, &at, (long)key->certificate.len) : NULL;
    if (crt) {
        *out = X509_NAME_dup(X509_get_subject_name(crt));
        return *out ? OK : error_set(err, CODE_NO_MEMORY, "out of memory");
    }
    (void)snprintf(plain, sizeof(plain), "CN=%s-%s", key->project_name, key->label);
    return ca_subject_name(asked ? asked : plain, out, err);
}

static status version_load(struct api *api, struct request *req, struct signing_key *out, struct error *err)
{
    cleanup_reader struct reader reader = {0};
    int64_t version = 0;

    TRY(query_integer(req, "version", 1, VERSIONS_MOST, &version, err));
    TRY(reader_acquire(&reader, api->store, err));
    if (version > 0)
        return key_version_find(reader.db, caller_of(req)->key_id, (int)version, out, err);
    return signing_key_find(reader.db, caller_of(req)->key_id, out, err);
}

static status no_rows(struct db *db, struct change *change, struct error *err)
{
    (void)db, (void)change, (void)err;
    return OK;
}

static status csr_render(struct response *res, const struct signing_key *key, struct slice der, struct error *err)
{
    cleanup_buf struct buf pem = {0};

    TRY(pem_format("CERTIFICATE REQUEST", der, &pem, err));
    struct json_writer *w = response_json(res, 200);
    json_begin_object(w, NULL);
    json_add_integer(w, "version", key->version);
    json_add_text(w, "csr", buf_text(&pem));
    json_end_object(w);
    return OK;
}

/* The key signs its own request: on record before the HSM is asked. */
static status key_csr_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    static const char *const parameters[] = {"subject", "version", NULL};
    struct api *api = arg;
    cleanup_csr_change struct csr_change c = {0};
    cleanup_name X509_NAME *name = NULL;
    cleanup_pkey EVP_PKEY *evp_key = NULL;
    cleanup_buf struct buf der = {0};
    struct hsm *hsm = NULL;
    const char *subject = request_query(req, "subject");

    TRY(request_query_only(req, parameters, err));
    TRY(check_text("subject", subject, err));
    TRY(version_load(api, req, &c.key, err));
    TRY(usable_judge(&c.key, err));
    TRY(hsm_of_key(api, &c.key, &hsm, err));
    TRY(csr_name(&c.key, subject, &name, err));
    change_begin(&c.change, req, "key.csr");
    change_key(&c.change, &c.key);
    c.change.keeps_rights = true;
    c.change.if_match = NULL;
    json_add_integer(&c.change.detail, "version", c.key.version);
    TRY(change_commit(&c.change, api, req, no_rows, err));
    TRY(hsm_evp_key(hsm, c.key.hsm_id, &evp_key, err));
    TRY(csr_make(evp_key, c.key.type, name, &der, err));
    return csr_render(res, &c.key, buf_slice(&der), err);
}

/* ---- the certificate */

struct certificate_change {
    struct change change;
    struct signing_key key; /* as it is afterwards */
    char key_id[ID_SIZE];
    STACK_OF(X509) * given, *anchors;
    X509 *leaf;  /* one of given */
    int version; /* it is of this one; 0: of none */
    struct certificate_chain chain;
};

static void certificate_change_clear(struct certificate_change *c)
{
    change_clear(&c->change);
    signing_key_clear(&c->key);
    certificates_free(c->given);
    certificates_free(c->anchors);
    certificate_chain_clear(&c->chain);
}
#define cleanup_certificate_change CLEANUP(certificate_change_clear)

/* PEM as it is; anything else is base64 of DER. */
static status given_parse(struct certificate_change *c, const char *text, struct error *err)
{
    cleanup_buf struct buf compact = {0}, der = {0};

    if (strstr(text, "-----BEGIN ")) {
        buf_add_text(&der, text);
    } else {
        for (const char *at = text; *at; at++) {
            if (!isspace((unsigned char)*at))
                buf_add_byte(&compact, (uint8_t)*at);
        }
        TRY(buf_check(&compact, err));
        if (!is_ok(base64_decode(buf_text(&compact), compact.len, &der, NULL)))
            return error_set(err, CODE_INVALID, "certificate: PEM, or base64 of DER or PKCS#7, is expected");
    }
    TRY(buf_check(&der, err));
    status s = certificates_parse(buf_slice(&der), &c->given, err);
    if (!is_ok(s))
        error_prefix(err, "certificate");
    return s;
}

static status version_match(void *arg, const struct signing_key *version)
{
    struct certificate_change *c = arg;

    if (c->leaf)
        return OK;
    c->leaf = certificates_find(c->given, buf_slice(&version->spki));
    c->version = c->leaf ? version->version : 0;
    return OK;
}

static status anchors_load(struct certificate_change *c, struct db *db, const struct signing_key *key,
                           struct error *err)
{
    cleanup_connector_row struct connector_row row = {0};
    struct connector_settings settings;

    if (!*key->connector)
        return OK;
    TRY(connector_find(db, key->connector, &row, err));
    TRY(connector_settings_read(&row, &settings, err));
    return connector_trust_read(settings.trust_file, &c->anchors, err);
}

static status certificate_match(struct certificate_change *c, struct api *api, struct error *err)
{
    cleanup_reader struct reader reader = {0};

    TRY(reader_acquire(&reader, api->store, err));
    TRY(signing_key_find(reader.db, c->key_id, &c->key, err));
    TRY(usable_judge(&c->key, err));
    TRY(key_version_list(reader.db, c->key_id, version_match, c, err));
    if (!c->leaf)
        return error_set(err, CODE_CONFLICT, "certificate: none of the %d given is of this key, in any of its versions",
                         sk_X509_num(c->given));
    return anchors_load(c, reader.db, &c->key, err);
}

static status certificate_rows(struct db *db, struct change *change, struct error *err)
{
    struct certificate_change *c = (struct certificate_change *)change;
    cleanup_signing_key struct signing_key before = {0};
    struct signing_key to = {.certificate = c->chain.certificate, .chain = c->chain.chain}; /* borrows */

    TRY(key_version_find(db, c->key_id, c->version, &before, err));
    TRY(change_check_revision(change, before.revision, err));
    TRY(usable_judge(&before, err));
    (void)text_copy(to.certificate_source, sizeof(to.certificate_source), CONNECTOR_MANUAL);
    TRY(key_version_set_certificate(db, &before, &to, clock_now_ms(), err));
    signing_key_clear(&c->key);
    return signing_key_find(db, c->key_id, &c->key, err);
}

static status certificate_detail(struct certificate_change *c, struct error *err)
{
    struct json_writer *w = &c->change.detail;
    uint8_t fingerprint[32];

    TRY(sha256(buf_slice(&c->chain.certificate), fingerprint, err));
    json_add_integer(w, "version", c->version);
    json_add_hex(w, "certificate_sha256", (struct slice){fingerprint, sizeof(fingerprint)});
    json_add_raw(w, "findings", buf_text(&c->chain.findings));
    return OK;
}

static status certificate_answer(struct certificate_change *c, struct api *api, struct response *res, struct error *err)
{
    cleanup_chain struct chain chain = {0};
    cleanup_buf struct buf key = {0};
    struct json_writer key_writer = json_writer_on(&key);

    TRY(chain_load(&chain, api, err));
    key_render(&key_writer, &c->key, &chain);
    TRY(buf_check(&key, err));
    response_revision(res, c->key.revision);
    struct json_writer *w = response_json(res, 200);
    json_begin_object(w, NULL);
    json_add_integer(w, "version", c->version);
    json_add_raw(w, "findings", buf_text(&c->chain.findings));
    json_add_raw(w, "key", buf_text(&key));
    json_end_object(w);
    return OK;
}

static status key_certificate_put(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_certificate_change struct certificate_change c = {0};
    const char *text = NULL;
    const struct json_field fields[] = {{"certificate", JSON_STRING, JSON_REQUIRED, &text}};

    TRY(query_none(req, err));
    TRY(body_read(req, fields, COUNT_OF(fields), err));
    (void)text_copy(c.key_id, sizeof(c.key_id), caller_of(req)->key_id);
    TRY(given_parse(&c, text, err));
    TRY(certificate_match(&c, api, err));
    status s = certificate_chain_build(c.leaf, c.given, c.anchors, &c.chain, err);
    if (!is_ok(s))
        error_prefix(err, "certificate");
    TRY(s);
    change_begin(&c.change, req, "key.certificate");
    change_key(&c.change, &c.key);
    TRY(certificate_detail(&c, err));
    TRY(change_commit(&c.change, api, req, certificate_rows, err));
    return certificate_answer(&c, api, res, err);
}

/* ---- how the next one comes */

struct source_change {
    struct change change;
    struct signing_key key;
    struct key_certificate_order order;
    const char *key_id;
    bool has_connector, has_days, has_subject;
    int64_t days;
};

static void source_change_clear(struct source_change *c)
{
    change_clear(&c->change);
    signing_key_clear(&c->key);
}
#define cleanup_source_change CLEANUP(source_change_clear)

static status source_rows(struct db *db, struct change *change, struct error *err)
{
    struct source_change *c = (struct source_change *)change;
    struct signing_key *key = &c->key;

    signing_key_clear(key);
    TRY(signing_key_find(db, c->key_id, key, err));
    change_key(change, key);
    TRY(change_check_revision(change, key->revision, err));
    if (c->has_connector)
        key_connector_set(key, &c->order);
    if (c->has_subject)
        (void)text_copy(key->plan_subject, sizeof(key->plan_subject), c->order.subject);
    if (c->has_days)
        key->renew_before_days = (int)c->days;
    json_add_text(&change->detail, "connector", *key->connector ? key->connector : NULL);
    json_add_integer(&change->detail, "renew_before_days", key->renew_before_days);
    TRY(signing_key_set_connector(db, key, err));
    key->revision++;
    return OK;
}

static status source_take(struct source_change *c, struct api *api, const char *connector, const char *subject,
                          struct error *err)
{
    c->has_connector = connector != NULL;
    c->has_subject = subject != NULL;
    if (subject) {
        TRY(check_text("subject", subject, err));
        (void)text_copy(c->order.subject, sizeof(c->order.subject), subject);
        TRY(ca_subject_check(subject, err));
    }
    return !connector || strcmp(connector, "none") == 0 ? OK : key_connector_choose(api, connector, &c->order, err);
}

static status key_patch(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_source_change struct source_change c = {.key_id = caller_of(req)->key_id, .days = -1};
    const char *connector = NULL, *subject = NULL;
    const struct json_field fields[] = {{"connector", JSON_STRING, 0, &connector},
                                        {"subject", JSON_STRING, 0, &subject},
                                        {"renew_before_days", JSON_INTEGER, 0, &c.days}};

    TRY(query_none(req, err));
    TRY(body_read(req, fields, COUNT_OF(fields), err));
    c.has_days = c.days != -1;
    if (c.has_days && (c.days < 0 || c.days > RENEW_BEFORE_DAYS_MOST))
        return error_set(err, CODE_INVALID, "renew_before_days: 0 (never) to %d is expected", RENEW_BEFORE_DAYS_MOST);
    TRY(source_take(&c, api, connector, subject, err));
    change_begin(&c.change, req, "key.update");
    TRY(change_commit(&c.change, api, req, source_rows, err));
    return key_answer(api, res, 200, &c.key, err);
}

const struct route key_enroll_routes[] = {
    {"GET", "/v1/keys/{key}/csr", PERMISSION_PROJECT_MANAGE, key_csr_get, 0},
    {"PUT", "/v1/keys/{key}/certificate", PERMISSION_PROJECT_MANAGE, key_certificate_put, 0},
    {"PATCH", "/v1/keys/{key}", PERMISSION_PROJECT_MANAGE, key_patch, 0},
    {0},
};

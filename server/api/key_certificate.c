/* SPDX-License-Identifier: Apache-2.0 */
/* The certificate of a signing key: what it says, its chain, what it lacks; and its revocation. */
#include <string.h>

#include "common/secret.h"
#include "common/text.h"
#include "server/api/cas.h"
#include "server/api/list.h"
#include "server/api/parse.h"
#include "server/api/render.h"
#include "server/api/revocation.h"
#include "server/api/routes.h"
#include "server/ca/certificate_text.h"
#include "server/ca/lint.h"

enum { VERSION_MOST = 1000, CERTIFICATES_MOST = 100 };

/* ---- show */

static void finding_render(void *arg, const struct lint_finding *f)
{
    struct json_writer *w = arg;

    json_begin_object(w, NULL);
    json_add_text(w, "rule", f->rule);
    json_add_text(w, "severity", f->severity);
    json_add_text(w, "text", f->text);
    json_end_object(w);
}

static status fingerprint_render(struct json_writer *w, struct slice certificate, struct error *err)
{
    uint8_t hash[32];

    TRY(sha256(certificate, hash, err));
    json_add_hex(w, "sha256", (struct slice){hash, sizeof(hash)});
    return OK;
}

static status chain_pem_render(struct json_writer *w, const struct signing_key *key, const struct chain *chain,
                               struct error *err)
{
    const struct ca_chain *found = *key->certificate_ca ? ca_chain_find(&chain->all, key->certificate_ca) : NULL;
    cleanup_buf struct buf pem = {0};

    TRY(pem_format("CERTIFICATE", buf_slice(&key->certificate), &pem, err));
    for (size_t i = 0; found && i < found->count; i++)
        TRY(pem_format("CERTIFICATE", buf_slice(&found->certificates[i]), &pem, err));
    json_add_text(w, "chain", buf_text(&pem));
    return OK;
}

static status certificate_render(struct json_writer *w, const struct signing_key *key, const struct chain *chain,
                                 struct error *err)
{
    struct certificate_text text;

    TRY(certificate_text_read(buf_slice(&key->certificate), &text, err));
    json_begin_object(w, NULL);
    json_add_integer(w, "version", key->version);
    json_add_text(w, "subject", text.subject);
    json_add_text(w, "issuer", text.issuer);
    json_add_text(w, "serial", text.serial);
    json_add_time(w, "not_before", text.not_before_ms);
    json_add_time(w, "not_after", text.not_after_ms);
    TRY(fingerprint_render(w, buf_slice(&key->certificate), err));
    json_add_text(w, "ca", *key->certificate_ca ? key->certificate_ca : NULL);
    json_add_time(w, "revoked", key->revoked_ms);
    TRY(chain_pem_render(w, key, chain, err));
    json_begin_array(w, "findings");
    TRY(lint_certificate(buf_slice(&key->certificate), finding_render, w, err));
    json_end_array(w);
    json_end_object(w);
    return OK;
}

static status key_certificate_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    cleanup_reader struct reader reader = {0};
    cleanup_chain struct chain chain = {0};
    cleanup_signing_key struct signing_key key = {0};

    TRY(query_none(req, err));
    TRY(chain_load(&chain, api, err));
    TRY(reader_acquire(&reader, api->store, err));
    TRY(signing_key_find(reader.db, caller_of(req)->key_id, &key, err));
    if (key.certificate.len == 0)
        return error_set(err, CODE_NOT_FOUND, "the signing key has no certificate");
    response_revision(res, key.revision);
    return certificate_render(response_json(res, 200), &key, &chain, err);
}

/* ---- revoke */

struct revoke_change {
    struct change change;
    struct revocation revocation;
    struct signing_key key;
    const char *key_id;
    int version;
    struct issued_certificate items[CERTIFICATES_MOST]; /* of that version, not yet revoked */
    size_t count;
};

static void revoke_reset(struct revoke_change *c)
{
    for (size_t i = 0; i < c->count; i++)
        issued_certificate_clear(&c->items[i]);
    c->count = 0;
    signing_key_clear(&c->key);
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

/* All certificates of the version: the one before a renewal is of the same key. */
static status revoke_rows(struct db *db, struct change *change, struct error *err)
{
    struct revoke_change *c = (struct revoke_change *)change;

    revoke_reset(c);
    TRY(signing_key_find(db, c->key_id, &c->key, err));
    change_key(change, &c->key);
    TRY(change_check_revision(change, c->key.revision, err));
    if (c->version > c->key.version)
        return error_set(err, CODE_NOT_FOUND, "the signing key has no version %d", c->version);
    TRY(issued_certificate_list_key(db, c->key_id, c->version, revoke_take, c, err));
    if (c->count == 0)
        return error_set(err, CODE_CONFLICT, "version %d has no certificate of a CA here that is not revoked",
                         c->version);
    json_begin_array(&change->detail, "serials");
    for (size_t i = 0; i < c->count; i++) {
        TRY(revocation_apply(db, &c->revocation, &c->items[i], err));
        json_add_text(&change->detail, NULL, c->items[i].serial);
    }
    json_end_array(&change->detail);
    return OK;
}

static status version_read(struct request *req, int *out, struct error *err)
{
    int64_t version = 0;

    if (!text_to_int64(request_param(req, "version"), &version) || version < 1 || version > VERSION_MOST)
        return error_set(err, CODE_NOT_FOUND, "no such version");
    *out = (int)version;
    return OK;
}

static status key_certificate_revoke(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_revoke_change struct revoke_change *c = calloc(1, sizeof(*c));

    if (!c)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    TRY(query_none(req, err));
    TRY(revocation_parse(req, &c->revocation, err));
    TRY(version_read(req, &c->version, err));
    c->key_id = caller_of(req)->key_id;
    change_begin(&c->change, req, "certificate.revoke");
    json_add_integer(&c->change.detail, "version", c->version);
    revocation_detail(&c->change.detail, &c->revocation);
    TRY(change_commit(&c->change, arg, req, revoke_rows, err));

    struct json_writer *w = response_json(res, 200);
    json_begin_object(w, NULL);
    json_begin_array(w, "items");
    for (size_t i = 0; i < c->count; i++)
        issued_render(w, &c->items[i]);
    json_end_array(w);
    json_end_object(w);
    return OK;
}

const struct route key_certificate_routes[] = {
    {"GET", "/v1/keys/{key}/certificate", PERMISSION_PROJECT_READ, key_certificate_get, 0},
    {"POST", "/v1/keys/{key}/versions/{version}/revoke", PERMISSION_PROJECT_MANAGE, key_certificate_revoke, 0},
    {0},
};

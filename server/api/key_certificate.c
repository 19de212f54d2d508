/* SPDX-License-Identifier: Apache-2.0 */
/* The certificate of a signing key: what it says, its chain, what it lacks. */
#include <string.h>

#include "common/certificate.h"
#include "common/secret.h"
#include "common/text.h"
#include "server/api/cas.h"
#include "server/api/parse.h"
#include "server/api/render.h"
#include "server/api/routes.h"
#include "server/ca/certificate_text.h"
#include "server/ca/lint.h"
#include "server/store/connector.h"

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
    struct slice rest = buf_slice(&key->chain), one;

    TRY(pem_format("CERTIFICATE", buf_slice(&key->certificate), &pem, err));
    while (*key->certificate_source && der_next(&rest, &one))
        TRY(pem_format("CERTIFICATE", one, &pem, err));
    for (size_t i = 0; found && i < found->count; i++)
        TRY(pem_format("CERTIFICATE", buf_slice(&found->certificates[i]), &pem, err));
    json_add_text(w, "chain", buf_text(&pem));
    return OK;
}

static status certificate_render(struct json_writer *w, struct db *db, const struct signing_key *key,
                                 const struct chain *chain, struct error *err)
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
    TRY(certificate_source_render(w, db, key, err));
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
    return certificate_render(response_json(res, 200), reader.db, &key, &chain, err);
}

const struct route key_certificate_routes[] = {
    {"GET", "/v1/keys/{key}/certificate", PERMISSION_PROJECT_READ, key_certificate_get, 0},
    {0},
};

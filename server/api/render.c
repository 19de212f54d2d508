/* SPDX-License-Identifier: Apache-2.0 */
/* Objects that stand in more than one answer. */
#include "server/api/render.h"

#include "common/encoding.h"

#include <string.h>

#include "common/certificate.h"

static const struct {
    enum platform_role role;
    const char *name;
} platform_roles[] = {{ROLE_ADMINISTRATOR, "administrator"}, {ROLE_AUDITOR, "auditor"}, {ROLE_NONE, "user"}};

const char *principal_type_name(enum principal_type type)
{
    static const char *const names[] = {
        [PRINCIPAL_USER] = "user", [PRINCIPAL_SERVICE_ACCOUNT] = "service_account", [PRINCIPAL_TEAM] = "team"};
    return names[type];
}

const char *platform_role_name(enum platform_role role)
{
    for (size_t i = 0; i < COUNT_OF(platform_roles); i++) {
        if (platform_roles[i].role == role)
            return platform_roles[i].name;
    }
    return "user";
}

const char *member_role_name(enum member_role role)
{
    switch (role) {
    case MEMBER_OWNER:
        return "owner";
    case MEMBER_SIGNER:
        return "signer";
    default:
        return "approver";
    }
}

bool platform_role_parse(const char *name, enum platform_role *out)
{
    for (size_t i = 0; i < COUNT_OF(platform_roles); i++) {
        if (strcmp(platform_roles[i].name, name) == 0) {
            *out = platform_roles[i].role;
            return true;
        }
    }
    return false;
}

status chain_load(struct chain *c, struct api *api, struct error *err)
{
    return ca_chains_load(api->ca, &c->all, err);
}

void chain_clear(struct chain *c)
{
    ca_chains_clear(&c->all);
}

/* RFC 7468: lines of 64 characters. */
status pem_format(const char *label, struct slice der, struct buf *out, struct error *err)
{
    enum { LINE = 64 };
    cleanup_buf struct buf text = {0};

    base64_encode(der, &text);
    TRY(buf_check(&text, err));
    buf_printf(out, "-----BEGIN %s-----\n", label);
    for (size_t at = 0; at < text.len; at += LINE)
        buf_printf(out, "%.*s\n", (int)(text.len - at < LINE ? text.len - at : LINE), buf_text(&text) + at);
    buf_printf(out, "-----END %s-----\n", label);
    return buf_check(out, err);
}

status json_add_pem(struct json_writer *w, const char *name, struct slice der, struct error *err)
{
    cleanup_buf struct buf pem = {0};

    TRY(pem_format("CERTIFICATE", der, &pem, err));
    json_add_text(w, name, buf_text(&pem));
    return OK;
}

void mechanisms_render(struct json_writer *w, unsigned mechanisms)
{
    json_begin_array(w, "mechanisms");
    for (int m = MECHANISM_NONE + 1; m < MECHANISM_COUNT; m++) {
        if (mechanisms & (1u << m))
            json_add_text(w, NULL, mechanism_name((enum mechanism)m));
    }
    json_end_array(w);
}

void hashes_render(struct json_writer *w, unsigned hashes)
{
    json_begin_array(w, "hashes");
    for (int h = HASH_NONE + 1; h < HASH_COUNT; h++) {
        if (hashes & hash_bit((enum hash)h))
            json_add_text(w, NULL, hash_name((enum hash)h));
    }
    json_end_array(w);
}

void capabilities_render(struct json_writer *w, const struct connector_ops *ops)
{
    static const struct {
        unsigned bit;
        const char *name;
    } rows[] = {{CONNECTOR_ENROLLS, "enroll"},
                {CONNECTOR_RENEWS, "renew"},
                {CONNECTOR_REVOKES, "revoke"},
                {CONNECTOR_TESTS, "test"}};

    json_begin_array(w, "capabilities");
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (ops && ops->capabilities & rows[i].bit)
            json_add_text(w, NULL, rows[i].name);
    }
    json_end_array(w);
}

void chain_render(struct json_writer *w, const struct chain *chain, const char *ca)
{
    const struct ca_chain *found = *ca ? ca_chain_find(&chain->all, ca) : NULL;

    for (size_t i = 0; found && i < found->count; i++)
        json_add_base64(w, NULL, buf_slice(&found->certificates[i]));
}

/* A certificate of a CA here is followed by that one's, any other by the chain that came with it. */
static void issuers_render(struct json_writer *w, const struct signing_key *key, const struct chain *chain)
{
    struct slice rest = buf_slice(&key->chain), one;

    if (!*key->certificate_source)
        chain_render(w, chain, key->certificate_ca);
    while (*key->certificate_source && der_next(&rest, &one))
        json_add_base64(w, NULL, one);
}

static void certificates_render(struct json_writer *w, const struct signing_key *key, const struct chain *chain)
{
    json_begin_array(w, "certificates");
    if (key->certificate.len > 0) {
        json_add_base64(w, NULL, buf_slice(&key->certificate));
        issuers_render(w, key, chain);
    }
    json_end_array(w);
}

status certificate_source_render(struct json_writer *w, struct db *db, const struct signing_key *key, struct error *err)
{
    cleanup_connector_row struct connector_row row = {0};

    if (!*key->certificate_source) {
        json_add_null(w, "connector");
        return OK;
    }
    status s = connector_find(db, key->certificate_source, &row, err);
    json_add_text(w, "connector", is_ok(s) ? row.name : key->certificate_source);
    return s.code == CODE_NOT_FOUND ? OK : s; /* it was removed since */
}

void key_material_render(struct json_writer *w, const struct signing_key *key, const struct chain *chain)
{
    json_add_integer(w, "version", key->version);
    json_add_text(w, "type", key_type_name(key->type));
    if (key->version > 0) {
        json_add_base64(w, "public_key", buf_slice(&key->spki));
        json_add_hex(w, "cka_id", (struct slice){key->hsm_id, sizeof(key->hsm_id)});
    } else {
        json_add_null(w, "public_key");
        json_add_null(w, "cka_id");
    }
    mechanisms_render(w, key->mechanisms);
    hashes_render(w, key->hashes);
    certificates_render(w, key, chain);
}

static void destruction_render(struct json_writer *w, const struct signing_key *key)
{
    if (!*key->destroy_by) {
        json_add_null(w, "destruction");
        return;
    }
    json_begin_object(w, "destruction");
    json_add_text(w, "asked_by", key->destroy_by);
    json_add_time(w, "asked", key->destroy_ms);
    json_end_object(w);
}

void key_render(struct json_writer *w, const struct signing_key *key, const struct chain *chain)
{
    json_begin_object(w, NULL);
    json_add_text(w, "id", key->id);
    json_add_text(w, "project", key->project_name);
    json_add_text(w, "label", key->label);
    json_add_text(w, "state", key_state_name(key->state));
    json_add_integer(w, "revision", key->revision);
    key_material_render(w, key, chain);
    if (key->version > 0)
        json_add_raw(w, "hsm", key->hsm_attributes);
    else
        json_add_null(w, "hsm");
    json_add_text(w, "connector", *key->connector ? key->connector : NULL);
    json_add_text(w, "connector_name", *key->connector_name ? key->connector_name : NULL);
    json_add_text(w, "job", *key->job_id ? key->job_id : NULL);
    json_add_time(w, "certificate_expires", key->not_after_ms);
    json_add_integer(w, "renew_before_days", key->renew_before_days);
    json_add_text(w, "hsm_name", signing_key_hsm(key));
    json_add_text(w, "findings", *key->findings ? key->findings : NULL);
    json_add_text(w, "disabled_reason", *key->disabled_reason ? key->disabled_reason : NULL);
    json_add_time(w, "created", key->created_ms);
    json_add_time(w, "retired", key->retired_ms);
    destruction_render(w, key);
    json_end_object(w);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What several resources show of the same object. */
#pragma once

#include "server/api/api.h"

const char *principal_type_name(enum principal_type type); /* "user", "service_account", "team" */
const char *platform_role_name(enum platform_role role);   /* "administrator", "auditor", "user" */
const char *member_role_name(enum member_role role);       /* "owner", "signer", "approver" */
bool platform_role_parse(const char *name, enum platform_role *out);

/* The CAs' certificates, for the chains of all keys of one answer. */
struct chain {
    struct ca_chains all;
};
status chain_load(struct chain *c, struct api *api, struct error *err);
void chain_clear(struct chain *c);
/* The certificate's issuers, in the array that is open. */
void chain_render(struct json_writer *w, const struct chain *chain, const char *ca);
#define cleanup_chain CLEANUP(chain_clear)

/* "-----BEGIN CERTIFICATE-----…"; label: what stands there. */
status pem_format(const char *label, struct slice der, struct buf *out, struct error *err);
status json_add_pem(struct json_writer *w, const char *name, struct slice der, struct error *err);

/* Arrays of the names in a set; name NULL inside an array. */
void mechanisms_render(struct json_writer *w, unsigned mechanisms);
void hashes_render(struct json_writer *w, unsigned hashes);
/* What connectors of a type can do; ops NULL: the type is not known. */
void capabilities_render(struct json_writer *w, const struct connector_ops *ops);
/* Members version to certificates, as both a token and an administrator see them; inside an open object. */
void key_material_render(struct json_writer *w, const struct signing_key *key, const struct chain *chain);
/* Member connector: by which one the present certificate of key's version came, by name; null: a CA here issued it, or
 * there is none. */
status certificate_source_render(struct json_writer *w, struct db *db, const struct signing_key *key,
                                 struct error *err);
/* The whole key object of an administrator's or member's view. */
void key_render(struct json_writer *w, const struct signing_key *key, const struct chain *chain);

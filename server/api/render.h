/* SPDX-License-Identifier: Apache-2.0 */
/* What several resources show of the same object. */
#pragma once

#include "server/api/api.h"

const char *principal_type_name(enum principal_type type); /* "user", "service_account", "team" */
const char *platform_role_name(enum platform_role role);   /* "administrator", "auditor", "user" */
bool platform_role_parse(const char *name, enum platform_role *out);

/* The built-in CA's certificates, for the chains of all keys of one answer. */
struct chain {
    struct buf issuing, root; /* DER */
};
status chain_load(struct chain *c, struct api *api, struct error *err);
void chain_clear(struct chain *c);
#define cleanup_chain CLEANUP(chain_clear)

/* Arrays of the names in a set; name NULL inside an array. */
void mechanisms_render(struct json_writer *w, unsigned mechanisms);
void hashes_render(struct json_writer *w, unsigned hashes);
/* Members version to certificates, as both a token and an administrator see them; inside an open object. */
void key_material_render(struct json_writer *w, const struct signing_key *key, const struct chain *chain);
/* The whole key object of an administrator's or member's view. */
void key_render(struct json_writer *w, const struct signing_key *key, const struct chain *chain);

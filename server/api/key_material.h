/* SPDX-License-Identifier: Apache-2.0 */
/* A new version of a signing key: its pair in the HSM and its certificate, before any row names it. */
#pragma once

#include "server/api/change.h"

struct key_certificate_order {
    char subject[TEXT_SIZE];        /* "": no certificate */
    int days;                       /* 0: the CA's default */
    char ca[NAME_SIZE];             /* "": the default CA */
    char connector[NAME_SIZE];      /* "": the built-in CA at once; else a connector's name, then its id (key_job.h) */
    char connector_name[NAME_SIZE]; /* when connector is the id */
};
enum { CERTIFICATE_DAYS_MOST = 460 };

/* Makes the pair of key->type, and the certificate: hsm_id, spki, hsm_attributes, certificate, version_created_ms of
 * key are set. I3: what the HSM says of the key is kept. Nothing is left in the HSM after a failure. */
status key_material_make(struct api *api, struct signing_key *key, const struct key_certificate_order *order,
                         struct deadline d, struct error *err);
/* In the transaction that puts the version into the store: the row of its certificate, where a CA here issued it. */
status key_certificate_insert(struct db *db, const struct signing_key *key, struct error *err);
/* Issues for key->spki what the order says: certificate and certificate_ca of key are set. */
status key_certificate_issue(struct api *api, struct signing_key *key, const struct key_certificate_order *order,
                             struct deadline d, struct error *err);
/* After a commit that failed: takes the pair out of the HSM again, but only when the store says that it has no such
 * version. */
void key_material_abandon(struct api *api, const struct signing_key *key);
/* Attributes as JSON, for key->hsm_attributes. */
void key_attributes_write(struct signing_key *key, const struct hsm_key *found);
/* The members of a record that tell what was made. */
status key_material_detail(struct json_writer *w, const struct signing_key *key, struct error *err);
/* What the key's present certificate was made by; the defaults where it has none and `needs_one`. */
status key_certificate_order_like(const struct signing_key *key, bool needs_one, struct key_certificate_order *out,
                                  struct error *err);
/* subject, days and CA of a request's body; NULL and 0 leave what stands in out. */
status key_certificate_order_parse(const char *subject, int64_t days, const char *ca, struct key_certificate_order *out,
                                   struct error *err);

/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates that a connector fetches: which one, and the job that does it. */
#pragma once

#include "server/api/jobs.h"
#include "server/api/key_material.h"

/* The connector of an order, given by name: becomes its id. CODE_INVALID: there is none. */
status key_connector_resolve(struct api *api, struct key_certificate_order *order, struct error *err);
/* The connector that a body names, into the order: builtin is the built-in CA at once. */
status key_connector_choose(struct api *api, const char *name, struct key_certificate_order *order, struct error *err);
/* Where the certificates of the key come from. */
void key_connector_set(struct signing_key *key, const struct key_certificate_order *order);
/* That, and what else of an order stays with the key. */
void key_connector_keep(struct signing_key *key, const struct key_certificate_order *order);
/* The order by which a key with a connector gets its certificates; "" of connector otherwise. */
void key_connector_order(const struct signing_key *key, struct key_certificate_order *out);
/* A job for key->version, before the transaction; its kind stays with the caller. */
status key_job_prepare(struct job *job, const struct request *req, const struct signing_key *key, enum job_kind kind,
                       struct error *err);
/* In the transaction: the job, where the key's connector works without a person; key->job_id names it then. Detail of
 * the record. */
status key_job_insert(struct db *db, struct json_writer *detail, struct signing_key *key, const struct job *job,
                      struct error *err);

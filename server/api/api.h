/* SPDX-License-Identifier: Apache-2.0 */
/* The REST resources: one file each: parse, call, render. Routes are tables whose rows carry the permission. */
#pragma once

#include "server/audit/audit.h"
#include "server/auth/auth.h"
#include "server/ca/ca.h"
#include "server/connector/runner.h"
#include "server/hsm/hsm.h"
#include "server/http/http.h"
#include "server/sign/signer.h"
#include "server/store/store.h"
#include "server/tsa/tsa.h"

struct api {
    struct store *store;
    struct audit *audit;
    struct signer *signer;
    struct identity_cache *identities;
    struct hsm *hsm;            /* the default one; keys say theirs: hsms.h */
    const struct hsm_set *hsms; /* all, hsm too; NULL: there is no other */
    struct ca *ca;
    const char *secret_key_file; /* with which the store's secrets are sealed */
    const char *tls_root;        /* PEM file of what clients trust; there need be none */
    struct tsa *tsa;
    struct runner *runner;              /* told of new jobs; NULL: nobody does them */
    int64_t destroy_wait_ms;            /* from a key's retirement to its destruction */
    int64_t break_glass_hours;          /* of a request in an emergency, and of its grant; 0: one */
    const char *const *token_audiences; /* NULL-ended: "<public url>/v1/oauth/token" */
    int64_t started_ms;                 /* when this server began */
    bool (*is_draining)(void);          /* readyz answers 503 then; may be NULL */
};

extern const struct route *const api_tables[]; /* NULL-ended */
/* Of the listener without TLS, where nobody is asked who he is: every row is PERMISSION_PUBLIC. */
extern const struct route *const api_public_tables[];
/* Authenticates and judges the route's permission; http_config.before. */
status api_before(void *api, struct request *req, struct response *res, struct error *err);

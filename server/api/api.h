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

struct api {
    struct store *store;
    struct audit *audit;
    struct signer *signer;
    struct identity_cache *identities;
    struct hsm *hsm;
    struct ca *ca;
    struct runner *runner;              /* told of new jobs; NULL: nobody does them */
    int64_t destroy_wait_ms;            /* from a key's retirement to its destruction */
    const char *const *token_audiences; /* NULL-ended: "<public url>/v1/oauth/token" */
    bool (*is_draining)(void);          /* readyz answers 503 then; may be NULL */
};

extern const struct route *const api_tables[]; /* NULL-ended */
/* Authenticates and judges the route's permission; http_config.before. */
status api_before(void *api, struct request *req, struct response *res, struct error *err);

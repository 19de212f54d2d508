/* SPDX-License-Identifier: Apache-2.0 */
/* The REST resources: one file each: parse, call, render. Routes are tables whose rows carry the permission. */
#pragma once

#include "server/audit/audit.h"
#include "server/auth/auth.h"
#include "server/ca/ca.h"
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
    struct hsm *hsm;
    struct ca *ca;
    struct tsa *tsa;
    int64_t destroy_wait_ms;            /* from a key's retirement to its destruction */
    const char *const *token_audiences; /* NULL-ended: "<public url>/v1/oauth/token" */
    bool (*is_draining)(void);          /* readyz answers 503 then; may be NULL */
};

extern const struct route *const api_tables[]; /* NULL-ended */
/* Of the listener without TLS, where nobody is asked who he is: every row is PERMISSION_PUBLIC. */
extern const struct route *const api_public_tables[];
/* Authenticates and judges the route's permission; http_config.before. */
status api_before(void *api, struct request *req, struct response *res, struct error *err);

/* SPDX-License-Identifier: Apache-2.0 */
/* POST /v1/signing/keys/{key}/signatures. Parse, call, render; rights, policy and records live in signer_sign, so that
 * refusals are recorded too. */
#include "server/api/caller.h"
#include "server/api/parse.h"
#include "server/api/routes.h"
#include "server/api/sign_order.h"

static status signature_create(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    struct sign_order order;
    cleanup_buf struct buf bytes = {0};
    cleanup_sign_result struct sign_result result = {0};

    TRY(query_none(req, err));
    TRY(sign_order_parse(&order, req, &bytes, err));
    TRY(signer_sign(api->signer, caller_principal(req), &order, request_deadline(req), &result, err));

    struct json_writer *w = response_json(res, 201);
    json_begin_object(w, NULL);
    json_add_base64(w, "signature", buf_slice(&result.signature));
    json_add_integer(w, "version", result.version);
    json_begin_object(w, "record");
    json_add_integer(w, "intent", result.intent_seq);
    json_add_integer(w, "outcome", result.outcome_seq);
    json_end_object(w);
    json_end_object(w);
    return OK;
}

const struct route signature_routes[] = {
    {"POST", ROUTE_SIGNING_KEYS "/{key}" ROUTE_SIGNATURES_SUFFIX, PERMISSION_SIGN, signature_create, LIMIT_SIGN_BODY},
    {0},
};

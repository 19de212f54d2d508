/* SPDX-License-Identifier: Apache-2.0 */
/* POST /tsa: timestamps over HTTP (RFC 3161 §3.4), for anybody. A query that is no query is answered by a refusal of
 * the protocol, too; only what HTTP itself can tell is a problem of HTTP. */
#include "server/api/parse.h"
#include "server/api/routes.h"

enum { QUERY_MAX = 64 * 1024 };

static status timestamp_post(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    const struct tsa_caller who = {request_client_address(req), request_id(req)};

    TRY(query_none(req, err));
    TRY(request_media(req, "application/timestamp-query", err));
    return tsa_answer(api->tsa, request_body(req), &who, request_deadline(req),
                      response_body(res, "application/timestamp-reply"), err);
}

const struct route timestamp_routes[] = {
    {"POST", "/tsa", PERMISSION_PUBLIC, timestamp_post, QUERY_MAX},
    {0},
};

/* SPDX-License-Identifier: Apache-2.0 */
/* The certificates of the built-in CA, for those who verify. */
#include "server/api/parse.h"
#include "server/api/render.h"
#include "server/api/routes.h"

static status ca_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    cleanup_chain struct chain chain = {0};

    TRY(query_none(req, err));
    TRY(chain_load(&chain, arg, err));
    const struct ca_chain *issuing = ca_chain_find(&chain.all, CA_ISSUING_NAME);
    if (!issuing)
        return error_set(err, CODE_NOT_FOUND, "there is no built-in CA");

    struct json_writer *w = response_json(res, 200);
    json_begin_object(w, NULL);
    TRY(json_add_pem(w, "issuing", buf_slice(&issuing->certificates[0]), err));
    TRY(json_add_pem(w, "root", buf_slice(&issuing->certificates[issuing->count - 1]), err));
    json_end_object(w);
    return OK;
}

const struct route ca_routes[] = {
    {"GET", "/v1/ca", PERMISSION_ANY, ca_get, 0},
    {0},
};

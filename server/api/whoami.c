/* SPDX-License-Identifier: Apache-2.0 */
/* Who the server takes the caller for. */
#include "server/api/caller.h"
#include "server/api/parse.h"
#include "server/api/render.h"
#include "server/api/routes.h"

static status whoami_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    const struct principal *who = caller_principal(req);
    (void)arg;
    TRY(query_none(req, err));

    struct json_writer *w = response_json(res, 200);
    json_begin_object(w, NULL);
    json_add_text(w, "id", who->id);
    json_add_text(w, "type", principal_type_name(who->type));
    json_add_text(w, "name", who->name);
    json_add_text(w, "role", who->type == PRINCIPAL_USER ? platform_role_name(who->role) : NULL);
    json_end_object(w);
    return OK;
}

const struct route whoami_routes[] = {
    {"GET", ROUTE_WHOAMI, PERMISSION_ANY, whoami_get, 0},
    {0},
};

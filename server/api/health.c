/* SPDX-License-Identifier: Apache-2.0 */
/* /livez says that the process answers, /readyz that it can do its work. Public, so no reason beyond a code is told. */
#include "common/log.h"
#include "server/api/parse.h"
#include "server/api/routes.h"

enum { READY_TIMEOUT_MS = 2000 };

static status live_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    (void)arg;
    TRY(query_none(req, err));

    struct json_writer *w = response_json(res, 200);
    json_begin_object(w, NULL);
    json_add_text(w, "status", "ok");
    json_end_object(w);
    return OK;
}

static const char *check_result(status s, const struct error *err)
{
    if (!is_ok(s))
        log_error(LOG_LEVEL_WARNING, "readyz", err);
    return code_wire(s.code);
}

static status ready_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    struct error why = {0};

    TRY(query_none(req, err));
    bool draining = api->is_draining && api->is_draining();
    status store = store_check(api->store, &why);
    const char *store_result = check_result(store, &why);
    status hsm = hsm_check(api->hsm, deadline_in(READY_TIMEOUT_MS), &why);
    const char *hsm_result = check_result(hsm, &why);
    bool ready = !draining && is_ok(store) && is_ok(hsm);

    if (!ready)
        response_header(res, "Retry-After", "1");
    struct json_writer *w = response_json(res, ready ? 200 : 503);
    json_begin_object(w, NULL);
    json_add_text(w, "status", ready ? "ready" : "not_ready");
    json_begin_object(w, "checks");
    json_add_text(w, "store", store_result);
    json_add_text(w, "hsm", hsm_result);
    json_end_object(w);
    json_end_object(w);
    return OK;
}

const struct route health_routes[] = {
    {"GET", "/livez", PERMISSION_PUBLIC, live_get, 0},
    {"GET", "/readyz", PERMISSION_PUBLIC, ready_get, 0},
    {0},
};

/* Whether store and HSM answer is nobody's business out there. */
const struct route public_health_routes[] = {
    {"GET", "/livez", PERMISSION_PUBLIC, live_get, 0},
    {0},
};

/* SPDX-License-Identifier: Apache-2.0 */
/* /livez says that the process answers, /readyz that it can do its work. Public, so no reason beyond a code is told. */
#include "common/log.h"
#include "server/api/hsms.h"
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

struct hsm_health {
    size_t count, answering;
    const char *result; /* of the first that does not answer */
};

static struct hsm_health hsms_check(const struct api *api)
{
    struct hsm_health health = {.count = hsms_count(api), .result = code_wire(CODE_OK)};

    for (size_t i = 0; i < health.count; i++) {
        struct error why = {0};
        status s = hsm_check(hsms_at(api, i), deadline_in(READY_TIMEOUT_MS), &why);
        const char *result = check_result(s, &why);
        if (is_ok(s))
            health.answering++;
        else if (health.answering == i)
            health.result = result;
    }
    return health;
}

/* A server one of whose HSMs is away serves the keys of the others: it is degraded, and still to be asked. */
static status ready_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct api *api = arg;
    struct error why = {0};

    TRY(query_none(req, err));
    bool draining = api->is_draining && api->is_draining();
    status store = store_check(api->store, &why);
    const char *store_result = check_result(store, &why);
    const struct hsm_health hsms = hsms_check(api);
    bool ready = !draining && is_ok(store) && hsms.answering > 0;
    const char *state = !ready ? "not_ready" : hsms.answering < hsms.count ? "degraded" : "ready";

    if (!ready)
        response_header(res, "Retry-After", "1");
    struct json_writer *w = response_json(res, ready ? 200 : 503);
    json_begin_object(w, NULL);
    json_add_text(w, "status", state);
    json_begin_object(w, "checks");
    json_add_text(w, "store", store_result);
    json_add_text(w, "hsm", hsms.result);
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

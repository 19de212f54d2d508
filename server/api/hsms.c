/* SPDX-License-Identifier: Apache-2.0 */
/* The HSM: what its token says of itself, what it can make and sign with, and whether it answers now. */
#include <stdio.h>
#include <string.h>

#include "server/api/caller.h"
#include "server/api/hsms.h"
#include "server/api/parse.h"
#include "server/api/render.h"
#include "server/api/routes.h"

status hsm_check_name(struct request *req, struct error *err)
{
    if (strcmp(request_param(req, "hsm"), HSM_DEFAULT) == 0)
        return OK;
    return error_set(err, CODE_NOT_FOUND, "no such HSM");
}

static void version_render(struct json_writer *w, const char *name, int major, int minor)
{
    char text[32];

    (void)snprintf(text, sizeof(text), "%d.%d", major, minor);
    json_add_text(w, name, text);
}

static void key_types_render(struct json_writer *w, unsigned types)
{
    json_begin_array(w, "key_types");
    for (int t = KEY_TYPE_NONE + 1; t < KEY_TYPE_COUNT; t++) {
        if (types & (1u << t))
            json_add_text(w, NULL, key_type_name((enum key_type)t));
    }
    json_end_array(w);
}

static void hsm_render(struct json_writer *w, const struct hsm_info *info, status state, const struct error *why)
{
    json_begin_object(w, NULL);
    json_add_text(w, "name", HSM_DEFAULT);
    json_add_text(w, "state", is_ok(state) ? "available" : "unavailable");
    json_add_text(w, "reason", is_ok(state) ? NULL : why->text);
    json_add_text(w, "token", info->token);
    json_add_text(w, "manufacturer", info->manufacturer);
    json_add_text(w, "model", info->model);
    json_add_text(w, "serial", info->serial);
    json_add_text(w, "library", info->library);
    version_render(w, "library_version", info->library_major, info->library_minor);
    version_render(w, "firmware_version", info->firmware_major, info->firmware_minor);
    version_render(w, "hardware_version", info->hardware_major, info->hardware_minor);
    json_add_text(w, "notice", info->is_software ? "software, not for publicly trusted keys" : NULL);
    json_add_integer(w, "sessions", info->sessions);
    key_types_render(w, info->key_types);
    mechanisms_render(w, info->mechanisms);
    json_end_object(w);
}

static void hsm_ask_and_render(struct api *api, struct request *req, struct json_writer *w)
{
    struct hsm_info info = {0};
    struct error why = {0};
    status state = hsm_describe(api->hsm, request_deadline(req), &info, &why);

    if (is_ok(state))
        state = hsm_check(api->hsm, request_deadline(req), &why);
    hsm_render(w, &info, state, &why);
}

static status hsm_list_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    TRY(query_none(req, err));
    struct json_writer *w = response_json(res, 200);
    json_begin_object(w, NULL);
    json_begin_array(w, "items");
    hsm_ask_and_render(arg, req, w);
    json_end_array(w);
    json_add_null(w, "next");
    json_end_object(w);
    return OK;
}

static status hsm_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    TRY(query_none(req, err));
    TRY(hsm_check_name(req, err));
    hsm_ask_and_render(arg, req, response_json(res, 200));
    return OK;
}

const struct route hsm_routes[] = {
    {"GET", "/v1/hsms", PERMISSION_READ_ALL, hsm_list_get, 0},
    {"GET", "/v1/hsms/{hsm}", PERMISSION_READ_ALL, hsm_get, 0},
    {0},
};

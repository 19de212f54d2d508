/* SPDX-License-Identifier: Apache-2.0 */
/* The HSMs: what their tokens say of themselves, what they can make and sign with, and whether they answer
 * now. */
#include <stdio.h>
#include <string.h>

#include "server/api/caller.h"
#include "server/api/hsms.h"
#include "server/api/parse.h"
#include "server/api/render.h"
#include "server/api/routes.h"

size_t hsms_count(const struct api *api)
{
    return api->hsms ? hsm_set_count(api->hsms) : 1;
}

struct hsm *hsms_at(const struct api *api, size_t i)
{
    return api->hsms ? hsm_set_at(api->hsms, i) : api->hsm;
}

static struct hsm *hsms_find(const struct api *api, const char *name)
{
    if (api->hsms)
        return hsm_set_find(api->hsms, name);
    return !*name || strcmp(name, HSM_DEFAULT) == 0 ? api->hsm : NULL;
}

status hsm_of_path(const struct api *api, const struct request *req, struct hsm **out, struct error *err)
{
    *out = hsms_find(api, request_param(req, "hsm"));
    return *out ? OK : error_set(err, CODE_NOT_FOUND, "no such HSM");
}

status hsm_of_body(const struct api *api, const char *name, struct hsm **out, struct error *err)
{
    if (name)
        TRY(check_name("hsm", name, err));
    *out = hsms_find(api, name ? name : HSM_DEFAULT);
    return *out ? OK : error_set(err, CODE_INVALID, "hsm: this server has no HSM %s", name);
}

status hsm_of_key(const struct api *api, const struct signing_key *key, struct hsm **out, struct error *err)
{
    *out = hsms_find(api, key->hsm);
    return *out ? OK
                : error_set(err, CODE_HSM_UNAVAILABLE,
                            "the HSM %s, which has the key, is not configured on this server", key->hsm);
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

static void bits_render(struct json_writer *w, const char *name, int64_t bits)
{
    if (bits < 0)
        json_add_null(w, name);
    else
        json_add_integer(w, name, bits);
}

static void limits_render(struct json_writer *w, const struct hsm_info *info)
{
    json_begin_array(w, "mechanism_limits");
    for (size_t i = 0; i < info->limit_count; i++) {
        json_begin_object(w, NULL);
        json_add_text(w, "mechanism", info->limits[i].name);
        bits_render(w, "min_bits", info->limits[i].min_bits);
        bits_render(w, "max_bits", info->limits[i].max_bits);
        json_end_object(w);
    }
    json_end_array(w);
}

static void state_render(struct json_writer *w, status state)
{
    json_add_text(w, "state", is_ok(state) ? "available" : "unavailable");
}

static void notice_render(struct json_writer *w, const struct hsm_info *info)
{
    json_add_text(w, "notice", info->is_software ? "software, not for publicly trusted keys" : NULL);
}

static void hsm_render(struct json_writer *w, const char *name, const struct hsm_info *info, status state,
                       const struct error *why)
{
    json_begin_object(w, NULL);
    json_add_text(w, "name", name);
    state_render(w, state);
    json_add_text(w, "reason", is_ok(state) ? NULL : why->text);
    json_add_text(w, "token", info->token);
    json_add_text(w, "manufacturer", info->manufacturer);
    json_add_text(w, "model", info->model);
    json_add_text(w, "serial", info->serial);
    json_add_text(w, "library", info->library);
    version_render(w, "library_version", info->library_major, info->library_minor);
    version_render(w, "firmware_version", info->firmware_major, info->firmware_minor);
    version_render(w, "hardware_version", info->hardware_major, info->hardware_minor);
    notice_render(w, info);
    json_add_integer(w, "sessions", info->sessions);
    key_types_render(w, info->key_types);
    mechanisms_render(w, info->mechanisms);
    limits_render(w, info);
    json_end_object(w);
}

static status hsm_ask(struct hsm *h, struct request *req, struct hsm_info *info, struct error *why)
{
    TRY(hsm_describe(h, request_deadline(req), info, why));
    return hsm_check(h, request_deadline(req), why);
}

static void hsm_ask_and_render(struct hsm *h, struct request *req, struct json_writer *w)
{
    struct hsm_info info = {0};
    struct error why = {0};
    status state = hsm_ask(h, req, &info, &why);

    hsm_render(w, hsm_name(h), &info, state, &why);
}

void hsm_choices_render(const struct api *api, struct request *req, struct json_writer *w)
{
    json_begin_array(w, "hsms");
    for (size_t i = 0; i < hsms_count(api); i++) {
        struct hsm_info info = {0};
        struct error why = {0};
        status state = hsm_ask(hsms_at(api, i), req, &info, &why);

        json_begin_object(w, NULL);
        json_add_text(w, "name", hsm_name(hsms_at(api, i)));
        state_render(w, state);
        json_add_text(w, "model", info.model);
        notice_render(w, &info);
        key_types_render(w, info.key_types);
        json_end_object(w);
    }
    json_end_array(w);
}

static status hsm_list_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    const struct api *api = arg;

    TRY(query_none(req, err));
    struct json_writer *w = response_json(res, 200);
    json_begin_object(w, NULL);
    json_begin_array(w, "items");
    for (size_t i = 0; i < hsms_count(api); i++)
        hsm_ask_and_render(hsms_at(api, i), req, w);
    json_end_array(w);
    json_add_null(w, "next");
    json_end_object(w);
    return OK;
}

static status hsm_get(void *arg, struct request *req, struct response *res, struct error *err)
{
    struct hsm *h = NULL;

    TRY(query_none(req, err));
    TRY(hsm_of_path(arg, req, &h, err));
    hsm_ask_and_render(h, req, response_json(res, 200));
    return OK;
}

const struct route hsm_routes[] = {
    {"GET", "/v1/hsms", PERMISSION_READ_ALL, hsm_list_get, 0},
    {"GET", "/v1/hsms/{hsm}", PERMISSION_READ_ALL, hsm_get, 0},
    {0},
};

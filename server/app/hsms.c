/* SPDX-License-Identifier: Apache-2.0 */
/* From the configuration to the HSMs. One whose token is away does not keep the server from starting; a module, a PIN
 * file or a URI that is wrong does, and names its place. */
#include "server/app/hsms.h"

#include <string.h>

#include "common/file.h"

struct hsm_settings {
    const char *name, *module, *token, *uri, *pin_file, *lock_file;
    int64_t sessions, timeout_ms;
};

/* What the URI says goes before. A relative path is one of the configuration's directory. */
static char *path_choose(const struct config *c, const char *of_uri, const char *of_option)
{
    return of_uri ? path_join(c->directory, of_uri) : strdup(of_option);
}

static status hsm_open_by(const struct config *c, const struct hsm_settings *settings, struct hsm **out,
                          struct error *err)
{
    cleanup_hsm_uri struct hsm_uri uri = {0};
    cleanup_buf struct buf pin = {0}; /* I8: wiped when the HSM has its own copy */

    if (*settings->uri)
        TRY(hsm_uri_read(settings->uri, &uri, err));
    cleanup_free char *module = path_choose(c, uri.module_path, settings->module);
    cleanup_free char *pin_file = path_choose(c, uri.pin_file, settings->pin_file);
    if (!module || !pin_file)
        return error_set(err, CODE_NO_MEMORY, "configuration");
    TRY(file_read_secret(pin_file, &pin, err));
    const struct hsm_config config = {
        .name = settings->name,
        .module_path = module,
        .uri = *settings->uri ? settings->uri : NULL,
        .token_label = settings->token,
        .pin = buf_slice(&pin),
        .lock_path = settings->lock_file,
        .sessions = (int)settings->sessions,
        .timeout_ms = settings->timeout_ms,
        .may_be_away = true,
    };
    return hsm_open(&config, out, err);
}

static status hsm_add(struct hsm_set *set, const struct config *c, const struct hsm_settings *settings,
                      struct error *err)
{
    struct hsm *h = NULL;

    TRY(hsm_open_by(c, settings, &h, err));
    return hsm_set_add(set, h, err);
}

static status default_add(struct hsm_set *set, const struct config *c, struct error *err)
{
    const struct hsm_settings settings = {.name = HSM_DEFAULT,
                                          .module = c->hsm_module,
                                          .token = c->hsm_token,
                                          .uri = c->hsm_uri,
                                          .pin_file = c->hsm_pin_file,
                                          .lock_file = c->hsm_lock_file,
                                          .sessions = c->hsm_sessions,
                                          .timeout_ms = c->hsm_timeout_ms};
    status s = hsm_add(set, c, &settings, err);

    if (!is_ok(s) && *c->hsm_uri)
        error_prefix(err, "hsm_uri");
    return s;
}

static status section_add(struct hsm_set *set, const struct config *c, const struct config_hsm *h, struct error *err)
{
    const struct hsm_settings settings = {.name = h->name,
                                          .module = *h->module ? h->module : c->hsm_module,
                                          .token = h->token,
                                          .uri = h->uri,
                                          .pin_file = h->pin_file,
                                          .lock_file = h->lock_file,
                                          .sessions = h->sessions,
                                          .timeout_ms = h->timeout_ms};
    status s = hsm_add(set, c, &settings, err);

    if (!is_ok(s))
        error_prefix(err, "%s:%d: [%s]", c->path ? c->path : "configuration", h->line, h->section);
    return s;
}

static status all_add(struct hsm_set *set, const struct config *c, struct error *err)
{
    TRY(default_add(set, c, err));
    for (size_t i = 0; i < c->hsm_count; i++)
        TRY(section_add(set, c, &c->hsms[i], err));
    return OK;
}

status hsms_open(const struct config *c, struct hsm_set **out, struct error *err)
{
    struct hsm_set *set = NULL;

    if (c->softhsm2_conf[0] && setenv("SOFTHSM2_CONF", c->softhsm2_conf, 1) != 0)
        return error_set(err, CODE_NO_MEMORY, "SOFTHSM2_CONF");
    TRY(hsm_set_new(&set, err));
    status s = all_add(set, c, err);
    if (is_ok(s))
        *out = set;
    else
        hsm_set_free(set);
    return s;
}

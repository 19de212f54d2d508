/* SPDX-License-Identifier: Apache-2.0 */
/* Opens and closes the HSM, and asks whether it still answers. */
#include "common/log.h"
#include "common/text.h"
#include "server/hsm/internal.h"

static status config_take(struct hsm *h, const struct hsm_config *config, struct error *err)
{
    if (!text_copy(h->name, sizeof h->name, config->name ? config->name : HSM_DEFAULT))
        return error_set(err, CODE_CONFIGURATION, "the name of the HSM is too long");
    TRY(wanted_new(config->uri, config->token_label, &h->wanted, h->label, sizeof h->label, err));
    buf_add(&h->pin, config->pin.data, config->pin.len);
    TRY(buf_check(&h->pin, err));
    h->timeout_ms = config->timeout_ms > 0 ? config->timeout_ms : TIMEOUT_DEFAULT_MS;
    int sessions = config->sessions > 0 ? config->sessions : SESSIONS_DEFAULT;
    TRY(handles_init(&h->handles, err));
    return pool_init(&h->pool, sessions < SESSIONS_MAX ? sessions : SESSIONS_MAX, err);
}

static status token_open(struct hsm *h, const struct hsm_config *config, struct error *err)
{
    struct error why = {0};
    status s = login_open(h, &why);
    bool is_away = s.code == CODE_NOT_FOUND || s.code == CODE_HSM_UNAVAILABLE;

    if (is_ok(s))
        return OK;
    why.code = s.code == CODE_NOT_FOUND ? CODE_CONFIGURATION : s.code;
    if (is_away && config->may_be_away) {
        error_prefix(&why, "HSM %s", h->name); /* callers are told: no paths */
        log_error(LOG_LEVEL_ERROR, "hsm_away", &why);
        why.code = CODE_HSM_UNAVAILABLE;
        login_postpone(h, &why);
        return OK;
    }
    error_prefix(&why, "HSM %s: %s", h->name, config->module_path);
    if (err)
        *err = why;
    return (status){why.code};
}

static status hsm_open_into(struct hsm *h, const struct hsm_config *config, struct error *err)
{
    TRY(config_take(h, config, err));
    if (config->lock_path)
        TRY(lock_acquire(config->lock_path, &h->lock_fd, err)); /* before the module reads the token */
    TRY(module_acquire(config->module_path, &h->module, err));
    h->f = module_functions(h->module);
    TRY(token_open(h, config, err));
    return provider_open(h, err);
}

status hsm_open(const struct hsm_config *config, struct hsm **out, struct error *err)
{
    cleanup_hsm struct hsm *h = calloc(1, sizeof *h);

    if (!h)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    h->lock_fd = -1;
    TRY(hsm_open_into(h, config, err));
    *out = steal(&h);
    return OK;
}

void hsm_close(struct hsm *h)
{
    if (!h)
        return;
    provider_close(h);
    if (h->module) {
        login_close(h);
        module_release(h->module);
    }
    pool_clear(&h->pool);
    handles_clear(&h->handles);
    lock_release(&h->lock_fd);
    free(atomic_load(&h->ability));
    wanted_free(h->wanted);
    buf_clear(&h->pin);
    free(h);
}

const char *hsm_name(const struct hsm *h)
{
    return h->name;
}

OSSL_LIB_CTX *hsm_libctx(struct hsm *h)
{
    return h->libctx;
}

static CK_RV check_operation(struct hsm *h, struct session *s, void *arg)
{
    CK_TOKEN_INFO token = {0};

    (void)arg;
    s->call = "C_GetSessionInfo";
    if (!session_is_alive(h, s))
        return CKR_USER_NOT_LOGGED_IN;
    return CALL(h, s, C_GetTokenInfo)(h->slot, &token);
}

status hsm_check(struct hsm *h, struct deadline d, struct error *err)
{
    if (pool_is_stuck(&h->pool))
        return error_set(err, CODE_HSM_UNAVAILABLE, "the HSM does not answer: an operation in it is overdue");
    return hsm_run(h, d, h->timeout_ms, check_operation, NULL, err);
}

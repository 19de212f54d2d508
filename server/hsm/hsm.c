/* SPDX-License-Identifier: Apache-2.0 */
/* Opens and closes the HSM, and asks whether it still answers. */
#include "common/text.h"
#include "server/hsm/internal.h"

static status config_take(struct hsm *h, const struct hsm_config *config, struct error *err)
{
    if (!text_copy(h->label, sizeof h->label, config->token_label) || !h->label[0])
        return error_set(err, CODE_CONFIGURATION, "the label of the HSM token has 1 to %d bytes", LABEL_LEN);
    buf_add(&h->pin, config->pin.data, config->pin.len);
    TRY(buf_check(&h->pin, err));
    h->timeout_ms = config->timeout_ms > 0 ? config->timeout_ms : TIMEOUT_DEFAULT_MS;
    int sessions = config->sessions > 0 ? config->sessions : SESSIONS_DEFAULT;
    TRY(handles_init(&h->handles, err));
    return pool_init(&h->pool, sessions < SESSIONS_MAX ? sessions : SESSIONS_MAX, err);
}

static status hsm_open_into(struct hsm *h, const struct hsm_config *config, struct error *err)
{
    TRY(config_take(h, config, err));
    if (config->lock_path)
        TRY(lock_acquire(config->lock_path, &h->lock_fd, err)); /* before the module reads the token */
    TRY(module_acquire(config->module_path, &h->f, err));
    TRY(module_find_token(h->f, h->label, &h->slot, err));
    TRY(login_open(h, err));
    TRY(ability_read(h, err));
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
    if (h->f) {
        login_close(h);
        module_release(h->f);
    }
    pool_clear(&h->pool);
    handles_clear(&h->handles);
    lock_release(&h->lock_fd);
    buf_clear(&h->pin);
    free(h);
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

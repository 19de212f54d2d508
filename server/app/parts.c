/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration to open parts. */
#include "server/app/parts.h"

#include <string.h>

#include "common/file.h"
#include "common/log.h"
#include "server/api/builtin_ca.h"

enum { PEM_MAX = 64 * 1024 };

status log_open_configured(const struct config *c, struct error *err)
{
    enum log_level level = LOG_LEVEL_INFO;
    (void)log_level_parse(c->log_level, &level);
    enum log_format format = strcmp(c->log_format, "json") == 0 ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT;
    return log_open(c->log_file, level, format, err);
}

status tls_read(const struct config *c, struct buf *certificate_pem, struct buf *key_pem, struct error *err)
{
    TRY(file_read(c->tls_certificate, PEM_MAX, FILE_NOT_WRITABLE_BY_OTHERS, certificate_pem, err));
    return file_read(c->tls_key, PEM_MAX, FILE_PRIVATE, key_pem, err);
}

static status hsm_open_configured(struct parts *p, const struct config *c, struct error *err)
{
    cleanup_buf struct buf pin = {0}; /* I8: wiped when the HSM has its own copy */
    if (c->softhsm2_conf[0] && setenv("SOFTHSM2_CONF", c->softhsm2_conf, 1) != 0)
        return error_set(err, CODE_NO_MEMORY, "SOFTHSM2_CONF");
    TRY(file_read_secret(c->hsm_pin_file, &pin, err));
    const struct hsm_config hsm = {
        .module_path = c->hsm_module,
        .token_label = c->hsm_token,
        .pin = buf_slice(&pin),
        .lock_path = c->hsm_lock_file,
        .sessions = (int)c->hsm_sessions,
        .timeout_ms = c->hsm_timeout_ms,
    };
    return hsm_open(&hsm, &p->hsm, err);
}

static status hsm_sign_adapter(void *hsm, const uint8_t id[20], enum key_type type, const struct sign_input *in,
                               struct deadline d, struct buf *signature, struct error *err)
{
    return hsm_sign(hsm, id, type, in, d, signature, err);
}

status parts_open_base(struct parts *p, const struct config *c, struct error *err)
{
    TRY(store_open(c->store, &p->store, err));
    TRY(store_migrate(p->store, err));
    TRY(hsm_open_configured(p, c, err));
    return audit_open(p->store, NULL, &p->audit, err);
}

status parts_open_service(struct parts *p, const struct config *c, struct error *err)
{
    const struct signer_config signer = {
        .store = p->store,
        .audit = p->audit,
        .hsm = {hsm_sign_adapter, p->hsm},
        .verify_all = strcmp(c->verify_signatures, "all") == 0,
    };
    TRY(signer_new(&signer, &p->signer, err));
    TRY(identity_cache_new(&p->identities, err));
    TRY(ca_open(p->hsm, p->store, &p->ca, err));
    const struct runner_config runner = {
        .store = p->store,
        .audit = p->audit,
        .hsm = p->hsm,
        .builtin = builtin_ca_of(p->ca),
        .is_alone = strncmp(c->store, "sqlite:", 7) == 0, /* whose file one server has */
    };
    return runner_new(&runner, &p->runner, err);
}

void parts_close(struct parts *p)
{
    runner_free(p->runner);
    if (p->ca)
        ca_close(p->ca);
    if (p->signer)
        signer_free(p->signer);
    identity_cache_free(p->identities);
    if (p->audit)
        audit_close(p->audit);
    if (p->hsm)
        hsm_close(p->hsm);
    if (p->store)
        store_close(p->store);
    *p = (struct parts){0};
}

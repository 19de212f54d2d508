/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration to open parts. */
#include "server/app/parts.h"

#include <string.h>

#include "common/file.h"
#include "common/log.h"
#include "server/api/builtin_ca.h"
#include "server/app/hsms.h"

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

static status hsm_sign_adapter(void *hsm, const uint8_t id[20], enum key_type type, const struct sign_input *in,
                               struct deadline d, struct buf *signature, struct error *err)
{
    return hsm_sign(hsm, id, type, in, d, signature, err);
}

static void *hsm_find_adapter(void *hsms, const char *name)
{
    return hsm_set_find(hsms, name);
}

status parts_open_base(struct parts *p, const struct config *c, struct error *err)
{
    TRY(store_open(c->store, &p->store, err));
    TRY(store_migrate(p->store, err));
    TRY(hsms_open(c, &p->hsms, err));
    p->hsm = hsm_set_find(p->hsms, HSM_DEFAULT);
    return audit_open(p->store, NULL, &p->audit, err);
}

static status pem_read(const char *path, struct buf *out, struct error *err)
{
    return *path ? file_read(path, PEM_MAX, FILE_NOT_WRITABLE_BY_OTHERS, out, err) : OK;
}

static status tsa_open_configured(struct parts *p, const struct config *c, struct error *err)
{
    cleanup_buf struct buf relay_ca = {0}, tls_ca = {0};
    TRY(pem_read(c->tsa_relay_ca, &relay_ca, err));
    TRY(pem_read(c->tsa_relay_tls_ca, &tls_ca, err));
    const struct tsa_config tsa = {
        .store = p->store,
        .audit = p->audit,
        .hsm = p->hsm,
        .policy = c->tsa_policy,
        .accuracy_ms = c->tsa_accuracy_ms,
        .checks_clock = strcmp(c->tsa_clock, "synchronised") == 0,
        .clock_error_ms = c->tsa_clock_error_ms,
        .records_all = strcmp(c->tsa_record, "all") == 0,
        .relay = (const char *const *)c->tsa_relay.items,
        .relay_count = c->tsa_relay.count,
        .relay_interval_ms = c->tsa_relay_interval_ms,
        .relay_timeout_ms = c->tsa_relay_timeout_ms,
        .relay_ca = buf_slice(&relay_ca),
        .relay_tls_ca = buf_slice(&tls_ca),
    };
    return tsa_new(&tsa, &p->tsa, err);
}

status parts_open_service(struct parts *p, const struct config *c, const char *public_url, struct error *err)
{
    const struct signer_config signer = {
        .store = p->store,
        .audit = p->audit,
        .hsm = {hsm_sign_adapter, hsm_find_adapter, p->hsms},
        .verify_all = strcmp(c->verify_signatures, "all") == 0,
    };
    TRY(signer_new(&signer, &p->signer, err));
    TRY(identity_cache_new(&p->identities, err));
    const struct ca_config ca = {.hsm = p->hsm, .store = p->store, .audit = p->audit, .public_url = public_url};
    TRY(ca_open(&ca, &p->ca, err));
    TRY(ca_backfill(p->ca, err));
    TRY(tsa_open_configured(p, c, err));
    const struct runner_config runner = {
        .store = p->store,
        .audit = p->audit,
        .hsm = p->hsm,
        .hsms = p->hsms,
        .builtin = builtin_ca_of(p->ca),
        .is_alone = strncmp(c->store, "sqlite:", 7) == 0, /* whose file one server has */
    };
    return runner_new(&runner, &p->runner, err);
}

void parts_close(struct parts *p)
{
    runner_free(p->runner);
    if (p->tsa)
        tsa_free(p->tsa);
    if (p->ca)
        ca_close(p->ca);
    if (p->signer)
        signer_free(p->signer);
    identity_cache_free(p->identities);
    if (p->audit)
        audit_close(p->audit);
    hsm_set_free(p->hsms);
    if (p->store)
        store_close(p->store);
    *p = (struct parts){0};
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The authority as the store has it now: one row is read for each token, so that a change made on any server counts
 * from the next token on (I4). */
#include "server/tsa/internal.h"

#include "common/log.h"

void authority_drop(struct authority *a)
{
    X509_free(a->certificate);
    certificates_free(a->chain);
    EVP_PKEY_free(a->key);
    a->certificate = NULL;
    a->chain = NULL;
    a->key = NULL;
    a->revision = 0;
}

static const EVP_MD *digest_for(enum key_type type)
{
    return type == KEY_TYPE_P384 || type == KEY_TYPE_RSA4096 ? EVP_sha384() : EVP_sha256();
}

static status key_read(struct tsa *t, struct timestamp_authority *row, struct timestamp_key *key, struct error *err)
{
    struct db *db = store_reader_acquire(t->config.store, err);

    if (!db)
        return (status){err->code};
    status s = timestamp_authority_find(db, row, err);
    if (is_ok(s) && row->version > 0 && row->revision != t->authority.revision)
        s = timestamp_key_find(db, row->version, key, err);
    store_reader_release(t->config.store, db);
    return s;
}

static status authority_load(struct tsa *t, const struct timestamp_key *key, struct error *err)
{
    struct authority *a = &t->authority;
    const unsigned char *at = key->certificate.data;

    authority_drop(a);
    /* In the HSM's context: only there is the key at home. */
    a->certificate = X509_new_ex(hsm_libctx(t->config.hsm), NULL);
    if (!a->certificate || !d2i_X509(&a->certificate, &at, (long)key->certificate.len))
        return error_set(err, CODE_INTERNAL, "the timestamp authority's certificate cannot be read");
    TRY(chain_decode(buf_slice(&key->chain), &a->chain, err));
    a->digest = digest_for(key->type);
    return hsm_evp_key(t->config.hsm, key->hsm_id, &a->key, err);
}

/* With the lock held. */
static bool authority_refresh(struct tsa *t, struct refusal *r)
{
    struct timestamp_authority row = {0};
    cleanup_timestamp_key struct timestamp_key key = {0};
    struct error err = {0};

    status s = key_read(t, &row, &key, &err);
    if (s.code == CODE_NOT_FOUND || (is_ok(s) && row.version == 0))
        return refuse(r, TS_INFO_SYSTEM_FAILURE, "this server has no timestamp authority with a certificate");
    if (is_ok(s) && row.is_disabled)
        return refuse(r, TS_INFO_SYSTEM_FAILURE, "the timestamp authority is disabled");
    if (is_ok(s) && row.revision != t->authority.revision) {
        s = authority_load(t, &key, &err);
        /* Who changed it may have set the clock right; see timestamp_clock_reset. */
        time_forget(t);
        serial_drop(t);
    }
    if (is_ok(s)) {
        t->authority.revision = row.revision;
        return true;
    }
    authority_drop(&t->authority);
    log_error(LOG_LEVEL_ERROR, "timestamp.authority", &err);
    return refuse(r, TS_INFO_SYSTEM_FAILURE, "the timestamp authority's key or certificate cannot be used now");
}

static bool certificate_in_time(const X509 *crt, struct refusal *r)
{
    if (X509_cmp_current_time(X509_get0_notBefore(crt)) > 0)
        return refuse(r, TS_INFO_SYSTEM_FAILURE, "the timestamp authority's certificate is not valid yet");
    if (X509_cmp_current_time(X509_get0_notAfter(crt)) < 0)
        return refuse(r, TS_INFO_SYSTEM_FAILURE, "the timestamp authority's certificate has expired");
    return true;
}

static bool signer_set(const struct authority *a, TS_RESP_CTX *ctx, struct refusal *r)
{
    if (TS_RESP_CTX_set_signer_cert(ctx, a->certificate) && TS_RESP_CTX_set_signer_key(ctx, a->key) &&
        TS_RESP_CTX_set_signer_digest(ctx, a->digest) && TS_RESP_CTX_set_certs(ctx, a->chain))
        return true;
    return refuse(r, TS_INFO_SYSTEM_FAILURE, "the timestamp authority's certificate is not one for timestamps");
}

bool authority_use(struct tsa *t, TS_RESP_CTX *ctx, struct refusal *r)
{
    (void)pthread_mutex_lock(&t->authority.lock);
    bool usable = authority_refresh(t, r) && certificate_in_time(t->authority.certificate, r) &&
                  (!ctx || signer_set(&t->authority, ctx, r));
    (void)pthread_mutex_unlock(&t->authority.lock);
    return usable;
}

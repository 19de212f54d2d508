/* SPDX-License-Identifier: Apache-2.0 */
/* The full CRL of a CA (RFC 5280 §5), made when somebody asks for it and the one there is misses a revocation or has
 * lived half of its time. One thread makes it, the others wait for that one; a CRL is kept in the store, so that
 * servers share it and its number. Revoked certificates stay on it when they expire: a signature outlives its
 * certificate. */
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "server/ca/authority.h"

enum { COMMIT_TIMEOUT_MS = 10000, DAY_MS = 24 * 60 * 60 * 1000 };

DEFINE_CLEANUP_PTR(X509_CRL, X509_CRL_free)
#define cleanup_x509_crl CLEANUP(X509_CRL_free_cleanup)
DEFINE_CLEANUP_PTR(X509_REVOKED, X509_REVOKED_free)
#define cleanup_x509_revoked CLEANUP(X509_REVOKED_free_cleanup)

void ca_crl_clear(struct ca_crl *c)
{
    buf_clear(&c->der);
    *c = (struct ca_crl){0};
}

static int64_t fresh_until(const struct ca_row *row)
{
    return row->crl_this_ms + (row->crl_next_ms - row->crl_this_ms) / 2;
}

static bool is_fresh(const struct ca_row *row, int64_t now_ms)
{
    return row->crl_number > 0 && row->crl_revocations == row->revocations && now_ms >= row->crl_this_ms &&
           now_ms < fresh_until(row);
}

/* ---- entries */

static bool reason_add(X509_REVOKED *entry, int reason)
{
    ASN1_ENUMERATED *value = ASN1_ENUMERATED_new();
    bool done = value && ASN1_ENUMERATED_set(value, reason) &&
                X509_REVOKED_add1_ext_i2d(entry, NID_crl_reason, value, 0, 0) > 0;
    ASN1_ENUMERATED_free(value);
    return done;
}

static bool invalidity_add(X509_REVOKED *entry, int64_t ms)
{
    ASN1_GENERALIZEDTIME *value = ASN1_GENERALIZEDTIME_set(NULL, (time_t)(ms / 1000));
    bool done = value && X509_REVOKED_add1_ext_i2d(entry, NID_invalidity_date, value, 0, 0) > 0;
    ASN1_GENERALIZEDTIME_free(value);
    return done;
}

static bool serial_set(X509_REVOKED *entry, const char *hex)
{
    BIGNUM *number = NULL;
    ASN1_INTEGER *serial = BN_hex2bn(&number, hex) > 0 ? BN_to_ASN1_INTEGER(number, NULL) : NULL;
    bool done = serial && X509_REVOKED_set_serialNumber(entry, serial);
    ASN1_INTEGER_free(serial);
    BN_free(number);
    return done;
}

/* "unspecified" has no entry extension (RFC 5280 §5.3.1). */
static status entry_add(void *arg, const struct issued_certificate *c)
{
    X509_CRL *crl = arg;
    cleanup_x509_revoked X509_REVOKED *entry = X509_REVOKED_new();
    cleanup_asn1_time ASN1_TIME *when = ASN1_TIME_set(NULL, (time_t)(c->revoked_ms / 1000));

    if (!entry || !when || !serial_set(entry, c->serial) || !X509_REVOKED_set_revocationDate(entry, when) ||
        (c->reason != 0 && !reason_add(entry, c->reason)) ||
        (c->invalid_ms != 0 && !invalidity_add(entry, c->invalid_ms)) || !X509_CRL_add0_revoked(crl, entry))
        return (status){CODE_INTERNAL};
    (void)steal(&entry);
    return OK;
}

/* ---- the list */

static bool number_add(X509_CRL *crl, int64_t number)
{
    ASN1_INTEGER *value = ASN1_INTEGER_new();
    bool done =
        value && ASN1_INTEGER_set_int64(value, number) && X509_CRL_add1_ext_i2d(crl, NID_crl_number, value, 0, 0) > 0;
    ASN1_INTEGER_free(value);
    return done;
}

static bool issuer_key_add(X509_CRL *crl, X509 *issuer)
{
    X509V3_CTX ctx;

    X509V3_set_ctx(&ctx, issuer, NULL, NULL, crl, 0);
    X509V3_set_ctx_nodb(&ctx);
    X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, &ctx, NID_authority_key_identifier, "keyid:always");
    bool done = e && X509_CRL_add_ext(crl, e, -1);
    X509_EXTENSION_free(e);
    return done;
}

static bool times_set(X509_CRL *crl, const struct ca_row *row)
{
    cleanup_asn1_time ASN1_TIME *this = ASN1_TIME_set(NULL, (time_t)(row->crl_this_ms / 1000));
    cleanup_asn1_time ASN1_TIME *next = ASN1_TIME_set(NULL, (time_t)(row->crl_next_ms / 1000));

    return this && next && X509_CRL_set1_lastUpdate(crl, this) && X509_CRL_set1_nextUpdate(crl, next);
}

static status entries_add(struct ca *ca, const char *name, X509_CRL *crl, struct error *err)
{
    struct db *db = store_reader_acquire(ca->config.store, err);

    if (!db)
        return err ? (status){err->code} : (status){CODE_UNAVAILABLE};
    status s = issued_certificate_list_revoked(db, name, entry_add, crl, err);
    store_reader_release(ca->config.store, db);
    return s.code == CODE_INTERNAL ? certificate_failure("an entry of the CRL cannot be made", err) : s;
}

static status crl_sign(struct ca *ca, struct authority *a, struct buf *der, struct error *err)
{
    cleanup_x509_crl X509_CRL *crl = X509_CRL_new_ex(hsm_libctx(ca->config.hsm), NULL);
    unsigned char *bytes = NULL;

    if (!crl || !X509_CRL_set_version(crl, X509_CRL_VERSION_2) ||
        !X509_CRL_set_issuer_name(crl, X509_get_subject_name(a->crt)) || !times_set(crl, &a->row) ||
        !issuer_key_add(crl, a->crt) || !number_add(crl, a->row.crl_number))
        return certificate_failure("the CRL cannot be made", err);
    TRY(entries_add(ca, a->row.name, crl, err));
    (void)X509_CRL_sort(crl);
    ignore(hsm_evp_failure(NULL));
    if (X509_CRL_sign(crl, a->key, authority_digest(a->key)) <= 0)
        return authority_failure("the CRL cannot be signed", err);
    int len = i2d_X509_CRL(crl, &bytes);
    if (len <= 0)
        return certificate_failure("the CRL cannot be encoded", err);
    buf_add(der, bytes, (size_t)len);
    OPENSSL_free(bytes);
    return buf_check(der, err);
}

/* ---- making and keeping it */

struct crl_change {
    const struct ca_row *row;
    const struct buf *der;
};

static status crl_rows(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    const struct crl_change *c = arg;

    (void)record;
    return ca_crl_store(db, c->row, buf_slice(c->der), err);
}

static status crl_commit(struct ca *ca, const struct ca_row *row, const struct buf *der, struct error *err)
{
    char detail[96];
    struct crl_change change = {row, der};
    struct audit_record record = {
        .type = "ca.crl", .outcome = "success", .target_type = "ca", .target_name = row->name, .detail_json = detail};
    struct audit_work work = {.change = crl_rows, .arg = &change, .record = &record, .needs_savepoint = true};

    (void)snprintf(detail, sizeof(detail), "{\"number\":%lld,\"revocations\":%lld}", (long long)row->crl_number,
                   (long long)row->crl_revocations);
    if (!ca->config.audit)
        return error_set(err, CODE_INTERNAL, "this CA keeps no CRL");
    return audit_commit(ca->config.audit, &work, deadline_in(COMMIT_TIMEOUT_MS), err);
}

/* What is in out then is the CRL that is in the store now. */
static status crl_make(struct ca *ca, const char *name, struct ca_crl *out, struct error *err)
{
    cleanup_authority struct authority a = {0};
    cleanup_buf struct buf der = {0};

    TRY(authority_open(ca, name, &a, err));
    a.row.crl_revocations = a.row.revocations; /* read before the list: never more than is on it */
    a.row.crl_number++;
    a.row.crl_this_ms = clock_now_ms() / 1000 * 1000;
    a.row.crl_next_ms = a.row.crl_this_ms + (int64_t)a.row.crl_days * DAY_MS;
    TRY(crl_sign(ca, &a, &der, err));
    TRY(crl_commit(ca, &a.row, &der, err));
    *out = (struct ca_crl){der, a.row.crl_this_ms, a.row.crl_next_ms, fresh_until(&a.row)};
    der = (struct buf){0};
    return OK;
}

static status crl_read(struct ca *ca, const struct ca_row *row, struct ca_crl *out, struct error *err)
{
    struct db *db = store_reader_acquire(ca->config.store, err);

    if (!db)
        return err ? (status){err->code} : (status){CODE_UNAVAILABLE};
    status s = ca_crl_find(db, row->name, &out->der, err);
    store_reader_release(ca->config.store, db);
    out->this_ms = row->crl_this_ms;
    out->next_ms = row->crl_next_ms;
    out->fresh_until_ms = fresh_until(row);
    return s;
}

/* With crl_lock. */
static status crl_renew(struct ca *ca, const char *name, struct ca_crl *out, struct error *err)
{
    cleanup_authority struct authority now = {0};
    struct error why = {0};

    TRY(authority_read(ca, name, &now, err)); /* the one before us in the lock may have made it */
    if (is_fresh(&now.row, clock_now_ms()))
        return crl_read(ca, &now.row, out, err);
    status s = crl_make(ca, name, out, &why);
    if (is_ok(s))
        return s;
    log_error(LOG_LEVEL_ERROR, "ca.crl", &why);
    if (now.row.crl_number > 0 && clock_now_ms() < now.row.crl_next_ms)
        return crl_read(ca, &now.row, out, err); /* late is better than none */
    if (err)
        *err = why;
    return s;
}

status ca_crl_get(struct ca *ca, const char *name, struct deadline d, struct ca_crl *out, struct error *err)
{
    cleanup_authority struct authority a = {0};

    TRY(authority_read(ca, name, &a, err));
    if (!a.crt)
        return error_set(err, CODE_NOT_FOUND, "the CA %s waits for its certificate", name);
    if (is_fresh(&a.row, clock_now_ms()))
        return crl_read(ca, &a.row, out, err);
    if (!deadline_lock(&ca->crl_lock, d))
        return error_set(err, CODE_UNAVAILABLE, "the CRL is being made");
    status s = crl_renew(ca, name, out, err);
    (void)pthread_mutex_unlock(&ca->crl_lock);
    return s;
}

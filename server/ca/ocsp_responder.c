/* SPDX-License-Identifier: Apache-2.0 */
#include "server/ca/ocsp_responder.h"

#include <stdio.h>
#include <string.h>

#include "common/text.h"

enum { COMMIT_TIMEOUT_MS = 10000, KEY_TIMEOUT_MS = 30000, DAY_MS = 24 * 60 * 60 * 1000 };

void responder_clear(struct responder *r)
{
    X509_free(r->crt);
    EVP_PKEY_free(r->key);
    *r = (struct responder){0};
}

static status row_find(struct ca *ca, const char *name, struct ocsp_responder *row, struct error *err)
{
    struct db *db = store_reader_acquire(ca->config.store, err);

    if (!db)
        return err ? (status){err->code} : (status){CODE_UNAVAILABLE};
    status s = ocsp_responder_find(db, name, row, err);
    store_reader_release(ca->config.store, db);
    return s;
}

/* In the HSM's library context, in which OpenSSL looks for who signs for it. The certificate has the public half, so
 * the HSM is asked for nothing but the signature. */
static status row_open(struct ca *ca, const struct ocsp_responder *row, struct responder *out, struct error *err)
{
    const unsigned char *at = row->certificate.data;
    X509 *crt = X509_new_ex(hsm_libctx(ca->config.hsm), NULL);

    if (!crt || !d2i_X509(&crt, &at, (long)row->certificate.len)) {
        X509_free(crt);
        return certificate_failure("the OCSP responder's certificate cannot be read", err);
    }
    X509_free(out->crt);
    out->crt = crt;
    return out->key ? OK : hsm_evp_key_of(ca->config.hsm, row->hsm_id, X509_get0_pubkey(crt), &out->key, err);
}

/* ---- a new certificate */

static status certificate_make(struct ca *ca, struct authority *issuer, struct responder *r,
                               struct issued_certificate *issued, struct error *err)
{
    cleanup_x509 X509 *crt = NULL;
    cleanup_buf struct buf subject = {0};
    struct buf texts[4] = {0};

    buf_printf(&subject, "CN=OCSP Responder %s", issuer->row.name);
    TRY(buf_check(&subject, err));
    struct certificate_plan plan = {
        .public_key = r->key, .subject = buf_text(&subject), .days = profiles[PROFILE_OCSP_RESPONDER].days};
    TRY(authority_plan(ca, NULL, PROFILE_OCSP_RESPONDER, &plan, texts, err));
    TRY(authority_sign(&plan, issuer->crt, issuer->key, &crt, err));
    TRY(certificate_encode(crt, &issued->certificate, err));
    TRY(ca_issued_describe(buf_slice(&issued->certificate), issued, err));
    (void)text_copy(issued->ca, sizeof(issued->ca), issuer->row.name);
    (void)text_copy(issued->profile, sizeof(issued->profile), profiles[PROFILE_OCSP_RESPONDER].name);
    return OK;
}

struct responder_change {
    struct ocsp_responder row;
    struct issued_certificate issued;
};

static void responder_change_clear(struct responder_change *c)
{
    ocsp_responder_clear(&c->row);
    issued_certificate_clear(&c->issued);
}
#define cleanup_responder_change CLEANUP(responder_change_clear)

static status change_rows(struct db *db, void *arg, struct audit_record *record, struct error *err)
{
    const struct responder_change *c = arg;

    (void)record;
    TRY(ocsp_responder_store(db, &c->row, err));
    return issued_certificate_insert(db, &c->issued, err);
}

static status change_commit(struct ca *ca, struct responder_change *c, struct error *err)
{
    char detail[80];
    struct audit_record record = {.type = "ca.ocsp_responder",
                                  .outcome = "success",
                                  .target_type = "ca",
                                  .target_name = c->row.ca,
                                  .detail_json = detail};
    struct audit_work work = {.change = change_rows, .arg = c, .record = &record, .needs_savepoint = true};

    (void)snprintf(detail, sizeof(detail), "{\"serial\":\"%s\"}", c->issued.serial);
    if (!ca->config.audit)
        return error_set(err, CODE_INTERNAL, "this CA has no OCSP responder");
    return audit_commit(ca->config.audit, &work, deadline_in(COMMIT_TIMEOUT_MS), err);
}

static status key_take(struct ca *ca, const char *name, struct responder_change *c, bool *made, struct responder *out,
                       struct error *err)
{
    char label[NAME_SIZE + 16];
    cleanup_hsm_key struct hsm_key key = {0};

    *made = !*c->row.ca;
    if (*made) {
        (void)snprintf(label, sizeof(label), "chancery-ocsp-%s", name);
        TRY(hsm_generate(ca->config.hsm, KEY_TYPE_P256, label, deadline_in(KEY_TIMEOUT_MS), &key, err));
        memcpy(c->row.hsm_id, key.id, sizeof(c->row.hsm_id));
        (void)text_copy(c->row.ca, sizeof(c->row.ca), name);
    }
    return hsm_evp_key(ca->config.hsm, c->row.hsm_id, &out->key, err);
}

static status responder_certify(struct ca *ca, struct responder_change *c, struct responder *out, struct error *err)
{
    cleanup_authority struct authority issuer = {0};

    TRY(authority_open(ca, c->row.ca, &issuer, err));
    TRY(certificate_make(ca, &issuer, out, &c->issued, err));
    buf_reset(&c->row.certificate);
    buf_add(&c->row.certificate, c->issued.certificate.data, c->issued.certificate.len);
    TRY(buf_check(&c->row.certificate, err));
    c->row.renew_ms = clock_now_ms() + (int64_t)profiles[PROFILE_OCSP_RESPONDER].days * DAY_MS / 2;
    TRY(change_commit(ca, c, err));
    return row_open(ca, &c->row, out, err);
}

/* With crl_lock. A key that did not reach the store is taken out of the HSM again, unless the commit's fate is unknown.
 */
static status responder_make(struct ca *ca, const char *name, struct responder *out, struct error *err)
{
    cleanup_responder_change struct responder_change c = {0};
    bool made = false;

    status s = row_find(ca, name, &c.row, err);
    if (!is_ok(s) && s.code != CODE_NOT_FOUND)
        return s;
    if (is_ok(s) && clock_now_ms() < c.row.renew_ms)
        return row_open(ca, &c.row, out, err);
    s = key_take(ca, name, &c, &made, out, err);
    if (is_ok(s))
        s = responder_certify(ca, &c, out, err);
    if (!is_ok(s) && made && s.code != CODE_AUDIT_UNAVAILABLE)
        ignore(hsm_destroy(ca->config.hsm, c.row.hsm_id, deadline_in(COMMIT_TIMEOUT_MS), NULL));
    return s;
}

status responder_open(struct ca *ca, const char *name, struct deadline d, struct responder *out, struct error *err)
{
    cleanup_ocsp_responder struct ocsp_responder row = {0};

    status s = row_find(ca, name, &row, err);
    if (is_ok(s) && clock_now_ms() < row.renew_ms)
        return row_open(ca, &row, out, err);
    if (!is_ok(s) && s.code != CODE_NOT_FOUND)
        return s;
    if (!deadline_lock(&ca->crl_lock, d))
        return error_set(err, CODE_UNAVAILABLE, "the OCSP responder is being made");
    s = responder_make(ca, name, out, err);
    (void)pthread_mutex_unlock(&ca->crl_lock);
    return s;
}

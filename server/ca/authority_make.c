/* SPDX-License-Identifier: Apache-2.0 */
/* Makes CAs: the first two at init, more by an administrator's order, and the request for one that somebody outside
 * certifies. Keys are made in the HSM (I3); a CA that does not reach the store leaves none there. */
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/text.h"
#include "server/ca/authority.h"

DEFINE_CLEANUP_PTR(X509_REQ, X509_REQ_free)
#define cleanup_x509_req CLEANUP(X509_REQ_free_cleanup)

enum { KEY_TIMEOUT_MS = 60000, ABANDON_TIMEOUT_MS = 10000 };

static status key_make(const struct ca *ca, enum key_type type, const char *label, struct deadline d,
                       struct authority *a, struct error *err)
{
    cleanup_hsm_key struct hsm_key key = {0};

    TRY(hsm_generate(ca->config.hsm, type, label, d, &key, err));
    memcpy(a->row.hsm_id, key.id, sizeof(a->row.hsm_id));
    status s = hsm_evp_key(ca->config.hsm, a->row.hsm_id, &a->key, err);
    if (!is_ok(s))
        ignore(hsm_destroy(ca->config.hsm, a->row.hsm_id, deadline_in(ABANDON_TIMEOUT_MS), NULL));
    return s;
}

static void key_drop(const struct ca *ca, struct authority *a)
{
    if (a->key)
        ignore(hsm_destroy(ca->config.hsm, a->row.hsm_id, deadline_in(ABANDON_TIMEOUT_MS), NULL));
}

/* issuer NULL: self-signed. */
static status certificate_make(const struct ca *ca, const struct authority *issuer, enum ca_profile profile, int days,
                               struct authority *a, struct error *err)
{
    struct buf texts[4] = {0};
    struct certificate_plan plan = {
        .public_key = a->key, .subject = a->row.subject, .days = days ? days : profiles[profile].days};

    status s = authority_plan(ca, issuer, profile, &plan, texts, err);
    if (is_ok(s))
        s = authority_sign(&plan, issuer ? issuer->crt : NULL, issuer ? issuer->key : a->key, &a->crt, err);
    if (is_ok(s))
        s = certificate_encode(a->crt, &a->row.certificate, err);
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        buf_clear(&texts[i]);
    return s;
}

static status issued_fill(const struct authority *a, enum ca_profile profile, struct issued_certificate *out,
                          struct error *err)
{
    buf_add(&out->certificate, a->row.certificate.data, a->row.certificate.len);
    TRY(buf_check(&out->certificate, err));
    TRY(ca_issued_describe(buf_slice(&out->certificate), out, err));
    (void)text_copy(out->ca, sizeof(out->ca), a->row.parent);
    (void)text_copy(out->profile, sizeof(out->profile), profiles[profile].name);
    return OK;
}

/* ---- the first two */

static status subject_make(const char *cn, const char *organisation, struct ca_row *row, struct error *err)
{
    cleanup_buf struct buf subject = {0};

    buf_printf(&subject, "CN=%s,O=", cn);
    subject_escape(organisation, &subject);
    TRY(buf_check(&subject, err));
    if (!text_copy(row->subject, sizeof(row->subject), buf_text(&subject)))
        return error_set(err, CODE_INVALID, "the organisation is too long");
    return OK;
}

static status root_create(const struct ca *ca, const char *organisation, struct authority *root, struct error *err)
{
    TRY(subject_make("Code Signing Root CA", organisation, &root->row, err));
    TRY(key_make(ca, KEY_TYPE_P384, "chancery-ca-root", deadline_in(KEY_TIMEOUT_MS), root, err));
    return certificate_make(ca, NULL, PROFILE_ROOT, 0, root, err);
}

static status issuing_create(const struct ca *ca, const char *organisation, const struct authority *root,
                             struct authority *issuing, struct error *err)
{
    issuing->row.purpose = CA_CODE_SIGNING;
    (void)text_copy(issuing->row.parent, sizeof(issuing->row.parent), CA_ROOT_NAME);
    TRY(subject_make("Code Signing Issuing CA", organisation, &issuing->row, err));
    TRY(key_make(ca, KEY_TYPE_P384, "chancery-ca-issuing", deadline_in(KEY_TIMEOUT_MS), issuing, err));
    return certificate_make(ca, root, PROFILE_ISSUING_CODE_SIGNING, 0, issuing, err);
}

static status authorities_create(const struct ca *ca, struct db *db, const char *organisation, struct authority *root,
                                 struct authority *issuing, struct error *err)
{
    cleanup_issued_certificate struct issued_certificate issued = {0};

    (void)text_copy(root->row.name, sizeof(root->row.name), CA_ROOT_NAME);
    (void)text_copy(issuing->row.name, sizeof(issuing->row.name), CA_ISSUING_NAME);
    root->row.created_ms = issuing->row.created_ms = clock_now_ms();
    TRY(root_create(ca, organisation, root, err));
    TRY(issuing_create(ca, organisation, root, issuing, err));
    TRY(issued_fill(issuing, PROFILE_ISSUING_CODE_SIGNING, &issued, err));
    TRY(ca_row_insert(db, &root->row, err));
    TRY(ca_row_insert(db, &issuing->row, err));
    return issued_certificate_insert(db, &issued, err);
}

status ca_create(struct hsm *h, struct db *db, const char *organisation, const char *public_url, struct error *err)
{
    const struct ca ca = {.config = {.hsm = h, .public_url = public_url}};
    cleanup_authority struct authority root = {0}, issuing = {0};

    status s = authorities_create(&ca, db, organisation, &root, &issuing, err);
    if (!is_ok(s)) {
        key_drop(&ca, &issuing);
        key_drop(&ca, &root);
    }
    return s;
}

/* ---- more of them */

static enum ca_profile profile_of(enum ca_purpose purpose)
{
    return purpose == CA_TIMESTAMPING ? PROFILE_ISSUING_TIMESTAMPING : PROFILE_ISSUING_CODE_SIGNING;
}

static status parent_open(struct ca *ca, const struct ca_order *order, struct authority *parent, struct error *err)
{
    const struct profile *p = &profiles[profile_of(order->purpose)];

    TRY(authority_open(ca, order->parent, parent, err));
    if (parent->row.state != CA_ACTIVE)
        return error_set(err, CODE_CONFLICT, "parent: the CA %s is retired", order->parent);
    if (!(p->issuers & 1u << parent->row.purpose))
        return error_set(err, CODE_CONFLICT, "parent: the CA %s is for %s and certifies no other CA", order->parent,
                         ca_purpose_name(parent->row.purpose));
    if (order->days < 0 || order->days > p->days_most)
        return error_set(err, CODE_INVALID, "days: 1 to %d are expected", p->days_most);
    return OK;
}

static void row_fill(struct ca_row *row, const struct ca_order *order)
{
    (void)text_copy(row->name, sizeof(row->name), order->name);
    (void)text_copy(row->subject, sizeof(row->subject), order->subject);
    (void)text_copy(row->parent, sizeof(row->parent), order->parent ? order->parent : "");
    (void)text_copy(row->policy, sizeof(row->policy), order->policy ? order->policy : "");
    row->purpose = order->purpose;
    row->state = order->parent ? CA_ACTIVE : CA_AWAITING_CERTIFICATE;
    row->leaf_days = order->leaf_days ? order->leaf_days : CA_LEAF_DAYS_MOST;
    row->crl_days = order->crl_days ? order->crl_days : CA_CRL_DAYS;
    row->created_ms = clock_now_ms();
    row->revision = 1;
}

static status made_certify(const struct ca *ca, const struct ca_order *order, const struct authority *parent,
                           struct authority *made, struct issued_certificate *issued, struct error *err)
{
    enum ca_profile profile = profile_of(order->purpose);

    if (!order->parent)
        return OK;
    TRY(certificate_make(ca, parent, profile, order->days, made, err));
    return issued_fill(made, profile, issued, err);
}

status ca_make(struct ca *ca, const struct ca_order *order, struct deadline d, struct ca_row *row,
               struct issued_certificate *issued, struct error *err)
{
    cleanup_authority struct authority parent = {0}, made = {0};
    char label[NAME_SIZE + 16];

    TRY(ca_subject_check(order->subject, err));
    if (order->parent)
        TRY(parent_open(ca, order, &parent, err));
    row_fill(&made.row, order);
    (void)snprintf(label, sizeof(label), "chancery-ca-%s", order->name);
    TRY(key_make(ca, order->key_type, label, d, &made, err));
    status s = made_certify(ca, order, &parent, &made, issued, err);
    if (!is_ok(s)) {
        key_drop(ca, &made);
        return s;
    }
    *row = made.row;
    made.row = (struct ca_row){0};
    return OK;
}

struct key_search {
    const uint8_t *id;
    bool found;
};

static status key_compare(void *arg, const uint8_t id[20])
{
    struct key_search *s = arg;

    s->found |= memcmp(s->id, id, HSM_ID_LEN) == 0;
    return OK;
}

/* Where a commit's fate is unknown, a key too many in the HSM is better than one too few. */
void ca_make_abandon(struct ca *ca, const struct ca_row *row)
{
    struct key_search search = {.id = row->hsm_id};
    struct error err = {0};
    struct db *db = store_reader_acquire(ca->config.store, &err);

    status s = db ? ca_key_list(db, key_compare, &search, &err) : (status){CODE_UNAVAILABLE};
    if (db)
        store_reader_release(ca->config.store, db);
    if (is_ok(s) && search.found)
        return;
    if (is_ok(s) && is_ok(hsm_destroy(ca->config.hsm, row->hsm_id, deadline_in(ABANDON_TIMEOUT_MS), &err)))
        return;
    error_prefix(&err, "the HSM may keep a key chancery-ca-%s that no row names", row->name);
    log_error(LOG_LEVEL_ERROR, "ca.abandon", &err);
}

/* ---- a certificate from outside */

static status request_sign(struct authority *a, X509_REQ *req, struct error *err)
{
    cleanup_x509_name X509_NAME *subject = NULL;

    TRY(subject_parse(a->row.subject, &subject, err));
    if (!X509_REQ_set_version(req, X509_REQ_VERSION_1) || !X509_REQ_set_subject_name(req, subject) ||
        !X509_REQ_set_pubkey(req, a->key) || X509_REQ_sign(req, a->key, authority_digest(a->key)) <= 0)
        return authority_failure("the request cannot be signed", err);
    return OK;
}

status ca_csr(struct ca *ca, const char *name, struct deadline d, struct buf *der, struct error *err)
{
    cleanup_authority struct authority a = {0};
    cleanup_x509_req X509_REQ *req = X509_REQ_new_ex(hsm_libctx(ca->config.hsm), NULL);
    unsigned char *bytes = NULL;

    TRY(authority_read(ca, name, &a, err));
    if (*a.row.parent || a.row.purpose == CA_ROOT)
        return error_set(err, CODE_CONFLICT, "the CA %s is not certified by somebody outside", name);
    TRY(hsm_evp_key(ca->config.hsm, a.row.hsm_id, &a.key, err));
    if (deadline_passed(d))
        return error_set(err, CODE_TIMEOUT, "the deadline passed before the request was signed");
    if (!req)
        return error_set(err, CODE_NO_MEMORY, "request");
    ignore(hsm_evp_failure(NULL));
    TRY(request_sign(&a, req, err));
    int len = i2d_X509_REQ(req, &bytes);
    if (len <= 0)
        return certificate_failure("the request cannot be encoded", err);
    buf_add(der, bytes, (size_t)len);
    OPENSSL_free(bytes);
    return buf_check(der, err);
}

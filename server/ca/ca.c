/* SPDX-License-Identifier: Apache-2.0 */
/* The built-in CA, after the CA/Browser Forum's code-signing profile: a root, an issuing CA below it that may sign
 * leaves for code signing only, and the leaves. Both CA keys are in the HSM (I3). */
#include "server/ca/ca.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <string.h>

#include "common/text.h"
#include "server/ca/certificate.h"

enum {
    ROOT_DAYS = 20 * 365 + 5,
    ISSUING_DAYS = 10 * 365 + 2,
    LEAF_DAYS_DEFAULT = 365,
    LEAF_DAYS_MAX = 460, /* CA/B, from March 2026 on */
};
#define ROOT_NAME "root"
#define ISSUING_NAME "issuing"

struct ca {
    struct hsm *h;
    X509 *root, *issuing;
    uint8_t issuing_id[HSM_ID_LEN];
    _Atomic(EVP_PKEY *) issuing_key; /* NULL until the HSM answered once */
};

/* Why the HSM did not sign is better to know than that OpenSSL failed. */
static status hsm_certificate_sign(const struct certificate_plan *plan, X509 *issuer, EVP_PKEY *key, X509 **out,
                                   struct error *err)
{
    struct error why = {0};

    ignore(hsm_evp_failure(NULL));
    status s = certificate_sign(plan, issuer, key, EVP_sha384(), out, err);
    if (is_ok(s) || is_ok(hsm_evp_failure(&why)))
        return s;
    if (err)
        *err = why;
    return (status){why.code};
}

/* ---- creation */

struct authority {
    struct hsm_key key;
    EVP_PKEY *evp_key;
    X509 *crt;
};

static void authority_clear(struct authority *a)
{
    X509_free(a->crt);
    EVP_PKEY_free(a->evp_key);
    hsm_key_clear(&a->key);
}
#define cleanup_authority CLEANUP(authority_clear)

static status authority_key(struct hsm *h, const char *label, struct authority *a, struct error *err)
{
    TRY(hsm_generate(h, KEY_TYPE_P384, label, deadline_in(60000), &a->key, err));
    return hsm_evp_key(h, a->key.id, &a->evp_key, err);
}

static status root_create(struct hsm *h, const char *organisation, struct authority *root, struct error *err)
{
    cleanup_buf struct buf subject = {0};

    TRY(authority_key(h, "chancery-ca-root", root, err));
    buf_add_text(&subject, "CN=Code Signing Root CA,O=");
    subject_escape(organisation, &subject);
    TRY(buf_check(&subject, err));
    const struct certificate_plan plan = {
        .libctx = hsm_libctx(h),
        .public_key = root->evp_key,
        .subject = buf_text(&subject),
        .days = ROOT_DAYS,
        .basic_constraints = "critical,CA:TRUE",
        .key_usage = "critical,keyCertSign,cRLSign",
    };
    return hsm_certificate_sign(&plan, NULL, root->evp_key, &root->crt, err);
}

static status issuing_create(struct hsm *h, const char *organisation, const struct authority *root,
                             struct authority *issuing, struct error *err)
{
    cleanup_buf struct buf subject = {0};

    TRY(authority_key(h, "chancery-ca-issuing", issuing, err));
    buf_add_text(&subject, "CN=Code Signing Issuing CA,O=");
    subject_escape(organisation, &subject);
    TRY(buf_check(&subject, err));
    const struct certificate_plan plan = {
        .libctx = hsm_libctx(h),
        .public_key = issuing->evp_key,
        .subject = buf_text(&subject),
        .days = ISSUING_DAYS,
        .basic_constraints = "critical,CA:TRUE,pathlen:0",
        .key_usage = "critical,keyCertSign,cRLSign",
        .extended_key_usage = "codeSigning",
    };
    return hsm_certificate_sign(&plan, root->crt, root->evp_key, &issuing->crt, err);
}

static status authority_store(struct db *db, const char *name, const struct authority *a, struct error *err)
{
    struct ca_row row = {0};

    (void)text_copy(row.name, sizeof row.name, name);
    memcpy(row.hsm_id, a->key.id, sizeof row.hsm_id);
    status s = certificate_encode(a->crt, &row.certificate, err);
    if (is_ok(s))
        s = ca_row_insert(db, &row, err);
    ca_row_clear(&row);
    return s;
}

static status authorities_create(struct hsm *h, struct db *db, const char *organisation, struct authority *root,
                                 struct authority *issuing, struct error *err)
{
    TRY(root_create(h, organisation, root, err));
    TRY(issuing_create(h, organisation, root, issuing, err));
    TRY(authority_store(db, ROOT_NAME, root, err));
    return authority_store(db, ISSUING_NAME, issuing, err);
}

static void authority_destroy(struct hsm *h, const struct authority *a)
{
    if (a->key.type != KEY_TYPE_NONE)
        ignore(hsm_destroy(h, a->key.id, deadline_in(10000), NULL));
}

status ca_create(struct hsm *h, struct db *db, const char *organisation, struct error *err)
{
    cleanup_authority struct authority root = {0}, issuing = {0};

    status s = authorities_create(h, db, organisation, &root, &issuing, err);
    if (!is_ok(s)) {
        authority_destroy(h, &issuing);
        authority_destroy(h, &root);
    }
    return s;
}

/* ---- opening */

static status row_load(struct store *s, const char *name, struct ca_row *row, struct error *err)
{
    struct db *db = store_reader_acquire(s, err);

    if (!db)
        return err ? (status){err->code} : (status){CODE_UNAVAILABLE};
    status found = ca_row_find(db, name, row, err);
    store_reader_release(s, db);
    if (found.code == CODE_NOT_FOUND)
        return error_set(err, CODE_NOT_FOUND, "the store has no built-in CA");
    return found;
}

static status authority_load(struct store *s, const char *name, X509 **crt, uint8_t id[HSM_ID_LEN], struct error *err)
{
    struct ca_row row = {0};

    status loaded = row_load(s, name, &row, err);
    if (is_ok(loaded))
        loaded = certificate_decode(buf_slice(&row.certificate), crt, err);
    memcpy(id, row.hsm_id, HSM_ID_LEN);
    ca_row_clear(&row);
    return loaded;
}

static status chain_check(const struct ca *ca, struct error *err)
{
    if (X509_verify(ca->issuing, X509_get0_pubkey(ca->root)) != 1)
        return certificate_failure("the issuing CA's certificate is not signed by the root", err);
    return OK;
}

static status key_load(struct ca *ca, EVP_PKEY **out, struct error *err)
{
    cleanup_pkey EVP_PKEY *key = NULL;

    status found = hsm_evp_key(ca->h, ca->issuing_id, &key, err);
    if (!is_ok(found)) {
        error_prefix(err, "the issuing CA's key");
        return found;
    }
    if (X509_check_private_key(ca->issuing, key) != 1)
        return certificate_failure("the issuing CA's certificate is not of its key in the HSM", err);
    *out = steal(&key);
    return OK;
}

/* Two that find none both ask the HSM, without a lock that one of them could keep from the other; the first one's is
 * kept. */
static status issuing_key(struct ca *ca, EVP_PKEY **out, struct error *err)
{
    EVP_PKEY *fresh = NULL, *none = NULL;

    *out = atomic_load(&ca->issuing_key);
    if (*out)
        return OK;
    TRY(key_load(ca, &fresh, err));
    if (atomic_compare_exchange_strong(&ca->issuing_key, &none, fresh)) {
        *out = fresh;
    } else {
        EVP_PKEY_free(fresh);
        *out = none;
    }
    return OK;
}

status ca_open(struct hsm *h, struct store *s, struct ca **out, struct error *err)
{
    uint8_t root_id[HSM_ID_LEN];
    EVP_PKEY *key = NULL;
    cleanup_ca struct ca *ca = calloc(1, sizeof *ca);

    if (!ca)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    ca->h = h;
    TRY(authority_load(s, ROOT_NAME, &ca->root, root_id, err));
    TRY(authority_load(s, ISSUING_NAME, &ca->issuing, ca->issuing_id, err));
    TRY(chain_check(ca, err));
    status found = issuing_key(ca, &key, err);
    if (!is_ok(found) && found.code != CODE_HSM_UNAVAILABLE)
        return found;
    *out = steal(&ca);
    return OK;
}

void ca_close(struct ca *ca)
{
    if (!ca)
        return;
    EVP_PKEY_free(atomic_load(&ca->issuing_key));
    X509_free(ca->issuing);
    X509_free(ca->root);
    free(ca);
}

/* ---- leaves */

static status request_key(struct ca *ca, struct slice spki, EVP_PKEY **out, struct error *err)
{
    enum key_type type;
    cleanup_pkey EVP_PKEY *key = NULL;

    if (!is_ok(public_key_decode(hsm_libctx(ca->h), spki, &key, NULL)))
        return error_set(err, CODE_INVALID, "the public key is no SubjectPublicKeyInfo");
    TRY(key_type_of(key, &type, err));
    *out = steal(&key);
    return OK;
}

status ca_issue(struct ca *ca, const struct ca_request *request, struct deadline d, struct buf *der, struct error *err)
{
    int days = request->days == 0 ? LEAF_DAYS_DEFAULT : request->days;
    EVP_PKEY *signer = NULL;
    cleanup_pkey EVP_PKEY *key = NULL;
    cleanup_x509 X509 *crt = NULL;

    if (days < 1 || days > LEAF_DAYS_MAX)
        return error_set(err, CODE_INVALID, "days: 1 to %d are expected", LEAF_DAYS_MAX);
    TRY(ca_subject_check(request->subject, err));
    TRY(request_key(ca, request->spki, &key, err));
    if (deadline_passed(d))
        return error_set(err, CODE_TIMEOUT, "the deadline passed before the certificate was signed");
    TRY(issuing_key(ca, &signer, err));
    const struct certificate_plan plan = {
        .libctx = hsm_libctx(ca->h),
        .public_key = key,
        .subject = request->subject,
        .days = days,
        .basic_constraints = "critical,CA:FALSE",
        .key_usage = "critical,digitalSignature",
        .extended_key_usage = "codeSigning",
    };
    TRY(hsm_certificate_sign(&plan, ca->issuing, signer, &crt, err));
    return certificate_encode(crt, der, err);
}

static status subject_text(X509 *crt, char *subject, size_t size, struct error *err)
{
    char *text = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    bool written = bio && X509_NAME_print_ex(bio, X509_get_subject_name(crt), 0,
                                             XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) >= 0;
    long len = written ? BIO_get_mem_data(bio, &text) : -1;
    bool fits = len >= 0 && (size_t)len < size;
    if (fits) {
        memcpy(subject, text, (size_t)len);
        subject[len] = '\0';
    }
    BIO_free(bio);
    return fits ? ca_subject_check(subject, err)
                : error_set(err, CODE_INVALID, "the subject of the certificate is too long");
}

status ca_settings(struct slice certificate, char *subject, size_t size, int *days, struct error *err)
{
    cleanup_x509 X509 *crt = NULL;
    int seconds = 0;

    TRY(certificate_decode(certificate, &crt, err));
    if (!ASN1_TIME_diff(days, &seconds, X509_get0_notBefore(crt), X509_get0_notAfter(crt)))
        return certificate_failure("the certificate's time", err);
    *days += seconds > 0;
    if (*days > LEAF_DAYS_MAX)
        *days = LEAF_DAYS_MAX;
    return subject_text(crt, subject, size, err);
}

status ca_chain(struct ca *ca, struct buf *issuing, struct buf *root, struct error *err)
{
    TRY(certificate_encode(ca->issuing, issuing, err));
    return certificate_encode(ca->root, root, err);
}

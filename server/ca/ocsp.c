/* SPDX-License-Identifier: Apache-2.0 */
/* The OCSP responder (RFC 6960): what the rows of issued_certificate say, signed by the CA's delegated key. Answers
 * without a nonce are kept, so that the same question does not ask the HSM twice; beyond a few at once the HSM is not
 * asked at all (tryLater), because those who sign need it too. */
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "common/log.h"
#include "server/ca/ocsp_cache.h"
#include "server/ca/ocsp_responder.h"

enum {
    SINGLES_MOST = 16,
    NONCE_MOST = 32, /* RFC 8954 */
    SIGNING_MOST = 4,
    ANSWER_LIFE_MS = 24 * 60 * 60 * 1000,
    MAX_AGE_S = 60 * 60,
    CLOCK_SKEW_MS = 60 * 1000,
};

DEFINE_CLEANUP_PTR(OCSP_REQUEST, OCSP_REQUEST_free)
#define cleanup_ocsp_request CLEANUP(OCSP_REQUEST_free_cleanup)
DEFINE_CLEANUP_PTR(OCSP_RESPONSE, OCSP_RESPONSE_free)
#define cleanup_ocsp_response CLEANUP(OCSP_RESPONSE_free_cleanup)
DEFINE_CLEANUP_PTR(OCSP_BASICRESP, OCSP_BASICRESP_free)
#define cleanup_ocsp_basicresp CLEANUP(OCSP_BASICRESP_free_cleanup)
DEFINE_CLEANUP_PTR(OCSP_CERTID, OCSP_CERTID_free)
#define cleanup_ocsp_certid CLEANUP(OCSP_CERTID_free_cleanup)
DEFINE_CLEANUP_PTR(ASN1_TIME, ASN1_TIME_free)
#define cleanup_asn1_time CLEANUP(ASN1_TIME_free_cleanup)

void ocsp_answer_clear(struct ocsp_answer *a)
{
    buf_clear(&a->der);
    *a = (struct ocsp_answer){0};
}

static status response_encode(OCSP_RESPONSE *response, struct ocsp_answer *out, struct error *err)
{
    unsigned char *bytes = NULL;
    int len = i2d_OCSP_RESPONSE(response, &bytes);

    if (len <= 0)
        return certificate_failure("the OCSP response cannot be encoded", err);
    buf_reset(&out->der);
    buf_add(&out->der, bytes, (size_t)len);
    OPENSSL_free(bytes);
    return buf_check(&out->der, err);
}

/* RFC 6960 §2.3: not signed. */
static status answer_error(int response_status, struct ocsp_answer *out, struct error *err)
{
    cleanup_ocsp_response OCSP_RESPONSE *response = OCSP_response_create(response_status, NULL);

    ERR_clear_error();
    out->max_age_s = 0;
    if (!response)
        return error_set(err, CODE_NO_MEMORY, "OCSP response");
    return response_encode(response, out, err);
}

/* ---- the request */

struct inquiry {
    struct ca *ca;
    const char *name;
    struct authority issuer; /* without its key */
    OCSP_REQUEST *request;
    bool has_nonce, echoes_nonce;
    bool has_unknown;
    int64_t now_ms;
};

static void inquiry_clear(struct inquiry *q)
{
    authority_clear(&q->issuer);
    OCSP_REQUEST_free(q->request);
}
#define cleanup_inquiry CLEANUP(inquiry_clear)

static void nonce_look(struct inquiry *q)
{
    int at = OCSP_REQUEST_get_ext_by_NID(q->request, NID_id_pkix_OCSP_Nonce, -1);
    const X509_EXTENSION *e = at >= 0 ? OCSP_REQUEST_get_ext(q->request, at) : NULL;

    q->has_nonce = e != NULL;
    /* an OCTET STRING of up to 32 bytes has two bytes before it */
    int len = e ? ASN1_STRING_length(X509_EXTENSION_get_data((X509_EXTENSION *)(uintptr_t)e)) : 0;
    q->echoes_nonce = len > 2 && len <= NONCE_MOST + 2;
}

static bool request_parse(struct inquiry *q, struct slice request)
{
    const unsigned char *at = request.data;

    q->request =
        request.len > 0 && request.len <= OCSP_REQUEST_MOST ? d2i_OCSP_REQUEST(NULL, &at, (long)request.len) : NULL;
    if (!q->request || at != request.data + request.len)
        return false;
    int count = OCSP_request_onereq_count(q->request);
    nonce_look(q);
    return count >= 1 && count <= SINGLES_MOST;
}

/* The CertID names our CA, by whatever hash: SHA-1 as most do (RFC 5019), SHA-256 or a stronger one. */
static bool issuer_is_named(const struct inquiry *q, OCSP_CERTID *id)
{
    static const int hashes[] = {NID_sha1, NID_sha256, NID_sha384, NID_sha512};
    ASN1_OBJECT *algorithm = NULL;

    if (!OCSP_id_get0_info(NULL, &algorithm, NULL, NULL, id))
        return false;
    for (size_t i = 0; i < COUNT_OF(hashes); i++) {
        if (OBJ_obj2nid(algorithm) != hashes[i])
            continue;
        cleanup_ocsp_certid OCSP_CERTID *ours = OCSP_cert_to_id(EVP_get_digestbynid(hashes[i]), NULL, q->issuer.crt);
        return ours && OCSP_id_issuer_cmp(ours, id) == 0;
    }
    return false;
}

static bool all_are_ours(const struct inquiry *q)
{
    for (int i = 0; i < OCSP_request_onereq_count(q->request); i++) {
        if (!issuer_is_named(q, OCSP_onereq_get0_id(OCSP_request_onereq_get0(q->request, i))))
            return false;
    }
    return true;
}

/* ---- the answer */

static bool serial_format(OCSP_CERTID *id, char out[SERIAL_SIZE])
{
    ASN1_INTEGER *serial = NULL;
    (void)OCSP_id_get0_info(NULL, NULL, NULL, &serial, id);
    BIGNUM *number = serial ? ASN1_INTEGER_to_BN(serial, NULL) : NULL;
    char *hex = number ? BN_bn2hex(number) : NULL;
    bool fits = hex && strlen(hex) < SERIAL_SIZE;

    if (fits)
        memcpy(out, hex, strlen(hex) + 1);
    OPENSSL_free(hex);
    BN_free(number);
    return fits;
}

static status single_add(struct inquiry *q, struct db *db, OCSP_BASICRESP *basic, OCSP_CERTID *id, struct error *err)
{
    char serial[SERIAL_SIZE];
    cleanup_issued_certificate struct issued_certificate found = {0};
    cleanup_asn1_time ASN1_TIME *this = ASN1_TIME_set(NULL, (time_t)((q->now_ms - CLOCK_SKEW_MS) / 1000));
    cleanup_asn1_time ASN1_TIME *next = ASN1_TIME_set(NULL, (time_t)((q->now_ms + ANSWER_LIFE_MS) / 1000));
    cleanup_asn1_time ASN1_TIME *revoked = NULL;
    int certificate_status = V_OCSP_CERTSTATUS_UNKNOWN, reason = OCSP_REVOKED_STATUS_NOSTATUS;

    status s = serial_format(id, serial) ? issued_certificate_status(db, q->name, serial, &found, err)
                                         : (status){CODE_NOT_FOUND};
    if (is_ok(s)) {
        certificate_status = found.revoked_ms ? V_OCSP_CERTSTATUS_REVOKED : V_OCSP_CERTSTATUS_GOOD;
        reason = found.reason ? found.reason : OCSP_REVOKED_STATUS_NOSTATUS;
        revoked = ASN1_TIME_set(NULL, (time_t)(found.revoked_ms / 1000));
    } else if (s.code != CODE_NOT_FOUND) {
        return s;
    }
    q->has_unknown |= certificate_status == V_OCSP_CERTSTATUS_UNKNOWN;
    if (!this || !next || !OCSP_basic_add1_status(basic, id, certificate_status, reason, revoked, this, next))
        return certificate_failure("a part of the OCSP response cannot be made", err);
    return OK;
}

static status singles_add(struct inquiry *q, OCSP_BASICRESP *basic, struct error *err)
{
    struct db *db = store_reader_acquire(q->ca->config.store, err);
    status s = OK;

    if (!db)
        return err ? (status){err->code} : (status){CODE_UNAVAILABLE};
    for (int i = 0; is_ok(s) && i < OCSP_request_onereq_count(q->request); i++)
        s = single_add(q, db, basic, OCSP_onereq_get0_id(OCSP_request_onereq_get0(q->request, i)), err);
    store_reader_release(q->ca->config.store, db);
    return s;
}

static status basic_sign(struct inquiry *q, OCSP_BASICRESP *basic, struct deadline d, struct error *err)
{
    cleanup_responder struct responder r = {0};

    TRY(responder_open(q->ca, q->name, d, &r, err));
    ignore(hsm_evp_failure(NULL));
    if (!OCSP_basic_sign(basic, r.crt, r.key, authority_digest(r.key), NULL, OCSP_RESPID_KEY))
        return authority_failure("the OCSP response cannot be signed", err);
    return OK;
}

static bool signing_enter(struct ca *ca)
{
    (void)pthread_mutex_lock(&ca->ocsp_lock);
    bool enters = ca->signing < SIGNING_MOST;
    ca->signing += enters;
    (void)pthread_mutex_unlock(&ca->ocsp_lock);
    return enters;
}

static void signing_leave(struct ca *ca)
{
    (void)pthread_mutex_lock(&ca->ocsp_lock);
    ca->signing--;
    (void)pthread_mutex_unlock(&ca->ocsp_lock);
}

static status answer_sign(struct inquiry *q, struct deadline d, struct ocsp_answer *out, struct error *err)
{
    cleanup_ocsp_basicresp OCSP_BASICRESP *basic = OCSP_BASICRESP_new();

    if (!basic)
        return error_set(err, CODE_NO_MEMORY, "OCSP response");
    TRY(singles_add(q, basic, err));
    if (q->echoes_nonce && OCSP_copy_nonce(basic, q->request) != 1)
        return certificate_failure("the nonce cannot be added", err);
    if (!signing_enter(q->ca))
        return error_set(err, CODE_UNAVAILABLE, "too many OCSP answers are being signed");
    status s = basic_sign(q, basic, d, err);
    signing_leave(q->ca);
    TRY(s);
    cleanup_ocsp_response OCSP_RESPONSE *response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    if (!response)
        return certificate_failure("the OCSP response cannot be made", err);
    out->this_ms = q->now_ms - CLOCK_SKEW_MS;
    out->next_ms = q->now_ms + ANSWER_LIFE_MS;
    out->max_age_s = q->has_nonce || q->has_unknown ? 0 : MAX_AGE_S;
    return response_encode(response, out, err);
}

static status answer_make(struct inquiry *q, struct slice request, struct deadline d, struct ocsp_answer *out,
                          struct error *err)
{
    struct ocsp_cache_key key;

    TRY(ocsp_cache_key_make(q->name, q->issuer.row.revocations, request, &key, err));
    (void)pthread_mutex_lock(&q->ca->ocsp_lock);
    bool kept = !q->has_nonce && ocsp_cache_get(q->ca->ocsp, &key, q->now_ms, out);
    (void)pthread_mutex_unlock(&q->ca->ocsp_lock);
    if (kept)
        return OK;
    TRY(answer_sign(q, d, out, err));
    if (out->max_age_s == 0)
        return OK;
    (void)pthread_mutex_lock(&q->ca->ocsp_lock);
    ocsp_cache_put(q->ca->ocsp, &key, q->now_ms + ANSWER_LIFE_MS / 2, out);
    (void)pthread_mutex_unlock(&q->ca->ocsp_lock);
    return OK;
}

status ca_ocsp(struct ca *ca, const char *name, struct slice request, struct deadline d, struct ocsp_answer *out,
               struct error *err)
{
    cleanup_inquiry struct inquiry q = {.ca = ca, .name = name, .now_ms = clock_now_ms() / 1000 * 1000};
    struct error why = {0};

    TRY(authority_read(ca, name, &q.issuer, err));
    if (!q.issuer.crt)
        return error_set(err, CODE_NOT_FOUND, "the CA %s waits for its certificate", name);
    if (!request_parse(&q, request))
        return answer_error(OCSP_RESPONSE_STATUS_MALFORMEDREQUEST, out, err);
    if (!all_are_ours(&q))
        return answer_error(OCSP_RESPONSE_STATUS_UNAUTHORIZED, out, err);
    status s = answer_make(&q, request, d, out, &why);
    if (is_ok(s))
        return s;
    log_error(LOG_LEVEL_WARNING, "ca.ocsp", &why);
    return answer_error(s.code == CODE_INTERNAL ? OCSP_RESPONSE_STATUS_INTERNALERROR : OCSP_RESPONSE_STATUS_TRYLATER,
                        out, err);
}

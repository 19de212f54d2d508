/* SPDX-License-Identifier: Apache-2.0 */
/* The OCSP responder (RFC 6960): what the rows of issued_certificate say, signed by the CA's delegated key. Answers
 * without a nonce are kept, so that the same question does not ask the HSM twice; beyond a few at once the HSM is not
 * asked at all (tryLater), because those who sign need it too. */
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "common/log.h"
#include "server/ca/ocsp_cache.h"
#include "server/ca/ocsp_request.h"
#include "server/ca/ocsp_responder.h"

enum {
    SIGNING_MOST = 4,
    ANSWER_LIFE_MS = 24 * 60 * 60 * 1000,
    MAX_AGE_S = 60 * 60,
    CLOCK_SKEW_MS = 60 * 1000,
};

DEFINE_CLEANUP_PTR(OCSP_RESPONSE, OCSP_RESPONSE_free)
#define cleanup_ocsp_response CLEANUP(OCSP_RESPONSE_free_cleanup)
DEFINE_CLEANUP_PTR(OCSP_BASICRESP, OCSP_BASICRESP_free)
#define cleanup_ocsp_basicresp CLEANUP(OCSP_BASICRESP_free_cleanup)

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

/* ---- the answer */

struct inquiry {
    struct ca *ca;
    const char *name;
    struct authority issuer; /* without its key */
    struct ocsp_request request;
    bool has_unknown;
    int64_t now_ms;
};

static void inquiry_clear(struct inquiry *q)
{
    authority_clear(&q->issuer);
    ocsp_request_clear(&q->request);
}
#define cleanup_inquiry CLEANUP(inquiry_clear)

static status single_add(struct inquiry *q, struct db *db, OCSP_BASICRESP *basic, int i, struct error *err)
{
    cleanup_issued_certificate struct issued_certificate found = {0};
    cleanup_asn1_time ASN1_TIME *this = ASN1_TIME_set(NULL, (time_t)((q->now_ms - CLOCK_SKEW_MS) / 1000));
    cleanup_asn1_time ASN1_TIME *next = ASN1_TIME_set(NULL, (time_t)((q->now_ms + ANSWER_LIFE_MS) / 1000));
    cleanup_asn1_time ASN1_TIME *revoked = NULL;
    int certificate_status = V_OCSP_CERTSTATUS_UNKNOWN, reason = OCSP_REVOKED_STATUS_NOSTATUS;

    status s = issued_certificate_status(db, q->name, q->request.serials[i], &found, err);
    if (is_ok(s)) {
        certificate_status = found.revoked_ms ? V_OCSP_CERTSTATUS_REVOKED : V_OCSP_CERTSTATUS_GOOD;
        reason = found.reason ? found.reason : OCSP_REVOKED_STATUS_NOSTATUS;
        revoked = ASN1_TIME_set(NULL, (time_t)(found.revoked_ms / 1000));
    } else if (s.code != CODE_NOT_FOUND) {
        return s;
    }
    q->has_unknown |= certificate_status == V_OCSP_CERTSTATUS_UNKNOWN;
    if (!this || !next ||
        !OCSP_basic_add1_status(basic, q->request.ids[i], certificate_status, reason, revoked, this, next))
        return certificate_failure("a part of the OCSP response cannot be made", err);
    return OK;
}

static status singles_add(struct inquiry *q, OCSP_BASICRESP *basic, struct error *err)
{
    struct db *db = store_reader_acquire(q->ca->config.store, err);
    status s = OK;

    if (!db)
        return err ? (status){err->code} : (status){CODE_UNAVAILABLE};
    for (int i = 0; is_ok(s) && i < q->request.count; i++)
        s = single_add(q, db, basic, i, err);
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
    if (q->request.echoes_nonce && OCSP_copy_nonce(basic, q->request.der) != 1)
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
    out->max_age_s = q->request.has_nonce || q->has_unknown ? 0 : MAX_AGE_S;
    return response_encode(response, out, err);
}

static status answer_make(struct inquiry *q, struct slice request, struct deadline d, struct ocsp_answer *out,
                          struct error *err)
{
    struct ocsp_cache_key key;

    TRY(ocsp_cache_key_make(q->name, q->issuer.row.revocations, request, &key, err));
    (void)pthread_mutex_lock(&q->ca->ocsp_lock);
    bool kept = !q->request.has_nonce && ocsp_cache_get(q->ca->ocsp, &key, q->now_ms, out);
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
    int judged = ocsp_request_read(request, q.issuer.crt, &q.request);
    if (judged != OCSP_RESPONSE_STATUS_SUCCESSFUL)
        return answer_error(judged, out, err);
    status s = answer_make(&q, request, d, out, &why);
    if (is_ok(s))
        return s;
    log_error(LOG_LEVEL_WARNING, "ca.ocsp", &why);
    return answer_error(s.code == CODE_INTERNAL ? OCSP_RESPONSE_STATUS_INTERNALERROR : OCSP_RESPONSE_STATUS_TRYLATER,
                        out, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "server/ca/ocsp_request.h"

#include <string.h>

#include "common/openssl_scope.h"

DEFINE_CLEANUP_PTR(OCSP_CERTID, OCSP_CERTID_free)
#define cleanup_ocsp_certid CLEANUP(OCSP_CERTID_free_cleanup)

void ocsp_request_clear(struct ocsp_request *r)
{
    OCSP_REQUEST_free(r->der);
    *r = (struct ocsp_request){0};
}

static void nonce_look(struct ocsp_request *r)
{
    int at = OCSP_REQUEST_get_ext_by_NID(r->der, NID_id_pkix_OCSP_Nonce, -1);
    X509_EXTENSION *e = at >= 0 ? OCSP_REQUEST_get_ext(r->der, at) : NULL;

    r->has_nonce = e != NULL;
    /* an OCTET STRING of up to 32 bytes has two bytes before it */
    int len = e ? ASN1_STRING_length(X509_EXTENSION_get_data(e)) : 0;
    r->echoes_nonce = len > 2 && len <= OCSP_NONCE_MOST + 2;
}

static bool request_parse(struct slice request, struct ocsp_request *out)
{
    const unsigned char *at = request.data;

    if (request.len == 0 || request.len > OCSP_REQUEST_MOST)
        return false;
    out->der = d2i_OCSP_REQUEST(NULL, &at, (long)request.len);
    if (!out->der || at != request.data + request.len)
        return false;
    int count = OCSP_request_onereq_count(out->der);
    if (count < 1 || count > OCSP_SINGLES_MOST)
        return false;
    out->count = count;
    nonce_look(out);
    return true;
}

/* The CertID names our CA, by whatever hash: SHA-1 as most do (RFC 5019), SHA-256 or a stronger one. */
static bool issuer_is_named(X509 *issuer, OCSP_CERTID *id)
{
    static const int hashes[] = {NID_sha1, NID_sha256, NID_sha384, NID_sha512};
    ASN1_OBJECT *algorithm = NULL;

    if (!OCSP_id_get0_info(NULL, &algorithm, NULL, NULL, id))
        return false;
    for (size_t i = 0; i < COUNT_OF(hashes); i++) {
        if (OBJ_obj2nid(algorithm) != hashes[i])
            continue;
        cleanup_ocsp_certid OCSP_CERTID *ours = OCSP_cert_to_id(EVP_get_digestbynid(hashes[i]), NULL, issuer);
        return ours && OCSP_id_issuer_cmp(ours, id) == 0;
    }
    return false;
}

static void serial_format(OCSP_CERTID *id, char out[SERIAL_SIZE])
{
    ASN1_INTEGER *serial = NULL;
    (void)OCSP_id_get0_info(NULL, NULL, NULL, &serial, id);
    bool is_short = serial && ASN1_STRING_length(serial) < SERIAL_SIZE / 2 + 1;
    BIGNUM *number = is_short ? ASN1_INTEGER_to_BN(serial, NULL) : NULL;
    char *hex = number ? BN_bn2hex(number) : NULL;

    out[0] = '\0';
    if (hex && strlen(hex) < SERIAL_SIZE)
        memcpy(out, hex, strlen(hex) + 1);
    OPENSSL_free(hex);
    BN_free(number);
}

int ocsp_request_read(struct slice request, X509 *issuer, struct ocsp_request *out)
{
    cleanup_err_mark bool marked = err_mark();

    if (!request_parse(request, out))
        return OCSP_RESPONSE_STATUS_MALFORMEDREQUEST;
    for (int i = 0; i < out->count; i++) {
        out->ids[i] = OCSP_onereq_get0_id(OCSP_request_onereq_get0(out->der, i));
        if (!issuer_is_named(issuer, out->ids[i]))
            return OCSP_RESPONSE_STATUS_UNAUTHORIZED;
        serial_format(out->ids[i], out->serials[i]);
    }
    return OCSP_RESPONSE_STATUS_SUCCESSFUL;
}

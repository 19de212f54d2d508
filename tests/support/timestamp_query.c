/* SPDX-License-Identifier: Apache-2.0 */
#include "timestamp_query.h"

#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

static void must(int done)
{
    if (done <= 0)
        abort();
}

static void imprint_set(TS_REQ *req, const struct query_plan *p)
{
    TS_MSG_IMPRINT *imprint = TS_MSG_IMPRINT_new();
    X509_ALGOR *algorithm = X509_ALGOR_new();
    int nid = p->nid ? p->nid : NID_sha256;
    uint8_t digest[128];
    int len = p->digest_len ? p->digest_len : EVP_MD_get_size(EVP_get_digestbynid(nid));

    memset(digest, p->byte, sizeof digest);
    must(X509_ALGOR_set0(algorithm, OBJ_nid2obj(nid), p->has_parameter ? V_ASN1_OBJECT : V_ASN1_NULL,
                         p->has_parameter ? OBJ_nid2obj(nid) : NULL));
    must(TS_MSG_IMPRINT_set_algo(imprint, algorithm));
    must(TS_MSG_IMPRINT_set_msg(imprint, digest, len));
    must(TS_REQ_set_msg_imprint(req, imprint));
    X509_ALGOR_free(algorithm);
    TS_MSG_IMPRINT_free(imprint);
}

static void terms_set(TS_REQ *req, const struct query_plan *p)
{
    ASN1_OBJECT *policy = p->policy ? OBJ_txt2obj(p->policy, 1) : NULL;
    ASN1_INTEGER *nonce = ASN1_INTEGER_new();

    must(ASN1_INTEGER_set(nonce, p->nonce));
    if (policy)
        must(TS_REQ_set_policy_id(req, policy));
    if (p->nonce)
        must(TS_REQ_set_nonce(req, nonce));
    must(TS_REQ_set_cert_req(req, p->wants_certificate));
    ASN1_INTEGER_free(nonce);
    ASN1_OBJECT_free(policy);
}

void query_make(const struct query_plan *p, struct buf *der)
{
    TS_REQ *req = TS_REQ_new();
    unsigned char *bytes = NULL;

    must(req != NULL);
    must(TS_REQ_set_version(req, p->version ? p->version : 1));
    imprint_set(req, p);
    terms_set(req, p);
    if (p->has_extension) {
        X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "CA:FALSE");
        must(TS_REQ_add_ext(req, e, -1));
        X509_EXTENSION_free(e);
    }
    int len = i2d_TS_REQ(req, &bytes);
    must(len);
    buf_reset(der);
    buf_add(der, bytes, (size_t)len);
    OPENSSL_free(bytes);
    TS_REQ_free(req);
}

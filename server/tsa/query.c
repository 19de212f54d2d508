/* SPDX-License-Identifier: Apache-2.0 */
/* The TimeStampReq (RFC 3161 §2.4.1), judged before anything is asked of clock, store or HSM. */
#include <string.h>

#include "server/tsa/internal.h"

enum { NONCE_BITS_MAX = 512 };

void query_clear(struct query *q)
{
    TS_REQ_free(q->req);
    *q = (struct query){0};
}

static bool request_parse(struct slice der, struct query *q, struct refusal *r)
{
    const unsigned char *at = der.data;

    q->der = der;
    q->req = der.len ? d2i_TS_REQ(NULL, &at, (long)der.len) : NULL;
    if (!q->req || at != der.data + der.len)
        return refuse(r, TS_INFO_BAD_DATA_FORMAT, "the query is not a DER TimeStampReq");
    if (TS_REQ_get_version(q->req) != 1)
        return refuse(r, TS_INFO_BAD_REQUEST, "the version of the query is not 1");
    return true;
}

/* A parameter may be absent or NULL (RFC 5754 §2). */
static bool algorithm_judge(struct query *q, const X509_ALGOR *algorithm, struct refusal *r)
{
    static const struct {
        int nid;
        enum hash hash;
    } served[] = {{NID_sha256, HASH_SHA256}, {NID_sha384, HASH_SHA384}, {NID_sha512, HASH_SHA512}};
    const ASN1_OBJECT *oid = NULL;
    int parameter_type = 0;

    X509_ALGOR_get0(&oid, &parameter_type, NULL, algorithm);
    for (size_t i = 0; i < COUNT_OF(served); i++) {
        if (OBJ_obj2nid(oid) == served[i].nid)
            q->hash = served[i].hash;
    }
    if (q->hash == HASH_NONE)
        return refuse(r, TS_INFO_BAD_ALG, "the hash of the query is none of SHA-256, SHA-384, SHA-512");
    if (parameter_type != V_ASN1_NULL && parameter_type != V_ASN1_UNDEF)
        return refuse(r, TS_INFO_BAD_ALG, "the hash of the query has a parameter");
    return true;
}

static bool imprint_judge(struct query *q, struct refusal *r)
{
    TS_MSG_IMPRINT *imprint = TS_REQ_get_msg_imprint(q->req);

    if (!algorithm_judge(q, TS_MSG_IMPRINT_get_algo(imprint), r))
        return false;
    const ASN1_OCTET_STRING *digest = TS_MSG_IMPRINT_get_msg(imprint);
    q->digest = (struct slice){ASN1_STRING_get0_data(digest), (size_t)ASN1_STRING_length(digest)};
    if (q->digest.len != hash_len(q->hash))
        return refuse(r, TS_INFO_BAD_DATA_FORMAT, "the digest of the query has %zu bytes, not the %zu of its hash",
                      q->digest.len, hash_len(q->hash));
    return true;
}

static bool nonce_judge(const struct query *q, struct refusal *r)
{
    const ASN1_INTEGER *nonce = TS_REQ_get_nonce(q->req);

    if (nonce && ASN1_STRING_length(nonce) > NONCE_BITS_MAX / 8)
        return refuse(r, TS_INFO_BAD_REQUEST, "the nonce of the query has more than %d bits", NONCE_BITS_MAX);
    return true;
}

bool query_read(struct slice der, struct query *out, struct refusal *r)
{
    cleanup_err_mark bool marked = err_mark();

    *out = (struct query){0};
    if (!request_parse(der, out, r) || !imprint_judge(out, r) || !nonce_judge(out, r))
        return false;
    if (TS_REQ_get_ext_count(out->req) > 0)
        return refuse(r, TS_INFO_UNACCEPTED_EXTENSION, "no extension of a query is supported");
    return true;
}

bool query_policy(const struct query *q, const ASN1_OBJECT *policy, struct refusal *r)
{
    const ASN1_OBJECT *asked = TS_REQ_get_policy_id(q->req);

    if (!asked || OBJ_cmp(asked, policy) == 0)
        return true;
    return refuse(r, TS_INFO_UNACCEPTED_POLICY, "timestamps are not issued under the policy of the query");
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Whether an outside authority's answer may be handed on (RFC 3161 §2.2: what a client must check). */
#include <string.h>

#include "server/tsa/internal.h"

DEFINE_CLEANUP_PTR(TS_VERIFY_CTX, TS_VERIFY_CTX_free)

static void status_text(TS_RESP *response, char out[160])
{
    const STACK_OF(ASN1_UTF8STRING) *texts = TS_STATUS_INFO_get0_text(TS_RESP_get_status_info(response));
    const ASN1_UTF8STRING *first = sk_ASN1_UTF8STRING_num(texts) > 0 ? sk_ASN1_UTF8STRING_value(texts, 0) : NULL;
    int len = first ? ASN1_STRING_length(first) : 0;

    out[0] = '\0';
    if (len > 0)
        (void)snprintf(out, 160, "%.*s", len, (const char *)ASN1_STRING_get0_data(first));
    /* It goes into a log and another answer: printable ASCII will do. */
    for (char *c = out; *c; c++)
        *c = *c < ' ' || *c > '~' ? '?' : *c;
}

/* The query's fault, which another authority may see otherwise. */
static int query_failure(TS_RESP *response)
{
    static const int of_query[] = {TS_INFO_BAD_ALG, TS_INFO_BAD_REQUEST, TS_INFO_BAD_DATA_FORMAT,
                                   TS_INFO_UNACCEPTED_POLICY, TS_INFO_UNACCEPTED_EXTENSION};
    const ASN1_BIT_STRING *failure = TS_STATUS_INFO_get0_failure_info(TS_RESP_get_status_info(response));

    for (size_t i = 0; failure && i < COUNT_OF(of_query); i++) {
        if (ASN1_BIT_STRING_get_bit(failure, of_query[i]))
            return of_query[i];
    }
    return 0;
}

static bool status_check(TS_RESP *response, bool *refused, struct refusal *r)
{
    long value = ASN1_INTEGER_get(TS_STATUS_INFO_get0_status(TS_RESP_get_status_info(response)));
    int failure = query_failure(response);
    char text[160];

    if ((value == TS_STATUS_GRANTED || value == TS_STATUS_GRANTED_WITH_MODS) && TS_RESP_get_token(response))
        return true;
    status_text(response, text);
    *refused = failure != 0;
    return refuse(r, failure ? failure : TS_INFO_SYSTEM_FAILURE, "the answer has status %ld: %s", value, text);
}

/* A token without certificates cannot be judged; who wants it so has the certificate and judges himself. */
static int checks_for(const struct query *q, const X509_STORE *anchors)
{
    int flags = TS_VFY_VERSION | TS_VFY_IMPRINT;

    if (TS_REQ_get_nonce(q->req))
        flags |= TS_VFY_NONCE;
    if (TS_REQ_get_policy_id(q->req))
        flags |= TS_VFY_POLICY;
    if (anchors && TS_REQ_get_cert_req(q->req))
        flags |= TS_VFY_SIGNATURE;
    return flags;
}

static bool token_check(const struct query *q, TS_RESP *response, X509_STORE *anchors, struct refusal *r)
{
    CLEANUP(TS_VERIFY_CTX_free_cleanup) TS_VERIFY_CTX *ctx = TS_REQ_to_TS_VERIFY_CTX(q->req, NULL);

    if (!ctx)
        return refuse(r, TS_INFO_SYSTEM_FAILURE, "out of memory");
    (void)TS_VERIFY_CTX_set_flags(ctx, checks_for(q, anchors));
    if (anchors && X509_STORE_up_ref(anchors))
        (void)TS_VERIFY_CTX_set_store(ctx, anchors);
    if (TS_RESP_verify_response(ctx, response) == 1)
        return true;
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    return refuse(r, TS_INFO_SYSTEM_FAILURE, "the token does not fit the query: %s", reason ? reason : "no reason");
}

bool relay_answer_check(const struct query *q, struct slice answer, X509_STORE *anchors, bool *refused,
                        struct refusal *r)
{
    cleanup_err_mark bool marked = err_mark();
    const unsigned char *at = answer.data;
    cleanup_ts_resp TS_RESP *response = answer.len ? d2i_TS_RESP(NULL, &at, (long)answer.len) : NULL;

    *refused = false;
    if (!response || at != answer.data + answer.len)
        return refuse(r, TS_INFO_SYSTEM_FAILURE, "the answer is no DER TimeStampResp");
    return status_check(response, refused, r) && token_check(q, response, anchors, r);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* One token, by OpenSSL's TS_RESP_CTX (RFC 3161 §2.4.2, RFC 5816): the query is checked before, time and number are
 * given, and the HSM signs. */
#include "server/tsa/internal.h"

#include "common/log.h"

static ASN1_INTEGER *serial_give(TS_RESP_CTX *ctx, void *arg)
{
    const struct stamp *stamp = arg;
    cleanup_bn BIGNUM *number = BN_bin2bn(stamp->serial, SERIAL_LEN, NULL);

    (void)ctx;
    return number ? BN_to_ASN1_INTEGER(number, NULL) : NULL;
}

static int time_give(TS_RESP_CTX *ctx, void *arg, long *sec, long *usec)
{
    const struct stamp *stamp = arg;

    (void)ctx;
    *sec = stamp->at.tv_sec;
    *usec = stamp->at.tv_nsec / 1000;
    return 1;
}

/* Milliseconds; neither ordering nor the authority's name, which the certificate tells. */
static bool terms_set(const struct tsa *t, TS_RESP_CTX *ctx)
{
    int64_t accuracy = t->config.accuracy_ms;

    return TS_RESP_CTX_set_def_policy(ctx, t->policy) && TS_RESP_CTX_add_md(ctx, EVP_sha256()) &&
           TS_RESP_CTX_add_md(ctx, EVP_sha384()) && TS_RESP_CTX_add_md(ctx, EVP_sha512()) &&
           TS_RESP_CTX_set_accuracy(ctx, (int)(accuracy / 1000), (int)(accuracy % 1000), 0) &&
           TS_RESP_CTX_set_clock_precision_digits(ctx, 3) && TS_RESP_CTX_set_ess_cert_id_digest(ctx, EVP_sha256());
}

static bool response_encode(TS_RESP *response, struct buf *reply, struct refusal *r)
{
    unsigned char *der = NULL;
    int len = i2d_TS_RESP(response, &der);

    buf_reset(reply);
    if (len > 0)
        buf_add(reply, der, (size_t)len);
    OPENSSL_free(der);
    return len > 0 && !reply->failed ? true : refuse(r, TS_INFO_SYSTEM_FAILURE, "out of memory");
}

/* What was checked before was fine, so this is our own failure. The HSM's reason is worth more than OpenSSL's. */
static bool failure(struct refusal *r)
{
    struct error why = {0};

    if (is_ok(hsm_evp_failure(&why))) {
        const char *reason = ERR_reason_error_string(ERR_peek_last_error());
        ignore(error_set(&why, CODE_INTERNAL, "OpenSSL: %s", reason ? reason : "no reason"));
    }
    log_error(LOG_LEVEL_ERROR, "timestamp.sign", &why);
    return refuse(r, TS_INFO_SYSTEM_FAILURE, "the token could not be signed");
}

/* The authority comes first: who changed it may have set the clock right. */
static bool stamp_take(struct tsa *t, TS_RESP_CTX *ctx, struct deadline d, struct stamp *stamp, struct refusal *r)
{
    return authority_use(t, ctx, r) && time_take(t, &stamp->at, r) && serial_take(t, stamp->at, d, stamp->serial, r);
}

bool token_make(struct tsa *t, const struct query *q, struct deadline d, struct stamp *stamp, struct buf *reply,
                struct refusal *r)
{
    cleanup_err_mark bool marked = err_mark();
    cleanup_ts_resp_ctx TS_RESP_CTX *ctx = TS_RESP_CTX_new_ex(hsm_libctx(t->config.hsm), NULL);
    cleanup_bio BIO *in = BIO_new_mem_buf(q->der.data, (int)q->der.len);

    if (!ctx || !in || !terms_set(t, ctx))
        return refuse(r, TS_INFO_SYSTEM_FAILURE, "out of memory");
    if (!stamp_take(t, ctx, d, stamp, r))
        return false;
    TS_RESP_CTX_set_serial_cb(ctx, serial_give, stamp);
    TS_RESP_CTX_set_time_cb(ctx, time_give, stamp);
    ignore(hsm_evp_failure(NULL));
    cleanup_ts_resp TS_RESP *response = TS_RESP_create_response(ctx, in);
    if (!response || !TS_RESP_get_token(response))
        return failure(r);
    return response_encode(response, reply, r);
}

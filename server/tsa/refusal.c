/* SPDX-License-Identifier: Apache-2.0 */
/* Answers without a token. OpenSSL sets a PKIFailureInfo only from within an answer that it makes, so it is given a
 * query of ours, and its request for a serial number is refused. */
#include <stdio.h>

#include "server/tsa/internal.h"

bool refuse(struct refusal *r, int failure, const char *format, ...)
{
    va_list args;

    r->failure = failure;
    va_start(args, format);
    (void)vsnprintf(r->text, sizeof r->text, format, args);
    va_end(args);
    return false;
}

static ASN1_INTEGER *serial_refuse(TS_RESP_CTX *ctx, void *arg)
{
    const struct refusal *r = arg;

    (void)TS_RESP_CTX_set_status_info(ctx, TS_STATUS_REJECTION, r->text);
    (void)TS_RESP_CTX_add_failure_info(ctx, r->failure);
    return NULL;
}

/* SEQUENCE { 1, { sha256, 32 zero bytes } } */
static const uint8_t any_query[22 + 32] = {0x30, 0x34, 0x02, 0x01, 0x01, 0x30, 0x2f, 0x30, 0x0b, 0x06, 0x09,
                                           0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x04, 0x20};

static status response_encode(TS_RESP *response, struct buf *reply, struct error *err)
{
    unsigned char *der = NULL;
    int len = response ? i2d_TS_RESP(response, &der) : -1;

    if (len <= 0)
        return error_set(err, CODE_INTERNAL, "a refusal of a timestamp cannot be made");
    buf_reset(reply);
    buf_add(reply, der, (size_t)len);
    OPENSSL_free(der);
    return buf_check(reply, err);
}

status refusal_encode(const struct refusal *r, struct buf *reply, struct error *err)
{
    cleanup_err_mark bool marked = err_mark();
    cleanup_ts_resp_ctx TS_RESP_CTX *ctx = TS_RESP_CTX_new();
    cleanup_bio BIO *query = BIO_new_mem_buf(any_query, sizeof any_query);
    cleanup_asn1_object ASN1_OBJECT *policy = OBJ_txt2obj("2.5.29.32.0", 1);

    if (!ctx || !query || !policy || !TS_RESP_CTX_set_def_policy(ctx, policy) || !TS_RESP_CTX_add_md(ctx, EVP_sha256()))
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    TS_RESP_CTX_set_serial_cb(ctx, serial_refuse, (void *)(uintptr_t)r);
    cleanup_ts_resp TS_RESP *response = TS_RESP_create_response(ctx, query);
    return response_encode(response, reply, err);
}

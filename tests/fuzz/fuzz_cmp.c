/* SPDX-License-Identifier: Apache-2.0 */
/* What a CMP server answers (RFC 4210): OpenSSL's client is given the bytes as the answers to an IR, one behind the
 * other, and each message by itself to be validated. The shared secret is that of the corpus, so its protection holds.
 */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "server/connector/cmp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static OSSL_CMP_MSG *next_message(OSSL_CMP_CTX *ctx, const OSSL_CMP_MSG *request)
{
    struct slice *left = OSSL_CMP_CTX_get_transfer_cb_arg(ctx);
    const unsigned char *at = left->data;
    (void)request;

    OSSL_CMP_MSG *got = left->len > 0 ? d2i_OSSL_CMP_MSG(NULL, &at, (long)left->len) : NULL;
    if (got)
        *left = (struct slice){at, left->len - (size_t)(at - left->data)};
    return got;
}

static int log_nothing(const char *function, const char *file, int line, OSSL_CMP_severity level, const char *message)
{
    (void)function, (void)file, (void)line, (void)level, (void)message;
    return 1;
}

static OSSL_CMP_CTX *client(EVP_PKEY *key, X509_NAME *subject, struct slice *left)
{
    OSSL_CMP_CTX *ctx = OSSL_CMP_CTX_new(NULL, NULL);

    if (!ctx || !EVP_PKEY_up_ref(key) || !OSSL_CMP_CTX_set0_newPkey(ctx, 1, key) ||
        !OSSL_CMP_CTX_set1_subjectName(ctx, subject) ||
        !OSSL_CMP_CTX_set1_secretValue(ctx, (const unsigned char *)"secret", 6) ||
        !OSSL_CMP_CTX_set1_referenceValue(ctx, (const unsigned char *)"ref", 3) ||
        !OSSL_CMP_CTX_set_log_cb(ctx, log_nothing) || !OSSL_CMP_CTX_set_transfer_cb(ctx, next_message) ||
        !OSSL_CMP_CTX_set_transfer_cb_arg(ctx, left))
        abort();
    return ctx;
}

static void certificates_take(OSSL_CMP_CTX *ctx)
{
    cleanup_certificates STACK_OF(X509) *all = NULL;
    X509 *got = OSSL_CMP_CTX_get0_newCert(ctx);

    if (got && is_ok(cmp_certificates(ctx, got, &all, NULL)) && sk_X509_num(all) < 1)
        abort();
}

/* No limit on the messages of one answer but its length. */
static void validate_each(OSSL_CMP_CTX *ctx, struct slice input)
{
    struct slice left = input;

    if (!OSSL_CMP_CTX_set_transfer_cb_arg(ctx, &left))
        abort();
    for (OSSL_CMP_MSG *m = next_message(ctx, NULL); m; m = next_message(ctx, NULL)) {
        (void)OSSL_CMP_validate_msg(ctx, m);
        OSSL_CMP_MSG_free(m);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static EVP_PKEY *key;
    static X509_NAME *subject;
    struct slice left = {data, size};
    int after_s = 0;

    if (!key) {
        key = EVP_EC_gen("P-256");
        subject = X509_NAME_new();
        if (!key || !subject || !X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const void *)"a", 1, -1, 0))
            abort();
    }
    OSSL_CMP_CTX *ctx = client(key, subject, &left);
    if (OSSL_CMP_try_certreq(ctx, OSSL_CMP_IR, NULL, &after_s) == 1)
        certificates_take(ctx);
    OSSL_CMP_CTX_free(ctx);

    ctx = client(key, subject, &left);
    validate_each(ctx, (struct slice){data, size});
    OSSL_CMP_CTX_free(ctx);
    ERR_clear_error();
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates as the store keeps them: DER, one behind the other. */
#include "server/tsa/internal.h"

status chain_decode(struct slice der, STACK_OF(X509) * *out, struct error *err)
{
    cleanup_certificates STACK_OF(X509) *chain = sk_X509_new_null();
    const unsigned char *at = der.data, *end = der.data + der.len;

    while (chain && at < end) {
        X509 *crt = d2i_X509(NULL, &at, (long)(end - at));
        if (!crt || !sk_X509_push(chain, crt)) {
            X509_free(crt);
            return error_set(err, CODE_INTERNAL, "a stored chain of certificates cannot be read");
        }
    }
    if (!chain)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    *out = steal(&chain);
    return OK;
}

status chain_append(X509 *crt, struct buf *der, struct error *err)
{
    unsigned char *bytes = NULL;
    int len = i2d_X509(crt, &bytes);

    if (len <= 0)
        return error_set(err, CODE_NO_MEMORY, "a certificate cannot be encoded");
    buf_add(der, bytes, (size_t)len);
    OPENSSL_free(bytes);
    return buf_check(der, err);
}

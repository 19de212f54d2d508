/* SPDX-License-Identifier: Apache-2.0 */
/* What anybody may send to the listener without TLS: an OCSP request, and its base64 in a path. The issuer is a
 * certificate that the seeds were made for. */
#include <stdlib.h>
#include <string.h>

#include "common/encoding.h"
#include "common/openssl_scope.h"
#include "server/ca/ocsp_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ISSUER                                                                                                         \
    "MIIBcDCCARWgAwIBAgIUNZPEnkd1iX3KbwuSv3jSK3I9Kd8wCgYIKoZIzj0EAwIwDTELMAkGA1UEAwwCQ0EwHhcNMjYxMTI3MTkw"             \
    "NTI2WhcNMzYxMTI0MTkwNTI2WjANMQswCQYDVQQDDAJDQTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABJD+x4yE3Ld8wsAIIpE1"             \
    "s2kXe2BuJckCPKbv7jTEKq7phqWLwey/1hsX8OISQKbk5Iq0cW/lAuqkbOAd6EzBw1KjUzBRMB0GA1UdDgQWBBR/H6u/oJlV7brY"             \
    "7DjWC0tFlSbZTDAfBgNVHSMEGDAWgBR/H6u/oJlV7brY7DjWC0tFlSbZTDAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0kA"             \
    "MEYCIQCULToDURSPRilPQa8rNdPdAHykjFvahazrF6lLehu4uAIhANyUBcTa95WuYp8453xq8a+C1MCYdM8Mn9ETbsPadWRt"

static X509 *issuer_once(void)
{
    static X509 *issuer;
    cleanup_buf struct buf der = {0};

    if (issuer)
        return issuer;
    if (!is_ok(base64_decode(ISSUER, strlen(ISSUER), &der, NULL)))
        abort();
    const unsigned char *at = der.data;
    issuer = d2i_X509(NULL, &at, (long)der.len);
    if (!issuer)
        abort();
    return issuer;
}

static void check(struct slice der)
{
    cleanup_ocsp_request struct ocsp_request r = {0};
    int judged = ocsp_request_read(der, issuer_once(), &r);

    if (ERR_peek_error() != 0)
        abort(); /* left for whoever asks OpenSSL next */
    if (judged != OCSP_RESPONSE_STATUS_SUCCESSFUL)
        return;
    if (r.count < 1 || r.count > OCSP_SINGLES_MOST || (r.echoes_nonce && !r.has_nonce))
        abort();
    for (int i = 0; i < r.count; i++) {
        if (strlen(r.serials[i]) >= SERIAL_SIZE)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cleanup_buf struct buf der = {0};

    check((struct slice){data, size});
    if (is_ok(base64_decode((const char *)data, size, &der, NULL)))
        check(buf_slice(&der));
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "common/certificate.h"

#include <time.h>

#include "common/openssl_scope.h"

enum { SECOND_MS = 1000 };

bool certificate_time_ms(const ASN1_TIME *t, int64_t *out)
{
    cleanup_err_mark bool marked = err_mark();
    struct tm tm = {0};

    /* NULL would be taken for now. */
    if (!t || !ASN1_TIME_to_tm(t, &tm))
        return false;
    *out = (int64_t)timegm(&tm) * SECOND_MS;
    return true;
}

bool certificate_end_ms(struct slice der, int64_t *out)
{
    cleanup_err_mark bool marked = err_mark();
    const unsigned char *at = der.data;
    cleanup_x509 X509 *crt = der.len > 0 ? d2i_X509(NULL, &at, (long)der.len) : NULL;

    return crt && certificate_time_ms(X509_get0_notAfter(crt), out);
}

int64_t certificate_not_after_ms(struct slice der)
{
    int64_t ms = 0;

    return certificate_end_ms(der, &ms) && ms > 0 ? ms : 0;
}

bool der_next(struct slice *rest, struct slice *one)
{
    cleanup_err_mark bool marked = err_mark();
    const unsigned char *at = rest->data;
    long len = 0;
    int tag = 0, class = 0;

    if (rest->len == 0 ||
        ASN1_get_object(&at, &len, &tag, &class, (long)rest->len) & 0x81) /* broken, or of indefinite length */
        return false;
    size_t whole = (size_t)(at - rest->data) + (size_t)len;
    if (whole > rest->len)
        return false;
    *one = (struct slice){rest->data, whole};
    *rest = (struct slice){rest->data + whole, rest->len - whole};
    return true;
}

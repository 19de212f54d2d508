/* SPDX-License-Identifier: Apache-2.0 */
/* What a person or a CA gives as certificates: PEM, DER, PKCS#7, and the base64 of an EST answer. Whatever is taken can
 * be written and read again, and is judged without harm. */
#include <stdlib.h>
#include <string.h>

#include "common/certificate.h"
#include "server/connector/chain.h"
#include "server/connector/est.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(STACK_OF(X509) * all)
{
    cleanup_certificate_chain struct certificate_chain chain = {0};
    struct error err = {0};
    int count = sk_X509_num(all);

    if (count < 1 || count > CERTIFICATES_MOST)
        abort();
    for (int i = 0; i < count; i++) {
        status s = certificate_chain_build(sk_X509_value(all, i), all, NULL, &chain, &err);
        if (is_ok(s) ? chain.certificate.len == 0 || chain.findings.len == 0 : !err.text[0])
            abort();
    }
}

static void split(struct slice input)
{
    struct slice rest = input, one;
    size_t total = 0;

    while (der_next(&rest, &one))
        total += one.len;
    if (total + rest.len != input.len)
        abort();
    (void)certificate_not_after_ms(input);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice input = {data, size};
    cleanup_certificates STACK_OF(X509) *given = NULL, *answered = NULL;
    struct error err = {0};

    if (is_ok(certificates_parse(input, &given, &err)))
        judge(given);
    else if (given || !err.text[0])
        abort();
    if (is_ok(est_certificates_parse(input, &answered, &err)))
        judge(answered);
    split(input);
    return 0;
}

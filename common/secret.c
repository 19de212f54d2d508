/* SPDX-License-Identifier: Apache-2.0 */
/* Random bytes come from getrandom(2) and not from OpenSSL: no state to be copied by fork, nothing the host configured.
 */
#include "common/secret.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "chancery/protocol.h"
#include "common/openssl_scope.h"

void secret_wipe(void *data, size_t len)
{
    if (data)
        OPENSSL_cleanse(data, len);
}

bool secret_equal(const void *a, const void *b, size_t len)
{
    return len == 0 || CRYPTO_memcmp(a, b, len) == 0;
}

status secret_random(void *out, size_t len, struct error *err)
{
    uint8_t *bytes = out;
    while (len > 0) {
        ssize_t n = getrandom(bytes, len, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            status failure = error_set(err, CODE_INTERNAL, "no random bytes");
            error_detail(err, "getrandom: errno %d", errno);
            return failure;
        }
        bytes += n;
        len -= (size_t)n;
    }
    return OK;
}

status sha256(struct slice in, uint8_t out[32], struct error *err)
{
    cleanup_err_mark bool marked = err_mark();
    int done = EVP_Q_digest(NULL, "SHA256", NULL, in.len ? in.data : (const uint8_t *)"", in.len, out, NULL);
    return done == 1 ? OK : error_set(err, CODE_INTERNAL, "SHA-256 is not available");
}

status id_new(const char *prefix, char *out, struct error *err)
{
    static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
    enum { DIGITS = 20 };

    size_t len = strlen(prefix);
    if (len + 1 + DIGITS > LIMIT_ID)
        return error_set(err, CODE_INTERNAL, "the prefix of an id is too long");
    uint8_t random[DIGITS] = {0};
    TRY(secret_random(random, sizeof(random), err));

    memcpy(out, prefix, len);
    out[len++] = '_';
    for (size_t i = 0; i < DIGITS; i++)
        out[len++] = digits[random[i] & 31];
    out[len] = '\0';
    return OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The HSM's own OpenSSL library context. */
#include <openssl/provider.h>

#include "server/hsm/internal.h"

status provider_open(struct hsm *h, struct error *err)
{
    h->libctx = OSSL_LIB_CTX_new();
    if (!h->libctx)
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    h->providers[0] = OSSL_PROVIDER_load(h->libctx, "default");
    if (!h->providers[0])
        return error_set(err, CODE_INTERNAL, "OpenSSL's default provider cannot be loaded");
    return OK;
}

void provider_close(struct hsm *h)
{
    for (size_t i = 0; i < COUNT_OF(h->providers); i++) {
        if (h->providers[i])
            (void)OSSL_PROVIDER_unload(h->providers[i]);
    }
    OSSL_LIB_CTX_free(h->libctx);
}

status hsm_evp_key(struct hsm *h, const uint8_t id[HSM_ID_LEN], EVP_PKEY **out, struct error *err)
{
    (void)h;
    (void)id;
    (void)out;
    return error_set(err, CODE_INTERNAL, "not there yet");
}

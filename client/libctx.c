/* SPDX-License-Identifier: Apache-2.0 */
/* The private OSSL_LIB_CTX. Made without a lock: two threads, or one that comes back in through the host's openssl.cnf,
 * may both make one; the first to publish wins and the other is freed. */
#include "client/libctx.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <stdatomic.h>

#include "client/errqueue.h"

static _Atomic(OSSL_LIB_CTX *) private_ctx;
static atomic_uint generation;
enum { ABANDONED_KEPT = 16 };
static OSSL_LIB_CTX *abandoned[ABANDONED_KEPT]; /* still reachable, for whoever searches a child for leaks */

/* Keeps what was published first. A context does not free the provider that was loaded into it. */
static OSSL_LIB_CTX *ctx_publish(OSSL_LIB_CTX *made, OSSL_PROVIDER *provider)
{
    OSSL_LIB_CTX *expected = NULL;
    if (atomic_compare_exchange_strong(&private_ctx, &expected, made))
        return made;
    (void)OSSL_PROVIDER_unload(provider);
    OSSL_LIB_CTX_free(made);
    return expected;
}

static OSSL_LIB_CTX *ctx_make(void)
{
    OSSL_LIB_CTX *ctx = OSSL_LIB_CTX_new();
    OSSL_PROVIDER *provider = ctx ? OSSL_PROVIDER_load(ctx, "default") : NULL;
    if (provider)
        return ctx_publish(ctx, provider);
    OSSL_LIB_CTX_free(ctx);
    return NULL;
}

status libctx_get(OSSL_LIB_CTX **out, struct error *err)
{
    OSSL_LIB_CTX *ctx = atomic_load(&private_ctx);
    if (!ctx) {
        ERR_set_mark();
        /* libcurl would do this in the middle of its own start; done here first, it finds nothing left to load. */
        (void)OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, NULL);
        ctx = atomic_load(&private_ctx); /* the configuration may have called us, and we are made already */
        if (!ctx)
            ctx = ctx_make();
        ERR_pop_to_mark();
    }
    if (!ctx)
        return error_set(err, CODE_INTERNAL, "OpenSSL cannot make a library context");
    *out = ctx;
    return OK;
}

void libctx_abandon_after_fork(void)
{
    OSSL_LIB_CTX *old = atomic_exchange(&private_ctx, NULL);
    unsigned number = atomic_fetch_add(&generation, 1);
    if (old)
        abandoned[number % ABANDONED_KEPT] = old;
}

unsigned libctx_generation(void)
{
    return atomic_load(&generation);
}

status libctx_enter(struct libctx_scope *s, struct error *err)
{
    OSSL_LIB_CTX *ctx = NULL;
    TRY(libctx_get(&ctx, err));

    s->errors = errqueue_take();
    s->previous = OSSL_LIB_CTX_set0_default(ctx);
    s->ctx = ctx;
    return OK;
}

void libctx_leave(struct libctx_scope *s)
{
    if (!s->ctx)
        return;
    (void)OSSL_LIB_CTX_set0_default(s->previous);
    errqueue_put_back(s->errors);
    *s = (struct libctx_scope){0};
}

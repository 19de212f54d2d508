/* SPDX-License-Identifier: Apache-2.0 */
/* The private OSSL_LIB_CTX of this library, with only the `default` provider in it. The host's own context may contain
 * pkcs11-provider or an engine that leads back to us, so nothing here ever works in it: every use of OpenSSL or libcurl
 * stands in a scope. The scope also leaves the thread's OpenSSL error queue as it was found. */
#pragma once

#include <openssl/types.h>

#include "common/cleanup.h"
#include "common/status.h"

/* The context, made at the first call. No lock is held while OpenSSL reads its configuration, which may call back into
 * the module. CODE_INTERNAL when OpenSSL cannot make one. */
status libctx_get(OSSL_LIB_CTX **out, struct error *err);
/* In a forked child: forgets the context, whose locks other threads of the parent may have held; the next use makes a
 * new one. What was made in the old one (keys, connections) must not be used any more, nor freed. */
void libctx_abandon_after_fork(void);
/* Changes when the context is abandoned: tells what was made in the old one. */
unsigned libctx_generation(void);

/*   cleanup_libctx struct libctx_scope scope = {0};
 *   TRY(libctx_enter(&scope, err));
 * Scopes nest. */
struct libctx_scope {
    OSSL_LIB_CTX *ctx; /* the private one while inside */
    OSSL_LIB_CTX *previous;
    struct errqueue *errors; /* the host's */
};
status libctx_enter(struct libctx_scope *s, struct error *err);
void libctx_leave(struct libctx_scope *s); /* does nothing on a scope that was not entered */
#define cleanup_libctx CLEANUP(libctx_leave)

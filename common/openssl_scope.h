/* SPDX-License-Identifier: Apache-2.0 */
/* Clean-ups for OpenSSL's types, and a mark on its error queue that goes with the scope. */
#pragma once

#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>

#include "common/cleanup.h"

DEFINE_CLEANUP_PTR(EVP_PKEY, EVP_PKEY_free)
DEFINE_CLEANUP_PTR(EVP_PKEY_CTX, EVP_PKEY_CTX_free)
DEFINE_CLEANUP_PTR(X509, X509_free)
DEFINE_CLEANUP_PTR(EVP_MD_CTX, EVP_MD_CTX_free)
DEFINE_CLEANUP_PTR(EVP_MD, EVP_MD_free)
DEFINE_CLEANUP_PTR(ECDSA_SIG, ECDSA_SIG_free)
DEFINE_CLEANUP_PTR(BIGNUM, BN_free)
DEFINE_CLEANUP_PTR(ASN1_TIME, ASN1_TIME_free)
#define cleanup_pkey CLEANUP(EVP_PKEY_free_cleanup)
#define cleanup_x509 CLEANUP(X509_free_cleanup)
#define cleanup_pkey_ctx CLEANUP(EVP_PKEY_CTX_free_cleanup)
#define cleanup_md_ctx CLEANUP(EVP_MD_CTX_free_cleanup)
#define cleanup_md CLEANUP(EVP_MD_free_cleanup)
#define cleanup_ecdsa_sig CLEANUP(ECDSA_SIG_free_cleanup)
#define cleanup_bn CLEANUP(BN_free_cleanup)
#define cleanup_asn1_time CLEANUP(ASN1_TIME_free_cleanup)

/* cleanup_err_mark bool marked = err_mark(); what OpenSSL queues in this scope is dropped at its end. An empty queue
 * takes no mark; popping then empties it, which is right: everything in it came from this scope. */
static inline bool err_mark(void)
{
    return ERR_set_mark() == 1;
}

static inline void err_mark_cleanup(const bool *marked)
{
    (void)marked;
    (void)ERR_pop_to_mark();
}
#define cleanup_err_mark __attribute__((unused)) CLEANUP(err_mark_cleanup)

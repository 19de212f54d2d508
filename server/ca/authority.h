/* SPDX-License-Identifier: Apache-2.0 */
/* One CA, read from the store, with its key in the HSM. Inside this folder. */
#pragma once

#include <pthread.h>

#include "server/ca/ca.h"
#include "server/ca/certificate.h"

struct ocsp_cache;

struct ca {
    struct ca_config config;
    pthread_mutex_t crl_lock;  /* one CRL is made at a time; the others wait for it */
    pthread_mutex_t ocsp_lock; /* of the cache and of `signing` */
    struct ocsp_cache *ocsp;
    int signing; /* OCSP answers that the HSM is signing now */
};

struct authority {
    struct ca_row row;
    X509 *crt; /* NULL while it waits for its certificate */
    EVP_PKEY *key;
};
void authority_clear(struct authority *a);
#define cleanup_authority CLEANUP(authority_clear)

/* CODE_NOT_FOUND: no such CA. Without the key. */
status authority_read(struct ca *ca, const char *name, struct authority *out, struct error *err);
/* With its key, and a certificate of it. CODE_CONFLICT: it waits for its certificate. */
status authority_open(struct ca *ca, const char *name, struct authority *out, struct error *err);
/* The digest that a key signs with: NULL for one that hashes by itself. */
const EVP_MD *authority_digest(EVP_PKEY *key);
/* A plan for a certificate of this profile by an authority (NULL: self-signed). Locations and policy live in `texts`.
 */
status authority_plan(const struct ca *ca, const struct authority *issuer, enum ca_profile profile,
                      struct certificate_plan *plan, struct buf texts[4], struct error *err);
/* Signs it; why the HSM did not sign is better to know than that OpenSSL failed. */
status authority_sign(const struct certificate_plan *plan, X509 *issuer, EVP_PKEY *key, X509 **out, struct error *err);
/* The failure of an OpenSSL call with an HSM key: the HSM's own where it was that. */
status authority_failure(const char *what, struct error *err);
bool certificate_name_text(const X509_NAME *name, char *out, size_t size); /* false: cut off */

/* SPDX-License-Identifier: Apache-2.0 */
/* A few OCSP answers by their request, so that the same question does not ask the HSM again. Not locked by itself. */
#pragma once

#include "server/ca/ca.h"

struct ocsp_cache;
struct ocsp_cache_key {
    uint8_t sha256[32];
};

status ocsp_cache_new(struct ocsp_cache **out, struct error *err);
void ocsp_cache_free(struct ocsp_cache *c);
/* revocations: of the CA; whatever was known before the last one is not found any more. */
status ocsp_cache_key_make(const char *ca, int64_t revocations, struct slice request, struct ocsp_cache_key *out,
                           struct error *err);
/* A copy. False: not there, or past until_ms. */
bool ocsp_cache_get(struct ocsp_cache *c, const struct ocsp_cache_key *key, int64_t now_ms, struct ocsp_answer *out);
void ocsp_cache_put(struct ocsp_cache *c, const struct ocsp_cache_key *key, int64_t until_ms,
                    const struct ocsp_answer *answer);

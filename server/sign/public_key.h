/* SPDX-License-Identifier: Apache-2.0 */
/* The check of a signature before it may leave. Public keys are parsed once for each key version: that costs more than
 * the check. */
#pragma once

#include "common/signature.h"
#include "server/store/generation_cache.h"
#include "server/store/store.h"

/* RSA always; EC and Edwards when verify_all. The length is checked for each. CODE_BAD_SIGNATURE. */
status signature_judge(struct cache *keys, const struct signing_key *key, const struct sign_input *in,
                       struct slice signature, bool verify_all, struct error *err);

/* SPDX-License-Identifier: Apache-2.0 */
/* What a client does when the use of a key needs an approval. */
#pragma once

#include "client/client.h"

/* err holds the refusal with CODE_APPROVAL_REQUIRED. OK: this very signature is approved, try it once more. Otherwise
 * the refusal, with the address of the request that was made, or of where to make one. Waits up to [approval] wait_ms,
 * in this thread and holding no lock. */
status approval_seek(struct client *c, const struct client_key *key, const struct sign_input *in, struct deadline d,
                     struct error *err);

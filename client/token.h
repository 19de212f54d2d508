/* SPDX-License-Identifier: Apache-2.0 */
/* The Authorization header of a request: an API key, or an access token that is asked for when it is missing or about
 * to end (RFC 7523 §2.1). */
#pragma once

#include "client/retry.h"
#include "client/state.h"

/* "Bearer …" into out; may ask for a token, as often as the call allows. CODE_NOT_AUTHENTICATED before login. */
status authorization_get(struct client *c, const struct retry *call, struct buf *out, struct error *err);
/* The server answered 401 to this value: forgets it. True when another try with a new one makes sense. */
bool authorization_refused(struct client *c, const struct buf *used);
void token_clear(struct token *t);

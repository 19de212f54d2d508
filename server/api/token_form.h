/* SPDX-License-Identifier: Apache-2.0 */
/* The form of a token request (RFC 6749 appendix B, RFC 7523 §2.1). */
#pragma once

#include "server/api/api.h"

struct token_form {
    struct buf grant_type, assertion; /* decoded; the assertion is a credential */
};
void token_form_clear(struct token_form *f);
#define cleanup_token_form CLEANUP(token_form_clear)

/* application/x-www-form-urlencoded, the two fields once each, and no other. */
status token_form_parse(struct token_form *f, const struct request *req, struct error *err);

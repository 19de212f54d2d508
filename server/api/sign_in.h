/* SPDX-License-Identifier: Apache-2.0 */
/* Proof of who somebody is, for a browser: an API key, or name and password with the second factor where there is one.
 */
#pragma once

#include "server/api/caller.h"

struct sign_in { /* what is offered; NULL: not given */
    const char *api_key, *name, *password, *totp;
};
/* The members as they stand in a body, for its table of fields. */
#define SIGN_IN_FIELDS(s)                                                                                              \
    {"api_key", JSON_STRING, 0, &(s).api_key}, {"password", JSON_STRING, 0, &(s).password},                            \
    {                                                                                                                  \
        "totp", JSON_STRING, 0, &(s).totp                                                                              \
    }
/* CODE_INVALID unless it is either an API key or a password, with a name or without one as is wanted. */
status sign_in_check(const struct sign_in *s, bool wants_name, struct error *err);

/* An unknown user, one who is disabled or has no password, and a wrong password cost the same work and get the same
 * answer. Failures are counted by user and by address, CODE_RATE_LIMITED when there were too many, and are on record as
 * session.denied. CODE_TOTP_REQUIRED: all is well but for the second factor, which is not there. out gets principal,
 * scopes, expiry, and credential_id for an API key; session_is_limited for a one-time password. */
status sign_in_judge(struct api *api, struct request *req, const struct sign_in *s, struct identity *out,
                     struct error *err);
/* The same of somebody who is in already: a proof that is wrong, or another user's, is CODE_CONFIRMATION_REQUIRED, so
 * that it is not taken for the end of his session. */
status sign_in_again(struct api *api, struct request *req, const struct sign_in *s, const struct principal *who,
                     struct error *err);
/* A code of the user's second factor, used up with it. CODE_CONFIRMATION_REQUIRED when it is wrong; counted like a
 * password. */
status sign_in_code(struct api *api, struct request *req, const struct principal *user, const char *code,
                    struct error *err);

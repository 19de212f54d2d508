/* SPDX-License-Identifier: Apache-2.0 */
/* What kinds of certificates there are, one row each, after the CA/Browser Forum's code-signing requirements 3.10 and
 * RFC 5280, 3161, 6960. */
#pragma once

#include "server/store/ca.h"

enum ca_profile {
    PROFILE_CODE_SIGNING, /* a leaf; the default */
    PROFILE_TIMESTAMPING,
    PROFILE_OCSP_RESPONDER,
    PROFILE_ROOT,
    PROFILE_ISSUING_CODE_SIGNING,
    PROFILE_ISSUING_TIMESTAMPING,
    PROFILE_COUNT,
};

struct profile {
    const char *name;
    unsigned issuers; /* 1u << enum ca_purpose of those that may issue it */
    const char *basic_constraints, *key_usage, *extended_key_usage;
    bool has_locations; /* CRL distribution point, AIA */
    bool has_policy;
    bool no_check; /* id-pkix-ocsp-nocheck: nobody asks whether the one who answers is revoked */
    int days, days_most;
};
extern const struct profile profiles[PROFILE_COUNT];

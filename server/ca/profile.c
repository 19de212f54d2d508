/* SPDX-License-Identifier: Apache-2.0 */
#include "server/ca/profile.h"

#define OF(purpose) (1u << CA_##purpose)
#define CA_USAGE "critical,keyCertSign,cRLSign"

enum {
    LEAF_DAYS = 365,
    TIMESTAMPING_DAYS = 3652,
    TIMESTAMPING_DAYS_MOST = 4108, /* 135 months (CSBR 6.3.2) */
    OCSP_DAYS = 14,
    ROOT_DAYS = 20 * 365 + 5,
    ISSUING_DAYS = 10 * 365 + 2,
    CA_DAYS_MOST = 30 * 365 + 7,
};

const struct profile profiles[PROFILE_COUNT] = {
    [PROFILE_CODE_SIGNING] = {"code_signing", OF(CODE_SIGNING), "critical,CA:FALSE", "critical,digitalSignature",
                              "codeSigning", true, true, false, LEAF_DAYS, CA_LEAF_DAYS_MOST},
    [PROFILE_TIMESTAMPING] = {"timestamping", OF(TIMESTAMPING), "critical,CA:FALSE", "critical,digitalSignature",
                              "critical,timeStamping", true, true, false, TIMESTAMPING_DAYS, TIMESTAMPING_DAYS_MOST},
    [PROFILE_OCSP_RESPONDER] = {"ocsp_responder", OF(ROOT) | OF(CODE_SIGNING) | OF(TIMESTAMPING), "critical,CA:FALSE",
                                "critical,digitalSignature", "OCSPSigning", false, false, true, OCSP_DAYS, OCSP_DAYS},
    [PROFILE_ROOT] = {"root", 0, "critical,CA:TRUE", CA_USAGE, NULL, false, false, false, ROOT_DAYS, CA_DAYS_MOST},
    [PROFILE_ISSUING_CODE_SIGNING] = {"issuing_code_signing", OF(ROOT), "critical,CA:TRUE,pathlen:0", CA_USAGE,
                                      "codeSigning", true, false, false, ISSUING_DAYS, CA_DAYS_MOST},
    [PROFILE_ISSUING_TIMESTAMPING] = {"issuing_timestamping", OF(ROOT), "critical,CA:TRUE,pathlen:0", CA_USAGE,
                                      "timeStamping", true, false, false, ISSUING_DAYS, CA_DAYS_MOST},
};

/* SPDX-License-Identifier: Apache-2.0 */
/* Why a certificate is revoked, by the names of RFC 5280 §5.3.1. certificateHold and removeFromCRL are left out: a
 * code-signing certificate is not put on hold (CSBR 4.9.13). */
#include <string.h>

#include "server/ca/ca.h"

static const struct {
    int code;
    const char *name;
} reasons[] = {
    {0, "unspecified"}, {1, "key_compromise"},         {2, "ca_compromise"},       {3, "affiliation_changed"},
    {4, "superseded"},  {5, "cessation_of_operation"}, {9, "privilege_withdrawn"}, {10, "aa_compromise"},
};

const char *ca_reason_name(int reason)
{
    for (size_t i = 0; i < COUNT_OF(reasons); i++) {
        if (reasons[i].code == reason)
            return reasons[i].name;
    }
    return NULL;
}

bool ca_reason_parse(const char *name, int *out)
{
    for (size_t i = 0; i < COUNT_OF(reasons); i++) {
        if (strcmp(reasons[i].name, name) == 0) {
            *out = reasons[i].code;
            return true;
        }
    }
    return false;
}

const char *ca_reason_names(void)
{
    return "unspecified, key_compromise, ca_compromise, affiliation_changed, superseded, cessation_of_operation, "
           "privilege_withdrawn, aa_compromise";
}

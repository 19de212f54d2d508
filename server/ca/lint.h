/* SPDX-License-Identifier: Apache-2.0 */
/* What a code-signing leaf lacks of the CA/Browser Forum's Code Signing Baseline Requirements 3.10. A private CA need
 * not meet them; whoever wants a publicly trusted certificate sees here what would be asked. */
#pragma once

#include "common/buf.h"

struct lint_finding {
    const char *rule;     /* "key", "validity", …: stable */
    const char *severity; /* "error": must; "warning": should */
    char text[200];
};
/* CODE_INTERNAL when the certificate cannot be read. */
status lint_certificate(struct slice certificate, void (*each)(void *arg, const struct lint_finding *f), void *arg,
                        struct error *err);

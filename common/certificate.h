/* SPDX-License-Identifier: Apache-2.0 */
/* What is read from X.509 certificates in more than one place. */
#pragma once

#include "common/buf.h"

/* When it ends; 0 when it cannot be read. */
int64_t certificate_not_after_ms(struct slice der);
/* Takes the first of several DER values that stand one behind the other: false when there is none, or it is broken. */
bool der_next(struct slice *rest, struct slice *one);

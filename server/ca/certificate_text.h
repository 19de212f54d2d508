/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate, read for people. */
#pragma once

#include "common/buf.h"

struct certificate_text {
    char subject[1024], issuer[1024]; /* RFC 4514; cut off where longer */
    char serial[41];
    int64_t not_before_ms, not_after_ms;
};
status certificate_text_read(struct slice certificate, struct certificate_text *out, struct error *err);

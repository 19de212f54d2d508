/* SPDX-License-Identifier: Apache-2.0 */
/* Intents of this process whose outcome could not be recorded: nobody works on them any more, so they must not block a
 * retry with the same idempotency key (I6). The audit log closes them as unknown at its next start (I2). */
#pragma once

#include <stdint.h>

#include "common/status.h"

struct abandoned;
status abandoned_new(struct abandoned **out, struct error *err);
void abandoned_free(struct abandoned *a);
void abandoned_add(struct abandoned *a, int64_t intent); /* the oldest is forgotten when there are too many */
bool abandoned_has(struct abandoned *a, int64_t intent);

/* SPDX-License-Identifier: Apache-2.0 */
/* Rate limits, kept in memory: each server counts on its own, and a start begins anew. They protect the HSM and show
 * mistakes early; what must be exact is a quota. */
#pragma once

#include "server/sign/policy.h"

struct rate_limiter;
status rate_limiter_new(struct rate_limiter **out, struct error *err);
void rate_limiter_free(struct rate_limiter *l);
/* One use under this name. 0: it may go on; else the milliseconds until one may. */
int64_t rate_limiter_take(struct rate_limiter *l, const char *name, const struct rate *limit, int64_t now_ms);

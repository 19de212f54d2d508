/* SPDX-License-Identifier: Apache-2.0 */
/* Platform, Project or key: what a policy or a freeze belongs to, as the path names it. */
#pragma once

#include "server/api/change.h"
#include "server/store/policy.h"

/* "" for the platform. Borrowed from the caller's context. */
const char *policy_scope_id(const struct request *req, enum policy_scope scope);
/* Target, and project where there is one, of the record. */
void policy_scope_target(struct change *c, const struct request *req, enum policy_scope scope);

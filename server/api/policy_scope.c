/* SPDX-License-Identifier: Apache-2.0 */
/* The scope of a path. */
#include "server/api/policy_scope.h"

#include "server/api/caller.h"

const char *policy_scope_id(const struct request *req, enum policy_scope scope)
{
    switch (scope) {
    case SCOPE_PROJECT:
        return caller_of(req)->project.id;
    case SCOPE_KEY:
        return caller_of(req)->key_id;
    default:
        return "";
    }
}

void policy_scope_target(struct change *c, const struct request *req, enum policy_scope scope)
{
    if (scope == SCOPE_KEY) {
        change_key_asked(c, req);
        return;
    }
    const char *project = scope == SCOPE_PROJECT ? caller_of(req)->project.name : "";
    if (*project)
        c->record.project = project;
    change_target(c, policy_scope_name(scope), policy_scope_id(req, scope), project);
}

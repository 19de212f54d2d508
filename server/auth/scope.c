/* SPDX-License-Identifier: Apache-2.0 */
/* Scopes: a credential carries at most these of its principal's rights. What a route asks for follows from its
 * permission and method, so that a new one which changes anything is closed to keys that only sign or read. */
#include "server/auth/auth.h"

#include <string.h>

static const struct {
    const char *method, *pattern;
    unsigned scopes;
} exceptions[] = {
    {"GET", ROUTE_WHOAMI, SCOPE_ALL},
    {"GET", ROUTE_SESSION, SCOPE_ALL},
    {"DELETE", ROUTE_SESSION, SCOPE_ALL},
    {"GET", ROUTE_SIGNING_KEYS, SCOPE_SIGN | SCOPE_READ},
    {"GET", "/v1/server", SCOPE_SIGN | SCOPE_READ}, /* for signing machines */
    /* who may sign may ask that he may, and wait for it */
    {"POST", ROUTE_APPROVALS, SCOPE_SIGN | SCOPE_ADMIN},
    {"GET", ROUTE_APPROVALS "/{id}", SCOPE_SIGN | SCOPE_READ},
    {"POST", ROUTE_APPROVALS "/{id}/cancel", SCOPE_SIGN | SCOPE_ADMIN},
    {"GET", "/v1/keys/{key}/csr", SCOPE_ADMIN}, /* the key signs */
    {"POST", "/v1/access/explain", SCOPE_READ},
    {"POST", "/v1/policies/dry-run", SCOPE_READ},
};

unsigned scopes_for(enum permission p, const char *method, const char *pattern)
{
    for (size_t i = 0; i < COUNT_OF(exceptions); i++) {
        if (strcmp(exceptions[i].method, method) == 0 && strcmp(exceptions[i].pattern, pattern) == 0)
            return exceptions[i].scopes;
    }
    if (p == PERMISSION_SIGN)
        return SCOPE_SIGN;
    return strcmp(method, "GET") == 0 ? SCOPE_READ : SCOPE_ADMIN;
}

static const struct {
    enum scope scope;
    const char *name;
} names[] = {{SCOPE_SIGN, "sign"}, {SCOPE_READ, "read"}, {SCOPE_ADMIN, "admin"}};

bool scope_parse(const char *name, enum scope *out)
{
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (strcmp(names[i].name, name) == 0) {
            *out = names[i].scope;
            return true;
        }
    }
    return false;
}

const char *scope_name(enum scope scope)
{
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (names[i].scope == scope)
            return names[i].name;
    }
    return "";
}

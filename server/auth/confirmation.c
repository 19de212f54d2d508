/* SPDX-License-Identifier: Apache-2.0 */
/* What a browser's session may do: what is sensitive only soon after the user showed who he is, so that a browser left
 * alone is worth little; and nothing but a change of password where it was opened with a one-time password. */
#include <string.h>

#include "server/auth/auth.h"

struct row {
    const char *method, *pattern;
};

/* Setting a password is not here: the handler takes the present one for a proof. */
static const struct row sensitive[] = {
    {"POST", "/v1/keys/{key}/retire"},
    {"POST", "/v1/keys/{key}/destroy"},
    {"POST", "/v1/projects/{project}/keys/import"},
    {"POST", "/v1/users"},
    {"PATCH", "/v1/users/{user}"},
    {"DELETE", "/v1/users/{user}"},
    {"POST", "/v1/users/{user}/api-keys"},
    {"DELETE", "/v1/users/{user}/password"},
    {"POST", "/v1/users/{user}/totp"},
    {"DELETE", "/v1/users/{user}/totp"},
    {"POST", "/v1/service-accounts/{account}/keys"},
    {"PUT", "/v1/policy"},
    {"DELETE", "/v1/policy"},
    {"PUT", "/v1/projects/{project}/policy"},
    {"DELETE", "/v1/projects/{project}/policy"},
    {"PUT", "/v1/keys/{key}/policy"},
    {"DELETE", "/v1/keys/{key}/policy"},
    {"POST", "/v1/unfreeze"},
    {"POST", "/v1/projects/{project}/unfreeze"},
    {"POST", "/v1/hsms/{hsm}/reconcile"},
};

static const struct row limited[] = {
    {"GET", ROUTE_SESSION},
    {"DELETE", ROUTE_SESSION},
    {"POST", ROUTE_SESSION_CONFIRM},
    {"GET", ROUTE_WHOAMI},
    {"PUT", "/v1/users/{user}/password"},
};

static bool is_in(const struct row *rows, size_t count, const char *method, const char *pattern)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].method, method) == 0 && strcmp(rows[i].pattern, pattern) == 0)
            return true;
    }
    return false;
}

bool session_confirms(const char *method, const char *pattern)
{
    return is_in(sensitive, COUNT_OF(sensitive), method, pattern);
}

const char *session_sensitive_at(size_t i, const char **method)
{
    if (i >= COUNT_OF(sensitive))
        return NULL;
    *method = sensitive[i].method;
    return sensitive[i].pattern;
}

bool session_limited_may(const char *method, const char *pattern)
{
    return is_in(limited, COUNT_OF(limited), method, pattern);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* [context] of the configuration: what a signature's record shall say beside program, host and user, and what a policy
 * may require, such as a build's number. "name = value", or "name = env:VARIABLE" for a variable that is looked up when
 * the configuration is read (secure_getenv); while that is not set or empty, the field is not sent. */
#pragma once

#include "common/status.h"

enum { CLIENT_CONTEXT_MAX = 16 };

struct client_context {
    size_t count; /* of those that are sent */
    struct client_context_field {
        const char *name; /* one of names */
        char *value;
    } fields[CLIENT_CONTEXT_MAX];
    size_t named; /* all, in names */
    char *names[CLIENT_CONTEXT_MAX];
};

/* CODE_CONFIGURATION for a name that is none or is set already, and for a value that no record may hold. */
status client_context_add(struct client_context *c, const char *name, const char *value, struct error *err);
void client_context_clear(struct client_context *c);

/* SPDX-License-Identifier: Apache-2.0 */
#include "client/context.h"

#include <stdlib.h>
#include <string.h>

#include "chancery/protocol.h"
#include "common/cleanup.h"
#include "common/text.h"

static status name_check(const struct client_context *c, const char *name, struct error *err)
{
    static const char *const own[] = {"program", "host", "user"};

    if (!text_is_name(name))
        return error_set(err, CODE_CONFIGURATION,
                         "%.80s: a field's name is 1 to %d of a-z 0-9 . _ - and begins with a letter or digit", name,
                         LIMIT_NAME);
    for (size_t i = 0; i < COUNT_OF(own); i++)
        if (strcmp(own[i], name) == 0)
            return error_set(err, CODE_CONFIGURATION, "%s: this field is sent already, with what the machine says",
                             name);
    for (size_t i = 0; i < c->named; i++)
        if (strcmp(c->names[i], name) == 0)
            return error_set(err, CODE_CONFIGURATION, "%s is already set in [context]", name);
    if (c->named == CLIENT_CONTEXT_MAX)
        return error_set(err, CODE_CONFIGURATION, "%s: [context] has at most %d fields", name, CLIENT_CONTEXT_MAX);
    return OK;
}

status client_context_add(struct client_context *c, const char *name, const char *value, struct error *err)
{
    static const char environment[] = "env:";
    bool from_environment = strncmp(value, environment, sizeof(environment) - 1) == 0;

    TRY(name_check(c, name, err));
    if (from_environment)
        value = secure_getenv(value + sizeof(environment) - 1);
    if (value && !text_is_printable(value, LIMIT_TEXT))
        return error_set(err, CODE_CONFIGURATION, "%s: the value%s is not printable text of at most %d bytes", name,
                         from_environment ? " in the environment" : "", LIMIT_TEXT);

    if (!(c->names[c->named] = strdup(name)))
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    c->named++;
    if (!value || !*value)
        return OK;
    if (!(c->fields[c->count].value = strdup(value)))
        return error_set(err, CODE_NO_MEMORY, "out of memory");
    c->fields[c->count].name = c->names[c->named - 1];
    c->count++;
    return OK;
}

void client_context_clear(struct client_context *c)
{
    for (size_t i = 0; i < c->count; i++)
        free(c->fields[i].value);
    for (size_t i = 0; i < c->named; i++)
        free(c->names[i]);
    *c = (struct client_context){0};
}

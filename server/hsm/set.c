/* SPDX-License-Identifier: Apache-2.0 */
/* The HSMs of a server by their names: few, and the same from its start to its end. */
#include <string.h>

#include "server/hsm/internal.h"

struct hsm_set {
    struct hsm *hsms[HSM_SET_MAX];
    size_t count;
};

status hsm_set_new(struct hsm_set **out, struct error *err)
{
    *out = calloc(1, sizeof **out);
    return *out ? OK : error_set(err, CODE_NO_MEMORY, "out of memory");
}

void hsm_set_free(struct hsm_set *s)
{
    if (!s)
        return;
    for (size_t i = s->count; i-- > 0;)
        hsm_close(s->hsms[i]);
    free(s);
}

status hsm_set_add(struct hsm_set *s, struct hsm *h, struct error *err)
{
    cleanup_hsm struct hsm *taken = h;

    if (hsm_set_find(s, hsm_name(h)))
        return error_set(err, CODE_CONFIGURATION, "there is an HSM %s already", hsm_name(h));
    if (s->count == HSM_SET_MAX)
        return error_set(err, CODE_CONFIGURATION, "there are more than %d HSMs", HSM_SET_MAX);
    s->hsms[s->count++] = steal(&taken);
    return OK;
}

struct hsm *hsm_set_find(const struct hsm_set *s, const char *name)
{
    if (!*name)
        name = HSM_DEFAULT;
    for (size_t i = 0; i < s->count; i++) {
        if (strcmp(hsm_name(s->hsms[i]), name) == 0)
            return s->hsms[i];
    }
    return NULL;
}

size_t hsm_set_count(const struct hsm_set *s)
{
    return s->count;
}

struct hsm *hsm_set_at(const struct hsm_set *s, size_t i)
{
    return s->hsms[i];
}

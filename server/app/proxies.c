/* SPDX-License-Identifier: Apache-2.0 */
#include "server/app/proxies.h"

#include "common/cleanup.h"

status proxies_make(const struct config *c, struct network **networks, struct error *err)
{
    const struct text_list *list = &c->trusted_proxies;
    cleanup_free struct network *made = list->count ? calloc(list->count, sizeof(*made)) : NULL;
    if (list->count && !made)
        return error_set(err, CODE_NO_MEMORY, "trusted proxies");
    for (size_t i = 0; i < list->count; i++) {
        if (!network_parse(list->items[i], &made[i]))
            return error_set(err, CODE_CONFIGURATION,
                             "trusted_proxies: %.60s: an address or a network like 10.0.0.0/8 is expected",
                             list->items[i]);
    }
    *networks = steal(&made);
    return OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* trusted_proxies as networks. */
#pragma once

#include "common/network.h"
#include "server/config/config.h"

/* networks: of c->trusted_proxies.count, to be freed; NULL for none. CODE_CONFIGURATION names the one that is no
 * network. */
status proxies_make(const struct config *c, struct network **networks, struct error *err);

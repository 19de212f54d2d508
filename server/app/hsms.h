/* SPDX-License-Identifier: Apache-2.0 */
/* The HSMs of the configuration: the default one and those of sections. */
#pragma once

#include "server/config/config.h"
#include "server/hsm/hsm.h"

/* SOFTHSM2_CONF is set from the configuration before a module is loaded. */
status hsms_open(const struct config *c, struct hsm_set **out, struct error *err);

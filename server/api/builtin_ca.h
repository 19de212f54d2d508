/* SPDX-License-Identifier: Apache-2.0 */
/* The built-in CA as connectors see it: the two are siblings, which meet here. */
#pragma once

#include "server/ca/ca.h"
#include "server/connector/connector.h"

struct builtin_ca builtin_ca_of(struct ca *ca);

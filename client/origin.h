/* SPDX-License-Identifier: Apache-2.0 */
/* The advisory context of a signature. */
#pragma once

#include "client/state.h"

void origin_read(struct origin *o);

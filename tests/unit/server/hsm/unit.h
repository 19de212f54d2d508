/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of this folder begin with. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "server/hsm/internal.h"

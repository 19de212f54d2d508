/* SPDX-License-Identifier: Apache-2.0 */
/* Options that several commands share. */
#pragma once

#include "cli/cli.h"

extern const struct cli_option cli_options_always[];
extern const struct cli_option cli_options_server[];

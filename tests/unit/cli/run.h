/* SPDX-License-Identifier: Apache-2.0 */
/* Runs `chancery` in this process and keeps what it says. */
#pragma once

#include "cli/cli.h"

struct ran {
    int code;
    char *out;
    char *err;
};
/* The words behind the program's name, ended by NULL. What the last run said is freed. */
const struct ran *run(const char *word, ...) __attribute__((sentinel));
void run_end(void);

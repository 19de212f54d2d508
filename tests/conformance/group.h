/* SPDX-License-Identifier: Apache-2.0 */
/* The groups of checks; groups.def has one row for each. */
#pragma once

#include "rig.h"

enum scope { SCOPE_MODULE, SCOPE_TOKEN, SCOPE_KEY };

struct group {
    const char *name;
    enum scope scope;
    enum level level;
    void (*run)(struct rig *r);
};

#define GROUP(name, scope, level) void name##_group(struct rig *r);
#include "groups.def"
#undef GROUP

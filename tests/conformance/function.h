/* SPDX-License-Identifier: Apache-2.0 */
/* Every function as a row, callable with fit arguments. */
#pragma once

#include "rig.h"

struct arguments {
    CK_SLOT_ID slot;
    CK_SESSION_HANDLE session;
    CK_OBJECT_HANDLE object;
    CK_MECHANISM mechanism;
    CK_MECHANISM digest_mechanism;
    CK_MECHANISM generate_mechanism;
    CK_MECHANISM pair_mechanism;
    CK_ATTRIBUTE attribute;
    CK_ULONG list[256];
    CK_ULONG len;
    CK_ULONG number;
    CK_ULONG other_number;
    CK_BYTE in[64];
    CK_BYTE out[1024];
    CK_BYTE label[32];
    CK_INFO info;
    CK_SLOT_INFO slot_info;
    CK_TOKEN_INFO token_info;
    CK_SESSION_INFO session_info;
    CK_MECHANISM_INFO mechanism_info;
};

enum function_kind { FUNCTION_GENERAL, FUNCTION_SLOT, FUNCTION_SESSION };

struct function {
    const char *name;
    enum function_kind kind;
    bool is_3_0;
    CK_RV (*call)(const struct rig *r, struct arguments *a);
};
extern const struct function functions[];
extern const size_t function_count;

/* Fresh arguments for one call. */
struct arguments arguments_make(const struct rig *r);
/* False for a 3.0 function of a module that has no 3.0 interface. */
bool function_exists(const struct rig *r, const struct function *f);

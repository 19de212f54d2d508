/* SPDX-License-Identifier: Apache-2.0 */
/* The fault that is on, chosen at run time through the control port, and what was counted since. */
#pragma once

#include "common/buf.h"

enum fault_kind {
#define FAULT(name, text, at) FAULT_##name,
#include "faults.def"
#undef FAULT
    FAULT_COUNT
};
enum fault_stage { AT_NOTHING, AT_CONNECTION, AT_HEAD, AT_REQUEST, AT_ANSWER };
enum path { PATH_ANY, PATH_TOKEN, PATH_KEYS, PATH_SIGNATURES, PATH_OTHER, PATH_COUNT };

enum fault_stage fault_stage(enum fault_kind kind);

/* "<kind> <path> <first> <count>": the first-th matching request since now (from 1), and count of them. */
bool fault_set(const char *line, const struct buf *payload);
void fault_off(void);
/* Counts a request, or a connection, and says what becomes of it. */
enum fault_kind fault_for_request(enum path path);
enum fault_kind fault_for_connection(void);
bool fault_is_of_connections(void);
bool fault_refuses(void);
void fault_payload(struct buf *out);
/* "<token> <keys> <signatures> <connections>" since fault_set. */
void fault_counts(char *out, size_t size);
/* Changes with each fault_set and fault_off. */
unsigned fault_generation(void);

/* SPDX-License-Identifier: Apache-2.0 */
/* The states of a signing key and the ways between them, as key_states.def has them. */
#pragma once

#include <stdbool.h>

enum key_state {
#define KEY_STATE(name, wire) KEY_##name,
#define KEY_ACTION(name, wire, who)
#define KEY_TRANSITION(from, action, to, needs)
#include "server/store/key_states.def"
    KEY_STATE_COUNT
};
enum key_action {
#define KEY_STATE(name, wire)
#define KEY_ACTION(name, wire, who) KEY_ACTION_##name,
#define KEY_TRANSITION(from, action, to, needs)
#include "server/store/key_states.def"
    KEY_ACTION_COUNT
};

const char *key_state_name(enum key_state state);
bool key_state_parse(const char *name, enum key_state *out);
const char *key_action_name(enum key_action action);
/* False when there is no such way. */
bool key_transition(enum key_state from, enum key_action action, enum key_state *to);

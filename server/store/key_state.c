/* SPDX-License-Identifier: Apache-2.0 */
/* See key_state.h. */
#include "server/store/key_state.h"

#include <stddef.h>
#include <string.h>

#include "common/cleanup.h"

static const char *const state_names[] = {
#define KEY_STATE(name, wire) [KEY_##name] = (wire),
#define KEY_ACTION(name, wire, who)
#define KEY_TRANSITION(from, action, to, needs)
#include "server/store/key_states.def"
};

static const char *const action_names[] = {
#define KEY_STATE(name, wire)
#define KEY_ACTION(name, wire, who) [KEY_ACTION_##name] = (wire),
#define KEY_TRANSITION(from, action, to, needs)
#include "server/store/key_states.def"
};

static const struct {
    enum key_state from;
    enum key_action action;
    enum key_state to;
} transitions[] = {
#define KEY_STATE(name, wire)
#define KEY_ACTION(name, wire, who)
#define KEY_TRANSITION(from, action, to, needs) {KEY_##from, KEY_ACTION_##action, KEY_##to},
#include "server/store/key_states.def"
};

const char *key_state_name(enum key_state state)
{
    return state_names[state];
}

bool key_state_parse(const char *name, enum key_state *out)
{
    for (size_t i = 0; i < COUNT_OF(state_names); i++) {
        if (strcmp(state_names[i], name) == 0) {
            *out = (enum key_state)i;
            return true;
        }
    }
    return false;
}

const char *key_action_name(enum key_action action)
{
    return action_names[action];
}

bool key_transition(enum key_state from, enum key_action action, enum key_state *to)
{
    for (size_t i = 0; i < COUNT_OF(transitions); i++) {
        if (transitions[i].from == from && transitions[i].action == action) {
            *to = transitions[i].to;
            return true;
        }
    }
    return false;
}

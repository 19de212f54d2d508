/* SPDX-License-Identifier: Apache-2.0 */
/* The table of a key's life: complete, and told in the guide as it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/file.h"
#include "server/store/key_state.h"

static const struct {
    enum key_state from;
    enum key_action action;
    enum key_state to;
    const char *needs;
} rows[] = {
#define KEY_STATE(name, wire)
#define KEY_ACTION(name, wire, who)
#define KEY_TRANSITION(from, action, to, needs) {KEY_##from, KEY_ACTION_##action, KEY_##to, needs},
#include "server/store/key_states.def"
};

/* [state][action]: the state it leads to, or -1; in the order of key_states.def. */
static const int expected[KEY_STATE_COUNT][KEY_ACTION_COUNT] = {
    /*                activate     disable       enable      retire       destroy        lose         find */
    [KEY_ACTIVE] = {-1, KEY_DISABLED, -1, KEY_RETIRED, -1, KEY_MISSING, -1},
    [KEY_DISABLED] = {-1, -1, KEY_ACTIVE, KEY_RETIRED, -1, KEY_MISSING, -1},
    [KEY_PENDING] = {KEY_ACTIVE, -1, -1, -1, -1, -1, -1},
    [KEY_RETIRED] = {-1, -1, -1, -1, KEY_DESTROYED, -1, -1},
    [KEY_DESTROYED] = {-1, -1, -1, -1, -1, -1, -1},
    [KEY_MISSING] = {-1, -1, -1, KEY_RETIRED, -1, -1, KEY_ACTIVE},
};

static void every_state_and_action_has_its_answer(void **state)
{
    (void)state;
    for (int from = 0; from < KEY_STATE_COUNT; from++) {
        for (int action = 0; action < KEY_ACTION_COUNT; action++) {
            enum key_state to = KEY_STATE_COUNT;
            bool possible = key_transition((enum key_state)from, (enum key_action)action, &to);
            if ((possible ? (int)to : -1) != expected[from][action])
                fail_msg("%s, %s", key_state_name((enum key_state)from), key_action_name((enum key_action)action));
        }
    }
}

static void names_of_states_are_read_as_they_are_written(void **state)
{
    enum key_state read;
    (void)state;
    for (int s = 0; s < KEY_STATE_COUNT; s++) {
        assert_true(key_state_parse(key_state_name((enum key_state)s), &read));
        assert_int_equal(read, s);
    }
    assert_false(key_state_parse("", &read));
    assert_false(key_state_parse("Active", &read));
}

static void the_guide_has_every_row_of_the_table(void **state)
{
    cleanup_buf struct buf guide = {0};
    (void)state;
    assert_int_equal(file_read(GUIDE_PATH, 1 << 20, 0, &guide, NULL).code, CODE_OK);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char line[256];
        (void)snprintf(line, sizeof(line), "| %s | %s | %s | %s", key_state_name(rows[i].from),
                       key_action_name(rows[i].action), key_state_name(rows[i].to), rows[i].needs);
        if (!strstr(buf_text(&guide), line))
            fail_msg("not in the guide: %s", line);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_and_action_has_its_answer),
        cmocka_unit_test(names_of_states_are_read_as_they_are_written),
        cmocka_unit_test(the_guide_has_every_row_of_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

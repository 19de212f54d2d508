/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps SIGPIPE of our own writes away from the host: blocked in this thread around I/O, and drained (I10). */
#pragma once

#include <signal.h>
#include <stdbool.h>

struct sigpipe_scope {
    sigset_t before;
    bool was_pending; /* then it is the host's, and stays */
    bool active;
};
struct sigpipe_scope sigpipe_enter(void);
void sigpipe_leave(struct sigpipe_scope *s);

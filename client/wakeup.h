/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl 7.88 makes a pair of sockets for each handle, to wake it up, and leaves it open for programs that the host
 * starts; there is no option for it. So the pair is caught where it is made: it gets the two lowest free descriptors.
 */
#pragma once

#include <stdbool.h>

struct wakeup {
    int fds[2];
};
/* The descriptors that a pair made next would have, unless another thread is faster. */
struct wakeup wakeup_expect(void);
/* Sets close-on-exec when that is where a pair of sockets like libcurl's stands now; false, and nothing is done, when
 * not. */
bool wakeup_close_on_exec(const struct wakeup *w);

/* SPDX-License-Identifier: Apache-2.0 */
/* SIGPIPE of a write goes to the writing thread, so blocking it there and taking it from the queue is enough; the
 * process's disposition is never touched. */
#include "client/sigpipe.h"

#include <errno.h>
#include <time.h>

static bool sigpipe_is_pending(void)
{
    sigset_t pending;
    return sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
}

struct sigpipe_scope sigpipe_enter(void)
{
    struct sigpipe_scope s = {.was_pending = sigpipe_is_pending()};
    sigset_t only;
    (void)sigemptyset(&only);
    (void)sigaddset(&only, SIGPIPE);
    s.active = pthread_sigmask(SIG_BLOCK, &only, &s.before) == 0;
    return s;
}

void sigpipe_leave(struct sigpipe_scope *s)
{
    if (!s->active)
        return;
    if (!s->was_pending && sigpipe_is_pending()) {
        sigset_t only;
        const struct timespec at_once = {0};
        (void)sigemptyset(&only);
        (void)sigaddset(&only, SIGPIPE);
        while (sigtimedwait(&only, NULL, &at_once) < 0 && errno == EINTR)
            ;
    }
    (void)pthread_sigmask(SIG_SETMASK, &s->before, NULL);
    s->active = false;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "client/wakeup.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct wakeup wakeup_expect(void)
{
    struct wakeup w = {{eventfd(0, EFD_CLOEXEC), eventfd(0, EFD_CLOEXEC)}};
    for (int i = 0; i < 2; i++) {
        if (w.fds[i] >= 0)
            (void)close(w.fds[i]);
    }
    return w;
}

/* A socketpair(AF_UNIX) that nobody has named, non-blocking and not close-on-exec. */
static bool is_half(int fd)
{
    struct sockaddr_un own = {0}, other = {0};
    socklen_t own_len = sizeof(own), other_len = sizeof(other);
    if (fd < 0 || getsockname(fd, (struct sockaddr *)&own, &own_len) != 0 ||
        getpeername(fd, (struct sockaddr *)&other, &other_len) != 0)
        return false;
    size_t unnamed = offsetof(struct sockaddr_un, sun_path);
    return own.sun_family == AF_UNIX && own_len <= unnamed && other_len <= unnamed &&
           fcntl(fd, F_GETFL) == (O_RDWR | O_NONBLOCK) && fcntl(fd, F_GETFD) == 0;
}

bool wakeup_close_on_exec(const struct wakeup *w)
{
    if (!is_half(w->fds[0]) || !is_half(w->fds[1]))
        return false;
    return fcntl(w->fds[0], F_SETFD, FD_CLOEXEC) == 0 && fcntl(w->fds[1], F_SETFD, FD_CLOEXEC) == 0;
}

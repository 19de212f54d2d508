/* SPDX-License-Identifier: Apache-2.0 */
/* The lock file that keeps two processes off one token: SoftHSM's file store loses a token that two processes open at
 * once. The file stays behind; the lock goes with the descriptor, so a killed process leaves none. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "server/hsm/internal.h"

static void holder_read(int fd, char out[24])
{
    ssize_t n = pread(fd, out, 23, 0);

    out[n > 0 ? n : 0] = 0;
    out[strspn(out, "0123456789")] = 0;
    if (!out[0])
        (void)snprintf(out, 24, "unknown");
}

static status holder_write(int fd, const char *path, struct error *err)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%ld\n", (long)getpid());

    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)len, 0) != len)
        return error_set(err, CODE_IO, "%s: cannot write the lock file: %s", path, strerror(errno));
    return OK;
}

status lock_acquire(const char *path, int *out, struct error *err)
{
    cleanup_fd int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return error_set(err, CODE_IO, "%s: cannot open the lock file of the HSM token: %s", path, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        char pid[24];
        if (errno != EWOULDBLOCK)
            return error_set(err, CODE_IO, "%s: cannot lock: %s", path, strerror(errno));
        holder_read(fd, pid);
        return error_set(err, CODE_CONFLICT, "%s: the HSM token is in use by process %s; one process at a time", path,
                         pid);
    }
    TRY(holder_write(fd, path, err));

    *out = fd;
    fd = -1;
    return OK;
}

void lock_release(int *fd)
{
    if (*fd < 0)
        return;
    (void)!ftruncate(*fd, 0);
    (void)close(*fd);
    *fd = -1;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Checks are made on the open descriptor, so that what was judged is what is read. */
#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { SECRET_MAX = 4096, READ_STEP = 16384 };

static status io_failure(const char *what, const char *path, struct error *err)
{
    int saved = errno;
    char reason[128];
    return error_set(err, CODE_IO, "%s: %s: %s", path, what, strerror_r(saved, reason, sizeof(reason)));
}

static status mode_check(const char *path, const struct stat *st, int checks, struct error *err)
{
    if (checks == FILE_ANY)
        return OK;
    if (!S_ISREG(st->st_mode))
        return error_set(err, CODE_CONFIGURATION, "%s: not a regular file", path);
    if (st->st_uid != 0 && st->st_uid != geteuid())
        return error_set(err, CODE_CONFIGURATION, "%s: belongs to another user", path);
    if ((checks & FILE_NOT_WRITABLE_BY_OTHERS) && (st->st_mode & 022))
        return error_set(err, CODE_CONFIGURATION, "%s: mode %03o lets others write it", path, st->st_mode & 0777);
    if ((checks & FILE_PRIVATE) && (st->st_mode & 077))
        return error_set(err, CODE_CONFIGURATION, "%s: mode %03o gives others a right to it; 600 is expected", path,
                         st->st_mode & 0777);
    return OK;
}

/* One byte more than max_bytes is asked for, which tells a file that just fits from one that is too large. */
static status read_all(int fd, const char *path, size_t max_bytes, struct buf *out, struct error *err)
{
    size_t total = 0;
    for (;;) {
        size_t step = max_bytes - total < READ_STEP ? max_bytes - total + 1 : READ_STEP;
        uint8_t *room = buf_reserve(out, step);
        TRY(buf_check(out, err));

        ssize_t n = read(fd, room, step);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return io_failure("read", path, err);
        if (n == 0)
            return OK;
        total += (size_t)n;
        if (total > max_bytes)
            return error_set(err, CODE_TOO_LARGE, "%s: larger than %zu bytes", path, max_bytes);
        out->len += (size_t)n;
    }
}

status file_read(const char *path, size_t max_bytes, int checks, struct buf *out, struct error *err)
{
    /* A named pipe put in place of a checked file must not hang us before it is judged. */
    int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | (checks == FILE_ANY ? 0 : O_NONBLOCK);
    cleanup_fd int fd = open(path, flags);
    if (fd < 0)
        return io_failure("open", path, err);

    struct stat st;
    if (fstat(fd, &st) != 0)
        return io_failure("stat", path, err);
    if (S_ISDIR(st.st_mode))
        return error_set(err, CODE_IO, "%s: is a directory", path);
    TRY(mode_check(path, &st, checks, err));

    cleanup_buf struct buf content = {0};
    TRY(read_all(fd, path, max_bytes, &content, err));
    buf_add(out, content.data, content.len);
    return buf_check(out, err);
}

status file_read_secret(const char *path, struct buf *out, struct error *err)
{
    cleanup_buf struct buf content = {0};
    TRY(file_read(path, SECRET_MAX, FILE_PRIVATE, &content, err));

    size_t len = content.len;
    if (len > 0 && content.data[len - 1] == '\n')
        len--;
    buf_add(out, content.data, len);
    return buf_check(out, err);
}

static bool write_all(int fd, struct slice content)
{
    while (content.len > 0) {
        ssize_t n = write(fd, content.data, content.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        content.data += n;
        content.len -= (size_t)n;
    }
    return true;
}

static status fill(int fd, const char *temporary, struct slice content, mode_t mode, struct error *err)
{
    if (!write_all(fd, content))
        return io_failure("write", temporary, err);
    if (fchmod(fd, mode) != 0)
        return io_failure("set the mode", temporary, err);
    if (fsync(fd) != 0)
        return io_failure("fsync", temporary, err);
    return OK;
}

/* Without this the new name may be gone after a power cut. */
static status sync_directory_of(const char *path, struct error *err)
{
    cleanup_free char *dir = strdup(path);
    if (!dir)
        return error_set(err, CODE_NO_MEMORY, "%s", code_text(CODE_NO_MEMORY));

    char *slash = strrchr(dir, '/');
    if (slash)
        slash[slash == dir ? 1 : 0] = '\0';
    const char *name = slash ? dir : ".";
    cleanup_fd int fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0)
        return io_failure("fsync of the directory", name, err);
    return OK;
}

status file_write(const char *path, struct slice content, mode_t mode, struct error *err)
{
    cleanup_buf struct buf name = {0};
    buf_printf(&name, "%s.XXXXXX", path);
    TRY(buf_check(&name, err));

    char *temporary = (char *)name.data;
    cleanup_fd int fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return io_failure("create a file beside", path, err);

    status filled = fill(fd, temporary, content, mode, err);
    if (is_ok(filled) && rename(temporary, path) != 0)
        filled = io_failure("rename", path, err);
    if (!is_ok(filled)) {
        (void)unlink(temporary);
        return filled;
    }
    return sync_directory_of(path, err);
}

static status plain_failure(const char *path, struct error *err)
{
    int saved = errno;
    char reason[128];
    return error_set(err, CODE_IO, "%s: %s", path, strerror_r(saved, reason, sizeof(reason)));
}

/* O_EXCL, and not rename: two who create the same file at the same time do not both succeed. */
status file_create(const char *path, struct slice content, mode_t mode, struct error *err)
{
    cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0 && errno == EEXIST)
        return error_set(err, CODE_CONFLICT, "%s exists", path);
    if (fd < 0)
        return plain_failure(path, err);
    if (!write_all(fd, content) || fsync(fd) != 0) {
        status failed = plain_failure(path, err);
        (void)unlink(path);
        return failed;
    }
    return OK;
}

bool file_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

static status make_one(const char *path, mode_t mode, struct error *err)
{
    struct stat st;
    if (mkdir(path, mode) == 0)
        return OK;
    if (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return OK;
    return io_failure("make the directory", path, err);
}

status directory_make(const char *path, mode_t mode, struct error *err)
{
    cleanup_free char *partial = strdup(path);
    if (!partial)
        return error_set(err, CODE_NO_MEMORY, "%s", code_text(CODE_NO_MEMORY));

    for (char *slash = strchr(partial + (*partial == '/'), '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        TRY(make_one(partial, mode, err));
        *slash = '/';
    }
    return make_one(partial, mode, err);
}

char *path_join(const char *dir, const char *name)
{
    if (name[0] == '/')
        return strdup(name);

    char *path = NULL;
    size_t len = strlen(dir);
    const char *separator = len > 0 && dir[len - 1] == '/' ? "" : "/";
    return asprintf(&path, "%s%s%s", dir, separator, name) < 0 ? NULL : path;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Small files: read whole, write atomically (temporary file, fsync, rename) or only where there is none, judge modes.
 */
#pragma once

#include <sys/types.h>

#include "common/buf.h"

enum file_check {
    FILE_ANY = 0,
    FILE_NOT_WRITABLE_BY_OTHERS =
        1,            /* refuse when group or others may write, or another user than root or us owns it */
    FILE_PRIVATE = 2, /* refuse when group or others have any right */
};

/* CODE_IO names the path and errno; CODE_TOO_LARGE above max_bytes; CODE_CONFIGURATION when a check fails. */
status file_read(const char *path, size_t max_bytes, int checks, struct buf *out, struct error *err);
status file_write(const char *path, struct slice content, mode_t mode, struct error *err);
/* A new file, with this mode less the umask; one that exists (a dangling link too) is never written over:
 * CODE_CONFLICT. */
status file_create(const char *path, struct slice content, mode_t mode, struct error *err);
/* A secret in a file: FILE_PRIVATE, at most 4096 bytes, one trailing newline removed. */
status file_read_secret(const char *path, struct buf *out, struct error *err);
bool file_exists(const char *path);
/* mkdir -p with this mode for what is made. */
status directory_make(const char *path, mode_t mode, struct error *err);
/* dir + "/" + name, or name alone when it is absolute; freed by the caller, NULL when out of memory. */
char *path_join(const char *dir, const char *name);

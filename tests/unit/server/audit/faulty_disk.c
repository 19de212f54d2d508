/* SPDX-License-Identifier: Apache-2.0 */
/* See faulty_disk.h. Each file is the real file of the real VFS with the two methods replaced. */
#include "faulty_disk.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>

static sqlite3_vfs *real_vfs;
static sqlite3_vfs faulty_vfs;
/* The unix VFS has a few tables of methods, by the locking of the file: each gets a copy with xWrite and xSync
 * replaced. */
enum { TABLES = 4 };
static sqlite3_io_methods tables[TABLES];
static const sqlite3_io_methods *real_tables[TABLES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic int current;
static atomic_int failures;

static int failed(int code)
{
    atomic_fetch_add(&failures, 1);
    return code;
}

static const sqlite3_io_methods *real_of(const sqlite3_file *file)
{
    return real_tables[file->pMethods - tables];
}

static int faulty_write(sqlite3_file *file, const void *data, int len, sqlite3_int64 offset)
{
    int fault = atomic_load(&current);
    if (fault == DISK_WRITE_FAILS)
        return failed(SQLITE_IOERR_WRITE);
    if (fault == DISK_FULL)
        return failed(SQLITE_FULL);
    return real_of(file)->xWrite(file, data, len, offset);
}

static int faulty_sync(sqlite3_file *file, int flags)
{
    if (atomic_load(&current) == DISK_SYNC_FAILS)
        return failed(SQLITE_IOERR_FSYNC);
    return real_of(file)->xSync(file, flags);
}

static int faulty_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
    (void)vfs;
    int rc = real_vfs->xOpen(real_vfs, name, file, flags, out_flags);
    if (rc != SQLITE_OK || !file->pMethods)
        return rc;

    (void)pthread_mutex_lock(&lock);
    int i = 0;
    while (i < TABLES && real_tables[i] && real_tables[i] != file->pMethods)
        i++;
    if (i == TABLES)
        abort();
    if (!real_tables[i]) {
        real_tables[i] = file->pMethods;
        tables[i] = *file->pMethods;
        tables[i].xWrite = faulty_write;
        tables[i].xSync = faulty_sync;
    }
    file->pMethods = &tables[i];
    (void)pthread_mutex_unlock(&lock);
    return rc;
}

void faulty_disk_install(void)
{
    real_vfs = sqlite3_vfs_find(NULL);
    faulty_vfs = *real_vfs;
    faulty_vfs.zName = "faulty";
    faulty_vfs.xOpen = faulty_open;
    if (sqlite3_vfs_register(&faulty_vfs, 1) != SQLITE_OK)
        abort();
}

void faulty_disk_set(enum disk_fault fault)
{
    atomic_store(&failures, 0);
    atomic_store(&current, fault);
}

int faulty_disk_failures(void)
{
    return atomic_load(&failures);
}

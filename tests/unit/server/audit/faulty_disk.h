/* SPDX-License-Identifier: Apache-2.0 */
/* A VFS for SQLite over the real one, whose disk fails on demand. Becomes the default of this process. */
#pragma once

enum disk_fault { DISK_GOOD, DISK_SYNC_FAILS, DISK_WRITE_FAILS, DISK_FULL };

void faulty_disk_install(void);
void faulty_disk_set(enum disk_fault fault);
int faulty_disk_failures(void); /* calls that failed since the last set */

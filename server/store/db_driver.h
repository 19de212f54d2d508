/* SPDX-License-Identifier: Apache-2.0 */
/* What a database driver implements behind db.h. Seen only by the drivers, db.c, store.c and migrate.c. */
#pragma once

#include <stdatomic.h>

#include "server/store/db.h"

enum db_command { DB_BEGIN, DB_COMMIT, DB_ROLLBACK, DB_SAVEPOINT, DB_SAVEPOINT_RELEASE, DB_SAVEPOINT_ROLLBACK };

/* What stands for {int}, {serial}, {text}, {blob}, {strict}, {clustered} (rows kept in the order of the primary key)
 * and {zeros} in a migration. */
struct db_dialect {
    const char *int_type, *serial_type, *text_type, *blob_type, *strict, *clustered, *zeros;
};

struct db_driver {
    struct db_dialect dialect;
    bool row_locks; /* several servers may write: rows are locked with FOR UPDATE, tables with LOCK TABLE */
    status (*exec)(struct db *db, const char *sql, const struct db_value *params, size_t count, int64_t *changed,
                   struct error *err);
    status (*query)(struct db *db, const char *sql, const struct db_value *params, size_t count, struct db_rows **out,
                    struct error *err);
    status (*next)(struct db_rows *rows, bool *more, struct error *err);
    void (*rows_close)(struct db_rows *rows);
    bool (*column_is_null)(const struct db_rows *rows, int column);
    int64_t (*column_int)(const struct db_rows *rows, int column);
    struct slice (*column_bytes)(const struct db_rows *rows, int column); /* NUL behind text */
    status (*command)(struct db *db, enum db_command command, struct error *err);
    status (*script)(struct db *db, const char *sql, struct error *err); /* several statements without parameters */
    bool (*in_transaction)(const struct db *db);                         /* one that can still be committed */
    int64_t (*writes)(const struct db *db);                              /* rows changed so far; grows */
    int64_t (*session)(const struct db *db);                             /* grows when the connection is made anew */
    status (*check)(struct db *db, struct error *err);                   /* reconnects when the connection is lost */
    void (*close)(struct db *db);
};

struct db {
    const struct db_driver *driver;
    unsigned slot;                /* place in the store's pool */
    _Atomic int64_t *generation;  /* the store's mirror, -1 unknown; NULL: none, always read the row */
    int64_t bumped, bumped_saved; /* generation to publish after COMMIT, 0: unchanged; the same at the savepoint */
};

struct db_rows {
    struct db *db;
};

void db_close(struct db *db);
DEFINE_CLEANUP_PTR(struct db, db_close)
#define cleanup_db CLEANUP(db_close_cleanup)

enum { DB_BUSY_TIMEOUT_MS = 5000, DB_PARAMS_MAX = 20 };

/* read_only: writing statements fail. */
status db_sqlite_open(const char *path, bool read_only, struct db **out, struct error *err);
status db_postgres_open(const char *url, bool read_only, struct db **out, struct error *err);

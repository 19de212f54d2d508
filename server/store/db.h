/* SPDX-License-Identifier: Apache-2.0 */
/* The database driver interface: SQLite and PostgreSQL behind one vtable, the same SQL text for both ($1 parameters).
 * A struct db is one connection, used by one thread at a time; statements are cached by their text's address or
 * content. */
#pragma once

#include <stdint.h>

#include "common/buf.h"

struct db;
struct db_rows;

enum db_type { DB_NULL, DB_INTEGER, DB_TEXT, DB_BLOB };
struct db_value {
    enum db_type type;
    int64_t integer;
    struct slice bytes; /* text or blob, borrowed for the call */
};
static inline struct db_value db_int(int64_t v)
{
    return (struct db_value){.type = DB_INTEGER, .integer = v};
}
struct db_value db_text(const char *text); /* NULL gives NULL */
struct db_value db_blob(struct slice bytes);
static inline struct db_value db_null(void)
{
    return (struct db_value){.type = DB_NULL};
}
#define DB_PARAMS(...)                                                                                                 \
    (const struct db_value[]){__VA_ARGS__}, sizeof((struct db_value[]){__VA_ARGS__}) / sizeof(struct db_value)

/* Unique or foreign-key violation: CODE_CONFLICT. Full disk, lost connection, busy beyond the time-out:
 * CODE_UNAVAILABLE. */
status db_exec(struct db *db, const char *sql, const struct db_value *params, size_t count, int64_t *changed,
               struct error *err);
/* Rows: db_next gives CODE_OK and *more. Column values are borrowed until the next db_next. One open result a
 * connection and statement; close before the connection is given back. */
status db_query(struct db *db, const char *sql, const struct db_value *params, size_t count, struct db_rows **out,
                struct error *err);
status db_next(struct db_rows *rows, bool *more, struct error *err);
void db_rows_close(struct db_rows *rows);
DEFINE_CLEANUP_PTR(struct db_rows, db_rows_close)
#define cleanup_rows CLEANUP(db_rows_close_cleanup)
bool db_column_is_null(const struct db_rows *rows, int column);
int64_t db_column_int(const struct db_rows *rows, int column);
const char *db_column_text(const struct db_rows *rows, int column); /* "" for NULL */
struct slice db_column_blob(const struct db_rows *rows, int column);

status db_begin(struct db *db, struct error *err); /* of a writer: takes the write lock at once */
status db_commit(struct db *db, struct error *err);
void db_rollback(struct db *db);
status db_savepoint(struct db *db, struct error *err); /* one level */
status db_savepoint_release(struct db *db, struct error *err);
void db_savepoint_rollback(struct db *db);
/* True while the transaction can still be committed: neither ended by the database nor spoiled by a failure. */
bool db_in_transaction(const struct db *db);
/* Grows with every row changed on this connection, so that "has it written anything" can be asked. */
int64_t db_writes(const struct db *db);
/* Changes when the connection had to be made anew: what was kept in the database's session is gone. */
int64_t db_session(const struct db *db);

/* SPDX-License-Identifier: Apache-2.0 */
/* db.h on top of a driver. Also keeps the mirror of the store's generation true: it moves only after COMMIT succeeded.
 */
#include "server/store/db_driver.h"

struct db_value db_text(const char *text)
{
    return text ? (struct db_value){.type = DB_TEXT, .bytes = slice_of_text(text)} : db_null();
}

struct db_value db_blob(struct slice bytes)
{
    return (struct db_value){.type = DB_BLOB, .bytes = bytes};
}

status db_exec(struct db *db, const char *sql, const struct db_value *params, size_t count, int64_t *changed,
               struct error *err)
{
    return db->driver->exec(db, sql, params, count, changed, err);
}

status db_query(struct db *db, const char *sql, const struct db_value *params, size_t count, struct db_rows **out,
                struct error *err)
{
    return db->driver->query(db, sql, params, count, out, err);
}

status db_next(struct db_rows *rows, bool *more, struct error *err)
{
    return rows->db->driver->next(rows, more, err);
}

void db_rows_close(struct db_rows *rows)
{
    rows->db->driver->rows_close(rows);
}

bool db_column_is_null(const struct db_rows *rows, int column)
{
    return rows->db->driver->column_is_null(rows, column);
}

int64_t db_column_int(const struct db_rows *rows, int column)
{
    return rows->db->driver->column_int(rows, column);
}

const char *db_column_text(const struct db_rows *rows, int column)
{
    struct slice bytes = rows->db->driver->column_bytes(rows, column);
    return bytes.data ? (const char *)bytes.data : "";
}

struct slice db_column_blob(const struct db_rows *rows, int column)
{
    return rows->db->driver->column_bytes(rows, column);
}

status db_begin(struct db *db, struct error *err)
{
    db->bumped = 0;
    return db->driver->command(db, DB_BEGIN, err);
}

status db_commit(struct db *db, struct error *err)
{
    status result = db->driver->command(db, DB_COMMIT, err);
    if (!is_ok(result)) {
        db_rollback(db);
        return result;
    }

    if (db->bumped && db->generation)
        atomic_store(db->generation, db->bumped);
    db->bumped = 0;
    return OK;
}

void db_rollback(struct db *db)
{
    db->bumped = 0;
    ignore(db->driver->command(db, DB_ROLLBACK, NULL));
}

status db_savepoint(struct db *db, struct error *err)
{
    db->bumped_saved = db->bumped;
    return db->driver->command(db, DB_SAVEPOINT, err);
}

status db_savepoint_release(struct db *db, struct error *err)
{
    return db->driver->command(db, DB_SAVEPOINT_RELEASE, err);
}

void db_savepoint_rollback(struct db *db)
{
    db->bumped = db->bumped_saved;
    ignore(db->driver->command(db, DB_SAVEPOINT_ROLLBACK, NULL));
}

bool db_in_transaction(const struct db *db)
{
    return db->driver->in_transaction(db);
}

int64_t db_writes(const struct db *db)
{
    return db->driver->writes(db);
}

int64_t db_session(const struct db *db)
{
    return db->driver->session(db);
}

void db_close(struct db *db)
{
    db->driver->close(db);
}

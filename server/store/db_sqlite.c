/* SPDX-License-Identifier: Apache-2.0 */
/* The SQLite driver. WAL with synchronous=FULL: COMMIT returns after the log is on the disk (I1, I2). No memory map: an
 * I/O error there would be a signal instead of an error. A connection is used by one thread at a time (NOMUTEX). */
#include "server/store/db_driver.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "server/store/statement.h"

struct db_sqlite {
    struct db base;
    sqlite3 *handle;
    struct statement_cache cache;
};

struct sqlite_statement {
    struct statement base;
    struct db_rows rows; /* the one open result */
    sqlite3_stmt *stmt;
    int positions[DB_PARAMS_MAX]; /* of $1, $2, …: SQLite counts parameters as they appear */
};

static const struct db_driver driver;

static struct db_sqlite *sqlite_of(const struct db *db)
{
    return (struct db_sqlite *)(uintptr_t)db;
}

static struct sqlite_statement *statement_of(const struct db_rows *rows)
{
    return (struct sqlite_statement *)((uintptr_t)rows - offsetof(struct sqlite_statement, rows));
}

static enum code code_of(int extended)
{
    switch (extended) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
    case SQLITE_CONSTRAINT_FOREIGNKEY:
        return CODE_CONFLICT;
    default:
        break;
    }
    switch (extended & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_INTERRUPT:
        return CODE_UNAVAILABLE;
    case SQLITE_NOMEM:
        return CODE_NO_MEMORY;
    default:
        return CODE_INTERNAL;
    }
}

static status sqlite_failure(sqlite3 *handle, const char *sql, struct error *err)
{
    enum code code = code_of(sqlite3_extended_errcode(handle));
    status result =
        error_set(err, code, "store: %s", code == CODE_CONFLICT ? "the object exists or is in use" : code_text(code));
    error_detail(err, "sqlite: %s (%d) at: %.200s", sqlite3_errmsg(handle), sqlite3_extended_errcode(handle), sql);
    return result;
}

static void statement_drop(struct statement *base)
{
    struct sqlite_statement *st = (struct sqlite_statement *)base;
    (void)sqlite3_finalize(st->stmt);
    free(base->text);
    free(st);
}

/* NULL: *result says why. */
static struct sqlite_statement *statement_prepare(struct db_sqlite *db, const char *sql, status *result,
                                                  struct error *err)
{
    struct sqlite_statement *st = calloc(1, sizeof(*st));
    if (!st) {
        *result = error_set(err, CODE_NO_MEMORY, "%s", code_text(CODE_NO_MEMORY));
        return NULL;
    }
    st->rows.db = &db->base;
    if (sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &st->stmt, NULL) != SQLITE_OK) {
        free(st);
        *result = sqlite_failure(db->handle, sql, err);
        return NULL;
    }
    for (int i = 0; i < DB_PARAMS_MAX; i++) {
        char name[8];
        (void)snprintf(name, sizeof(name), "$%d", i + 1);
        st->positions[i] = sqlite3_bind_parameter_index(st->stmt, name);
    }
    *result = statement_add(&db->cache, &st->base, sql, err);
    return is_ok(*result) ? st : NULL;
}

/* static_values: they stay as they are until the statement is reset. */
static int bind_value(sqlite3_stmt *stmt, int position, const struct db_value *v, bool static_values)
{
    sqlite3_destructor_type lifetime = static_values ? SQLITE_STATIC : SQLITE_TRANSIENT;
    const char *data = v->bytes.data ? (const char *)v->bytes.data : "";
    switch (v->type) {
    case DB_INTEGER:
        return sqlite3_bind_int64(stmt, position, v->integer);
    case DB_TEXT:
        return sqlite3_bind_text64(stmt, position, data, v->bytes.len, lifetime, SQLITE_UTF8);
    case DB_BLOB:
        return sqlite3_bind_blob64(stmt, position, data, v->bytes.len, lifetime);
    case DB_NULL:
    default:
        return sqlite3_bind_null(stmt, position);
    }
}

static status statement_misused(const char *sql, struct error *err)
{
    status result = error_set(err, CODE_INTERNAL, "store: a statement was used wrongly");
    error_detail(err, "a result is open, or too many parameters, at: %.200s", sql);
    return result;
}

struct call { /* what db_exec and db_query are given */
    const char *sql;
    const struct db_value *params;
    size_t count;
};

/* The statement, prepared and bound; static_values as in bind_value. NULL: *result says why. */
static struct sqlite_statement *statement_ready(struct db_sqlite *db, const struct call *call, bool static_values,
                                                status *result, struct error *err)
{
    struct sqlite_statement *st = (struct sqlite_statement *)statement_find(&db->cache, call->sql);
    if (!st)
        st = statement_prepare(db, call->sql, result, err);
    if (!st)
        return NULL;
    if (st->base.in_use || call->count > DB_PARAMS_MAX) {
        *result = statement_misused(call->sql, err);
        return NULL;
    }
    for (size_t i = 0; i < call->count; i++) {
        int position = st->positions[i];
        if (position && bind_value(st->stmt, position, &call->params[i], static_values) != SQLITE_OK) {
            *result = sqlite_failure(db->handle, call->sql, err);
            return NULL;
        }
    }
    return st;
}

static status sqlite_exec(struct db *base, const char *sql, const struct db_value *params, size_t count,
                          int64_t *changed, struct error *err)
{
    struct db_sqlite *db = sqlite_of(base);
    status result = OK;
    struct sqlite_statement *st = statement_ready(db, &(struct call){sql, params, count}, true, &result, err);
    if (!st)
        return result;

    int rc = SQLITE_ROW;
    while (rc == SQLITE_ROW)
        rc = sqlite3_step(st->stmt);
    if (rc != SQLITE_DONE)
        result = sqlite_failure(db->handle, sql, err);
    if (changed && is_ok(result))
        *changed = sqlite3_changes64(db->handle);
    (void)sqlite3_reset(st->stmt);
    return result;
}

static status sqlite_query(struct db *base, const char *sql, const struct db_value *params, size_t count,
                           struct db_rows **out, struct error *err)
{
    status result = OK;
    struct call call = {sql, params, count};
    struct sqlite_statement *st = statement_ready(sqlite_of(base), &call, false, &result, err);
    if (!st)
        return result;

    st->base.in_use = true;
    *out = &st->rows;
    return OK;
}

static status sqlite_next(struct db_rows *rows, bool *more, struct error *err)
{
    struct sqlite_statement *st = statement_of(rows);
    int rc = sqlite3_step(st->stmt);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        return sqlite_failure(sqlite_of(rows->db)->handle, st->base.text, err);

    *more = rc == SQLITE_ROW;
    return OK;
}

static void sqlite_rows_close(struct db_rows *rows)
{
    struct sqlite_statement *st = statement_of(rows);
    (void)sqlite3_reset(st->stmt);
    st->base.in_use = false;
}

static bool sqlite_column_is_null(const struct db_rows *rows, int column)
{
    return sqlite3_column_type(statement_of(rows)->stmt, column) == SQLITE_NULL;
}

static int64_t sqlite_column_int(const struct db_rows *rows, int column)
{
    return sqlite3_column_int64(statement_of(rows)->stmt, column);
}

static struct slice sqlite_column_bytes(const struct db_rows *rows, int column)
{
    sqlite3_stmt *stmt = statement_of(rows)->stmt;
    bool blob = sqlite3_column_type(stmt, column) == SQLITE_BLOB;
    const void *data = blob ? sqlite3_column_blob(stmt, column) : sqlite3_column_text(stmt, column);
    return (struct slice){data, data ? (size_t)sqlite3_column_bytes(stmt, column) : 0};
}

static status sqlite_command(struct db *base, enum db_command command, struct error *err)
{
    static const char *const sql[] = {
        [DB_BEGIN] = "BEGIN IMMEDIATE",
        [DB_COMMIT] = "COMMIT",
        [DB_ROLLBACK] = "ROLLBACK",
        [DB_SAVEPOINT] = "SAVEPOINT work",
        [DB_SAVEPOINT_RELEASE] = "RELEASE work",
    };
    struct db_sqlite *db = sqlite_of(base);
    if (command == DB_SAVEPOINT_ROLLBACK) {
        TRY(sqlite_exec(base, "ROLLBACK TO work", NULL, 0, NULL, err));
        return sqlite_exec(base, sql[DB_SAVEPOINT_RELEASE], NULL, 0, NULL, err);
    }
    /* After a failure such as a full disk SQLite may have rolled back by itself. */
    if (command == DB_ROLLBACK && sqlite3_get_autocommit(db->handle))
        return OK;
    return sqlite_exec(base, sql[command], NULL, 0, NULL, err);
}

static status sqlite_script(struct db *base, const char *sql, struct error *err)
{
    struct db_sqlite *db = sqlite_of(base);
    if (sqlite3_exec(db->handle, sql, NULL, NULL, NULL) != SQLITE_OK)
        return sqlite_failure(db->handle, sql, err);
    return OK;
}

static bool sqlite_in_transaction(const struct db *db)
{
    return !sqlite3_get_autocommit(sqlite_of(db)->handle);
}

static int64_t sqlite_writes(const struct db *db)
{
    return sqlite3_total_changes64(sqlite_of(db)->handle);
}

static int64_t sqlite_session(const struct db *db)
{
    (void)db;
    return 1;
}

static status sqlite_check(struct db *db, struct error *err)
{
    (void)db;
    (void)err;
    return OK;
}

static void sqlite_close(struct db *base)
{
    struct db_sqlite *db = sqlite_of(base);
    statement_clear(&db->cache);
    (void)sqlite3_close_v2(db->handle);
    free(db);
}

/* The counters of SQLite's allocator take a lock that all connections share. */
static void library_configure(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static status connection_configure(struct db_sqlite *db, bool read_only, struct error *err)
{
    (void)sqlite3_busy_timeout(db->handle, DB_BUSY_TIMEOUT_MS);
    (void)sqlite3_extended_result_codes(db->handle, 1);
    TRY(sqlite_script(&db->base,
                      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
                      "PRAGMA trusted_schema = OFF; PRAGMA mmap_size = 0; PRAGMA temp_store = MEMORY",
                      err));
    return sqlite_script(
        &db->base, read_only ? "PRAGMA query_only = ON; PRAGMA cache_size = -2048" : "PRAGMA cache_size = -32768", err);
}

status db_sqlite_open(const char *path, bool read_only, struct db **out, struct error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, library_configure);

    struct db_sqlite *db = calloc(1, sizeof(*db));
    if (!db)
        return error_set(err, CODE_NO_MEMORY, "%s", code_text(CODE_NO_MEMORY));
    cleanup_db struct db *base = &db->base;
    base->driver = &driver;
    db->cache.drop = statement_drop;

    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
    if (sqlite3_open_v2(path, &db->handle, flags | (read_only ? 0 : SQLITE_OPEN_CREATE), NULL) != SQLITE_OK) {
        status result = sqlite_failure(db->handle, "open", err);
        error_prefix(err, "%s", path);
        return result;
    }
    TRY(connection_configure(db, read_only, err));

    *out = steal(&base);
    return OK;
}

static const struct db_driver driver = {
    .dialect = {.int_type = "INTEGER",
                .serial_type = "INTEGER PRIMARY KEY",
                .text_type = "TEXT",
                .blob_type = "BLOB",
                .strict = "STRICT",
                .clustered = "STRICT, WITHOUT ROWID",
                .zeros = "zeroblob(32)"},
    .exec = sqlite_exec,
    .query = sqlite_query,
    .next = sqlite_next,
    .rows_close = sqlite_rows_close,
    .column_is_null = sqlite_column_is_null,
    .column_int = sqlite_column_int,
    .column_bytes = sqlite_column_bytes,
    .command = sqlite_command,
    .script = sqlite_script,
    .in_transaction = sqlite_in_transaction,
    .writes = sqlite_writes,
    .session = sqlite_session,
    .check = sqlite_check,
    .close = sqlite_close,
};

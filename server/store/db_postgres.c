/* SPDX-License-Identifier: Apache-2.0 */
/* The PostgreSQL driver: statements and their results, received whole. A connection that is lost is made anew where a
 * transaction or a reader's turn begins. */
#include <stdio.h>
#include <string.h>

#include "server/store/postgres.h"

enum { BINARY = 1 };

/* Types of result columns (pg_type.dat). */
enum { OID_BOOL = 16, OID_INT8 = 20, OID_INT2 = 21, OID_INT4 = 23 };

struct postgres_statement {
    struct statement base;
    struct db_rows rows; /* the one open result */
    PGresult *result;
    int row; /* -1 before the first */
    char name[16];
};

static const struct db_driver driver;

static struct postgres_statement *statement_of(const struct db_rows *rows)
{
    return (struct postgres_statement *)((uintptr_t)rows - offsetof(struct postgres_statement, rows));
}

static void statement_drop(struct statement *base)
{
    struct postgres_statement *st = (struct postgres_statement *)base;
    PQclear(st->result);
    free(base->text);
    free(st);
}

/* NULL: *result says why. */
static struct postgres_statement *statement_prepare(struct db_postgres *db, const char *sql, status *result,
                                                    struct error *err)
{
    struct postgres_statement *st = calloc(1, sizeof(*st));
    if (!st) {
        *result = error_set(err, CODE_NO_MEMORY, "%s", code_text(CODE_NO_MEMORY));
        return NULL;
    }
    st->rows.db = &db->base;
    (void)snprintf(st->name, sizeof(st->name), "s%u", db->prepared++);
    if (PQsendPrepare(db->conn, st->name, sql, 0, NULL) != 1)
        *result = postgres_lost(db, sql, err);
    else
        *result = postgres_answer(db, sql, NULL, err);
    if (!is_ok(*result)) {
        free(st);
        return NULL;
    }
    *result = statement_add(&db->cache, &st->base, sql, err);
    return is_ok(*result) ? st : NULL;
}

struct wire_params { /* as libpq wants them */
    const char *values[DB_PARAMS_MAX];
    int lengths[DB_PARAMS_MAX], formats[DB_PARAMS_MAX];
    char integers[DB_PARAMS_MAX][24];
};

static void params_encode(const struct db_value *params, size_t count, struct wire_params *out)
{
    for (size_t i = 0; i < count; i++) {
        const char *bytes = params[i].bytes.data ? (const char *)params[i].bytes.data : "";
        out->formats[i] = params[i].type == DB_BLOB ? BINARY : 0;
        out->lengths[i] = (int)params[i].bytes.len;
        out->values[i] = params[i].type == DB_NULL ? NULL : bytes;
        if (params[i].type == DB_INTEGER) {
            (void)snprintf(out->integers[i], sizeof(out->integers[i]), "%lld", (long long)params[i].integer);
            out->values[i] = out->integers[i];
        }
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

/* The statement with its result. NULL: *result says why. */
static struct postgres_statement *statement_run(struct db_postgres *db, const struct call *call, status *result,
                                                struct error *err)
{
    if (!db->conn) {
        *result = postgres_lost(db, call->sql, err);
        return NULL;
    }
    struct postgres_statement *st = (struct postgres_statement *)statement_find(&db->cache, call->sql);
    if (!st)
        st = statement_prepare(db, call->sql, result, err);
    if (!st)
        return NULL;
    if (st->base.in_use || call->count > DB_PARAMS_MAX) {
        *result = statement_misused(call->sql, err);
        return NULL;
    }

    struct wire_params wire;
    params_encode(call->params, call->count, &wire);
    PQclear(st->result);
    st->result = NULL;
    if (PQsendQueryPrepared(db->conn, st->name, (int)call->count, wire.values, wire.lengths, wire.formats, BINARY) != 1)
        *result = postgres_lost(db, call->sql, err);
    else
        *result = postgres_answer(db, call->sql, &st->result, err);
    return is_ok(*result) ? st : NULL;
}

static status postgres_exec(struct db *base, const char *sql, const struct db_value *params, size_t count,
                            int64_t *changed, struct error *err)
{
    struct db_postgres *db = postgres_of(base);
    status result = OK;
    const struct postgres_statement *st = statement_run(db, &(struct call){sql, params, count}, &result, err);
    if (!st)
        return result;

    int64_t rows = strtoll(PQcmdTuples(st->result), NULL, 10);
    db->writes += rows;
    if (changed)
        *changed = rows;
    return OK;
}

static status postgres_query(struct db *base, const char *sql, const struct db_value *params, size_t count,
                             struct db_rows **out, struct error *err)
{
    status result = OK;
    struct call call = {sql, params, count};
    struct postgres_statement *st = statement_run(postgres_of(base), &call, &result, err);
    if (!st)
        return result;
    st->base.in_use = true;
    st->row = -1;
    *out = &st->rows;
    return OK;
}

/* The whole result was received with the query. */
static status postgres_next(struct db_rows *rows, bool *more, struct error *err)
{
    (void)err;
    struct postgres_statement *st = statement_of(rows);
    *more = ++st->row < PQntuples(st->result);
    return OK;
}

static void postgres_rows_close(struct db_rows *rows)
{
    struct postgres_statement *st = statement_of(rows);
    if (st->base.orphan) {
        statement_drop(&st->base);
        return;
    }
    PQclear(st->result);
    st->result = NULL;
    st->base.in_use = false;
}

static bool postgres_column_is_null(const struct db_rows *rows, int column)
{
    const struct postgres_statement *st = statement_of(rows);
    return PQgetisnull(st->result, st->row, column) == 1;
}

/* Binary integers are big-endian, two's complement. */
static int64_t postgres_column_int(const struct db_rows *rows, int column)
{
    const struct postgres_statement *st = statement_of(rows);
    Oid type = PQftype(st->result, column);
    if (postgres_column_is_null(rows, column) ||
        (type != OID_INT8 && type != OID_INT4 && type != OID_INT2 && type != OID_BOOL))
        return 0;

    const uint8_t *bytes = (const uint8_t *)PQgetvalue(st->result, st->row, column);
    int len = PQgetlength(st->result, st->row, column);
    uint64_t value = bytes[0] & 0x80 ? UINT64_MAX : 0;
    for (int i = 0; i < len; i++)
        value = value << 8 | bytes[i];
    return (int64_t)value;
}

static struct slice postgres_column_bytes(const struct db_rows *rows, int column)
{
    const struct postgres_statement *st = statement_of(rows);
    if (postgres_column_is_null(rows, column))
        return (struct slice){0};
    return (struct slice){(const uint8_t *)PQgetvalue(st->result, st->row, column),
                          (size_t)PQgetlength(st->result, st->row, column)};
}

static bool postgres_in_transaction(const struct db *base)
{
    const struct db_postgres *db = postgres_of(base);
    return db->conn && PQtransactionStatus(db->conn) == PQTRANS_INTRANS;
}

static int64_t postgres_writes(const struct db *db)
{
    return postgres_of(db)->writes;
}

static int64_t postgres_session(const struct db *db)
{
    return postgres_of(db)->session;
}

static status postgres_check(struct db *base, struct error *err)
{
    struct db_postgres *db = postgres_of(base);
    if (db->conn && postgres_is_alive(db->conn))
        return OK;
    if (db->conn)
        postgres_disconnect(db);
    return postgres_connect(db, err);
}

static status postgres_command(struct db *base, enum db_command command, struct error *err)
{
    static const char *const sql[] = {
        [DB_BEGIN] = "BEGIN",
        [DB_COMMIT] = "COMMIT",
        [DB_ROLLBACK] = "ROLLBACK",
        [DB_SAVEPOINT] = "SAVEPOINT work",
        [DB_SAVEPOINT_RELEASE] = "RELEASE SAVEPOINT work",
        [DB_SAVEPOINT_ROLLBACK] = "ROLLBACK TO SAVEPOINT work; RELEASE SAVEPOINT work",
    };
    struct db_postgres *db = postgres_of(base);
    if (command == DB_BEGIN)
        TRY(postgres_check(base, err));
    if (command == DB_ROLLBACK && (!db->conn || PQtransactionStatus(db->conn) == PQTRANS_IDLE))
        return OK;
    /* COMMIT of a transaction that failed is answered as a success, and is a roll back. */
    if (command == DB_COMMIT && !postgres_in_transaction(base))
        return error_set(err, CODE_UNAVAILABLE, "store: the transaction has failed");
    return postgres_script(base, sql[command], err);
}

static void postgres_close(struct db *base)
{
    struct db_postgres *db = postgres_of(base);
    postgres_disconnect(db);
    free(db->url);
    free(db);
}

status db_postgres_open(const char *url, bool read_only, struct db **out, struct error *err)
{
    cleanup_free struct db_postgres *db = calloc(1, sizeof(*db));
    char *copy = strdup(url);
    if (!db || !copy) {
        free(copy);
        return error_set(err, CODE_NO_MEMORY, "%s", code_text(CODE_NO_MEMORY));
    }
    db->base.driver = &driver;
    db->url = copy;
    db->read_only = read_only;
    db->cache.drop = statement_drop;

    cleanup_db struct db *base = &steal(&db)->base;
    TRY(postgres_connect(postgres_of(base), err));
    *out = steal(&base);
    return OK;
}

static const struct db_driver driver = {
    .dialect = {.int_type = "BIGINT",
                .serial_type = "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY",
                .text_type = "TEXT COLLATE \"C\"",
                .blob_type = "BYTEA",
                .strict = "",
                .clustered = "",
                .zeros = "decode(repeat('00', 32), 'hex')"},
    .row_locks = true,
    .exec = postgres_exec,
    .query = postgres_query,
    .next = postgres_next,
    .rows_close = postgres_rows_close,
    .column_is_null = postgres_column_is_null,
    .column_int = postgres_column_int,
    .column_bytes = postgres_column_bytes,
    .command = postgres_command,
    .script = postgres_script,
    .in_transaction = postgres_in_transaction,
    .writes = postgres_writes,
    .session = postgres_session,
    .check = postgres_check,
    .close = postgres_close,
};

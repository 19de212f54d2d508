/* SPDX-License-Identifier: Apache-2.0 */
/* The PostgreSQL driver. Every wait has an end: on this side by poll with a deadline, on the server's by
 * statement_timeout. A connection that is lost is made anew where a transaction or a reader's turn begins. */
#include "server/store/db_driver.h"

#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/text.h"
#include "server/store/statement.h"

enum { CONNECT_SECONDS = 5, STATEMENT_MS = 10000, ANSWER_MS = STATEMENT_MS + 2000, BINARY = 1 };

/* Types of result columns (pg_type.dat). */
enum { OID_BOOL = 16, OID_INT8 = 20, OID_INT2 = 21, OID_INT4 = 23 };

struct db_postgres {
    struct db base;
    char *url;
    bool read_only;
    PGconn *conn; /* NULL: lost */
    struct statement_cache cache;
    int64_t writes, session;
    unsigned prepared;      /* gives names to statements */
    char backend_start[64]; /* with backend_pid: which session of the server was ours */
    int backend_pid;
};

struct postgres_statement {
    struct statement base;
    struct db_rows rows; /* the one open result */
    PGresult *result;
    int row; /* -1 before the first */
    char name[16];
};

static const struct db_driver driver;

static struct db_postgres *postgres_of(const struct db *db)
{
    return (struct db_postgres *)(uintptr_t)db;
}

static struct postgres_statement *statement_of(const struct db_rows *rows)
{
    return (struct postgres_statement *)((uintptr_t)rows - offsetof(struct postgres_statement, rows));
}

DEFINE_CLEANUP_PTR(PGresult, PQclear)
#define cleanup_result CLEANUP(PQclear_cleanup)

static void disconnect(struct db_postgres *db)
{
    statement_clear(&db->cache);
    PQfinish(db->conn);
    db->conn = NULL;
}

static status lost(struct db_postgres *db, const char *what, struct error *err)
{
    char detail[256] = "";
    if (db->conn)
        (void)text_copy(detail, sizeof(detail), PQerrorMessage(db->conn));
    disconnect(db);
    status result = error_set(err, CODE_UNAVAILABLE, "store: the database does not answer");
    error_detail(err, "postgresql: %s: %s", what, detail);
    return result;
}

static enum code code_of(const char *sqlstate)
{
    static const struct {
        const char *prefix;
        enum code code;
    } rows[] = {
        {"23505", CODE_CONFLICT},    /* unique_violation */
        {"23503", CODE_CONFLICT},    /* foreign_key_violation */
        {"08", CODE_UNAVAILABLE},    /* connection */
        {"25006", CODE_UNAVAILABLE}, /* read_only_sql_transaction */
        {"40", CODE_UNAVAILABLE},    /* serialization, deadlock */
        {"53", CODE_UNAVAILABLE},    /* disk full, too many connections */
        {"55P03", CODE_UNAVAILABLE}, /* lock_not_available */
        {"57", CODE_UNAVAILABLE},    /* shut down, time-out */
        {"58", CODE_UNAVAILABLE},    /* I/O */
        {"XX", CODE_UNAVAILABLE},    /* corrupted */
    };
    for (size_t i = 0; sqlstate && i < COUNT_OF(rows); i++) {
        if (strncmp(sqlstate, rows[i].prefix, strlen(rows[i].prefix)) == 0)
            return rows[i].code;
    }
    return CODE_INTERNAL;
}

static status refused(const PGresult *result, const char *sql, struct error *err)
{
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    enum code code = code_of(sqlstate);
    status failure =
        error_set(err, code, "store: %s", code == CODE_CONFLICT ? "the object exists or is in use" : code_text(code));
    error_detail(err, "postgresql: %s %s at: %.200s", sqlstate ? sqlstate : "", message ? message : "", sql);
    return failure;
}

/* Sends what is left to send and waits for input. False: no answer in time, or the connection is gone. */
static bool input_wait(PGconn *conn, struct deadline d)
{
    int unsent = PQflush(conn);
    struct pollfd p = {.fd = PQsocket(conn), .events = (short)(POLLIN | (unsent > 0 ? POLLOUT : 0))};
    if (unsent < 0 || p.fd < 0 || deadline_passed(d))
        return false;
    int ready = poll(&p, 1, (int)deadline_left_ms(d));
    if (ready == 0)
        return false;
    return ready < 0 || !(p.revents & ~POLLOUT) || PQconsumeInput(conn) == 1;
}

/* The answer to what was sent: the first failure, else the last result. NULL: the connection is lost. */
static PGresult *answer_take(PGconn *conn)
{
    struct deadline d = deadline_in(ANSWER_MS);
    PGresult *answer = NULL;
    for (;;) {
        while (PQisBusy(conn)) {
            if (!input_wait(conn, d)) {
                PQclear(answer);
                return NULL;
            }
        }
        PGresult *next = PQgetResult(conn);
        if (!next)
            return answer;
        bool failed = answer && PQresultStatus(answer) == PGRES_FATAL_ERROR;
        PQclear(failed ? next : answer);
        answer = failed ? answer : next;
    }
}

/* *out: TUPLES_OK or COMMAND_OK; may be NULL. */
static status answer_judge(struct db_postgres *db, const char *sql, PGresult **out, struct error *err)
{
    cleanup_result PGresult *answer = answer_take(db->conn);
    if (!answer || PQstatus(db->conn) != CONNECTION_OK)
        return lost(db, sql, err);
    ExecStatusType kind = PQresultStatus(answer);
    if (kind != PGRES_TUPLES_OK && kind != PGRES_COMMAND_OK)
        return refused(answer, sql, err);

    if (out)
        *out = steal(&answer);
    return OK;
}

static status postgres_script(struct db *base, const char *sql, struct error *err)
{
    struct db_postgres *db = postgres_of(base);
    if (!db->conn || PQsendQuery(db->conn, sql) != 1)
        return lost(db, sql, err);
    return answer_judge(db, sql, NULL, err);
}

static void statement_drop(struct statement *base)
{
    struct postgres_statement *st = (struct postgres_statement *)base;
    PQclear(st->result);
    free(base->text);
    free(st);
}

static status statement_prepare(struct db_postgres *db, const char *sql, struct postgres_statement **out,
                                struct error *err)
{
    struct postgres_statement *st = calloc(1, sizeof(*st));
    if (!st)
        return error_set(err, CODE_NO_MEMORY, "%s", code_text(CODE_NO_MEMORY));
    st->rows.db = &db->base;
    (void)snprintf(st->name, sizeof(st->name), "s%u", db->prepared++);

    status result = OK;
    if (PQsendPrepare(db->conn, st->name, sql, 0, NULL) != 1)
        result = lost(db, sql, err);
    else
        result = answer_judge(db, sql, NULL, err);
    if (!is_ok(result)) {
        free(st);
        return result;
    }
    TRY(statement_add(&db->cache, &st->base, sql, err));
    *out = st;
    return OK;
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

static status statement_run(struct db_postgres *db, const char *sql, const struct db_value *params, size_t count,
                            struct postgres_statement **out, struct error *err)
{
    if (!db->conn)
        return lost(db, sql, err);
    struct statement *found = statement_find(&db->cache, sql);
    struct postgres_statement *st = (struct postgres_statement *)found;
    if (!st)
        TRY(statement_prepare(db, sql, &st, err));
    if (st->base.in_use || count > DB_PARAMS_MAX) {
        status result = error_set(err, CODE_INTERNAL, "store: a statement was used wrongly");
        error_detail(err, "a result is open, or too many parameters, at: %.200s", sql);
        return result;
    }

    struct wire_params wire;
    params_encode(params, count, &wire);
    if (PQsendQueryPrepared(db->conn, st->name, (int)count, wire.values, wire.lengths, wire.formats, BINARY) != 1)
        return lost(db, sql, err);
    PQclear(st->result);
    st->result = NULL;
    TRY(answer_judge(db, sql, &st->result, err));
    *out = st;
    return OK;
}

static status postgres_exec(struct db *base, const char *sql, const struct db_value *params, size_t count,
                            int64_t *changed, struct error *err)
{
    struct db_postgres *db = postgres_of(base);
    struct postgres_statement *st = NULL;
    TRY(statement_run(db, sql, params, count, &st, err));

    int64_t rows = strtoll(PQcmdTuples(st->result), NULL, 10);
    db->writes += rows;
    if (changed)
        *changed = rows;
    return OK;
}

static status postgres_query(struct db *base, const char *sql, const struct db_value *params, size_t count,
                             struct db_rows **out, struct error *err)
{
    struct postgres_statement *st = NULL;
    TRY(statement_run(postgres_of(base), sql, params, count, &st, err));
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

static void notice_ignore(void *arg, const char *message)
{
    (void)arg;
    (void)message;
}

static status session_configure(struct db_postgres *db, struct error *err)
{
    char sql[512];
    (void)snprintf(sql, sizeof(sql),
                   "SET client_encoding = 'UTF8'; SET statement_timeout = %d; "
                   "SET idle_in_transaction_session_timeout = %d; "
                   "SET default_transaction_isolation = 'read committed'; SET default_transaction_read_only = %s; "
                   "SELECT set_config('synchronous_commit', 'on', false) "
                   "WHERE current_setting('synchronous_commit') = 'off'",
                   STATEMENT_MS, 3 * STATEMENT_MS, db->read_only ? "on" : "off");
    return postgres_script(&db->base, sql, err);
}

/* A session of ours that was cut off may still be ending its work; it must be over before we look what came of it. */
static status former_session_end(struct db_postgres *db, struct error *err)
{
    if (!db->backend_pid)
        return OK;
    struct db_rows *rows = NULL;
    TRY(postgres_query(&db->base,
                       "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                       "WHERE pid = $1 AND CAST(backend_start AS TEXT) = $2",
                       DB_PARAMS(db_int(db->backend_pid), db_text(db->backend_start)), &rows, err));
    postgres_rows_close(rows);
    return OK;
}

static status session_note(struct db_postgres *db, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    bool more = false;
    TRY(postgres_query(&db->base,
                       "SELECT pid, CAST(backend_start AS TEXT) FROM pg_stat_activity WHERE pid = pg_backend_pid()",
                       NULL, 0, &rows, err));
    TRY(postgres_next(rows, &more, err));
    if (more) {
        db->backend_pid = (int)postgres_column_int(rows, 0);
        (void)text_copy(db->backend_start, sizeof(db->backend_start), db_column_text(rows, 1));
    }
    return OK;
}

static status connect_now(struct db_postgres *db, struct error *err)
{
    char seconds[8];
    (void)snprintf(seconds, sizeof(seconds), "%d", CONNECT_SECONDS);
    /* What stands in the URL goes before the values in front of it. */
    const char *const names[] = {"connect_timeout",  "keepalives_idle", "tcp_user_timeout",
                                 "application_name", "dbname",          NULL};
    const char *const values[] = {seconds, "30", "15000", "chanceryd", db->url, NULL};
    db->conn = PQconnectdbParams(names, values, 1);
    if (PQstatus(db->conn) != CONNECTION_OK)
        return lost(db, "connect", err);

    db->session++;
    (void)PQsetNoticeProcessor(db->conn, notice_ignore, NULL);
    (void)PQsetnonblocking(db->conn, 1);
    TRY(session_configure(db, err));
    if (db->read_only)
        return OK;
    TRY(former_session_end(db, err));
    return session_note(db, err);
}

/* A server that went away has closed the socket, perhaps after a last message. */
static bool is_alive(PGconn *conn)
{
    struct pollfd p = {.fd = PQsocket(conn), .events = POLLIN};
    for (int i = 0; i < 8 && p.fd >= 0 && poll(&p, 1, 0) > 0; i++) {
        if (PQconsumeInput(conn) != 1)
            return false;
    }
    return PQstatus(conn) == CONNECTION_OK;
}

static status postgres_check(struct db *base, struct error *err)
{
    struct db_postgres *db = postgres_of(base);
    if (db->conn && is_alive(db->conn))
        return OK;
    if (db->conn)
        disconnect(db);
    return connect_now(db, err);
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
    disconnect(db);
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
    TRY(connect_now(postgres_of(base), err));
    *out = steal(&base);
    return OK;
}

static const struct db_driver driver = {
    .dialect = {.int_type = "BIGINT",
                .serial_type = "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY",
                .text_type = "TEXT COLLATE \"C\"",
                .blob_type = "BYTEA",
                .strict = "",
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

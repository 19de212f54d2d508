/* SPDX-License-Identifier: Apache-2.0 */
/* Connections to PostgreSQL. Every wait has an end: on this side by poll with a deadline, on the server's by
 * statement_timeout. */
#include "server/store/postgres.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/text.h"

enum { CONNECT_SECONDS = 5, STATEMENT_MS = 10000, ANSWER_MS = STATEMENT_MS + 2000 };

void postgres_disconnect(struct db_postgres *db)
{
    statement_clear(&db->cache);
    PQfinish(db->conn);
    db->conn = NULL;
}

status postgres_lost(struct db_postgres *db, const char *what, struct error *err)
{
    char detail[256] = "";
    if (db->conn)
        (void)text_copy(detail, sizeof(detail), PQerrorMessage(db->conn));
    postgres_disconnect(db);
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

status postgres_answer(struct db_postgres *db, const char *sql, PGresult **out, struct error *err)
{
    cleanup_result PGresult *answer = answer_take(db->conn);
    if (!answer || PQstatus(db->conn) != CONNECTION_OK)
        return postgres_lost(db, sql, err);
    ExecStatusType kind = PQresultStatus(answer);
    if (kind != PGRES_TUPLES_OK && kind != PGRES_COMMAND_OK)
        return refused(answer, sql, err);

    if (out)
        *out = steal(&answer);
    return OK;
}

status postgres_script(struct db *base, const char *sql, struct error *err)
{
    struct db_postgres *db = postgres_of(base);
    if (!db->conn || PQsendQuery(db->conn, sql) != 1)
        return postgres_lost(db, sql, err);
    return postgres_answer(db, sql, NULL, err);
}

/* A server that went away has closed the socket, perhaps after a last message. */
bool postgres_is_alive(PGconn *conn)
{
    struct pollfd p = {.fd = PQsocket(conn), .events = POLLIN};
    for (int i = 0; i < 8 && p.fd >= 0 && poll(&p, 1, 0) > 0; i++) {
        if (PQconsumeInput(conn) != 1)
            return false;
    }
    return PQstatus(conn) == CONNECTION_OK;
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
    TRY(db_query(&db->base,
                 "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                 "WHERE pid = $1 AND CAST(backend_start AS TEXT) = $2",
                 DB_PARAMS(db_int(db->backend_pid), db_text(db->backend_start)), &rows, err));
    db_rows_close(rows);
    return OK;
}

static status session_note(struct db_postgres *db, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    bool more = false;
    TRY(db_query(&db->base,
                 "SELECT pid, CAST(backend_start AS TEXT) FROM pg_stat_activity WHERE pid = pg_backend_pid()", NULL, 0,
                 &rows, err));
    TRY(db_next(rows, &more, err));
    if (more) {
        db->backend_pid = (int)db_column_int(rows, 0);
        (void)text_copy(db->backend_start, sizeof(db->backend_start), db_column_text(rows, 1));
    }
    return OK;
}

status postgres_connect(struct db_postgres *db, struct error *err)
{
    char seconds[8];
    (void)snprintf(seconds, sizeof(seconds), "%d", CONNECT_SECONDS);
    /* What stands in the URL goes before the values in front of it. */
    const char *const names[] = {"connect_timeout",  "keepalives_idle", "tcp_user_timeout",
                                 "application_name", "dbname",          NULL};
    const char *const values[] = {seconds, "30", "15000", "chanceryd", db->url, NULL};
    db->conn = PQconnectdbParams(names, values, 1);
    if (PQstatus(db->conn) != CONNECTION_OK)
        return postgres_lost(db, "connect", err);

    db->session++;
    (void)PQsetNoticeProcessor(db->conn, notice_ignore, NULL);
    (void)PQsetnonblocking(db->conn, 1);
    TRY(session_configure(db, err));
    if (db->read_only)
        return OK;
    TRY(former_session_end(db, err));
    return session_note(db, err);
}

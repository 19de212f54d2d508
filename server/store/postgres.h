/* SPDX-License-Identifier: Apache-2.0 */
/* The PostgreSQL driver's own: a connection that can be lost and made anew (postgres_session.c), and the statements run
 * on it (db_postgres.c). */
#pragma once

#include <libpq-fe.h>

#include "server/store/db_driver.h"
#include "server/store/statement.h"

struct db_postgres {
    struct db base;
    char *url;
    bool read_only;
    PGconn *conn; /* NULL: lost */
    struct statement_cache cache;
    int64_t writes, session;
    unsigned prepared;      /* gives names to statements */
    char backend_start[64]; /* with backend_pid: which session of the server is, or was, ours */
    int backend_pid;
};

static inline struct db_postgres *postgres_of(const struct db *db)
{
    return (struct db_postgres *)(uintptr_t)db;
}

DEFINE_CLEANUP_PTR(PGresult, PQclear)
#define cleanup_result CLEANUP(PQclear_cleanup)

status postgres_connect(struct db_postgres *db, struct error *err);
void postgres_disconnect(struct db_postgres *db);
bool postgres_is_alive(PGconn *conn);
/* The connection does not work any more: drops it. CODE_UNAVAILABLE. */
status postgres_lost(struct db_postgres *db, const char *what, struct error *err);
/* Waits for the answer to what was sent, no longer than a statement may take. *out (may be NULL): TUPLES_OK or
 * COMMAND_OK. */
status postgres_answer(struct db_postgres *db, const char *sql, PGresult **out, struct error *err);
/* Statements without parameters, more than one if need be. */
status postgres_script(struct db *base, const char *sql, struct error *err);

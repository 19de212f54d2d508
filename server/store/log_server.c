/* SPDX-License-Identifier: Apache-2.0 */
/* Places of the servers that write one log. With PostgreSQL a place is held by an advisory lock of the writer's
 * session, so it is free as soon as its server is gone, and never while it lives. */
#include "server/store/db_driver.h"
#include "server/store/row.h"

/* First key of the advisory locks; any number that no other program takes in the same database. */
#define LOCK_CLASS "7102948"

static status place_lock(struct db *db, int64_t id, bool *locked, struct error *err)
{
    *locked = true;
    if (!db->driver->row_locks)
        return OK;

    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db, "SELECT pg_try_advisory_lock(" LOCK_CLASS ", CAST($1 AS INTEGER))", DB_PARAMS(db_int(id)), &rows,
                 err));
    TRY(row_expect(rows, "log server", err));
    *locked = db_column_int(rows, 0) != 0;
    return OK;
}

static status place_unlock(struct db *db, int64_t id, struct error *err)
{
    if (!db->driver->row_locks)
        return OK;
    cleanup_rows struct db_rows *rows = NULL;
    return db_query(db, "SELECT pg_advisory_unlock(" LOCK_CLASS ", CAST($1 AS INTEGER))", DB_PARAMS(db_int(id)), &rows,
                    err);
}

/* The first place behind after; id 0: there is none. */
static status place_next(struct db *db, int64_t after, struct log_server *out, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    bool more = false;
    TRY(db_query(db, "SELECT id, open_from, epoch FROM log_server WHERE id > $1 ORDER BY id LIMIT 1",
                 DB_PARAMS(db_int(after)), &rows, err));
    TRY(db_next(rows, &more, err));
    *out = (struct log_server){0};
    if (more)
        *out = (struct log_server){db_column_int(rows, 0), db_column_int(rows, 1), db_column_int(rows, 2)};
    return OK;
}

/* Locks the first free place behind after, but not own_id; *last is the highest there is. */
static status place_find_free(struct db *db, int64_t own_id, struct log_server *out, int64_t *last, struct error *err)
{
    *last = 0;
    for (;;) {
        bool locked = false;
        TRY(place_next(db, *last, out, err));
        if (!out->id)
            return OK;
        *last = out->id;
        if (out->id != own_id)
            TRY(place_lock(db, out->id, &locked, err));
        if (locked)
            return db_exec(db, "UPDATE log_server SET epoch = epoch + 1 WHERE id = $1", DB_PARAMS(db_int(out->id)),
                           NULL, err);
    }
}

status log_server_acquire(struct db *db, struct log_server *out, struct error *err)
{
    int64_t last = 0;
    bool locked = false;
    TRY(place_find_free(db, 0, out, &last, err));
    if (out->id) {
        out->epoch++;
        return OK;
    }

    struct record_head head = {0};
    TRY(record_head_lock(db, &head, err));
    *out = (struct log_server){.id = last + 1, .open_from = head.seq + 1, .epoch = 1};
    TRY(place_lock(db, out->id, &locked, err));
    if (!locked)
        return error_set(err, CODE_UNAVAILABLE, "store: place %lld of the log is held by a server that is not listed",
                         (long long)out->id);
    return db_exec(db, "INSERT INTO log_server (id, open_from, epoch) VALUES ($1, $2, $3)",
                   DB_PARAMS(db_int(out->id), db_int(out->open_from), db_int(out->epoch)), NULL, err);
}

status log_server_renew(struct db *db, const struct log_server *server, bool *kept, struct error *err)
{
    bool locked = false;
    struct log_server now = {0};
    TRY(place_lock(db, server->id, &locked, err));
    TRY(place_next(db, server->id - 1, &now, err));
    *kept = locked && now.id == server->id && now.epoch == server->epoch;
    return locked && !*kept ? place_unlock(db, server->id, err) : OK;
}

status log_server_take_dead(struct db *db, int64_t own_id, struct log_server *out, struct error *err)
{
    int64_t last = 0;
    if (db->driver->row_locks)
        return place_find_free(db, own_id, out, &last, err);
    *out = (struct log_server){0};
    return OK;
}

status log_server_drop(struct db *db, int64_t id, struct error *err)
{
    TRY(db_exec(db, "DELETE FROM log_server WHERE id = $1", DB_PARAMS(db_int(id)), NULL, err));
    return place_unlock(db, id, err);
}

status log_server_mark(struct db *db, int64_t id, int64_t open_from, struct error *err)
{
    return db_exec(db, "UPDATE log_server SET open_from = $2 WHERE id = $1", DB_PARAMS(db_int(id), db_int(open_from)),
                   NULL, err);
}

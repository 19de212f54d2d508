/* SPDX-License-Identifier: Apache-2.0 */
/* Teams and who is in them. */
#include "server/store/principal.h"

#define COLUMNS "id, name, description, created_ms, revision"

static void team_read(const struct db_rows *rows, struct team *out)
{
    *out = (struct team){.created_ms = db_column_int(rows, 3), .revision = db_column_int(rows, 4)};
    COLUMN_COPY(out->id, rows, 0);
    COLUMN_COPY(out->name, rows, 1);
    COLUMN_COPY(out->description, rows, 2);
}

/* Changes are made one after the other, so nobody can take the name between the look and the row. */
status team_insert(struct db *db, const struct team *t, struct error *err)
{
    int64_t inserted = 0;
    status result = db_exec(db,
                            "INSERT INTO team (id, name, description, created_ms) SELECT $1, $2, $3, $4 "
                            "WHERE NOT EXISTS (SELECT 1 FROM principal WHERE name = $2)",
                            DB_PARAMS(db_text(t->id), db_text(t->name), db_text(t->description), db_int(t->created_ms)),
                            &inserted, err);
    if (is_ok(result) && inserted == 0)
        result = error_set(err, CODE_CONFLICT, "%s", code_text(CODE_CONFLICT));
    return row_conflict(result, err, "name: %s is or was the name of a user, service account or team", t->name);
}

/* An id goes before a name that looks like one. */
status team_find(struct db *db, const char *id_or_name, struct team *out, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db,
                 "SELECT " COLUMNS " FROM team WHERE id = $1 OR name = $1 "
                 "ORDER BY CASE WHEN id = $1 THEN 0 ELSE 1 END LIMIT 1",
                 DB_PARAMS(db_text(id_or_name)), &rows, err));
    TRY(row_expect(rows, "team", err));
    team_read(rows, out);
    return OK;
}

status team_update(struct db *db, const struct team *t, struct error *err)
{
    int64_t changed = 0;
    TRY(db_exec(db, "UPDATE team SET description = $2, revision = revision + 1 WHERE id = $1",
                DB_PARAMS(db_text(t->id), db_text(t->description)), &changed, err));
    return row_changed(changed, "team", err);
}

static status check_owns_nothing(struct db *db, const char *id, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    bool more = false;
    TRY(db_query(db, "SELECT name FROM principal WHERE team_id = $1 LIMIT 1", DB_PARAMS(db_text(id)), &rows, err));
    TRY(db_next(rows, &more, err));
    if (more)
        return error_set(err, CODE_CONFLICT, "the team owns the service account %s", db_column_text(rows, 0));
    return OK;
}

status team_delete(struct db *db, const char *id, struct error *err)
{
    int64_t changed = 0;
    TRY(check_owns_nothing(db, id, err));
    TRY(db_exec(db, "DELETE FROM member WHERE team_id = $1", DB_PARAMS(db_text(id)), NULL, err));
    TRY(db_exec(db, "DELETE FROM team_member WHERE team_id = $1", DB_PARAMS(db_text(id)), NULL, err));
    TRY(db_exec(db, "DELETE FROM team WHERE id = $1", DB_PARAMS(db_text(id)), &changed, err));
    return row_changed(changed, "team", err);
}

status team_list(struct db *db, struct page page, status (*each)(void *arg, const struct team *t), void *arg,
                 struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db, "SELECT " COLUMNS " FROM team WHERE name > $1 ORDER BY name LIMIT $2",
                 DB_PARAMS(db_text(page_after(page)), db_int(page_limit(page))), &rows, err));

    for (bool more = false;;) {
        TRY(db_next(rows, &more, err));
        if (!more)
            return OK;
        struct team t;
        team_read(rows, &t);
        TRY(each(arg, &t));
    }
}

/* ---- who is in it */

status team_has(struct db *db, const char *team_id, const char *principal_id, bool *out, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db, "SELECT 1 FROM team_member WHERE team_id = $1 AND principal_id = $2",
                 DB_PARAMS(db_text(team_id), db_text(principal_id)), &rows, err));
    return db_next(rows, out, err);
}

static status team_touch(struct db *db, const char *id, struct error *err)
{
    int64_t changed = 0;
    TRY(db_exec(db, "UPDATE team SET revision = revision + 1 WHERE id = $1", DB_PARAMS(db_text(id)), &changed, err));
    return row_changed(changed, "team", err);
}

status team_member_insert(struct db *db, const char *team_id, const char *principal_id, int64_t since_ms,
                          struct error *err)
{
    status result = db_exec(db, "INSERT INTO team_member (team_id, principal_id, since_ms) VALUES ($1, $2, $3)",
                            DB_PARAMS(db_text(team_id), db_text(principal_id), db_int(since_ms)), NULL, err);
    TRY(row_conflict(result, err, "the principal is in the team already"));
    return team_touch(db, team_id, err);
}

status team_member_delete(struct db *db, const char *team_id, const char *principal_id, struct error *err)
{
    int64_t changed = 0;
    TRY(db_exec(db, "DELETE FROM team_member WHERE team_id = $1 AND principal_id = $2",
                DB_PARAMS(db_text(team_id), db_text(principal_id)), &changed, err));
    TRY(row_changed(changed, "member of the team", err));
    return team_touch(db, team_id, err);
}

status team_member_list(struct db *db, const char *team_id, struct page page,
                        status (*each)(void *arg, const struct principal *p, int64_t since_ms), void *arg,
                        struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db,
                 "SELECT t.since_ms, " PRINCIPAL_COLUMNS("p.") " FROM team_member t JOIN principal p "
                                                               "ON p.id = t.principal_id WHERE t.team_id = $1 AND "
                                                               "p.name > $2 ORDER BY p.name LIMIT $3",
                 DB_PARAMS(db_text(team_id), db_text(page_after(page)), db_int(page_limit(page))), &rows, err));

    for (bool more = false;;) {
        TRY(db_next(rows, &more, err));
        if (!more)
            return OK;
        struct principal p;
        principal_read(rows, 1, &p);
        TRY(each(arg, &p, db_column_int(rows, 0)));
    }
}

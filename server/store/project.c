/* SPDX-License-Identifier: Apache-2.0 */
/* Projects. */
#include "server/store/row.h"

#define COLUMNS "id, name, description, created_ms, revision"

static void project_read(const struct db_rows *rows, struct project *out)
{
    *out = (struct project){.created_ms = db_column_int(rows, 3), .revision = db_column_int(rows, 4)};
    COLUMN_COPY(out->id, rows, 0);
    COLUMN_COPY(out->name, rows, 1);
    COLUMN_COPY(out->description, rows, 2);
}

status project_insert(struct db *db, const struct project *p, struct error *err)
{
    status result =
        db_exec(db, "INSERT INTO project (id, name, description, created_ms) VALUES ($1, $2, $3, $4)",
                DB_PARAMS(db_text(p->id), db_text(p->name), db_text(p->description), db_int(p->created_ms)), NULL, err);
    return row_conflict(result, err, "name: there is a project %s already", p->name);
}

/* An id goes before a name that looks like one. */
status project_find(struct db *db, const char *id_or_name, struct project *out, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db,
                 "SELECT " COLUMNS " FROM project WHERE id = $1 OR name = $1 "
                 "ORDER BY CASE WHEN id = $1 THEN 0 ELSE 1 END LIMIT 1",
                 DB_PARAMS(db_text(id_or_name)), &rows, err));
    TRY(row_expect(rows, "project", err));
    project_read(rows, out);
    return OK;
}

status project_update(struct db *db, const struct project *p, struct error *err)
{
    int64_t changed = 0;
    TRY(db_exec(db, "UPDATE project SET description = $2, revision = revision + 1 WHERE id = $1",
                DB_PARAMS(db_text(p->id), db_text(p->description)), &changed, err));
    return row_changed(changed, "project", err);
}

status project_list(struct db *db, const char *member_id, struct page page,
                    status (*each)(void *arg, const struct project *p), void *arg, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    if (member_id)
        TRY(db_query(db,
                     "SELECT " COLUMNS " FROM project WHERE name > $1 AND " NAME_BEGINS(
                         "name", "$4") " AND id IN (SELECT project_id FROM principal_role WHERE principal_id = $3 "
                                       "AND " ROLE_IN_TIME("", "$5") ") ORDER BY name LIMIT $2",
                     DB_PARAMS(db_text(page_after(page)), db_int(page_limit(page)), db_text(member_id),
                               db_text(filter_text(page.name)), db_int(clock_now_ms())),
                     &rows, err));
    else
        TRY(db_query(db,
                     "SELECT " COLUMNS
                     " FROM project WHERE name > $1 AND " NAME_BEGINS("name", "$3") " ORDER BY name LIMIT $2",
                     DB_PARAMS(db_text(page_after(page)), db_int(page_limit(page)), db_text(filter_text(page.name))),
                     &rows, err));

    for (bool more = false;;) {
        TRY(db_next(rows, &more, err));
        if (!more)
            return OK;
        struct project p;
        project_read(rows, &p);
        TRY(each(arg, &p));
    }
}

status project_count(struct db *db, const char *member_id, struct project_count *out, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    if (member_id)
        TRY(db_query(db,
                     "SELECT COUNT(DISTINCT project_id), COUNT(DISTINCT CASE WHEN role = " ROLE_OWNER
                     " THEN project_id END) FROM principal_role WHERE principal_id = $1 AND " ROLE_IN_TIME("", "$2"),
                     DB_PARAMS(db_text(member_id), db_int(clock_now_ms())), &rows, err));
    else
        TRY(db_query(db, "SELECT COUNT(*), 0 FROM project", NULL, 0, &rows, err));
    TRY(row_expect(rows, "project", err));
    *out = (struct project_count){.seen = db_column_int(rows, 0), .owned = db_column_int(rows, 1)};
    return OK;
}

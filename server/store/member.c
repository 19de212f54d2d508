/* SPDX-License-Identifier: Apache-2.0 */
/* Who is owner, signer, approver of a project; a row for each role. */
#include "server/store/principal.h"

#include <stdio.h>
#include <string.h>

status member_insert(struct db *db, const struct member *m, struct error *err)
{
    status result = db_exec(
        db, "INSERT INTO member (project_id, principal_id, role, since_ms) VALUES ($1, $2, $3, $4)",
        DB_PARAMS(db_text(m->project_id), db_text(m->principal_id), db_int(m->role), db_int(m->since_ms)), NULL, err);
    return row_conflict(result, err, "the principal has this role in the project already");
}

status member_delete(struct db *db, const char *project_id, const char *principal_id, enum member_role role,
                     struct error *err)
{
    int64_t changed = 0;
    TRY(db_exec(db, "DELETE FROM member WHERE project_id = $1 AND principal_id = $2 AND role = $3",
                DB_PARAMS(db_text(project_id), db_text(principal_id), db_int(role)), &changed, err));
    return row_changed(changed, "member", err);
}

static void member_read(const struct db_rows *rows, struct member *out)
{
    *out = (struct member){.principal_type = principal_type_of(db_column_text(rows, 3)),
                           .role = (enum member_role)db_column_int(rows, 4),
                           .since_ms = db_column_int(rows, 5)};
    COLUMN_COPY(out->project_id, rows, 0);
    COLUMN_COPY(out->principal_id, rows, 1);
    COLUMN_COPY(out->principal_name, rows, 2);
}

/* In the order of principal ids, then roles. */
status member_list(struct db *db, const char *project_id, struct page page,
                   status (*each)(void *arg, const struct member *m), void *arg, struct error *err)
{
    enum { ROLES = 3 };
    char from[ID_SIZE];
    cleanup_rows struct db_rows *rows = NULL;
    (void)snprintf(from, sizeof(from), "%.*s", (int)strcspn(page_after(page), "."), page_after(page));
    TRY(db_query(db,
                 "SELECT m.project_id, m.principal_id, p.name, p.type, m.role, m.since_ms FROM member m "
                 "JOIN principal p ON p.id = m.principal_id WHERE m.project_id = $1 AND m.principal_id >= $2 "
                 "AND ($3 = '' OR CASE m.role WHEN 1 THEN 'owner' WHEN 2 THEN 'signer' ELSE 'approver' END = $3) "
                 "ORDER BY m.principal_id, m.role LIMIT $4",
                 DB_PARAMS(db_text(project_id), db_text(from), db_text(filter_text(page.role)),
                           db_int(page_limit(page) + ROLES)),
                 &rows, err));

    for (bool more = false;;) {
        TRY(db_next(rows, &more, err));
        if (!more)
            return OK;
        struct member m;
        member_read(rows, &m);
        TRY(each(arg, &m));
    }
}

status member_roles(struct db *db, const char *project_id, const char *principal_id, unsigned *roles, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(
        db, "SELECT CAST(COALESCE(SUM(role), 0) AS BIGINT) FROM member WHERE project_id = $1 AND principal_id = $2",
        DB_PARAMS(db_text(project_id), db_text(principal_id)), &rows, err));
    TRY(row_expect(rows, "member", err));
    *roles = (unsigned)db_column_int(rows, 0);
    return OK;
}

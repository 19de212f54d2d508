/* SPDX-License-Identifier: Apache-2.0 */
/* In which projects a principal or team has which role: the other direction of member_list. */
#include "server/store/principal.h"

#include <stdint.h>

/* A space is before every character of a name, so that the order is that of the names. */
#define PLACE "p.name || ' ' || CASE h.role WHEN 1 THEN '1' WHEN 2 THEN '2' ELSE '4' END || ' ' || COALESCE(t.name, '')"

static void project_role_read(const struct db_rows *rows, struct project_role *out)
{
    *out = (struct project_role){.role = (enum member_role)db_column_int(rows, 4),
                                 .since_ms = db_column_int(rows, 5),
                                 .not_before_ms = db_column_int(rows, 6),
                                 .not_after_ms = db_column_int(rows, 7)};
    COLUMN_COPY(out->project_id, rows, 0);
    COLUMN_COPY(out->project_name, rows, 1);
    COLUMN_COPY(out->team_id, rows, 2);
    COLUMN_COPY(out->team_name, rows, 3);
}

status project_role_list(struct db *db, const char *principal_or_team_id, struct page page,
                         status (*each)(void *arg, const struct project_role *r), void *arg, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db,
                 "SELECT h.project_id, p.name, h.team_id, COALESCE(t.name, ''), h.role, h.since_ms, h.not_before_ms, "
                 "h.not_after_ms FROM ("
                 "SELECT m.project_id, '' AS team_id, m.role, m.since_ms, m.not_before_ms, m.not_after_ms "
                 "FROM member m WHERE m.principal_id = $1 OR m.team_id = $1 "
                 "UNION ALL "
                 "SELECT m.project_id, m.team_id, m.role, m.since_ms, m.not_before_ms, m.not_after_ms "
                 "FROM team_member g JOIN member m ON m.team_id = g.team_id WHERE g.principal_id = $1) h "
                 "JOIN project p ON p.id = h.project_id LEFT JOIN team t ON t.id = h.team_id "
                 "WHERE " PLACE " > $2 ORDER BY " PLACE " LIMIT $3",
                 DB_PARAMS(db_text(principal_or_team_id), db_text(page_after(page)), db_int(page_limit(page))), &rows,
                 err));

    for (bool more = false;;) {
        TRY(db_next(rows, &more, err));
        if (!more)
            return OK;
        struct project_role r;
        project_role_read(rows, &r);
        TRY(each(arg, &r));
    }
}

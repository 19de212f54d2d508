/* SPDX-License-Identifier: Apache-2.0 */
/* Who is owner, signer, approver of a project: a row for each role of a principal or a team. What a principal may do by
 * them is asked of the view principal_role, which joins its own rows and its teams'. */
#include "server/store/principal.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static bool is_team(const struct member *m)
{
    return m->principal_type == PRINCIPAL_TEAM;
}

status member_insert(struct db *db, const struct member *m, struct error *err)
{
    status result =
        db_exec(db,
                "INSERT INTO member (project_id, principal_id, team_id, role, since_ms, not_before_ms, not_after_ms) "
                "VALUES ($1, $2, $3, $4, $5, $6, $7)",
                DB_PARAMS(db_text(m->project_id), is_team(m) ? db_null() : db_text(m->principal_id),
                          is_team(m) ? db_text(m->principal_id) : db_null(), db_int(m->role), db_int(m->since_ms),
                          db_int(m->not_before_ms), db_int(m->not_after_ms)),
                NULL, err);
    return row_conflict(result, err, "the %s has this role in the project already", is_team(m) ? "team" : "principal");
}

status member_delete(struct db *db, const char *project_id, const char *principal_id, enum member_role role,
                     struct error *err)
{
    int64_t changed = 0;
    TRY(db_exec(db, "DELETE FROM member WHERE project_id = $1 AND (principal_id = $2 OR team_id = $2) AND role = $3",
                DB_PARAMS(db_text(project_id), db_text(principal_id), db_int(role)), &changed, err));
    return row_changed(changed, "member", err);
}

static void member_read(const struct db_rows *rows, struct member *out)
{
    bool by_team = db_column_is_null(rows, 3);
    *out = (struct member){.principal_type = by_team ? PRINCIPAL_TEAM : principal_type_of(db_column_text(rows, 3)),
                           .role = (enum member_role)db_column_int(rows, 4),
                           .since_ms = db_column_int(rows, 5),
                           .not_before_ms = db_column_int(rows, 6),
                           .not_after_ms = db_column_int(rows, 7)};
    COLUMN_COPY(out->project_id, rows, 0);
    COLUMN_COPY(out->principal_id, rows, 1);
    COLUMN_COPY(out->principal_name, rows, 2);
}

/* In the order of names, then roles; a page that begins after "name role" is given all of that name. */
status member_list(struct db *db, const char *project_id, struct page page,
                   status (*each)(void *arg, const struct member *m), void *arg, struct error *err)
{
    enum { ROLES = 3 };
    char from[NAME_SIZE];
    cleanup_rows struct db_rows *rows = NULL;
    (void)snprintf(from, sizeof(from), "%.*s", (int)strcspn(page_after(page), " "), page_after(page));
    TRY(db_query(db,
                 "SELECT m.project_id, COALESCE(m.principal_id, m.team_id), COALESCE(p.name, t.name), p.type, m.role, "
                 "m.since_ms, m.not_before_ms, m.not_after_ms FROM member m "
                 "LEFT JOIN principal p ON p.id = m.principal_id LEFT JOIN team t ON t.id = m.team_id "
                 "WHERE m.project_id = $1 AND COALESCE(p.name, t.name) >= $2 "
                 "AND ($3 = '' OR CASE m.role WHEN 1 THEN 'owner' WHEN 2 THEN 'signer' ELSE 'approver' END = $3) "
                 "ORDER BY COALESCE(p.name, t.name), m.role LIMIT $4",
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

/* ---- what a principal has by them */

enum role_time role_time_of(int64_t not_before_ms, int64_t not_after_ms, int64_t now_ms)
{
    if (not_after_ms != 0 && now_ms >= not_after_ms)
        return ROLE_ENDED;
    return now_ms < not_before_ms ? ROLE_NOT_YET : ROLE_IN_TIME;
}

/* Columns not_before_ms, not_after_ms, name of the team. */
static void reason_read(const struct db_rows *rows, int first, int64_t now_ms, struct role_reason *out)
{
    *out = (struct role_reason){.not_before_ms = db_column_int(rows, first),
                                .not_after_ms = db_column_int(rows, first + 1)};
    out->time = role_time_of(out->not_before_ms, out->not_after_ms, now_ms);
    COLUMN_COPY(out->team, rows, first + 2);
}

static void earlier(int64_t *until_ms, int64_t moment_ms, int64_t now_ms)
{
    if (moment_ms > now_ms && (*until_ms == 0 || moment_ms < *until_ms))
        *until_ms = moment_ms;
}

static bool lasts_longer(const struct role_reason *a, const struct role_reason *b)
{
    if (a->time != b->time)
        return a->time > b->time;
    return b->not_after_ms != 0 && (a->not_after_ms == 0 || a->not_after_ms > b->not_after_ms);
}

static void held_add(struct held_roles *held, enum member_role role, const struct role_reason *why, int64_t now_ms)
{
    if (why->time == ROLE_IN_TIME)
        held->roles |= role;
    earlier(&held->valid_until_ms, why->not_before_ms, now_ms);
    earlier(&held->valid_until_ms, why->not_after_ms, now_ms);
    if (role == MEMBER_SIGNER && lasts_longer(why, &held->signer))
        held->signer = *why;
}

status member_held(struct db *db, const char *project_id, const char *principal_id, int64_t now_ms,
                   struct held_roles *out, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    struct held_roles held = {0};
    TRY(db_query(db,
                 "SELECT r.role, r.not_before_ms, r.not_after_ms, t.name FROM principal_role r "
                 "LEFT JOIN team t ON t.id = r.team_id WHERE r.project_id = $1 AND r.principal_id = $2 "
                 "ORDER BY r.team_id",
                 DB_PARAMS(db_text(project_id), db_text(principal_id)), &rows, err));

    for (bool more = false;;) {
        TRY(db_next(rows, &more, err));
        if (!more)
            break;
        struct role_reason why;
        reason_read(rows, 1, now_ms, &why);
        held_add(&held, (enum member_role)db_column_int(rows, 0), &why, now_ms);
    }
    *out = held;
    return OK;
}

status member_roles(struct db *db, const char *project_id, const char *principal_id, unsigned *roles, struct error *err)
{
    struct held_roles held;
    TRY(member_held(db, project_id, principal_id, clock_now_ms(), &held, err));
    *roles = held.roles;
    return OK;
}

status member_last_turn(struct db *db, const char *principal_id, int64_t now_ms, int64_t *out, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db,
                 "SELECT COALESCE(MAX(CASE WHEN not_after_ms <> 0 AND not_after_ms <= $2 THEN not_after_ms "
                 "WHEN not_before_ms <= $2 THEN not_before_ms ELSE 0 END), 0) FROM principal_role "
                 "WHERE principal_id = $1",
                 DB_PARAMS(db_text(principal_id), db_int(now_ms)), &rows, err));
    TRY(row_expect(rows, "member", err));
    *out = db_column_int(rows, 0);
    return OK;
}

#define SIGNERS_SQL                                                                                                    \
    "SELECT " PRINCIPAL_COLUMNS(                                                                                       \
        "p.") ", r.not_before_ms, r.not_after_ms, t.name FROM principal_role r "                                       \
              "JOIN principal p ON p.id = r.principal_id LEFT JOIN team t ON t.id = r.team_id "                        \
              "WHERE r.project_id = $1 AND r.role = 2 AND r.principal_id IN (SELECT q.id FROM principal q "            \
              "WHERE q.name > $2 AND q.id IN (SELECT principal_id FROM principal_role WHERE project_id = $1 "          \
              "AND role = 2) ORDER BY q.name LIMIT $3) ORDER BY p.name, r.team_id"

status member_list_signers(struct db *db, const char *project_id, struct page page,
                           status (*each)(void *arg, const struct principal *p, const struct role_reason *why),
                           void *arg, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    int64_t now_ms = clock_now_ms();
    TRY(db_query(db, SIGNERS_SQL, DB_PARAMS(db_text(project_id), db_text(page_after(page)), db_int(page_limit(page))),
                 &rows, err));

    for (bool more = false;;) {
        TRY(db_next(rows, &more, err));
        if (!more)
            return OK;
        struct principal p;
        struct role_reason why;
        principal_read(rows, 0, &p);
        reason_read(rows, PRINCIPAL_COLUMN_COUNT, now_ms, &why);
        TRY(each(arg, &p, &why));
    }
}

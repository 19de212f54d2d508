/* SPDX-License-Identifier: Apache-2.0 */
/* Users and service accounts. Types and roles are kept as words, so that the numbers of the enums may change. */
#include "server/store/principal.h"

#include <string.h>

static const char *const type_names[] = {[PRINCIPAL_USER] = "user", [PRINCIPAL_SERVICE_ACCOUNT] = "service_account"};
static const char *const role_names[] = {
    [ROLE_NONE] = "user", [ROLE_ADMINISTRATOR] = "administrator", [ROLE_AUDITOR] = "auditor"};

enum principal_type principal_type_of(const char *text)
{
    return strcmp(text, type_names[PRINCIPAL_USER]) == 0 ? PRINCIPAL_USER : PRINCIPAL_SERVICE_ACCOUNT;
}

static enum platform_role role_of(const char *text)
{
    for (size_t i = 0; i < COUNT_OF(role_names); i++) {
        if (strcmp(text, role_names[i]) == 0)
            return (enum platform_role)i;
    }
    return ROLE_NONE;
}

void principal_read(const struct db_rows *rows, int first, struct principal *out)
{
    *out = (struct principal){
        .type = principal_type_of(db_column_text(rows, first + 2)),
        .role = role_of(db_column_text(rows, first + 3)),
        .disabled = db_column_int(rows, first + 4) != 0,
        .expires_ms = db_column_int(rows, first + 5),
        .created_ms = db_column_int(rows, first + 6),
        .revision = db_column_int(rows, first + 7),
    };
    COLUMN_COPY(out->description, rows, first + 8);
    COLUMN_COPY(out->team_id, rows, first + 9);
    COLUMN_COPY(out->id, rows, first);
    COLUMN_COPY(out->name, rows, first + 1);
}

status principal_insert(struct db *db, const struct principal *p, struct error *err)
{
    int64_t inserted = 0;
    status result =
        db_exec(db,
                "INSERT INTO principal (id, name, type, role, disabled, expires_ms, created_ms, description, team_id) "
                "SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9 WHERE NOT EXISTS (SELECT 1 FROM team WHERE name = $2)",
                DB_PARAMS(db_text(p->id), db_text(p->name), db_text(type_names[p->type]), db_text(role_names[p->role]),
                          db_int(p->disabled), db_int(p->expires_ms), db_int(p->created_ms), db_text(p->description),
                          *p->team_id ? db_text(p->team_id) : db_null()),
                &inserted, err);
    if (is_ok(result) && inserted == 0)
        result = error_set(err, CODE_CONFLICT, "%s", code_text(CODE_CONFLICT));
    return row_conflict(result, err, "name: %s is or was the name of a user, service account or team", p->name);
}

/* An id goes before a name that looks like one. */
static status find(struct db *db, const char *id_or_name, bool removed_too, struct principal *out, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db,
                 "SELECT " PRINCIPAL_COLUMNS("") " FROM principal WHERE (id = $1 OR name = $1) "
                                                 "AND (removed_ms = 0 OR $2 = 1) "
                                                 "ORDER BY CASE WHEN id = $1 THEN 0 ELSE 1 END LIMIT 1",
                 DB_PARAMS(db_text(id_or_name), db_int(removed_too)), &rows, err));
    TRY(row_expect(rows, "principal", err));
    principal_read(rows, 0, out);
    return OK;
}

status principal_find(struct db *db, const char *id_or_name, struct principal *out, struct error *err)
{
    return find(db, id_or_name, false, out, err);
}

status principal_find_removed_too(struct db *db, const char *id_or_name, struct principal *out, struct error *err)
{
    return find(db, id_or_name, true, out, err);
}

status principal_update(struct db *db, const struct principal *p, struct error *err)
{
    int64_t changed = 0;
    TRY(db_exec(db,
                "UPDATE principal SET role = $2, disabled = $3, expires_ms = $4, description = $5, team_id = $6, "
                "revision = revision + 1 WHERE id = $1 AND removed_ms = 0",
                DB_PARAMS(db_text(p->id), db_text(role_names[p->role]), db_int(p->disabled), db_int(p->expires_ms),
                          db_text(p->description), *p->team_id ? db_text(p->team_id) : db_null()),
                &changed, err));
    return row_changed(changed, "principal", err);
}

/* Every way to come in and every right goes with it, so that nothing has to ask whether somebody is removed. */
status principal_remove(struct db *db, const char *id, int64_t now_ms, struct error *err)
{
    static const char *const deletions[] = {
        "DELETE FROM access_token WHERE principal_id = $1", "DELETE FROM account_key WHERE account_id = $1",
        "DELETE FROM web_session WHERE user_id = $1",       "DELETE FROM api_key WHERE user_id = $1",
        "DELETE FROM member WHERE principal_id = $1",       "DELETE FROM team_member WHERE principal_id = $1",
        "DELETE FROM user_password WHERE user_id = $1",     "DELETE FROM user_totp WHERE user_id = $1",
        "DELETE FROM recovery_code WHERE user_id = $1",     "DELETE FROM sign_in_failure WHERE who = $1",
    };
    int64_t changed = 0;
    TRY(db_exec(db,
                "UPDATE principal SET removed_ms = $2, disabled = 1, role = 'user', team_id = NULL, "
                "revision = revision + 1 WHERE id = $1 AND removed_ms = 0",
                DB_PARAMS(db_text(id), db_int(now_ms)), &changed, err));
    TRY(row_changed(changed, "principal", err));
    for (size_t i = 0; i < COUNT_OF(deletions); i++)
        TRY(db_exec(db, deletions[i], DB_PARAMS(db_text(id)), NULL, err));
    return OK;
}

status principal_list(struct db *db, enum principal_type type, struct page page,
                      status (*each)(void *arg, const struct principal *p), void *arg, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db,
                 "SELECT " PRINCIPAL_COLUMNS(
                     "") " FROM principal WHERE type = $1 AND removed_ms = 0 AND name > $2 AND ($4 = '' OR role = $4) "
                         "AND ($5 = '' OR disabled = CASE WHEN $5 = 'disabled' THEN 1 ELSE 0 END) AND " NAME_BEGINS(
                             "name", "$6") " ORDER BY name LIMIT $3",
                 DB_PARAMS(db_text(type_names[type]), db_text(page_after(page)), db_int(page_limit(page)),
                           db_text(filter_text(page.role)), db_text(filter_text(page.state)),
                           db_text(filter_text(page.name))),
                 &rows, err));

    for (bool more = false;;) {
        TRY(db_next(rows, &more, err));
        if (!more)
            return OK;
        struct principal p;
        principal_read(rows, 0, &p);
        TRY(each(arg, &p));
    }
}

status principal_count(struct db *db, enum principal_type type, int64_t *out, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db, "SELECT COUNT(*) FROM principal WHERE type = $1 AND removed_ms = 0",
                 DB_PARAMS(db_text(type_names[type])), &rows, err));
    TRY(row_expect(rows, "principal", err));
    *out = db_column_int(rows, 0);
    return OK;
}

status principal_count_administrators(struct db *db, int64_t *active, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db, "SELECT COUNT(*) FROM principal WHERE role = 'administrator' AND disabled = 0", NULL, 0, &rows,
                 err));
    TRY(row_expect(rows, "principal", err));
    *active = db_column_int(rows, 0);
    return OK;
}

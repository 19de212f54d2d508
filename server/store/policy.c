/* SPDX-License-Identifier: Apache-2.0 */
/* Policies in versions, freezes. */
#include "server/store/policy.h"

#include "server/store/row.h"

const char *policy_scope_name(enum policy_scope scope)
{
    static const char *const names[] = {
        [SCOPE_PLATFORM] = "platform", [SCOPE_PROJECT] = "project", [SCOPE_KEY] = "key"};
    return names[scope];
}

void policy_row_clear(struct policy_row *r)
{
    buf_clear(&r->document);
    *r = (struct policy_row){0};
}

#define COLUMNS                                                                                                        \
    "o.version, o.document, o.author_id, COALESCE(a.name, ''), o.created_ms FROM policy o "                            \
    "LEFT JOIN principal a ON a.id = o.author_id WHERE o.scope = $1 AND o.scope_id = $2 "

static status policy_read(const struct db_rows *rows, struct policy_row *out, struct error *err)
{
    out->version = db_column_int(rows, 0);
    out->created_ms = db_column_int(rows, 4);
    COLUMN_COPY(out->author_id, rows, 2);
    COLUMN_COPY(out->author_name, rows, 3);
    buf_reset(&out->document);
    buf_add_text(&out->document, db_column_text(rows, 1));
    return buf_check(&out->document, err);
}

static void scope_set(struct policy_row *out, enum policy_scope scope, const char *scope_id)
{
    *out = (struct policy_row){.scope = scope};
    (void)text_copy(out->scope_id, sizeof(out->scope_id), scope_id);
}

status policy_find(struct db *db, enum policy_scope scope, const char *scope_id, struct policy_row *out,
                   struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    bool more = false;
    scope_set(out, scope, scope_id);
    TRY(db_query(db, "SELECT " COLUMNS "ORDER BY o.version DESC LIMIT 1",
                 DB_PARAMS(db_text(policy_scope_name(scope)), db_text(scope_id)), &rows, err));
    TRY(db_next(rows, &more, err));
    return more ? policy_read(rows, out, err) : OK;
}

status policy_insert(struct db *db, const struct policy_row *r, struct error *err)
{
    cleanup_buf struct buf text = {0};
    buf_add(&text, r->document.data, r->document.len);
    TRY(buf_check(&text, err));
    status result =
        db_exec(db,
                "INSERT INTO policy (scope, scope_id, version, document, author_id, created_ms) VALUES ($1, $2, $3, "
                "$4, $5, $6)",
                DB_PARAMS(db_text(policy_scope_name(r->scope)), db_text(r->scope_id), db_int(r->version),
                          db_text(text.len ? buf_text(&text) : ""), db_text(r->author_id), db_int(r->created_ms)),
                NULL, err);
    return row_conflict(result, err, "the policy has a version %lld already", (long long)r->version);
}

status policy_versions(struct db *db, enum policy_scope scope, const char *scope_id, int64_t before, int limit,
                       status (*each)(void *arg, const struct policy_row *r), void *arg, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    cleanup_policy_row struct policy_row r;
    scope_set(&r, scope, scope_id);
    TRY(db_query(db, "SELECT " COLUMNS "AND ($3 = 0 OR o.version < $3) ORDER BY o.version DESC LIMIT $4",
                 DB_PARAMS(db_text(policy_scope_name(scope)), db_text(scope_id), db_int(before), db_int(limit)), &rows,
                 err));
    for (bool more = false;;) {
        TRY(db_next(rows, &more, err));
        if (!more)
            return OK;
        TRY(policy_read(rows, &r, err));
        TRY(each(arg, &r));
    }
}

/* ---- freezes */

status freeze_find(struct db *db, enum policy_scope scope, const char *scope_id, struct freeze *out, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    bool more = false;
    *out = (struct freeze){0};
    TRY(db_query(db,
                 "SELECT f.reason, COALESCE(a.name, ''), f.since_ms FROM signing_freeze f "
                 "LEFT JOIN principal a ON a.id = f.author_id WHERE f.scope = $1 AND f.scope_id = $2",
                 DB_PARAMS(db_text(policy_scope_name(scope)), db_text(scope_id)), &rows, err));
    TRY(db_next(rows, &more, err));
    if (!more)
        return OK;
    *out = (struct freeze){.is_frozen = true, .since_ms = db_column_int(rows, 2)};
    COLUMN_COPY(out->reason, rows, 0);
    COLUMN_COPY(out->author_name, rows, 1);
    return OK;
}

status freeze_insert(struct db *db, enum policy_scope scope, const char *scope_id, const char *reason,
                     const char *author_id, int64_t now_ms, struct error *err)
{
    status result = db_exec(
        db, "INSERT INTO signing_freeze (scope, scope_id, reason, author_id, since_ms) VALUES ($1, $2, $3, $4, $5)",
        DB_PARAMS(db_text(policy_scope_name(scope)), db_text(scope_id), db_text(reason), db_text(author_id),
                  db_int(now_ms)),
        NULL, err);
    return row_conflict(result, err, "the %s is frozen already", policy_scope_name(scope));
}

status freeze_delete(struct db *db, enum policy_scope scope, const char *scope_id, struct error *err)
{
    int64_t changed = 0;
    TRY(db_exec(db, "DELETE FROM signing_freeze WHERE scope = $1 AND scope_id = $2",
                DB_PARAMS(db_text(policy_scope_name(scope)), db_text(scope_id)), &changed, err));
    return changed ? OK : error_set(err, CODE_NOT_FOUND, "the %s is not frozen", policy_scope_name(scope));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Connectors: name, type, settings. */
#include "server/store/connector.h"

#include "server/store/row.h"

#define COLUMNS "id, name, type, settings, revision, created_ms"

void connector_row_clear(struct connector_row *r)
{
    buf_clear(&r->settings);
    *r = (struct connector_row){0};
}

static status connector_read(const struct db_rows *rows, struct connector_row *out, struct error *err)
{
    COLUMN_COPY(out->id, rows, 0);
    COLUMN_COPY(out->name, rows, 1);
    COLUMN_COPY(out->type, rows, 2);
    buf_reset(&out->settings);
    buf_add_text(&out->settings, db_column_text(rows, 3));
    out->revision = db_column_int(rows, 4);
    out->created_ms = db_column_int(rows, 5);
    return buf_check(&out->settings, err);
}

status connector_insert(struct db *db, const struct connector_row *r, struct error *err)
{
    status result = db_exec(db, "INSERT INTO connector (" COLUMNS ") VALUES ($1, $2, $3, $4, 1, $5)",
                            DB_PARAMS(db_text(r->id), db_text(r->name), db_text(r->type),
                                      db_text(buf_text(&r->settings)), db_int(r->created_ms)),
                            NULL, err);
    return row_conflict(result, err, "name: there is a connector %s already", r->name);
}

status connector_find(struct db *db, const char *id_or_name, struct connector_row *out, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db, "SELECT " COLUMNS " FROM connector WHERE id = $1 OR name = $1 ORDER BY id = $1 DESC LIMIT 1",
                 DB_PARAMS(db_text(id_or_name)), &rows, err));
    TRY(row_expect(rows, "connector", err));
    return connector_read(rows, out, err);
}

status connector_update(struct db *db, const struct connector_row *r, struct error *err)
{
    int64_t changed = 0;
    TRY(db_exec(db, "UPDATE connector SET settings = $2, revision = revision + 1 WHERE id = $1",
                DB_PARAMS(db_text(r->id), db_text(buf_text(&r->settings))), &changed, err));
    return row_changed(changed, "connector", err);
}

static status connector_check_unused(struct db *db, const char *id, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    bool more = false;
    TRY(db_query(db,
                 "SELECT id FROM signing_key WHERE connector = $1 AND lifecycle <> 'destroyed' UNION ALL "
                 "SELECT id FROM job WHERE connector_id = $1 AND finished_ms = 0 LIMIT 1",
                 DB_PARAMS(db_text(id)), &rows, err));
    TRY(db_next(rows, &more, err));
    return more ? error_set(err, CODE_CONFLICT, "the connector is in use by %s", db_column_text(rows, 0)) : OK;
}

status connector_delete(struct db *db, const char *id, struct error *err)
{
    int64_t changed = 0;
    TRY(connector_check_unused(db, id, err));
    TRY(db_exec(db, "DELETE FROM job WHERE connector_id = $1", DB_PARAMS(db_text(id)), NULL, err));
    TRY(db_exec(db, "DELETE FROM connector WHERE id = $1", DB_PARAMS(db_text(id)), &changed, err));
    return row_changed(changed, "connector", err);
}

status connector_list(struct db *db, struct page page, status (*each)(void *arg, const struct connector_row *r),
                      void *arg, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    cleanup_connector_row struct connector_row r = {0};
    TRY(db_query(db,
                 "SELECT " COLUMNS " FROM connector WHERE name > $1 AND ($2 = '' OR type = $2) AND " NAME_BEGINS(
                     "name", "$3") " ORDER BY name LIMIT $4",
                 DB_PARAMS(db_text(page_after(page)), db_text(filter_text(page.type)), db_text(filter_text(page.name)),
                           db_int(page_limit(page))),
                 &rows, err));
    for (bool more = false;;) {
        TRY(db_next(rows, &more, err));
        if (!more)
            return OK;
        TRY(connector_read(rows, &r, err));
        TRY(each(arg, &r));
    }
}

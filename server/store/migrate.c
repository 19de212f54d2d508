/* SPDX-License-Identifier: Apache-2.0 */
/* Each migration runs in one transaction with its row in schema_migration, so a crash leaves the one before or the one
 * after, nothing between. Several servers that start at once take turns. */
#include "server/store/migrate.h"

#include <string.h>

#include "common/clock.h"

/* Any number that no other program takes in the same database. */
#define MIGRATION_LOCK "SELECT pg_advisory_xact_lock(7102948310)"

static const char *placeholder_find(const struct db_dialect *dialect, const char *at, size_t *len)
{
    const struct {
        const char *name, *text;
    } rows[] = {{"{int}", dialect->int_type},       {"{serial}", dialect->serial_type}, {"{text}", dialect->text_type},
                {"{blob}", dialect->blob_type},     {"{strict}", dialect->strict},      {"{zeros}", dialect->zeros},
                {"{clustered}", dialect->clustered}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        *len = strlen(rows[i].name);
        if (strncmp(at, rows[i].name, *len) == 0)
            return rows[i].text;
    }
    return NULL;
}

void migration_translate(const struct db_dialect *dialect, const char *sql, struct buf *out)
{
    while (*sql) {
        size_t plain = strcspn(sql, "{");
        buf_add(out, sql, plain);
        sql += plain;
        size_t len = 0;
        const char *text = *sql ? placeholder_find(dialect, sql, &len) : NULL;
        if (text) {
            buf_add_text(out, text);
            sql += len;
        } else if (*sql) {
            buf_add_byte(out, (uint8_t)*sql++);
        }
    }
}

static status table_ensure(struct db *db, struct error *err)
{
    cleanup_buf struct buf sql = {0};
    migration_translate(&db->driver->dialect,
                        "CREATE TABLE IF NOT EXISTS schema_migration (number {int} PRIMARY KEY, name {text} NOT NULL, "
                        "applied_ms {int} NOT NULL) {strict}",
                        &sql);
    TRY(buf_check(&sql, err));
    return db->driver->script(db, buf_text(&sql), err);
}

status migrations_version(struct db *db, int64_t *out, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db, "SELECT COALESCE(MAX(number), 0) FROM schema_migration", NULL, 0, &rows, err));

    bool more = false;
    TRY(db_next(rows, &more, err));
    *out = more ? db_column_int(rows, 0) : 0;
    return OK;
}

static status migration_run(struct db *db, const struct migration *m, struct error *err)
{
    cleanup_buf struct buf sql = {0};
    migration_translate(&db->driver->dialect, m->sql, &sql);
    TRY(buf_check(&sql, err));
    TRY(db->driver->script(db, buf_text(&sql), err));
    return db_exec(db, "INSERT INTO schema_migration (number, name, applied_ms) VALUES ($1, $2, $3)",
                   DB_PARAMS(db_int(m->number), db_text(m->name), db_int(clock_now_ms())), NULL, err);
}

int64_t migrations_newest(void)
{
    return migrations[migration_count - 1].number;
}

/* Inside a transaction: applies the next one up to last; *done when there is none. */
static status migration_step(struct db *db, int64_t last, bool *done, struct error *err)
{
    if (db->driver->row_locks)
        TRY(db->driver->script(db, MIGRATION_LOCK, err));
    TRY(table_ensure(db, err));

    int64_t version = 0;
    TRY(migrations_version(db, &version, err));
    int64_t newest = migrations_newest();
    if (version > newest)
        return error_set(err, CODE_CONFLICT,
                         "the store has schema %lld, this program knows up to %lld: it was used by a newer version",
                         (long long)version, (long long)newest);

    *done = version >= last;
    for (size_t i = 0; i < migration_count && !*done; i++) {
        if (migrations[i].number == version + 1)
            return migration_run(db, &migrations[i], err);
    }
    return OK;
}

status migrations_apply(struct db *db, int64_t last, struct error *err)
{
    bool done = false;
    while (!done) {
        TRY(db_begin(db, err));
        status result = migration_step(db, last, &done, err);
        if (!is_ok(result)) {
            db_rollback(db);
            return result;
        }
        TRY(db_commit(db, err));
    }
    return OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions of browsers. The secret is kept as SHA-256 only: it has 256 random bits (I8). */
#include "server/store/principal.h"

#define COLUMNS                                                                                                        \
    "s.id, s.user_id, s.api_key_id, s.sha256, s.address, s.created_ms, s.last_used_ms, s.expires_ms, k.scopes, "       \
    "s.confirmed_until_ms, s.is_limited"
#define FROM " FROM web_session s LEFT JOIN api_key k ON k.id = s.api_key_id "
enum { COLUMN_COUNT = 11 };

/* Also removes the user's that have ended. */
status web_session_insert(struct db *db, const struct web_session *s, struct error *err)
{
    struct slice hash = {s->sha256, sizeof(s->sha256)};
    TRY(db_exec(db, "DELETE FROM web_session WHERE user_id = $1 AND expires_ms <= $2",
                DB_PARAMS(db_text(s->user_id), db_int(s->created_ms)), NULL, err));
    return db_exec(db,
                   "INSERT INTO web_session (id, user_id, api_key_id, sha256, address, created_ms, last_used_ms, "
                   "expires_ms, confirmed_until_ms, is_limited) VALUES ($1, $2, $3, $4, $5, $6, $6, $7, $8, $9)",
                   DB_PARAMS(db_text(s->id), db_text(s->user_id), *s->api_key_id ? db_text(s->api_key_id) : db_null(),
                             db_blob(hash), db_text(s->address), db_int(s->created_ms), db_int(s->expires_ms),
                             db_int(s->confirmed_until_ms), db_int(s->is_limited)),
                   NULL, err);
}

static status web_session_read(const struct db_rows *rows, struct web_session *out, struct error *err)
{
    *out = (struct web_session){.created_ms = db_column_int(rows, 5),
                                .last_used_ms = db_column_int(rows, 6),
                                .expires_ms = db_column_int(rows, 7),
                                .scopes = db_column_is_null(rows, 2) ? SCOPE_ALL : (unsigned)db_column_int(rows, 8),
                                .confirmed_until_ms = db_column_int(rows, 9),
                                .is_limited = db_column_int(rows, 10) != 0};
    COLUMN_COPY(out->id, rows, 0);
    COLUMN_COPY(out->user_id, rows, 1);
    COLUMN_COPY(out->api_key_id, rows, 2);
    COLUMN_COPY(out->address, rows, 4);
    return column_blob_exact(out->sha256, sizeof(out->sha256), rows, 3, err);
}

status web_session_find(struct db *db, const uint8_t sha256[32], struct web_session *out, struct principal *p,
                        struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db,
                 "SELECT " COLUMNS ", " PRINCIPAL_COLUMNS("p.") FROM
                 "JOIN principal p ON p.id = s.user_id WHERE s.sha256 = $1",
                 DB_PARAMS(db_blob((struct slice){sha256, 32})), &rows, err));
    TRY(row_expect(rows, "session", err));
    principal_read(rows, COLUMN_COUNT, p);
    return web_session_read(rows, out, err);
}

/* In the order of ids. */
status web_session_list(struct db *db, const char *user_id, struct page page,
                        status (*each)(void *arg, const struct web_session *s), void *arg, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db, "SELECT " COLUMNS FROM "WHERE s.user_id = $1 AND s.id > $2 ORDER BY s.id LIMIT $3",
                 DB_PARAMS(db_text(user_id), db_text(page_after(page)), db_int(page_limit(page))), &rows, err));

    for (bool more = false;;) {
        TRY(db_next(rows, &more, err));
        if (!more)
            return OK;
        struct web_session s;
        TRY(web_session_read(rows, &s, err));
        TRY(each(arg, &s));
    }
}

status web_session_delete(struct db *db, const char *user_id, const char *id, struct error *err)
{
    int64_t changed = 0;
    TRY(db_exec(db, "DELETE FROM web_session WHERE user_id = $1 AND id = $2", DB_PARAMS(db_text(user_id), db_text(id)),
                &changed, err));
    return row_changed(changed, "session", err);
}

status web_session_touch(struct db *db, const char *id, int64_t now_ms, struct error *err)
{
    return db_exec(db, "UPDATE web_session SET last_used_ms = $2 WHERE id = $1 AND last_used_ms < $2",
                   DB_PARAMS(db_text(id), db_int(now_ms)), NULL, err);
}

status web_session_delete_all(struct db *db, const char *user_id, int64_t *count, struct error *err)
{
    return db_exec(db, "DELETE FROM web_session WHERE user_id = $1", DB_PARAMS(db_text(user_id)), count, err);
}

status web_session_delete_by_password(struct db *db, const char *user_id, const char *kept_id, struct error *err)
{
    return db_exec(db, "DELETE FROM web_session WHERE user_id = $1 AND api_key_id IS NULL AND id <> $2",
                   DB_PARAMS(db_text(user_id), db_text(kept_id)), NULL, err);
}

status web_session_confirm(struct db *db, const char *id, int64_t until_ms, struct error *err)
{
    int64_t changed = 0;
    TRY(db_exec(db, "UPDATE web_session SET confirmed_until_ms = $2 WHERE id = $1",
                DB_PARAMS(db_text(id), db_int(until_ms)), &changed, err));
    return row_changed(changed, "session", err);
}

status web_session_unlimit(struct db *db, const char *id, struct error *err)
{
    return db_exec(db, "UPDATE web_session SET is_limited = 0 WHERE id = $1", DB_PARAMS(db_text(id)), NULL, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys of service accounts, API keys, access tokens, single-use assertion ids. Secrets only as hashes (I8). */
#include "server/store/principal.h"

#define API_KEY_COLUMNS "id, user_id, name, secret_sha256, created_ms, expires_ms, last_used_ms, scopes"

/* Expired rows stay for as long as a clock may be wrong. */
enum { EXPIRY_MARGIN_MS = 2 * LIMIT_CLOCK_SKEW_SECONDS * 1000 };

void account_key_clear(struct account_key *k)
{
    buf_clear(&k->spki);
    *k = (struct account_key){0};
}

status account_key_insert(struct db *db, const struct account_key *k, struct error *err)
{
    status result =
        db_exec(db,
                "INSERT INTO account_key (id, account_id, algorithm, spki, created_ms, last_used_ms, "
                "expires_ms) VALUES ($1, $2, $3, $4, $5, $6, $7)",
                DB_PARAMS(db_text(k->id), db_text(k->account_id), db_text(k->algorithm), db_blob(buf_slice(&k->spki)),
                          db_int(k->created_ms), db_int(k->last_used_ms), db_int(k->expires_ms)),
                NULL, err);
    return row_conflict(result, err, "the account key exists already, or its service account does not");
}

static void account_key_read(const struct db_rows *rows, struct account_key *out)
{
    COLUMN_COPY(out->id, rows, 0);
    COLUMN_COPY(out->account_id, rows, 1);
    COLUMN_COPY(out->algorithm, rows, 2);
    column_blob_copy(&out->spki, rows, 3);
    out->created_ms = db_column_int(rows, 4);
    out->last_used_ms = db_column_int(rows, 5);
    out->expires_ms = db_column_int(rows, 6);
}

static status account_key_walk(struct db_rows *rows, struct account_key *k,
                               status (*each)(void *arg, const struct account_key *k), void *arg, struct error *err)
{
    for (bool more = false;;) {
        TRY(db_next(rows, &more, err));
        if (!more)
            return OK;
        account_key_read(rows, k);
        TRY(buf_check(&k->spki, err));
        TRY(each(arg, k));
    }
}

/* Oldest first. */
status account_key_list(struct db *db, const char *account_id, status (*each)(void *arg, const struct account_key *k),
                        void *arg, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db,
                 "SELECT id, account_id, algorithm, spki, created_ms, last_used_ms, expires_ms FROM account_key "
                 "WHERE account_id = $1 ORDER BY created_ms, id",
                 DB_PARAMS(db_text(account_id)), &rows, err));

    struct account_key k = {0};
    status result = account_key_walk(rows, &k, each, arg, err);
    account_key_clear(&k);
    return result;
}

status account_key_delete(struct db *db, const char *account_id, const char *id, struct error *err)
{
    int64_t changed = 0;
    TRY(db_exec(db, "DELETE FROM account_key WHERE account_id = $1 AND id = $2",
                DB_PARAMS(db_text(account_id), db_text(id)), &changed, err));
    TRY(row_changed(changed, "account key", err));
    return db_exec(db, "DELETE FROM access_token WHERE principal_id = $1", DB_PARAMS(db_text(account_id)), NULL, err);
}

status account_key_check(struct db *db, const char *account_id, const char *id, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db, "SELECT 1 FROM account_key WHERE account_id = $1 AND id = $2",
                 DB_PARAMS(db_text(account_id), db_text(id)), &rows, err));
    return row_expect(rows, "account key", err);
}

status account_key_touch(struct db *db, const char *id, int64_t now_ms, struct error *err)
{
    return db_exec(db, "UPDATE account_key SET last_used_ms = $2 WHERE id = $1 AND last_used_ms < $2",
                   DB_PARAMS(db_text(id), db_int(now_ms)), NULL, err);
}

status api_key_insert(struct db *db, const struct api_key *k, struct error *err)
{
    struct slice secret = {k->secret_sha256, sizeof(k->secret_sha256)};
    status result =
        db_exec(db, "INSERT INTO api_key (" API_KEY_COLUMNS ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                DB_PARAMS(db_text(k->id), db_text(k->user_id), db_text(k->name), db_blob(secret), db_int(k->created_ms),
                          db_int(k->expires_ms), db_int(k->last_used_ms), db_int(k->scopes)),
                NULL, err);
    return row_conflict(result, err, "name: the user has an API key %s already", k->name);
}

static status api_key_read(const struct db_rows *rows, struct api_key *out, struct error *err)
{
    *out = (struct api_key){.created_ms = db_column_int(rows, 4),
                            .expires_ms = db_column_int(rows, 5),
                            .last_used_ms = db_column_int(rows, 6),
                            .scopes = (unsigned)db_column_int(rows, 7)};
    COLUMN_COPY(out->id, rows, 0);
    COLUMN_COPY(out->user_id, rows, 1);
    COLUMN_COPY(out->name, rows, 2);
    return column_blob_exact(out->secret_sha256, sizeof(out->secret_sha256), rows, 3, err);
}

status api_key_find(struct db *db, const char *id, struct api_key *out, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db, "SELECT " API_KEY_COLUMNS " FROM api_key WHERE id = $1", DB_PARAMS(db_text(id)), &rows, err));
    TRY(row_expect(rows, "API key", err));
    return api_key_read(rows, out, err);
}

/* Oldest first. */
status api_key_list(struct db *db, const char *user_id, status (*each)(void *arg, const struct api_key *k), void *arg,
                    struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db, "SELECT " API_KEY_COLUMNS " FROM api_key WHERE user_id = $1 ORDER BY created_ms, id",
                 DB_PARAMS(db_text(user_id)), &rows, err));

    for (bool more = false;;) {
        TRY(db_next(rows, &more, err));
        if (!more)
            return OK;
        struct api_key k;
        TRY(api_key_read(rows, &k, err));
        TRY(each(arg, &k));
    }
}

status api_key_count(struct db *db, const char *user_id, int64_t *out, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db, "SELECT COUNT(*) FROM api_key WHERE user_id = $1", DB_PARAMS(db_text(user_id)), &rows, err));
    TRY(row_expect(rows, "API key", err));
    *out = db_column_int(rows, 0);
    return OK;
}

status api_key_delete(struct db *db, const char *user_id, const char *id, struct error *err)
{
    int64_t changed = 0;
    TRY(db_exec(db, "DELETE FROM web_session WHERE user_id = $1 AND api_key_id = $2",
                DB_PARAMS(db_text(user_id), db_text(id)), NULL, err));
    TRY(db_exec(db, "DELETE FROM api_key WHERE user_id = $1 AND id = $2", DB_PARAMS(db_text(user_id), db_text(id)),
                &changed, err));
    return row_changed(changed, "API key", err);
}

status api_key_touch(struct db *db, const char *id, int64_t now_ms, struct error *err)
{
    return db_exec(db, "UPDATE api_key SET last_used_ms = $2 WHERE id = $1 AND last_used_ms < $2",
                   DB_PARAMS(db_text(id), db_int(now_ms)), NULL, err);
}

status access_token_insert(struct db *db, const struct access_token *t, struct error *err)
{
    TRY(db_exec(db, "DELETE FROM access_token WHERE expires_ms < $1",
                DB_PARAMS(db_int(clock_now_ms() - EXPIRY_MARGIN_MS)), NULL, err));
    struct slice hash = {t->sha256, sizeof(t->sha256)};
    return db_exec(db, "INSERT INTO access_token (sha256, principal_id, expires_ms) VALUES ($1, $2, $3)",
                   DB_PARAMS(db_blob(hash), db_text(t->principal_id), db_int(t->expires_ms)), NULL, err);
}

status access_token_find(struct db *db, const uint8_t sha256[32], struct access_token *t, struct principal *p,
                         struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db,
                 "SELECT t.sha256, t.principal_id, t.expires_ms, " PRINCIPAL_COLUMNS(
                     "p.") " FROM access_token t "
                           "JOIN principal p ON p.id = t.principal_id WHERE t.sha256 = $1",
                 DB_PARAMS(db_blob((struct slice){sha256, 32})), &rows, err));
    TRY(row_expect(rows, "access token", err));

    COLUMN_COPY(t->principal_id, rows, 1);
    t->expires_ms = db_column_int(rows, 2);
    principal_read(rows, 3, p);
    return column_blob_exact(t->sha256, sizeof(t->sha256), rows, 0, err);
}

status assertion_id_insert(struct db *db, const char *principal_id, const char *jti, int64_t expires_ms,
                           struct error *err)
{
    TRY(db_exec(db, "DELETE FROM assertion_id WHERE expires_ms < $1",
                DB_PARAMS(db_int(clock_now_ms() - EXPIRY_MARGIN_MS)), NULL, err));
    status result = db_exec(db, "INSERT INTO assertion_id (principal_id, jti, expires_ms) VALUES ($1, $2, $3)",
                            DB_PARAMS(db_text(principal_id), db_text(jti), db_int(expires_ms)), NULL, err);
    return row_conflict(result, err, "jti: the assertion was used before");
}

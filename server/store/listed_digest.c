/* SPDX-License-Identifier: Apache-2.0 */
/* The digests that a key with a list may sign. */
#include "server/store/policy.h"

#include "server/store/row.h"

#define COLUMNS                                                                                                        \
    "d.key_id, d.hash, d.digest, d.remaining, d.expires_ms, d.created_ms, d.note, COALESCE(a.name, '') "               \
    "FROM listed_digest d LEFT JOIN principal a ON a.id = d.author_id WHERE d.key_id = $1 "

static void digest_read(const struct db_rows *rows, struct listed_digest *out)
{
    *out = (struct listed_digest){.remaining = db_column_int(rows, 3),
                                  .expires_ms = db_column_int(rows, 4),
                                  .created_ms = db_column_int(rows, 5)};
    COLUMN_COPY(out->key_id, rows, 0);
    COLUMN_COPY(out->hash, rows, 1);
    COLUMN_COPY(out->digest, rows, 2);
    COLUMN_COPY(out->note, rows, 6);
    COLUMN_COPY(out->author_name, rows, 7);
}

status listed_digest_put(struct db *db, const struct listed_digest *d, const char *author_id, struct error *err)
{
    return db_exec(
        db,
        "INSERT INTO listed_digest (key_id, hash, digest, remaining, expires_ms, note, author_id, created_ms) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (key_id, hash, digest) DO UPDATE SET "
        "remaining = excluded.remaining, expires_ms = excluded.expires_ms, note = excluded.note, "
        "author_id = excluded.author_id, created_ms = excluded.created_ms",
        DB_PARAMS(db_text(d->key_id), db_text(d->hash), db_text(d->digest), db_int(d->remaining), db_int(d->expires_ms),
                  db_text(d->note), db_text(author_id), db_int(d->created_ms)),
        NULL, err);
}

status listed_digest_find(struct db *db, const char *key_id, const char *hash, const char *digest,
                          struct listed_digest *out, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db, "SELECT " COLUMNS "AND d.hash = $2 AND d.digest = $3",
                 DB_PARAMS(db_text(key_id), db_text(hash), db_text(digest)), &rows, err));
    TRY(row_expect(rows, "digest", err));
    digest_read(rows, out);
    return OK;
}

status listed_digest_delete(struct db *db, const char *key_id, const char *hash, const char *digest, struct error *err)
{
    int64_t changed = 0;
    TRY(db_exec(db, "DELETE FROM listed_digest WHERE key_id = $1 AND hash = $2 AND digest = $3",
                DB_PARAMS(db_text(key_id), db_text(hash), db_text(digest)), &changed, err));
    return row_changed(changed, "digest", err);
}

status listed_digest_add(struct db *db, const char *key_id, const char *hash, const char *digest, int by,
                         struct error *err)
{
    return db_exec(db,
                   "UPDATE listed_digest SET remaining = remaining + $4 WHERE key_id = $1 AND hash = $2 "
                   "AND digest = $3 AND remaining >= 0",
                   DB_PARAMS(db_text(key_id), db_text(hash), db_text(digest), db_int(by)), NULL, err);
}

status listed_digest_list(struct db *db, const char *key_id, struct page page,
                          status (*each)(void *arg, const struct listed_digest *d), void *arg, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db,
                 "SELECT " COLUMNS "AND (d.hash || '.' || d.digest) > $2 ORDER BY d.hash || '.' || d.digest LIMIT $3",
                 DB_PARAMS(db_text(key_id), db_text(page_after(page)), db_int(page_limit(page))), &rows, err));
    for (bool more = false;;) {
        TRY(db_next(rows, &more, err));
        if (!more)
            return OK;
        struct listed_digest d;
        digest_read(rows, &d);
        TRY(each(arg, &d));
    }
}

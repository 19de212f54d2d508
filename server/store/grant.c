/* SPDX-License-Identifier: Apache-2.0 */
/* What approved requests give. Used inside the intent's transaction alone, where no two uses run at once. */
#include "server/store/approval.h"
#include "server/store/row.h"

status grant_insert(struct db *db, const struct approval *a, struct error *err)
{
    status result =
        db_exec(db,
                "INSERT INTO approval_grant (request_id, key_id, principal_id, by_digest, break_glass, approvals, "
                "remaining, not_before_ms, not_after_ms, is_revoked) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0)",
                DB_PARAMS(db_text(a->id), db_text(a->key_id), db_text(a->requester_id), db_int(a->signatures == 0),
                          db_int(a->break_glass), db_int(a->approvals), db_int(a->remaining), db_int(a->not_before_ms),
                          db_int(a->not_after_ms)),
                NULL, err);
    return row_conflict(result, err, "the request is granted already");
}

status grant_revoke(struct db *db, const char *id, struct error *err)
{
    int64_t changed = 0;
    TRY(db_exec(db, "UPDATE approval_grant SET is_revoked = 1 WHERE request_id = $1", DB_PARAMS(db_text(id)), &changed,
                err));
    return row_changed(changed, "grant", err);
}

status grant_find(struct db *db, const struct grant_use *use, struct grant *out, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    bool more = false;
    *out = (struct grant){0};
    TRY(db_query(db,
                 "SELECT g.request_id, g.by_digest FROM approval_grant g LEFT JOIN approval_digest d "
                 "ON d.request_id = g.request_id AND d.hash = $3 AND d.digest = $4 "
                 "WHERE g.key_id = $1 AND g.principal_id = $2 AND g.not_after_ms > $5 AND g.not_before_ms <= $5 "
                 "AND g.is_revoked = 0 AND g.remaining > 0 AND (g.by_digest = 0 OR d.remaining > 0) "
                 "AND (g.approvals >= $6 OR g.break_glass = 1) "
                 "ORDER BY g.by_digest DESC, g.not_after_ms, g.request_id LIMIT 1",
                 DB_PARAMS(db_text(use->key_id), db_text(use->principal_id), db_text(use->hash), db_text(use->digest),
                           db_int(use->now_ms), db_int(use->needed)),
                 &rows, err));
    TRY(db_next(rows, &more, err));
    if (!more)
        return OK;
    COLUMN_COPY(out->request_id, rows, 0);
    out->by_digest = db_column_int(rows, 1) != 0;
    return OK;
}

static status digest_add(struct db *db, const struct grant *g, const char *hash, const char *digest, int by,
                         int64_t *changed, struct error *err)
{
    return db_exec(db,
                   "UPDATE approval_digest SET remaining = remaining + $4 WHERE request_id = $1 AND hash = $2 "
                   "AND digest = $3 AND remaining + $4 >= 0",
                   DB_PARAMS(db_text(g->request_id), db_text(hash), db_text(digest), db_int(by)), changed, err);
}

status grant_add(struct db *db, const struct grant *g, const char *hash, const char *digest, int by, struct error *err)
{
    int64_t changed = 1;
    if (g->by_digest)
        TRY(digest_add(db, g, hash, digest, by, &changed, err));
    if (changed > 0)
        TRY(db_exec(db,
                    "UPDATE approval_grant SET remaining = remaining + $2 WHERE request_id = $1 "
                    "AND remaining + $2 >= 0",
                    DB_PARAMS(db_text(g->request_id), db_int(by)), &changed, err));
    return changed > 0 ? OK : error_set(err, CODE_CONFLICT, "the grant is used up");
}

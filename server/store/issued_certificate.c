/* SPDX-License-Identifier: Apache-2.0 */
/* The certificates that the CAs issued, and which of them are revoked. */
#include "server/store/ca.h"
#include "server/store/row.h"

#define COLUMNS                                                                                                        \
    "ca, serial, profile, key_id, version, subject, not_before_ms, not_after_ms, issued_ms, revoked_ms, reason, "      \
    "invalid_ms"

void issued_certificate_clear(struct issued_certificate *c)
{
    buf_clear(&c->certificate);
    *c = (struct issued_certificate){0};
}

status issued_certificate_insert(struct db *db, const struct issued_certificate *c, struct error *err)
{
    status result = db_exec(
        db,
        "INSERT INTO issued_certificate (ca, serial, profile, key_id, version, subject, not_before_ms, not_after_ms, "
        "issued_ms, certificate) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        DB_PARAMS(db_text(c->ca), db_text(c->serial), db_text(c->profile), db_text(c->key_id), db_int(c->version),
                  db_text(c->subject), db_int(c->not_before_ms), db_int(c->not_after_ms), db_int(c->issued_ms),
                  db_blob(buf_slice(&c->certificate))),
        NULL, err);
    return row_conflict(result, err, "the CA %s has issued the serial %s already", c->ca, c->serial);
}

static void issued_read(const struct db_rows *rows, struct issued_certificate *out)
{
    COLUMN_COPY(out->ca, rows, 0);
    COLUMN_COPY(out->serial, rows, 1);
    COLUMN_COPY(out->profile, rows, 2);
    COLUMN_COPY(out->key_id, rows, 3);
    out->version = (int)db_column_int(rows, 4);
    COLUMN_COPY(out->subject, rows, 5);
    out->not_before_ms = db_column_int(rows, 6);
    out->not_after_ms = db_column_int(rows, 7);
    out->issued_ms = db_column_int(rows, 8);
    out->revoked_ms = db_column_int(rows, 9);
    out->reason = (int)db_column_int(rows, 10);
    out->invalid_ms = db_column_int(rows, 11);
}

status issued_certificate_find(struct db *db, const char *ca, const char *serial, struct issued_certificate *out,
                               struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db, "SELECT " COLUMNS ", certificate FROM issued_certificate WHERE ca = $1 AND serial = $2",
                 DB_PARAMS(db_text(ca), db_text(serial)), &rows, err));
    TRY(row_expect(rows, "certificate", err));
    issued_read(rows, out);
    column_blob_copy(&out->certificate, rows, 12);
    return buf_check(&out->certificate, err);
}

status issued_certificate_status(struct db *db, const char *ca, const char *serial, struct issued_certificate *out,
                                 struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db, "SELECT " COLUMNS " FROM issued_certificate WHERE ca = $1 AND serial = $2",
                 DB_PARAMS(db_text(ca), db_text(serial)), &rows, err));
    TRY(row_expect(rows, "certificate", err));
    issued_read(rows, out);
    return OK;
}

typedef status (*issued_each)(void *arg, const struct issued_certificate *c);

static status issued_walk(struct db_rows *rows, bool with_certificate, issued_each each, void *arg, struct error *err)
{
    cleanup_issued_certificate struct issued_certificate c = {0};
    for (bool more = false;;) {
        TRY(db_next(rows, &more, err));
        if (!more)
            return OK;
        issued_read(rows, &c);
        if (with_certificate)
            column_blob_copy(&c.certificate, rows, 12);
        TRY(buf_check(&c.certificate, err));
        TRY(each(arg, &c));
    }
}

status issued_certificate_list(struct db *db, const struct issued_filter *filter, struct page page, issued_each each,
                               void *arg, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db,
                 "SELECT " COLUMNS ", certificate FROM issued_certificate WHERE ca = $1 AND serial > $2 AND ($3 = '' "
                 "OR ($3 = 'revoked' AND revoked_ms <> 0) "
                 "OR ($3 = 'expired' AND revoked_ms = 0 AND not_after_ms < $4) "
                 "OR ($3 = 'valid' AND revoked_ms = 0 AND not_after_ms >= $4)) "
                 "AND ($5 = CAST(0 AS BIGINT) OR not_after_ms < $5) ORDER BY serial LIMIT $6",
                 DB_PARAMS(db_text(filter->ca), db_text(page_after(page)), db_text(filter_text(filter->state)),
                           db_int(filter->now_ms), db_int(filter->expires_before_ms), db_int(page_limit(page))),
                 &rows, err));
    return issued_walk(rows, true, each, arg, err);
}

status issued_certificate_list_revoked(struct db *db, const char *ca, issued_each each, void *arg, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db,
                 "SELECT " COLUMNS " FROM issued_certificate WHERE ca = $1 AND revoked_ms <> 0 ORDER BY revoked_ms, "
                 "serial",
                 DB_PARAMS(db_text(ca)), &rows, err));
    return issued_walk(rows, false, each, arg, err);
}

status issued_certificate_list_key(struct db *db, const char *key_id, int version, issued_each each, void *arg,
                                   struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db,
                 "SELECT " COLUMNS ", certificate FROM issued_certificate WHERE key_id = $1 AND version = $2 AND "
                 "revoked_ms = 0 ORDER BY issued_ms, serial",
                 DB_PARAMS(db_text(key_id), db_int(version)), &rows, err));
    return issued_walk(rows, true, each, arg, err);
}

/* Present and replaced certificates of keys, and CAs below others. */
status issued_certificate_list_missing(struct db *db, issued_each each, void *arg, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db,
                 "SELECT v.ca, '', 'code_signing', v.key_id, v.version, '', 0, 0, 0, 0, 0, 0, v.certificate "
                 "FROM key_version v WHERE v.ca <> '' AND v.certificate IS NOT NULL AND NOT EXISTS (SELECT 1 FROM "
                 "issued_certificate i WHERE i.key_id = v.key_id AND i.version = v.version) "
                 "UNION ALL SELECT v.ca, '', 'code_signing', c.key_id, c.version, '', 0, 0, 0, 0, 0, 0, c.certificate "
                 "FROM key_certificate c JOIN key_version v ON v.key_id = c.key_id AND v.version = c.version "
                 "WHERE v.ca <> '' AND NOT EXISTS (SELECT 1 FROM issued_certificate i WHERE i.key_id = c.key_id AND "
                 "i.version = c.version) "
                 "UNION ALL SELECT a.parent, '', 'issuing_code_signing', '', 0, '', 0, 0, 0, 0, 0, 0, a.certificate "
                 "FROM certificate_authority a WHERE a.parent <> '' AND a.name = 'issuing' AND NOT EXISTS (SELECT 1 "
                 "FROM issued_certificate i WHERE i.ca = a.parent)",
                 NULL, 0, &rows, err));
    return issued_walk(rows, true, each, arg, err);
}

status issued_certificate_revoke(struct db *db, const struct issued_certificate *c, struct error *err)
{
    int64_t changed = 0;
    TRY(db_exec(
        db,
        "UPDATE issued_certificate SET revoked_ms = $3, reason = $4, invalid_ms = $5 WHERE ca = $1 AND "
        "serial = $2 AND revoked_ms = 0",
        DB_PARAMS(db_text(c->ca), db_text(c->serial), db_int(c->revoked_ms), db_int(c->reason), db_int(c->invalid_ms)),
        &changed, err));
    if (changed == 0)
        return error_set(err, CODE_CONFLICT, "the certificate %s of %s is revoked already", c->serial, c->ca);
    TRY(db_exec(db, "UPDATE certificate_authority SET revocations = revocations + 1 WHERE name = $1",
                DB_PARAMS(db_text(c->ca)), NULL, err));
    TRY(db_exec(
        db, "UPDATE key_version SET revoked_ms = $3 WHERE key_id = $1 AND version = $2 AND certificate = $4",
        DB_PARAMS(db_text(c->key_id), db_int(c->version), db_int(c->revoked_ms), db_blob(buf_slice(&c->certificate))),
        &changed, err));
    return changed ? db_exec(db, "UPDATE signing_key SET revision = revision + 1 WHERE id = $1",
                             DB_PARAMS(db_text(c->key_id)), NULL, err)
                   : OK;
}

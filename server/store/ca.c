/* SPDX-License-Identifier: Apache-2.0 */
/* The certificate authorities: name, key in the HSM, certificate. */
#include "server/store/row.h"

void ca_row_clear(struct ca_row *r)
{
    buf_clear(&r->certificate);
    *r = (struct ca_row){0};
}

status ca_row_insert(struct db *db, const struct ca_row *r, struct error *err)
{
    struct slice hsm_id = {r->hsm_id, sizeof(r->hsm_id)};
    status result =
        db_exec(db, "INSERT INTO certificate_authority (name, hsm_id, certificate) VALUES ($1, $2, $3)",
                DB_PARAMS(db_text(r->name), db_blob(hsm_id), db_blob(buf_slice(&r->certificate))), NULL, err);
    return row_conflict(result, err, "there is a certificate authority %s already", r->name);
}

status ca_row_find(struct db *db, const char *name, struct ca_row *out, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db, "SELECT name, hsm_id, certificate FROM certificate_authority WHERE name = $1",
                 DB_PARAMS(db_text(name)), &rows, err));
    TRY(row_expect(rows, "certificate authority", err));

    COLUMN_COPY(out->name, rows, 0);
    column_blob_copy(&out->certificate, rows, 2);
    TRY(buf_check(&out->certificate, err));
    return column_blob_exact(out->hsm_id, sizeof(out->hsm_id), rows, 1, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The certificate authorities: name, key in the HSM, certificate, CRL; their OCSP responders. */
#include "server/store/ca.h"

#include <string.h>

#include "server/store/row.h"

#define COLUMNS                                                                                                        \
    "name, hsm_id, certificate, parent, purpose, state, subject, chain, policy, leaf_days, crl_days, created_ms, "     \
    "revision, revocations, crl_number, crl_revocations, crl_this_ms, crl_next_ms"

static const char *const purposes[CA_PURPOSE_COUNT] = {"root", "code_signing", "timestamping"};
static const char *const states[CA_STATE_COUNT] = {"active", "awaiting_certificate", "retired"};

static bool word_find(const char *const *words, int count, const char *name, int *out)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(words[i], name) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

const char *ca_purpose_name(enum ca_purpose p)
{
    return purposes[p];
}

bool ca_purpose_parse(const char *name, enum ca_purpose *out)
{
    int i = 0;
    bool found = word_find(purposes, CA_PURPOSE_COUNT, name, &i);
    *out = (enum ca_purpose)i;
    return found;
}

const char *ca_state_name(enum ca_state s)
{
    return states[s];
}

bool ca_state_parse(const char *name, enum ca_state *out)
{
    int i = 0;
    bool found = word_find(states, CA_STATE_COUNT, name, &i);
    *out = (enum ca_state)i;
    return found;
}

void ca_row_clear(struct ca_row *r)
{
    buf_clear(&r->certificate);
    buf_clear(&r->chain);
    *r = (struct ca_row){0};
}

/* A column that is not NULL, of a value that may be empty. */
static struct db_value blob_or_empty(const struct buf *b)
{
    static const uint8_t nothing[1];
    return db_blob(b->len ? buf_slice(b) : (struct slice){nothing, 0});
}

status ca_row_insert(struct db *db, const struct ca_row *r, struct error *err)
{
    struct slice hsm_id = {r->hsm_id, sizeof(r->hsm_id)};
    status result = db_exec(
        db,
        "INSERT INTO certificate_authority (name, hsm_id, certificate, parent, purpose, state, subject, chain, policy, "
        "leaf_days, crl_days, created_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        DB_PARAMS(db_text(r->name), db_blob(hsm_id), blob_or_empty(&r->certificate), db_text(r->parent),
                  db_text(ca_purpose_name(r->purpose)), db_text(ca_state_name(r->state)), db_text(r->subject),
                  blob_or_empty(&r->chain), db_text(r->policy), db_int(r->leaf_days ? r->leaf_days : CA_LEAF_DAYS_MOST),
                  db_int(r->crl_days ? r->crl_days : CA_CRL_DAYS), db_int(r->created_ms)),
        NULL, err);
    return row_conflict(result, err, "there is a certificate authority %s already", r->name);
}

static status ca_row_read(const struct db_rows *rows, struct ca_row *out, struct error *err)
{
    COLUMN_COPY(out->name, rows, 0);
    column_blob_copy(&out->certificate, rows, 2);
    COLUMN_COPY(out->parent, rows, 3);
    if (!ca_purpose_parse(db_column_text(rows, 4), &out->purpose) ||
        !ca_state_parse(db_column_text(rows, 5), &out->state))
        return error_set(err, CODE_INTERNAL, "store: the CA %s has a purpose or state this version does not know",
                         out->name);
    COLUMN_COPY(out->subject, rows, 6);
    column_blob_copy(&out->chain, rows, 7);
    COLUMN_COPY(out->policy, rows, 8);
    out->leaf_days = (int)db_column_int(rows, 9);
    out->crl_days = (int)db_column_int(rows, 10);
    out->created_ms = db_column_int(rows, 11);
    out->revision = db_column_int(rows, 12);
    out->revocations = db_column_int(rows, 13);
    out->crl_number = db_column_int(rows, 14);
    out->crl_revocations = db_column_int(rows, 15);
    out->crl_this_ms = db_column_int(rows, 16);
    out->crl_next_ms = db_column_int(rows, 17);
    TRY(buf_check(&out->certificate, err));
    TRY(buf_check(&out->chain, err));
    return column_blob_exact(out->hsm_id, sizeof(out->hsm_id), rows, 1, err);
}

status ca_row_find(struct db *db, const char *name, struct ca_row *out, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db, "SELECT " COLUMNS " FROM certificate_authority WHERE name = $1", DB_PARAMS(db_text(name)), &rows,
                 err));
    TRY(row_expect(rows, "certificate authority", err));
    return ca_row_read(rows, out, err);
}

status ca_row_list(struct db *db, struct page page, status (*each)(void *arg, const struct ca_row *r), void *arg,
                   struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    cleanup_ca_row struct ca_row r = {0};
    TRY(db_query(db,
                 "SELECT " COLUMNS " FROM certificate_authority WHERE name > $1 AND " NAME_BEGINS(
                     "name", "$2") " AND ($3 = '' OR state = $3) ORDER BY name LIMIT $4",
                 DB_PARAMS(db_text(page_after(page)), db_text(filter_text(page.name)), db_text(filter_text(page.state)),
                           db_int(page_limit(page))),
                 &rows, err));
    for (bool more = false;;) {
        TRY(db_next(rows, &more, err));
        if (!more)
            return OK;
        TRY(ca_row_read(rows, &r, err));
        TRY(each(arg, &r));
    }
}

status ca_row_update(struct db *db, const struct ca_row *r, struct error *err)
{
    int64_t changed = 0;
    TRY(db_exec(
        db,
        "UPDATE certificate_authority SET state = $2, certificate = $3, chain = $4, policy = $5, leaf_days = $6, "
        "crl_days = $7, revision = revision + 1 WHERE name = $1",
        DB_PARAMS(db_text(r->name), db_text(ca_state_name(r->state)), blob_or_empty(&r->certificate),
                  blob_or_empty(&r->chain), db_text(r->policy), db_int(r->leaf_days), db_int(r->crl_days)),
        &changed, err));
    return row_changed(changed, "certificate authority", err);
}

status ca_crl_find(struct db *db, const char *name, struct buf *der, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db, "SELECT crl FROM certificate_authority WHERE name = $1 AND crl_number > 0",
                 DB_PARAMS(db_text(name)), &rows, err));
    TRY(row_expect(rows, "CRL", err));
    column_blob_copy(der, rows, 0);
    return buf_check(der, err);
}

status ca_crl_store(struct db *db, const struct ca_row *r, struct slice der, struct error *err)
{
    int64_t changed = 0;
    TRY(db_exec(db,
                "UPDATE certificate_authority SET crl = $2, crl_number = $3, crl_revocations = $4, crl_this_ms = $5, "
                "crl_next_ms = $6 WHERE name = $1 AND crl_number + 1 = $3",
                DB_PARAMS(db_text(r->name), db_blob(der), db_int(r->crl_number), db_int(r->crl_revocations),
                          db_int(r->crl_this_ms), db_int(r->crl_next_ms)),
                &changed, err));
    return changed ? OK : error_set(err, CODE_CONFLICT, "another CRL of %s was made meanwhile", r->name);
}

status ca_key_list(struct db *db, status (*each)(void *arg, const uint8_t hsm_id[20]), void *arg, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    uint8_t id[20];
    TRY(db_query(db, "SELECT hsm_id FROM certificate_authority UNION ALL SELECT hsm_id FROM ocsp_responder", NULL, 0,
                 &rows, err));
    for (bool more = false;;) {
        TRY(db_next(rows, &more, err));
        if (!more)
            return OK;
        TRY(column_blob_exact(id, sizeof(id), rows, 0, err));
        TRY(each(arg, id));
    }
}

/* ---- OCSP responders */

void ocsp_responder_clear(struct ocsp_responder *r)
{
    buf_clear(&r->certificate);
    *r = (struct ocsp_responder){0};
}

status ocsp_responder_find(struct db *db, const char *ca, struct ocsp_responder *out, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db, "SELECT ca, hsm_id, certificate, renew_ms FROM ocsp_responder WHERE ca = $1",
                 DB_PARAMS(db_text(ca)), &rows, err));
    TRY(row_expect(rows, "OCSP responder", err));
    COLUMN_COPY(out->ca, rows, 0);
    column_blob_copy(&out->certificate, rows, 2);
    out->renew_ms = db_column_int(rows, 3);
    TRY(buf_check(&out->certificate, err));
    return column_blob_exact(out->hsm_id, sizeof(out->hsm_id), rows, 1, err);
}

status ocsp_responder_store(struct db *db, const struct ocsp_responder *r, struct error *err)
{
    int64_t changed = 0;
    TRY(db_exec(
        db,
        "INSERT INTO ocsp_responder (ca, hsm_id, certificate, renew_ms) VALUES ($1, $2, $3, $4) ON CONFLICT (ca) "
        "DO UPDATE SET certificate = excluded.certificate, renew_ms = excluded.renew_ms "
        "WHERE ocsp_responder.hsm_id = excluded.hsm_id",
        DB_PARAMS(db_text(r->ca), db_blob((struct slice){r->hsm_id, sizeof(r->hsm_id)}),
                  db_blob(buf_slice(&r->certificate)), db_int(r->renew_ms)),
        &changed, err));
    return changed ? OK : error_set(err, CODE_CONFLICT, "another OCSP responder of %s was made meanwhile", r->ca);
}

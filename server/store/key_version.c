/* SPDX-License-Identifier: Apache-2.0 */
/* The versions of signing keys and the certificates they had. The current version is the one that the key's row names.
 */
#include "common/certificate.h"
#include "server/store/row.h"

static status version_row_insert(struct db *db, const struct signing_key *k, struct error *err)
{
    struct slice hsm_id = {k->hsm_id, sizeof(k->hsm_id)};
    struct slice certificate = buf_slice(&k->certificate);
    int64_t created_ms = k->version_created_ms ? k->version_created_ms : k->created_ms;
    return db_exec(db,
                   "INSERT INTO key_version (key_id, version, type, hsm_id, spki, hsm_attributes, certificate, "
                   "created_ms, findings, hsm, ca, not_after_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, "
                   "$12)",
                   DB_PARAMS(db_text(k->id), db_int(k->version), db_text(key_type_name(k->type)), db_blob(hsm_id),
                             db_blob(buf_slice(&k->spki)), db_text(k->hsm_attributes),
                             certificate.len ? db_blob(certificate) : db_null(), db_int(created_ms),
                             db_text(k->findings), db_text(signing_key_hsm(k)), db_text(k->certificate_ca),
                             db_int(certificate_not_after_ms(certificate))),
                   NULL, err);
}

status key_version_insert(struct db *db, const struct signing_key *k, struct error *err)
{
    int64_t changed = 0;
    TRY(row_conflict(version_row_insert(db, k, err), err, "the store has a signing key with this public key already"));
    TRY(db_exec(
        db, "UPDATE signing_key SET version = $2, hsm = $3, revision = revision + 1 WHERE id = $1 AND version <> $2",
        DB_PARAMS(db_text(k->id), db_int(k->version), db_text(signing_key_hsm(k))), &changed, err));
    return OK;
}

static status version_read(const struct db_rows *rows, struct signing_key *out, struct error *err)
{
    out->version = (int)db_column_int(rows, 0);
    if (!key_type_parse(db_column_text(rows, 1), &out->type))
        return error_set(err, CODE_INTERNAL, "store: a key version has a type this version does not know");
    column_blob_copy(&out->spki, rows, 3);
    TRY(buf_check(&out->spki, err));
    COLUMN_COPY(out->hsm_attributes, rows, 4);
    column_blob_copy(&out->certificate, rows, 5);
    TRY(buf_check(&out->certificate, err));
    out->version_created_ms = db_column_int(rows, 6);
    out->grace_until_ms = db_column_int(rows, 7);
    COLUMN_COPY(out->findings, rows, 8);
    COLUMN_COPY(out->hsm, rows, 9);
    COLUMN_COPY(out->certificate_ca, rows, 10);
    out->revoked_ms = db_column_int(rows, 11);
    column_blob_copy(&out->chain, rows, 12);
    TRY(buf_check(&out->chain, err));
    COLUMN_COPY(out->certificate_source, rows, 13);
    out->not_after_ms = db_column_int(rows, 14);
    return column_blob_exact(out->hsm_id, sizeof(out->hsm_id), rows, 2, err);
}

status key_version_list(struct db *db, const char *key_id, status (*each)(void *arg, const struct signing_key *k),
                        void *arg, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    cleanup_signing_key struct signing_key k = {0};
    (void)text_copy(k.id, sizeof(k.id), key_id);
    TRY(db_query(db,
                 "SELECT version, type, hsm_id, spki, hsm_attributes, certificate, created_ms, grace_until_ms, "
                 "findings, hsm, ca, revoked_ms, chain, certificate_source, not_after_ms FROM key_version "
                 "WHERE key_id = $1 ORDER BY version DESC",
                 DB_PARAMS(db_text(key_id)), &rows, err));
    for (bool more = false;;) {
        TRY(db_next(rows, &more, err));
        if (!more)
            return OK;
        TRY(version_read(rows, &k, err));
        TRY(each(arg, &k));
    }
}

static status any_read(const struct db_rows *rows, struct signing_key *out, struct error *err)
{
    COLUMN_COPY(out->id, rows, 0);
    COLUMN_COPY(out->project_name, rows, 1);
    COLUMN_COPY(out->label, rows, 2);
    COLUMN_COPY(out->hsm, rows, 4);
    out->version = (int)db_column_int(rows, 5);
    COLUMN_COPY(out->hsm_attributes, rows, 7);
    COLUMN_COPY(out->findings, rows, 8);
    if (!key_state_parse(db_column_text(rows, 3), &out->state))
        return error_set(err, CODE_INTERNAL, "store: the state of %s is not known", out->id);
    return column_blob_exact(out->hsm_id, sizeof(out->hsm_id), rows, 6, err);
}

status key_version_list_all(struct db *db, const char *hsm,
                            status (*each)(void *arg, const struct signing_key *k, int current_version), void *arg,
                            struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    cleanup_signing_key struct signing_key k = {0};
    TRY(db_query(db,
                 "SELECT k.id, p.name, k.label, k.lifecycle, v.hsm, v.version, v.hsm_id, v.hsm_attributes, v.findings, "
                 "k.version FROM key_version v JOIN signing_key k ON k.id = v.key_id JOIN project p ON p.id = "
                 "k.project_id WHERE v.hsm = $1 ORDER BY k.id, v.version",
                 DB_PARAMS(db_text(hsm)), &rows, err));
    for (bool more = false;;) {
        TRY(db_next(rows, &more, err));
        if (!more)
            return OK;
        TRY(any_read(rows, &k, err));
        TRY(each(arg, &k, (int)db_column_int(rows, 9)));
    }
}

status key_version_check_free(struct db *db, const uint8_t hsm_id[20], struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    bool more = false;
    TRY(db_query(db, "SELECT key_id FROM key_version WHERE hsm_id = $1", DB_PARAMS(db_blob((struct slice){hsm_id, 20})),
                 &rows, err));
    TRY(db_next(rows, &more, err));
    return more ? error_set(err, CODE_CONFLICT, "the HSM's key is the signing key %s already", db_column_text(rows, 0))
                : OK;
}

status key_version_set_grace(struct db *db, const char *key_id, int version, int64_t until_ms, struct error *err)
{
    int64_t changed = 0;
    TRY(db_exec(db, "UPDATE key_version SET grace_until_ms = $3 WHERE key_id = $1 AND version = $2",
                DB_PARAMS(db_text(key_id), db_int(version), db_int(until_ms)), &changed, err));
    return row_changed(changed, "key version", err);
}

static status certificate_keep(struct db *db, const struct signing_key *k, int64_t now_ms, struct error *err)
{
    if (k->certificate.len == 0)
        return OK;
    return db_exec(
        db, "INSERT INTO key_certificate (key_id, version, certificate, replaced_ms) VALUES ($1, $2, $3, $4)",
        DB_PARAMS(db_text(k->id), db_int(k->version), db_blob(buf_slice(&k->certificate)), db_int(now_ms)), NULL, err);
}

static status revision_grow(struct db *db, const char *key_id, struct error *err)
{
    return db_exec(db, "UPDATE signing_key SET revision = revision + 1 WHERE id = $1", DB_PARAMS(db_text(key_id)), NULL,
                   err);
}

status key_version_set_certificate(struct db *db, const struct signing_key *before, const struct signing_key *to,
                                   int64_t now_ms, struct error *err)
{
    int64_t changed = 0;
    struct slice chain = buf_slice(&to->chain), certificate = buf_slice(&to->certificate);
    TRY(certificate_keep(db, before, now_ms, err));
    TRY(db_exec(db,
                "UPDATE key_version SET certificate = $3, chain = $4, certificate_source = $5, not_after_ms = $6, "
                "ca = $7, revoked_ms = 0, notified_days = 0 WHERE key_id = $1 AND version = $2",
                DB_PARAMS(db_text(before->id), db_int(before->version), db_blob(certificate),
                          chain.len ? db_blob(chain) : db_null(), db_text(to->certificate_source),
                          db_int(certificate_not_after_ms(certificate)), db_text(to->certificate_ca)),
                &changed, err));
    TRY(row_changed(changed, "key version", err));
    return revision_grow(db, before->id, err);
}

status key_version_set_revoked(struct db *db, const char *key_id, int version, int64_t revoked_ms, struct error *err)
{
    int64_t changed = 0;
    TRY(db_exec(db, "UPDATE key_version SET revoked_ms = $3 WHERE key_id = $1 AND version = $2 AND revoked_ms = 0",
                DB_PARAMS(db_text(key_id), db_int(version), db_int(revoked_ms)), &changed, err));
    if (changed == 0)
        return error_set(err, CODE_CONFLICT, "the certificate of version %d is revoked already", version);
    return revision_grow(db, key_id, err);
}

status key_certificate_list(struct db *db, const char *key_id, int version,
                            status (*each)(void *arg, struct slice certificate, int64_t replaced_ms), void *arg,
                            struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db,
                 "SELECT certificate, replaced_ms FROM key_certificate WHERE key_id = $1 AND version = $2 "
                 "ORDER BY replaced_ms",
                 DB_PARAMS(db_text(key_id), db_int(version)), &rows, err));
    for (bool more = false;;) {
        TRY(db_next(rows, &more, err));
        if (!more)
            return OK;
        TRY(each(arg, db_column_blob(rows, 0), db_column_int(rows, 1)));
    }
}

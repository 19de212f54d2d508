/* SPDX-License-Identifier: Apache-2.0 */
/* Requests for approval, their digests and the decisions about them. */
#include "server/store/approval.h"

#include <stdio.h>
#include <string.h>

#include "server/store/row.h"

static const char *const state_names[APPROVAL_STATES] = {
    [APPROVAL_PENDING] = "pending",     [APPROVAL_APPROVED] = "approved", [APPROVAL_DENIED] = "denied",
    [APPROVAL_CANCELLED] = "cancelled", [APPROVAL_REVOKED] = "revoked",   [APPROVAL_EXPIRED] = "expired",
    [APPROVAL_USED] = "used",
};

const char *approval_state_name(enum approval_state s)
{
    return s < APPROVAL_STATES ? state_names[s] : "any";
}

bool approval_state_parse(const char *name, enum approval_state *out)
{
    for (int i = 0; i < APPROVAL_STATES; i++) {
        if (strcmp(state_names[i], name) == 0) {
            *out = (enum approval_state)i;
            return true;
        }
    }
    return false;
}

/* $1 is the time in every query that has it. */
#define STATE                                                                                                          \
    "CASE WHEN r.state = 'pending' AND r.expires_ms <= $1 THEN 'expired' "                                             \
    "WHEN r.state = 'approved' AND g.remaining <= 0 THEN 'used' "                                                      \
    "WHEN r.state = 'approved' AND g.not_after_ms <= $1 THEN 'expired' ELSE r.state END"
#define COLUMNS                                                                                                        \
    "r.id, r.key_id, k.label, k.project_id, p.name, r.requester_id, q.name, r.reason, r.signatures, r.hours, "         \
    "r.needed, r.break_glass, " STATE ", r.revision, r.created_ms, r.expires_ms, COALESCE(g.approvals, "               \
    "(SELECT COUNT(*) FROM approval_decision e WHERE e.request_id = r.id AND e.is_yes = 1)), "                         \
    "COALESCE(g.remaining, 0), COALESCE(g.not_before_ms, 0), COALESCE(g.not_after_ms, 0), "                            \
    "(SELECT COUNT(*) FROM approval_digest d WHERE d.request_id = r.id)"
#define FROM                                                                                                           \
    " FROM approval_request r JOIN signing_key k ON k.id = r.key_id JOIN project p ON p.id = k.project_id "            \
    "JOIN principal q ON q.id = r.requester_id LEFT JOIN approval_grant g ON g.request_id = r.id "

static void approval_read(const struct db_rows *rows, struct approval *out)
{
    *out = (struct approval){.signatures = db_column_int(rows, 8),
                             .hours = db_column_int(rows, 9),
                             .needed = db_column_int(rows, 10),
                             .break_glass = db_column_int(rows, 11) != 0,
                             .revision = db_column_int(rows, 13),
                             .created_ms = db_column_int(rows, 14),
                             .expires_ms = db_column_int(rows, 15),
                             .approvals = db_column_int(rows, 16),
                             .remaining = db_column_int(rows, 17),
                             .not_before_ms = db_column_int(rows, 18),
                             .not_after_ms = db_column_int(rows, 19),
                             .digests = db_column_int(rows, 20)};
    COLUMN_COPY(out->id, rows, 0);
    COLUMN_COPY(out->key_id, rows, 1);
    COLUMN_COPY(out->key_label, rows, 2);
    COLUMN_COPY(out->project_id, rows, 3);
    COLUMN_COPY(out->project_name, rows, 4);
    COLUMN_COPY(out->requester_id, rows, 5);
    COLUMN_COPY(out->requester_name, rows, 6);
    COLUMN_COPY(out->reason, rows, 7);
    if (!approval_state_parse(db_column_text(rows, 12), &out->state))
        out->state = APPROVAL_DENIED; /* the table's check allows no other */
}

status approval_insert(struct db *db, const struct approval *a, struct error *err)
{
    return db_exec(db,
                   "INSERT INTO approval_request (id, key_id, requester_id, reason, signatures, hours, needed, "
                   "break_glass, state, revision, created_ms, expires_ms) "
                   "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'pending', 1, $9, $10)",
                   DB_PARAMS(db_text(a->id), db_text(a->key_id), db_text(a->requester_id), db_text(a->reason),
                             db_int(a->signatures), db_int(a->hours), db_int(a->needed), db_int(a->break_glass),
                             db_int(a->created_ms), db_int(a->expires_ms)),
                   NULL, err);
}

status approval_find(struct db *db, const char *id, int64_t now_ms, struct approval *out, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db, "SELECT " COLUMNS FROM "WHERE r.id = $2", DB_PARAMS(db_int(now_ms), db_text(id)), &rows, err));
    TRY(row_expect(rows, "approval", err));
    approval_read(rows, out);
    return OK;
}

status approval_find_digest(struct db *db, const char *key_id, const char *requester_id, const char *hash,
                            const char *digest, int64_t now_ms, struct approval *out, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db,
                 "SELECT " COLUMNS FROM "JOIN approval_digest e ON e.request_id = r.id AND e.hash = $4 "
                 "AND e.digest = $5 WHERE r.key_id = $2 AND r.requester_id = $3 "
                 "AND (SELECT COUNT(*) FROM approval_digest d WHERE d.request_id = r.id) = 1 "
                 "ORDER BY r.created_ms DESC, r.id DESC LIMIT 1",
                 DB_PARAMS(db_int(now_ms), db_text(key_id), db_text(requester_id), db_text(hash), db_text(digest)),
                 &rows, err));
    TRY(row_expect(rows, "approval", err));
    approval_read(rows, out);
    return OK;
}

status approval_count_pending(struct db *db, const char *key_id, const char *requester_id, int64_t now_ms, int64_t *out,
                              struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db,
                 "SELECT COUNT(*) FROM approval_request WHERE key_id = $1 AND requester_id = $2 "
                 "AND state = 'pending' AND expires_ms > $3",
                 DB_PARAMS(db_text(key_id), db_text(requester_id), db_int(now_ms)), &rows, err));
    TRY(row_expect(rows, "approval", err));
    *out = db_column_int(rows, 0);
    return OK;
}

status approval_set_state(struct db *db, const char *id, enum approval_state state, struct error *err)
{
    int64_t changed = 0;
    TRY(db_exec(db, "UPDATE approval_request SET state = $2, revision = revision + 1 WHERE id = $1",
                DB_PARAMS(db_text(id), db_text(approval_state_name(state))), &changed, err));
    return row_changed(changed, "approval", err);
}

/* ---- lists */

void approval_cursor(const struct approval *a, char out[APPROVAL_CURSOR_SIZE])
{
    (void)snprintf(out, APPROVAL_CURSOR_SIZE, "%lld.%s", (long long)a->created_ms, a->id);
}

static status cursor_read(const char *after, int64_t *ms, char id[ID_SIZE], struct error *err)
{
    char number[24] = "";
    const char *dot = after ? strchr(after, '.') : NULL;
    *ms = INT64_MAX;
    *id = '\0';
    if (!after)
        return OK;
    if (dot && (size_t)(dot - after) < sizeof(number) && strlen(dot + 1) < ID_SIZE) {
        memcpy(number, after, (size_t)(dot - after));
        (void)text_copy(id, ID_SIZE, dot + 1);
        if (text_to_int64(number, ms))
            return OK;
    }
    return error_set(err, CODE_INVALID, "after: not a cursor of this list");
}

/* The present time: $1. What a principal sees: $7. What waits for one: $8, an administrator when $9 is 1. 1 and 4:
 * owner, approver. Pending ones are told by their row alone, before all that the others need is looked up. */
#define HAS_ROLE(who, bits)                                                                                            \
    "EXISTS (SELECT 1 FROM principal_role m WHERE m.project_id = k.project_id AND m.principal_id = " who               \
    " AND (m.role & " bits ") <> 0 AND " ROLE_IN_TIME("m.", "$1") ")"
#define WHERE                                                                                                          \
    "WHERE ($2 = '' OR k.project_id = $2) AND ($3 = '' OR r.key_id = $3) AND ($4 = '' OR r.requester_id = $4) "        \
    "AND ($5 <> 'pending' OR (r.state = 'pending' AND r.expires_ms > $1)) "                                            \
    "AND ($5 = '' OR " STATE " = $5) AND ($6 = -1 OR r.break_glass = $6) "                                             \
    "AND ($7 = '' OR r.requester_id = $7 OR " HAS_ROLE(                                                                \
        "$7",                                                                                                          \
        "5") ") "                                                                                                      \
             "AND ($8 = '' OR (r.state = 'pending' AND r.expires_ms > $1 AND r.requester_id <> $8 "                    \
             "AND NOT EXISTS (SELECT 1 FROM approval_decision e WHERE e.request_id = r.id AND e.approver_id = $8) "    \
             "AND NOT EXISTS (SELECT 1 FROM principal q JOIN team_member t ON t.team_id = q.team_id "                  \
             "WHERE q.id = r.requester_id AND t.principal_id = $8) "                                                   \
             "AND ((r.break_glass = 0 AND " HAS_ROLE("$8", "4") ") "                                                   \
                                                                "OR (r.break_glass = 1 AND ($9 = 1 OR " HAS_ROLE(      \
                                                                    "$8", "1") "))))) "
#define LIST_SQL                                                                                                       \
    "SELECT " COLUMNS FROM WHERE "AND (r.created_ms < $10 OR (r.created_ms = $10 AND r.id < $11)) "                    \
    "ORDER BY r.created_ms DESC, r.id DESC LIMIT $12"

static const char *or_any(const char *text)
{
    return text ? text : "";
}

/* $1 to $9 */
#define FILTER_PARAMS(f)                                                                                               \
    db_int((f)->now_ms), db_text(or_any((f)->project_id)), db_text(or_any((f)->key_id)),                               \
        db_text(or_any((f)->requester_id)),                                                                            \
        db_text((f)->state < APPROVAL_STATES ? approval_state_name((f)->state) : ""), db_int((f)->break_glass),        \
        db_text(or_any((f)->viewer_id)), db_text(or_any((f)->decider_id)), db_int((f)->decider_is_administrator)

status approval_list(struct db *db, const struct approval_filter *f, struct page page,
                     status (*each)(void *arg, const struct approval *a), void *arg, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    int64_t before_ms = 0;
    char before_id[ID_SIZE];
    TRY(cursor_read(page.after, &before_ms, before_id, err));
    TRY(db_query(db, LIST_SQL,
                 DB_PARAMS(FILTER_PARAMS(f), db_int(before_ms), db_text(before_id), db_int(page_limit(page))), &rows,
                 err));
    for (bool more = false;;) {
        TRY(db_next(rows, &more, err));
        if (!more)
            return OK;
        struct approval a;
        approval_read(rows, &a);
        TRY(each(arg, &a));
    }
}

status approval_count(struct db *db, const struct approval_filter *f, int64_t *out, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db, "SELECT COUNT(*)" FROM WHERE, DB_PARAMS(FILTER_PARAMS(f)), &rows, err));
    TRY(row_expect(rows, "approval", err));
    *out = db_column_int(rows, 0);
    return OK;
}

/* ---- digests */

status approval_digest_insert(struct db *db, const char *id, const struct approval_digest *d, struct error *err)
{
    status result =
        db_exec(db, "INSERT INTO approval_digest (request_id, hash, digest, remaining) VALUES ($1, $2, $3, $4)",
                DB_PARAMS(db_text(id), db_text(d->hash), db_text(d->digest), db_int(d->remaining)), NULL, err);
    return row_conflict(result, err, "digests: one is named twice");
}

status approval_digest_list(struct db *db, const char *id, status (*each)(void *arg, const struct approval_digest *d),
                            void *arg, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db, "SELECT hash, digest, remaining FROM approval_digest WHERE request_id = $1 ORDER BY hash, digest",
                 DB_PARAMS(db_text(id)), &rows, err));
    for (bool more = false;;) {
        TRY(db_next(rows, &more, err));
        if (!more)
            return OK;
        struct approval_digest d = {.remaining = db_column_int(rows, 2)};
        COLUMN_COPY(d.hash, rows, 0);
        COLUMN_COPY(d.digest, rows, 1);
        TRY(each(arg, &d));
    }
}

/* ---- decisions */

status approval_decision_insert(struct db *db, const char *id, const struct approval_decision *d, struct error *err)
{
    status result = db_exec(
        db,
        "INSERT INTO approval_decision (request_id, approver_id, is_yes, comment, created_ms) "
        "VALUES ($1, $2, $3, $4, $5)",
        DB_PARAMS(db_text(id), db_text(d->approver_id), db_int(d->is_yes), db_text(d->comment), db_int(d->created_ms)),
        NULL, err);
    return row_conflict(result, err, "you have decided on this request already");
}

status approval_decision_list(struct db *db, const char *id,
                              status (*each)(void *arg, const struct approval_decision *d), void *arg,
                              struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db,
                 "SELECT d.approver_id, p.name, d.comment, d.is_yes, d.created_ms FROM approval_decision d "
                 "JOIN principal p ON p.id = d.approver_id WHERE d.request_id = $1 "
                 "ORDER BY d.created_ms, d.approver_id",
                 DB_PARAMS(db_text(id)), &rows, err));
    for (bool more = false;;) {
        TRY(db_next(rows, &more, err));
        if (!more)
            return OK;
        struct approval_decision d = {.is_yes = db_column_int(rows, 3) != 0, .created_ms = db_column_int(rows, 4)};
        COLUMN_COPY(d.approver_id, rows, 0);
        COLUMN_COPY(d.approver_name, rows, 1);
        COLUMN_COPY(d.comment, rows, 2);
        TRY(each(arg, &d));
    }
}

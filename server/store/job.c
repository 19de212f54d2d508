/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs. A lease tells which server works on one, and until when nobody else may. */
#include "server/store/connector.h"

#include <string.h>

#include "server/store/row.h"

const char *const job_kind_words[] = {"enroll", "renew", "revoke", "test", NULL};
const char *const job_state_words[] = {"queued", "running", "waiting", "done", "failed", NULL};

#define COLUMNS                                                                                                        \
    "j.id, j.kind, j.connector_id, c.name, j.key_id, j.version, j.subject, j.days, j.state, j.attempts, j.next_ms, "   \
    "j.lease_owner, j.lease_until_ms, j.transaction_state, j.last_error, j.result, j.requested_by, j.created_ms, "     \
    "j.finished_ms, COALESCE(p.name || ':' || k.label, '')"
#define FROM                                                                                                           \
    " FROM job j JOIN connector c ON c.id = j.connector_id LEFT JOIN signing_key k ON k.id = j.key_id "                \
    "LEFT JOIN project p ON p.id = k.project_id "

const char *job_kind_name(enum job_kind kind)
{
    return job_kind_words[kind];
}

const char *job_state_name(enum job_state state)
{
    return job_state_words[state];
}

void job_clear(struct job *j)
{
    buf_clear(&j->transaction);
    buf_clear(&j->result);
    *j = (struct job){0};
}

static int word_index(const char *const *words, const char *text)
{
    for (int i = 0; words[i]; i++) {
        if (strcmp(words[i], text) == 0)
            return i;
    }
    return 0; /* the table's check allows no other */
}

static status job_read(const struct db_rows *rows, struct job *out, struct error *err)
{
    COLUMN_COPY(out->id, rows, 0);
    out->kind = (enum job_kind)word_index(job_kind_words, db_column_text(rows, 1));
    COLUMN_COPY(out->connector_id, rows, 2);
    COLUMN_COPY(out->connector_name, rows, 3);
    COLUMN_COPY(out->key_id, rows, 4);
    out->version = (int)db_column_int(rows, 5);
    COLUMN_COPY(out->subject, rows, 6);
    out->days = (int)db_column_int(rows, 7);
    out->state = (enum job_state)word_index(job_state_words, db_column_text(rows, 8));
    out->attempts = (int)db_column_int(rows, 9);
    out->next_ms = db_column_int(rows, 10);
    COLUMN_COPY(out->lease_owner, rows, 11);
    out->lease_until_ms = db_column_int(rows, 12);
    buf_reset(&out->transaction);
    buf_add_text(&out->transaction, db_column_text(rows, 13));
    COLUMN_COPY(out->last_error, rows, 14);
    buf_reset(&out->result);
    buf_add_text(&out->result, db_column_text(rows, 15));
    COLUMN_COPY(out->requested_by, rows, 16);
    out->created_ms = db_column_int(rows, 17);
    out->finished_ms = db_column_int(rows, 18);
    COLUMN_COPY(out->key_name, rows, 19);
    TRY(buf_check(&out->transaction, err));
    return buf_check(&out->result, err);
}

status job_insert(struct db *db, const struct job *j, struct error *err)
{
    status result =
        db_exec(db,
                "INSERT INTO job (id, kind, connector_id, key_id, version, subject, days, state, attempts, next_ms, "
                "lease_owner, lease_until_ms, transaction_state, last_error, result, requested_by, created_ms, "
                "finished_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, 'queued', 0, $8, '', 0, $10, '', '', $9, $8, 0)",
                DB_PARAMS(db_text(j->id), db_text(job_kind_name(j->kind)), db_text(j->connector_id), db_text(j->key_id),
                          db_int(j->version), db_text(j->subject), db_int(j->days), db_int(j->created_ms),
                          db_text(j->requested_by), db_text(buf_text(&j->transaction))),
                NULL, err);
    TRY(row_conflict(result, err, "a job for this version of the key is under way already"));
    return *j->key_id ? db_exec(db, "UPDATE signing_key SET job_id = $2 WHERE id = $1",
                                DB_PARAMS(db_text(j->key_id), db_text(j->id)), NULL, err)
                      : OK;
}

static status job_take_row(struct db_rows *rows, struct job *out, struct error *err)
{
    TRY(row_expect(rows, "job", err));
    return job_read(rows, out, err);
}

status job_find(struct db *db, const char *id, struct job *out, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db, "SELECT " COLUMNS FROM "WHERE j.id = $1", DB_PARAMS(db_text(id)), &rows, err));
    return job_take_row(rows, out, err);
}

status job_list(struct db *db, const char *key_id, struct page page, status (*each)(void *arg, const struct job *j),
                void *arg, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    cleanup_job struct job j = {0};
    TRY(db_query(db,
                 key_id ? "SELECT " COLUMNS FROM "WHERE j.id > $1 AND ($2 = '' OR j.state = $2) AND ($3 = '' OR "
                          "j.kind = $3) AND j.key_id = $4 ORDER BY j.id LIMIT $5"
                        : "SELECT " COLUMNS FROM "WHERE j.id > $1 AND ($2 = '' OR j.state = $2) AND ($3 = '' OR "
                          "j.kind = $3) AND $4 = '' ORDER BY j.id LIMIT $5",
                 DB_PARAMS(db_text(page_after(page)), db_text(filter_text(page.state)), db_text(filter_text(page.type)),
                           db_text(key_id ? key_id : ""), db_int(page_limit(page))),
                 &rows, err));
    for (bool more = false;;) {
        TRY(db_next(rows, &more, err));
        if (!more)
            return OK;
        TRY(job_read(rows, &j, err));
        TRY(each(arg, &j));
    }
}

status job_find_due(struct db *db, int64_t now_ms, struct job *out, struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    TRY(db_query(db,
                 "SELECT " COLUMNS FROM "WHERE j.finished_ms = 0 AND j.next_ms <= $1 AND (j.state <> 'running' OR "
                 "j.lease_until_ms <= $1) ORDER BY j.next_ms LIMIT 1",
                 DB_PARAMS(db_int(now_ms)), &rows, err));
    return job_take_row(rows, out, err);
}

static status lease_changed(int64_t changed, struct error *err)
{
    return changed > 0 ? OK : error_set(err, CODE_CONFLICT, "the job is not this server's any more");
}

status job_take(struct db *db, const struct job *j, int64_t now_ms, struct error *err)
{
    int64_t changed = 0;
    TRY(db_exec(db,
                "UPDATE job SET state = 'running', attempts = attempts + 1, lease_owner = $2, lease_until_ms = $3, "
                "transaction_state = $4 WHERE id = $1 AND finished_ms = 0 AND next_ms <= $5 AND (state <> 'running' OR "
                "lease_until_ms <= $5)",
                DB_PARAMS(db_text(j->id), db_text(j->lease_owner), db_int(j->lease_until_ms),
                          db_text(buf_text(&j->transaction)), db_int(now_ms)),
                &changed, err));
    return lease_changed(changed, err);
}

status job_keep(struct db *db, const struct job *j, struct error *err)
{
    int64_t changed = 0;
    TRY(db_exec(db, "UPDATE job SET transaction_state = $3 WHERE id = $1 AND lease_owner = $2 AND finished_ms = 0",
                DB_PARAMS(db_text(j->id), db_text(j->lease_owner), db_text(buf_text(&j->transaction))), &changed, err));
    return lease_changed(changed, err);
}

status job_release_all(struct db *db, struct error *err)
{
    return db_exec(db, "UPDATE job SET lease_until_ms = 0 WHERE finished_ms = 0 AND lease_until_ms > 0", NULL, 0, NULL,
                   err);
}

status job_settle(struct db *db, const struct job *j, struct error *err)
{
    int64_t changed = 0;
    TRY(db_exec(db,
                "UPDATE job SET state = $3, attempts = $4, next_ms = $5, transaction_state = $6, last_error = $7, "
                "result = $8, finished_ms = $9, lease_owner = '', lease_until_ms = 0 WHERE id = $1 AND "
                "lease_owner = $2 AND finished_ms = 0",
                DB_PARAMS(db_text(j->id), db_text(j->lease_owner), db_text(job_state_name(j->state)),
                          db_int(j->attempts), db_int(j->next_ms), db_text(buf_text(&j->transaction)),
                          db_text(j->last_error), db_text(buf_text(&j->result)), db_int(j->finished_ms)),
                &changed, err));
    return lease_changed(changed, err);
}

status job_end_enrolment(struct db *db, const char *key_id, int version, const char *why, int64_t now_ms,
                         struct error *err)
{
    return db_exec(db,
                   "UPDATE job SET state = 'failed', finished_ms = $4, last_error = $3, lease_owner = '', "
                   "lease_until_ms = 0 WHERE key_id = $1 AND version = $2 AND finished_ms = 0 AND kind <> 'revoke'",
                   DB_PARAMS(db_text(key_id), db_int(version), db_text(why), db_int(now_ms)), NULL, err);
}

status job_set_state(struct db *db, const struct job *j, struct error *err)
{
    int64_t changed = 0;
    status result = db_exec(db,
                            "UPDATE job SET state = $2, next_ms = $3, finished_ms = $4, last_error = $5, attempts = 0 "
                            "WHERE id = $1 AND state <> 'running'",
                            DB_PARAMS(db_text(j->id), db_text(job_state_name(j->state)), db_int(j->next_ms),
                                      db_int(j->finished_ms), db_text(j->last_error)),
                            &changed, err);
    TRY(row_conflict(result, err, "another job for this version of the key is under way"));
    return changed > 0 ? OK : error_set(err, CODE_CONFLICT, "the job is running: try again when it has ended");
}

status job_prune(struct db *db, int64_t before_ms, int64_t keep, struct error *err)
{
    return db_exec(db,
                   "DELETE FROM job WHERE finished_ms > 0 AND (finished_ms < $1 OR finished_ms < COALESCE((SELECT "
                   "finished_ms FROM job WHERE finished_ms > 0 ORDER BY finished_ms DESC LIMIT 1 OFFSET $2), 0))",
                   DB_PARAMS(db_int(before_ms), db_int(keep)), NULL, err);
}

status job_count(struct db *db, int64_t counts[JOB_STATES], struct error *err)
{
    cleanup_rows struct db_rows *rows = NULL;
    memset(counts, 0, JOB_STATES * sizeof(*counts));
    TRY(db_query(db, "SELECT state, COUNT(*) FROM job GROUP BY state", NULL, 0, &rows, err));
    for (bool more = false;;) {
        TRY(db_next(rows, &more, err));
        if (!more)
            return OK;
        counts[word_index(job_state_words, db_column_text(rows, 0))] = db_column_int(rows, 1);
    }
}
